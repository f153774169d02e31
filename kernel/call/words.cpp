#include "call/words.hpp"

#include <algorithm>
#include <iterator>
#include <utility>
#include <vector>

#include "base/json.hpp"

namespace jackfield::call {
namespace {

/// The code point at `at` and its length; a byte that begins none stands for itself.
std::pair<char32_t, std::size_t> code_point(std::string_view text, std::size_t at) {
    const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[at + i]); };
    const unsigned char first = byte(0);
    const std::size_t length = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : first >= 0xC0 ? 2 : 1;
    if (length == 1 || at + length > text.size()) return {first, 1};
    char32_t code = first & (0xFFU >> (length + 1));
    for (std::size_t i = 1; i < length; ++i) code = code << 6 | (byte(i) & 0x3FU);
    return {code, length};
}

void append(std::string& out, char32_t code) {
    if (code < 0x80) {
        out += static_cast<char>(code);
    } else if (code < 0x800) {
        out += static_cast<char>(0xC0 | code >> 6);
        out += static_cast<char>(0x80 | (code & 0x3F));
    } else if (code < 0x10000) {
        out += static_cast<char>(0xE0 | code >> 12);
        out += static_cast<char>(0x80 | (code >> 6 & 0x3F));
        out += static_cast<char>(0x80 | (code & 0x3F));
    } else {
        out += static_cast<char>(0xF0 | code >> 18);
        out += static_cast<char>(0x80 | (code >> 12 & 0x3F));
        out += static_cast<char>(0x80 | (code >> 6 & 0x3F));
        out += static_cast<char>(0x80 | (code & 0x3F));
    }
}

/// Lower case for the Latin, Greek and Cyrillic letters that recognisers write; the C locale knows ASCII only.
char32_t folded(char32_t c) {
    if (c >= 'A' && c <= 'Z') return c + 32;
    if (c >= 0xC0 && c <= 0xDE && c != 0xD7) return c + 32;
    if (c == 0x130) return 'i';
    if ((c >= 0x100 && c <= 0x137) || (c >= 0x14A && c <= 0x177)) return c | 1U;
    if ((c >= 0x139 && c <= 0x148) || (c >= 0x179 && c <= 0x17E)) return c % 2 ? c + 1 : c;
    if (c >= 0x391 && c <= 0x3A9) return c + 32;
    if (c >= 0x410 && c <= 0x42F) return c + 32;
    if (c >= 0x400 && c <= 0x40F) return c + 80;
    return c;
}

/// Written without spaces between words.
bool is_cjk(char32_t c) { return (c >= 0x3040 && c <= 0x30FF) || (c >= 0x3400 && c <= 0x9FFF) || (c >= 0xF900 && c <= 0xFAFF); }

bool is_letter(char32_t c) {
    if (c < 0x80) return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
    // Punctuation beyond ASCII: Latin-1 signs, general punctuation, CJK and full-width marks.
    return c >= 0xC0 && !(c >= 0x2000 && c <= 0x206F) && !(c >= 0x3000 && c <= 0x303F) && !(c >= 0xFF00 && c <= 0xFF0F) &&
           !(c >= 0xFF1A && c <= 0xFF20);
}

/// Folded words; apostrophes and hyphens inside a word vanish ("uh-huh" is "uhhuh"), a run of Chinese or Japanese is one word.
std::vector<std::string> words_of(std::string_view text) {
    std::vector<std::string> out;
    std::string word;
    const auto end_word = [&] {
        if (!word.empty()) out.push_back(std::exchange(word, {}));
    };
    for (std::size_t at = 0; at < text.size();) {
        const auto [raw, length] = code_point(text, at);
        at += length;
        const char32_t c = folded(raw);
        if (is_letter(c)) append(word, c);
        else if (c != '\'' && c != '-' && c != 0x2019) end_word();
    }
    end_word();
    return out;
}

