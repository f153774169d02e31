#include "words.hpp"

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <utility>

namespace example {
namespace {

/// Letters with a diacritic, and the letter without it (Unicode 15, Latin-1 Supplement and Latin Extended-A, both cases).
struct Folded {
    std::uint16_t first, last;
    char base;
};
constexpr Folded folded[] = {
    {0xc0, 0xc5, 'a'},   {0xc7, 0xc7, 'c'},   {0xc8, 0xcb, 'e'},   {0xcc, 0xcf, 'i'},   {0xd1, 0xd1, 'n'},   {0xd2, 0xd6, 'o'},   {0xd9, 0xdc, 'u'},
    {0xdd, 0xdd, 'y'},   {0xe0, 0xe5, 'a'},   {0xe7, 0xe7, 'c'},   {0xe8, 0xeb, 'e'},   {0xec, 0xef, 'i'},   {0xf1, 0xf1, 'n'},   {0xf2, 0xf6, 'o'},
    {0xf9, 0xfc, 'u'},   {0xfd, 0xfd, 'y'},   {0xff, 0xff, 'y'},   {0x100, 0x105, 'a'}, {0x106, 0x10d, 'c'}, {0x10e, 0x10f, 'd'}, {0x112, 0x11b, 'e'},
    {0x11c, 0x123, 'g'}, {0x124, 0x125, 'h'}, {0x128, 0x130, 'i'}, {0x134, 0x135, 'j'}, {0x136, 0x137, 'k'}, {0x139, 0x142, 'l'}, {0x143, 0x148, 'n'},
    {0x14c, 0x151, 'o'}, {0x154, 0x159, 'r'}, {0x15a, 0x161, 's'}, {0x162, 0x165, 't'}, {0x168, 0x173, 'u'}, {0x174, 0x175, 'w'}, {0x176, 0x178, 'y'},
    {0x179, 0x17e, 'z'}};

bool within(std::uint32_t c, std::uint32_t first, std::uint32_t last) { return c >= first && c <= last; }

/// A combining mark belongs to its word and leaves no trace in it.
bool is_mark(std::uint32_t c) { return within(c, 0x300, 0x36f); }

bool is_of_a_word(std::uint32_t c) {
    if (c < 0x80) return within(c, '0', '9') || within(c | 0x20, 'a', 'z');
    if (c < 0xc0) return c == 0xaa || c == 0xb5 || c == 0xba;
    const bool sign = c == 0xd7 || c == 0xf7 || within(c, 0x2000, 0x2bff) || within(c, 0x3000, 0x303f) || within(c, 0xfe30, 0xfe6f) ||
                      within(c, 0xff00, 0xff0f) || within(c, 0xfff0, 0xffff) || within(c, 0x1f000, 0x1faff);
    return !sign;
}

std::uint32_t fold(std::uint32_t c) {
    if (c < 0x80) return within(c, 'A', 'Z') ? c + 32 : c;
    for (const Folded& range : folded)
        if (within(c, range.first, range.last)) return static_cast<unsigned char>(range.base);
    if (within(c, 0xc0, 0xde) || within(c, 0x391, 0x3a9) || within(c, 0x410, 0x42f)) return c + 32;
    if (within(c, 0x400, 0x40f)) return c + 80;
    if (within(c, 0x100, 0x17e)) return c | 1;  // pairs of a capital and a small letter: Đ, Œ
    return c;
}

/// Texts are UTF-8 by the time they come here.
std::uint32_t next_character(std::string_view text, std::size_t& at) {
    const auto first = static_cast<unsigned char>(text[at++]);
    std::uint32_t c = first < 0x80 ? first : first < 0xe0 ? first & 0x1fu : first < 0xf0 ? first & 0x0fu : first & 0x07u;
    while (at < text.size() && (static_cast<unsigned char>(text[at]) & 0xc0) == 0x80) c = c << 6 | (static_cast<unsigned char>(text[at++]) & 0x3fu);
    return c;
}

void append(std::string& out, std::uint32_t c) {
    if (c < 0x80) out += static_cast<char>(c);
    else if (c < 0x800) (out += static_cast<char>(0xc0 | c >> 6)) += static_cast<char>(0x80 | (c & 0x3f));
    else {
        if (c < 0x10000) out += static_cast<char>(0xe0 | c >> 12);
        else (out += static_cast<char>(0xf0 | c >> 18)) += static_cast<char>(0x80 | (c >> 12 & 0x3f));
        (out += static_cast<char>(0x80 | (c >> 6 & 0x3f))) += static_cast<char>(0x80 | (c & 0x3f));
    }
}

bool is_space(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

}  // namespace

std::vector<std::string> words_of(std::string_view text) {
    std::vector<std::string> out;
    std::string word;
    for (std::size_t at = 0; at < text.size();) {
        const std::uint32_t c = next_character(text, at);
        if (is_mark(c)) continue;
        if (is_of_a_word(c)) append(word, fold(c));
        else if (!word.empty()) out.push_back(std::exchange(word, {}));
    }
    if (!word.empty()) out.push_back(std::move(word));
    return out;
}

std::vector<Phrase> read_phrases(std::string_view text) {
    std::vector<Phrase> out;
    const auto add = [&](std::string_view piece, bool open) {
        Phrase phrase{words_of(piece), open};
        if (!phrase.words.empty()) out.push_back(std::move(phrase));
    };
    for (std::size_t at = 0; at < text.size();) {
        if (is_space(text[at])) {
            ++at;
            continue;
        }
        const bool quoted = text[at] == '"';
        std::size_t end = quoted ? ++at : at;
        while (end < text.size() && text[end] != '"' && (quoted || !is_space(text[end]))) ++end;
        const std::string_view piece = text.substr(at, end - at);
        add(piece, !quoted && piece.ends_with('*'));
        at = quoted ? end + 1 : end;
    }
    return out;
}

std::size_t times(const Phrase& phrase, const std::vector<std::string>& words) {
    std::size_t n = 0;
    const std::size_t length = phrase.words.size();
    for (std::size_t from = 0; from + length <= words.size(); ++from) {
        const auto here = words.begin() + static_cast<std::ptrdiff_t>(from);
        const auto last = std::prev(phrase.words.end());
        const std::string& end = words[from + length - 1];
        if (std::equal(phrase.words.begin(), last, here) && (phrase.open ? end.starts_with(*last) : end == *last)) ++n;
    }
    return n;
}

}  // namespace example
