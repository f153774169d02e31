#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "words.hpp"

namespace jackfield::scripted {

struct Number {
    std::int64_t value;
    std::size_t length;  // in words
};

/// "nine", "forty two", "two hundred and six", "17". Not "nine thirty", which is nine and then thirty.
std::optional<Number> cardinal_at(const Words& words, std::size_t at);

/// "third", "twenty third", "23rd".
std::optional<Number> ordinal_at(const Words& words, std::size_t at);

struct Digits {
    std::string digits;
    std::size_t length = 0;  // in words, 0: no digit stands here
};

/// The digits that begin at `at`, as people dictate them: "five five oh", "double four", "twelve", "5551234".
Digits digits_at(const Words& words, std::size_t at);

/// Numbers in words, for a voice. Below a million; larger ones digit by digit.
std::string say_number(std::int64_t value);
std::string say_ordinal(int value);  // 1..99
/// Digit by digit in groups that a listener can write down: "five five five, zero one two three".
std::string say_digits(std::string_view digits);

}  // namespace jackfield::scripted
