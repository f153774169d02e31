#include "numbers.hpp"

#include <algorithm>
#include <array>
#include <charconv>

namespace jackfield::scripted {
namespace {

constexpr std::array<std::string_view, 20> units{
    "zero", "one", "two",    "three",  "four",     "five",     "six",     "seven",     "eight",    "nine",
    "ten",  "eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen"};
constexpr std::array<std::string_view, 10> tens{"",      "",      "twenty",  "thirty", "forty",
                                                "fifty", "sixty", "seventy", "eighty", "ninety"};
constexpr std::array<std::string_view, 20> ordinals{
    "zeroth", "first",    "second",  "third",      "fourth",     "fifth",     "sixth",     "seventh",     "eighth",     "ninth",
    "tenth",  "eleventh", "twelfth", "thirteenth", "fourteenth", "fifteenth", "sixteenth", "seventeenth", "eighteenth", "nineteenth"};

template <std::size_t N>
int index_in(const std::array<std::string_view, N>& list, std::string_view word) {
    const auto found = std::find(list.begin(), list.end(), word);
    return found == list.end() || word.empty() ? -1 : static_cast<int>(found - list.begin());
}

std::string_view word(const Words& words, std::size_t at) {
    return at < words.size() ? std::string_view(words[at]) : std::string_view();
}

/// 0..99 in words.
std::optional<Number> below_hundred(const Words& words, std::size_t at) {
    if (const int unit = index_in(units, word(words, at)); unit >= 0) return Number{unit, 1};
    const int ten = index_in(tens, word(words, at));
    if (ten < 2) return std::nullopt;
    const int unit = index_in(units, word(words, at + 1));
    if (unit >= 1 && unit <= 9) return Number{ten * 10 + unit, 2};
    return Number{ten * 10, 1};
}

std::optional<Number> below_thousand(const Words& words, std::size_t at) {
    std::optional<Number> head = below_hundred(words, at);
    if (!head && word(words, at) == "a" && word(words, at + 1) == "hundred") head = Number{1, 1};
    if (!head || head->value > 99 || word(words, at + head->length) != "hundred") return head;
    Number out{head->value * 100, head->length + 1};
    const std::size_t skip = word(words, at + out.length) == "and" ? 1 : 0;
    if (const std::optional<Number> rest = below_hundred(words, at + out.length + skip); rest && rest->value > 0) {
        out.value += rest->value;
        out.length += rest->length + skip;
    }
    return out;
}

int digit_of(std::string_view word) {
    if (word == "oh" || word == "o" || word == "nought" || word == "nil") return 0;
    const int unit = index_in(units, word);
    return unit >= 0 && unit <= 9 ? unit : -1;
}

}  // namespace

std::optional<Number> cardinal_at(const Words& words, std::size_t at) {
    const std::string_view first = word(words, at);
    if (is_numeric(first)) {
        if (first.size() > 12) return std::nullopt;
        std::int64_t value = 0;
        std::from_chars(first.data(), first.data() + first.size(), value);
        return Number{value, 1};
    }
    const std::optional<Number> head = below_thousand(words, at);
    if (!head || word(words, at + head->length) != "thousand") return head;
    Number out{head->value * 1000, head->length + 1};
    const std::size_t skip = word(words, at + out.length) == "and" ? 1 : 0;
    if (const std::optional<Number> rest = below_thousand(words, at + out.length + skip); rest && rest->value > 0) {
        out.value += rest->value;
        out.length += rest->length + skip;
    }
    return out;
}

std::optional<Number> ordinal_at(const Words& words, std::size_t at) {
    const std::string_view first = word(words, at);
    // The end of "thirty second" is no second.
    if (at > 0 && at <= words.size() && index_in(tens, words[at - 1]) >= 2) return std::nullopt;
    if (first.size() > 2 && first.size() <= 5 && is_numeric(first.substr(0, first.size() - 2))) {
        int value = 0;
        std::from_chars(first.data(), first.data() + first.size() - 2, value);
        return Number{value, 1};
    }
    if (const int index = index_in(ordinals, first); index >= 1) return Number{index, 1};
    if (first == "twentieth") return Number{20, 1};
    if (first == "thirtieth") return Number{30, 1};
    const int ten = index_in(tens, first);
    if (ten < 2) return std::nullopt;
    const int unit = index_in(ordinals, word(words, at + 1));
    if (unit >= 1 && unit <= 9) return Number{ten * 10 + unit, 2};
    return std::nullopt;
}

Digits digits_at(const Words& words, std::size_t at) {
    Digits out;
    std::size_t i = at;
    while (i < words.size() && out.digits.size() < 64) {
        const std::string_view here = words[i];
        const std::size_t times = here == "double" ? 2 : here == "triple" ? 3 : 0;
        if (times != 0) {
            const int digit = digit_of(word(words, i + 1));
            if (digit < 0) break;
            out.digits.append(times, static_cast<char>('0' + digit));
            i += 2;
        } else if (is_numeric(here)) {
            out.digits += here;
            ++i;
        } else if (const int digit = digit_of(here); digit >= 0) {
            if (word(words, i + 1) == "hundred") {
                out.digits += static_cast<char>('0' + digit);
                out.digits += "00";
                i += 2;
            } else {
                out.digits += static_cast<char>('0' + digit);
                ++i;
            }
        } else if (const std::optional<Number> pair = below_hundred(words, i)) {
            out.digits += std::to_string(pair->value);
            i += pair->length;
        } else if (!out.digits.empty() && (here == "dash" || here == "and") && i + 1 < words.size() &&
                   digits_at({words[i + 1]}, 0).length > 0) {
            ++i;
        } else {
            break;
        }
        out.length = i - at;
    }
    return out;
}

std::string say_number(std::int64_t value) {
    if (value < 0) return "minus " + say_number(value == INT64_MIN ? INT64_MAX : -value);
    if (value < 20) return std::string(units[static_cast<std::size_t>(value)]);
    if (value < 100) {
        std::string out(tens[static_cast<std::size_t>(value / 10)]);
        return value % 10 ? out + " " + say_number(value % 10) : out;
    }
    if (value < 1000) {
        const std::string out = say_number(value / 100) + " hundred";
        return value % 100 ? out + " and " + say_number(value % 100) : out;
    }
    if (value < 1'000'000) {
        const std::string out = say_number(value / 1000) + " thousand";
        if (value % 1000 == 0) return out;
        return out + (value % 1000 < 100 ? " and " : " ") + say_number(value % 1000);
    }
    return say_digits(std::to_string(value));
}

std::string say_ordinal(int value) {
    if (value < 1 || value > 99) return say_number(value);
    if (value < 20) return std::string(ordinals[static_cast<std::size_t>(value)]);
    const std::string_view ten = tens[static_cast<std::size_t>(value / 10)];
    if (value % 10) return std::string(ten) + " " + std::string(ordinals[static_cast<std::size_t>(value % 10)]);
    return std::string(ten.substr(0, ten.size() - 1)) + "ieth";
}

std::string say_digits(std::string_view digits) {
    std::string out;
    // Groups of three, the last of two to four, as North American numbers are read; a comma is a short breath for the voice.
    for (std::size_t i = 0; i < digits.size(); ++i) {
        const std::size_t left = digits.size() - i;
        if (i > 0) out += i % 3 == 0 && left > 1 ? ", " : " ";
        const char c = digits[i];
        out += c >= '0' && c <= '9' ? units[static_cast<std::size_t>(c - '0')] : c == '+' ? "plus" : "star";
    }
    return out;
}

}  // namespace jackfield::scripted
