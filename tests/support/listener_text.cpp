#include <algorithm>
#include <array>
#include <cctype>

#include "support/listener.hpp"

namespace jackfield::listener {
namespace {

constexpr std::array<const char*, 20> below_twenty = {
    "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve",
    "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen"};
constexpr std::array<const char*, 10> tens = {"", "", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"};

void add_number(int number, std::vector<std::string>& words) {
    if (number >= 100) {
        words.emplace_back(below_twenty[static_cast<std::size_t>(number / 100)]);
        words.emplace_back("hundred");
        number %= 100;
        if (number == 0) return;
    }
    if (number >= 20) {
        words.emplace_back(tens[static_cast<std::size_t>(number / 10)]);
        number %= 10;
        if (number == 0) return;
    }
    words.emplace_back(below_twenty[static_cast<std::size_t>(number)]);
}

/// Long or zero-led numbers are read digit by digit, as telephone numbers are.
void add_digits(std::string_view digits, std::vector<std::string>& words) {
    if (digits.size() <= 3 && (digits[0] != '0' || digits.size() == 1)) {
        add_number(std::stoi(std::string(digits)), words);
        return;
    }
    for (char digit : digits) words.emplace_back(below_twenty[static_cast<std::size_t>(digit - '0')]);
}

void add_time(std::string_view hours, std::string_view minutes, std::vector<std::string>& words) {
    add_number(std::stoi(std::string(hours)), words);
    if (minutes == "00") return;
    if (minutes[0] == '0') words.emplace_back("oh");
    add_number(std::stoi(std::string(minutes)), words);
}

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_letter(char c) { return std::isalpha(static_cast<unsigned char>(c)) != 0; }

void add_number_token(std::string_view token, std::vector<std::string>& words) {
    const auto colon = token.find(':');
    const bool time = colon != std::string_view::npos && colon <= 2 && token.size() == colon + 3 && colon > 0;
    if (time) {
        add_time(token.substr(0, colon), token.substr(colon + 1), words);
        return;
    }
    std::string digits;
    for (char c : token) {
        if (c != ':') digits.push_back(c);
    }
    if (!digits.empty()) add_digits(digits, words);
}

void add_word(std::string word, std::vector<std::string>& words) {
    while (!word.empty() && word.back() == '\'') word.pop_back();
    if (word == "am" && !words.empty()) {
        // "9 am" is read as letters, "i am" is not.
        const std::string& before = words.back();
        const bool after_number = std::find(below_twenty.begin(), below_twenty.end(), before) != below_twenty.end() ||
                                  std::find(tens.begin() + 2, tens.end(), before) != tens.end();
        if (after_number) {
            words.insert(words.end(), {"a", "m"});
            return;
        }
    }
    if (word == "pm") {
        words.insert(words.end(), {"p", "m"});
    } else if (!word.empty()) {
        words.push_back(std::move(word));
    }
}

}  // namespace

std::vector<std::string> spoken_words(std::string_view text) {
    std::vector<std::string> words;
    for (std::size_t at = 0; at < text.size();) {
        const std::size_t begin = at;
        if (is_digit(text[at])) {
            while (at < text.size() && (is_digit(text[at]) || (text[at] == ':' && at + 1 < text.size() && is_digit(text[at + 1])))) ++at;
            add_number_token(text.substr(begin, at - begin), words);
        } else if (is_letter(text[at])) {
            std::string word;
            while (at < text.size() && (is_letter(text[at]) || text[at] == '\'')) {
                word.push_back(static_cast<char>(std::tolower(static_cast<unsigned char>(text[at++]))));
            }
            add_word(std::move(word), words);
        } else {
            ++at;
        }
    }
    return words;
}

double share_found(const std::vector<std::string>& wanted, const std::vector<std::string>& heard) {
    if (wanted.empty()) return 1;
    std::vector<std::size_t> best(heard.size() + 1, 0);
    for (const std::string& word : wanted) {
        std::size_t diagonal = 0;
        for (std::size_t i = 1; i <= heard.size(); ++i) {
            const std::size_t above = best[i];
            best[i] = heard[i - 1] == word ? diagonal + 1 : std::max(best[i], best[i - 1]);
            diagonal = above;
        }
    }
    return static_cast<double>(best.back()) / static_cast<double>(wanted.size());
}

}  // namespace jackfield::listener