/// Where `phrase` stands at the beginning of `words` from `at` on: how many words it has, 0 when it doesn't.
std::size_t phrase_at(const std::vector<std::string>& words, std::size_t at, const std::string& phrase) {
    const std::vector<std::string> wanted = words_of(phrase);
    if (wanted.empty() || words.size() - at < wanted.size()) return 0;
    return std::equal(wanted.begin(), wanted.end(), words.begin() + static_cast<std::ptrdiff_t>(at)) ? wanted.size() : 0;
}

/// How many words from `at` on are one of the language's backchannels.
std::size_t backchannel_at(const Language& language, const std::vector<std::string>& words, std::size_t at) {
    std::size_t longest = 0;
    for (const std::string& phrase : language.backchannels) longest = std::max(longest, phrase_at(words, at, phrase));
    return longest;
}

int weight_of(const std::string& word) {
    int cjk = 0;
    for (std::size_t at = 0; at < word.size();) {
        const auto [c, length] = code_point(word, at);
        at += length;
        cjk += is_cjk(c);
    }
    return cjk > 0 ? (cjk + 1) / 2 : 1;
}

}  // namespace

bool is_stop_phrase(const Language& language, std::string_view text) {
    const std::vector<std::string> words = words_of(text);
    return std::any_of(language.stop_phrases.begin(), language.stop_phrases.end(),
                       [&](const std::string& phrase) { return phrase_at(words, 0, phrase) > 0; });
}

bool has_phrase(const std::vector<std::string>& phrases, std::string_view text) {
    const std::vector<std::string> words = words_of(text);
    for (std::size_t at = 0; at < words.size(); ++at)
        for (const std::string& phrase : phrases)
            if (phrase_at(words, at, phrase) > 0) return true;
    return false;
}

bool is_backchannel(const Language& language, std::string_view text) {
    return !words_of(text).empty() && count_meaningful_words(language, text) == 0;
}

int count_meaningful_words(const Language& language, std::string_view text) {
    const std::vector<std::string> words = words_of(text);
    int count = 0;
    for (std::size_t at = 0; at < words.size();) {
        if (const std::size_t n = backchannel_at(language, words, at)) {
            at += n;
            continue;
        }
        count += weight_of(words[at++]);
    }
    return count;
}

bool has_words(std::string_view text, std::string_view phrase) {
    const std::vector<std::string> words = words_of(text);
    const std::string wanted(phrase);
    for (std::size_t at = 0; at < words.size(); ++at)
        if (phrase_at(words, at, wanted) > 0) return true;
    return false;
}

bool same_words(std::string_view a, std::string_view b) { return words_of(a) == words_of(b); }

std::size_t cut_at_word(std::string_view text, std::uint64_t bytes) {
    if (bytes >= text.size()) return text.size();
    auto at = static_cast<std::size_t>(bytes);
    // In the middle of a word most of it may have been heard, but a word that was not finished does not count.
    while (at > 0 && text[at] != ' ' && text[at - 1] != ' ') --at;
    while (at > 0 && text[at - 1] == ' ') --at;
    return at;
}

bool would_be_heard(std::string_view text) {
    return std::any_of(text.begin(), text.end(), [](char c) {
        const auto u = static_cast<unsigned char>(c);
        return u >= 0x80 || (u >= '0' && u <= '9') || ((u | 0x20) >= 'a' && (u | 0x20) <= 'z');
    });
}

bool ends_sentence(std::string_view text) {
    static constexpr std::string_view behind[] = {" ", "\n", "\r", "\t", "\"", "'", ")", "]", "*", "”", "’", "»", "」", "）"};
    static constexpr std::string_view ends[] = {".", "!", "?", "…", "。", "！", "？", "؟", "।"};
    const auto ends_with = [&](std::string_view mark) { return text.ends_with(mark); };
    for (;;) {
        const auto mark = std::find_if(std::begin(behind), std::end(behind), ends_with);
        if (mark == std::end(behind)) break;
        text.remove_suffix(mark->size());
    }
    return std::any_of(std::begin(ends), std::end(ends), ends_with);
}


std::string transfer_target(std::string_view arguments_json) {
    const auto document = base::JsonDocument::parse(arguments_json);
    return document ? document->root()["to"].text_or("") : std::string();
}

}  // namespace jackfield::call
