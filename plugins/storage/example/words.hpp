#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace example {

/// Runs of letters and digits, without case and diacritics. Latin, Greek and Cyrillic letters are folded; others stand for themselves.
std::vector<std::string> words_of(std::string_view text);

/// Words that follow each other.
struct Phrase {
    std::vector<std::string> words;
    bool open = false;  ///< the last one stands for all that begin so
};
/// What JF_TERM_TEXT says: words, words* and "words in quotes". What has no letter and no digit is left out; nothing is syntax.
std::vector<Phrase> read_phrases(std::string_view text);
/// How often the phrase stands among the words.
std::size_t times(const Phrase& phrase, const std::vector<std::string>& words);

}  // namespace example
