#include "call/words.hpp"

#include <algorithm>
#include <array>
#include <cctype>

#include "base/json.hpp"

namespace jackfield::call {
namespace {

constexpr std::array<std::string_view, 16> backchannels = {"mhm", "mm",  "hmm",  "uh",   "um",   "uhhuh", "huh",  "yeah",
                                                           "yep", "yes", "okay", "ok",   "right", "sure", "aha",  "oh"};
constexpr std::array<std::string_view, 6> stop_phrases = {"stop", "wait", "hold on", "one moment", "be quiet", "excuse me"};

template <typename Visit>
void for_each_word(std::string_view text, Visit visit) {
    std::string word;
    for (std::size_t i = 0; i <= text.size(); ++i) {
        const auto c = static_cast<unsigned char>(i < text.size() ? text[i] : ' ');
        if (std::isalnum(c) || c >= 0x80) {
            word += static_cast<char>(std::tolower(c));
        } else if (c != '\'' && c != '-' && !word.empty()) {
            visit(word);
            word.clear();
        }
    }
}

}  // namespace

bool is_stop_phrase(std::string_view text) {
    std::string plain;
    for_each_word(text, [&](const std::string& word) { plain += (plain.empty() ? "" : " ") + word; });
    return std::any_of(stop_phrases.begin(), stop_phrases.end(), [&](std::string_view phrase) {
        return plain == phrase || plain.starts_with(std::string(phrase) + " ");
    });
}

int count_meaningful_words(std::string_view text) {
    int count = 0;
    for_each_word(text, [&](const std::string& word) {
        if (std::find(backchannels.begin(), backchannels.end(), word) == backchannels.end()) ++count;
    });
    return count;
}

std::size_t cut_at_word(std::string_view text, std::uint64_t bytes) {
    if (bytes >= text.size()) return text.size();
    auto at = static_cast<std::size_t>(bytes);
    // In the middle of a word most of it may have been heard, but a word that was not finished does not count.
    while (at > 0 && text[at] != ' ' && text[at - 1] != ' ') --at;
    while (at > 0 && text[at - 1] == ' ') --at;
    return at;
}

std::string transfer_target(std::string_view arguments_json) {
    const auto document = base::JsonDocument::parse(arguments_json);
    return document ? document->root()["to"].text_or("") : std::string();
}

}  // namespace jackfield::call
