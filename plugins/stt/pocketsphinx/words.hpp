#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace jackfield::pocketsphinx {

/// How a written phrase is said, in words of the dictionary: lower case, no punctuation, accents dropped, numbers and abbreviations
/// spelled out ("9:30 p.m." is "nine thirty p m"). `known` says whether the dictionary has a word.
struct Spoken {
    std::vector<std::string> words;
    bool complete = true;  // false: a word is unknown, and the rest is no use
};
Spoken spoken_words(std::string_view phrase, const std::function<bool(std::string_view)>& known);

}  // namespace jackfield::pocketsphinx
