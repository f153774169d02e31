#include "rules.hpp"

#include <array>
#include <cctype>

namespace jackfield::llm_example {
namespace {

struct Rule {
    std::string_view words;
    std::string_view answer; ///< * is what followed, with the persons turned around
};
constexpr std::array<Rule, 10> rules = {{{" i need ", "Why do you need *?"},
                                         {" i want ", "What would it mean to you to have *?"},
                                         {" i am ", "How long have you been *?"},
                                         {" i feel ", "Do you often feel *?"},
                                         {" because ", "Is that the real reason?"},
                                         {" my ", "Tell me more about your *."},
                                         {" can you ", "Perhaps you would like me to be able to *."},
                                         {" what ", "What do you think?"},
                                         {" yes ", "I see. Go on."},
                                         {" no ", "Why not?"}}};

constexpr std::array<std::pair<std::string_view, std::string_view>, 6> turned = {
    {{"i", "you"}, {"my", "your"}, {"me", "you"}, {"am", "are"}, {"you", "me"}, {"your", "my"}}};

/// Lower-case words with one space around each: what rules are looked for in.
std::string words_of(std::string_view text) {
    std::string out = " ";
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        if (std::isalnum(byte) || c == '\'' || byte >= 0x80) out += static_cast<char>(std::tolower(byte));
        else if (out.back() != ' ') out += ' ';
    }
    if (out.back() != ' ') out += ' ';
    return out;
}

std::string turn_around(std::string_view words) {
    std::string out;
    for (std::size_t from = 0; from < words.size();) {
        const std::size_t to = std::min(words.find(' ', from), words.size());
        std::string_view word = words.substr(from, to - from);
        for (const auto& [one, other] : turned)
            if (word == one) {
                word = other;
                break;
            }
        if (!word.empty()) (out += out.empty() ? "" : " ") += word;
        from = to + 1;
    }
    return out;
}

}  // namespace

bool is_farewell(std::string_view said) {
    const std::string words = words_of(said);
    return words.find(" bye ") != std::string::npos || words.find(" goodbye ") != std::string::npos;
}

std::string answer_to(std::string_view said) {
    const std::string words = words_of(said);
    for (const Rule& rule : rules) {
        const std::size_t at = words.find(rule.words);
        if (at == std::string::npos) continue;
        std::string out(rule.answer);
        const std::string rest = turn_around(std::string_view(words).substr(at + rule.words.size()));
        if (const std::size_t star = out.find('*'); star != std::string::npos) {
            if (rest.empty()) continue;
            out.replace(star, 1, rest);
        }
        return out;
    }
    return "Please go on.";
}

}  // namespace jackfield::llm_example
