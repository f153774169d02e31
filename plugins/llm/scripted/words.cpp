#include "words.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <utility>

namespace jackfield::scripted {
namespace {

// A caller's turn is a sentence or two; what is longer is cut, so that matching stays within its budget.
constexpr std::size_t max_words = 96;

template <std::size_t N>
bool one_of(std::string_view word, const std::array<std::string_view, N>& list) {
    return std::find(list.begin(), list.end(), word) != list.end();
}

bool is_filler(std::string_view word) {
    static constexpr std::array<std::string_view, 15> fillers{
        "uh", "um", "er", "erm", "hm", "hmm", "mm", "ah", "please", "well", "so", "just", "actually", "maybe", "kindly"};
    return one_of(word, fillers);
}

bool is_digit(char c) { return c >= '0' && c <= '9'; }
// Bytes of non-ASCII characters count as letters: names keep them.
bool is_letter(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || static_cast<unsigned char>(c) >= 0x80;
}
char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

/// "i'd" -> "i", "would". False when the word has no known contraction in it.
bool write_out(std::string_view word, Words& out) {
    static constexpr std::array<std::pair<std::string_view, std::string_view>, 6> endings{{
        {"'d", "would"}, {"'ll", "will"}, {"'m", "am"}, {"'re", "are"}, {"'ve", "have"}, {"n't", "not"}}};
    static constexpr std::array<std::string_view, 9> with_is{"it's",   "that's", "what's", "when's", "where's",
                                                             "who's",  "how's",  "here's", "there's"};
    if (word == "can't") return out.insert(out.end(), {"can", "not"}), true;
    if (word == "won't") return out.insert(out.end(), {"will", "not"}), true;
    if (word == "let's") return out.insert(out.end(), {"let", "us"}), true;
    if (one_of(word, with_is)) {
        out.insert(out.end(), {std::string(word.substr(0, word.size() - 2)), "is"});
        return true;
    }
    for (const auto& [ending, full] : endings) {
        if (word.size() > ending.size() && word.ends_with(ending)) {
            out.insert(out.end(), {std::string(word.substr(0, word.size() - ending.size())), std::string(full)});
            return true;
        }
    }
    return false;
}

void add_word(std::string word, Words& out) {
    if (word.find('\'') != std::string::npos) {
        if (write_out(word, out)) return;
        if (word.ends_with("'s")) word.resize(word.size() - 2);
        std::erase(word, '\'');
    }
    if (word.empty()) return;
    if (!out.empty()) {
        std::string& last = out.back();
        if ((last == "a" || last == "p") && word == "m") return void(last += "m");
        if (last == "o" && word == "clock") return void(last = "oclock");
    }
    out.push_back(std::move(word));
}

/// Length of the word that begins at `at`: letters with inner apostrophes, or digits with an ordinal's ending.
std::size_t word_length(std::string_view text, std::size_t at) {
    std::size_t end = at;
    if (is_digit(text[at])) {
        while (end < text.size() && is_digit(text[end])) ++end;
        const std::string_view rest = text.substr(end, 3);
        const bool ordinal = rest.size() >= 2 && (rest.size() == 2 || !is_letter(rest[2]));
        if (ordinal) {
            const std::string ending{lower(rest[0]), lower(rest[1])};
            if (ending == "st" || ending == "nd" || ending == "rd" || ending == "th") end += 2;
        }
        return end - at;
    }
    while (end < text.size() &&
           (is_letter(text[end]) || (text[end] == '\'' && end + 1 < text.size() && is_letter(text[end + 1]))))
        ++end;
    return end - at;
}

Words cut(std::string_view text, bool drop_fillers) {
    Words out;
    std::string plain;
    // The typographic apostrophe, U+2019, is as common in typed text as the plain one.
    for (std::size_t i = 0; i < text.size() && plain.size() < max_words * 32; ++i) {
        if (text.substr(i, 3) == "\xE2\x80\x99") {
            plain += '\'';
            i += 2;
        } else {
            plain += lower(text[i]);
        }
    }
    for (std::size_t at = 0; at < plain.size() && out.size() < max_words;) {
        if (!is_digit(plain[at]) && !is_letter(plain[at])) {
            ++at;
            continue;
        }
        const std::size_t length = word_length(plain, at);
        std::string word = plain.substr(at, length);
        at += length;
        if (!drop_fillers || !is_filler(word)) add_word(std::move(word), out);
    }
    return out;
}

/// Length of the well-formed UTF-8 sequence at `at`, 0 when there is none.
std::size_t utf8_length(std::string_view s, std::size_t at) {
    const auto byte = [&](std::size_t i) -> std::uint32_t {
        return at + i < s.size() ? static_cast<unsigned char>(s[at + i]) : 0;
    };
    const auto follows = [&](std::size_t i) { return (byte(i) & 0xC0) == 0x80; };
    const std::uint32_t first = byte(0);
    if (first < 0x80) return 1;
    if (first >= 0xC2 && first <= 0xDF) return follows(1) ? 2 : 0;
    if (first >= 0xE0 && first <= 0xEF) {
        if (!follows(1) || !follows(2)) return 0;
        if (first == 0xE0 && byte(1) < 0xA0) return 0;  // overlong
        if (first == 0xED && byte(1) > 0x9F) return 0;  // surrogate
        return 3;
    }
    if (first >= 0xF0 && first <= 0xF4) {
        if (!follows(1) || !follows(2) || !follows(3)) return 0;
        if (first == 0xF0 && byte(1) < 0x90) return 0;
        if (first == 0xF4 && byte(1) > 0x8F) return 0;
        return 4;
    }
    return 0;
}

}  // namespace

Words words_of(std::string_view text) { return cut(text, true); }
Words all_words_of(std::string_view text) { return cut(text, false); }

std::string join(const Words& words) {
    std::string out;
    for (const std::string& word : words) {
        if (!out.empty()) out += ' ';
        out += word;
    }
    return out;
}

std::string clean_utf8(std::string_view text) {
    std::string out;
    for (std::size_t at = 0; at < text.size();) {
        const std::size_t length = utf8_length(text, at);
        if (length == 0) {
            out += '?';
            ++at;
            continue;
        }
        out += text.substr(at, length);
        at += length;
    }
    return out;
}

std::string capitalised(std::string text) {
    if (!text.empty() && text[0] >= 'a' && text[0] <= 'z') text[0] = static_cast<char>(text[0] - 'a' + 'A');
    return text;
}

bool is_stop_word(std::string_view word) {
    static constexpr std::array<std::string_view, 47> stop{
        "what", "which", "when", "where", "who",  "how",
        "i",   "a",    "an",   "the",   "to",    "of",   "is",   "are",  "am",   "do",  "does", "you",  "your", "my",
        "me",  "we",   "can",  "could", "would", "will", "it",   "that", "this", "for", "on",   "at",   "in",   "and",
        "be",  "have", "like", "want",  "need",  "there", "some", "with", "hello", "hi", "thank", "thanks", "get"};
    return one_of(word, stop);
}

bool is_numeric(std::string_view word) {
    return !word.empty() && std::all_of(word.begin(), word.end(), is_digit);
}

}  // namespace jackfield::scripted
