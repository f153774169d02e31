#include "words.hpp"

#include <algorithm>
#include <array>

namespace jackfield::pocketsphinx {
namespace {

constexpr std::array<const char*, 20> small{"zero",    "one",     "two",       "three",    "four",     "five",    "six",
                                            "seven",   "eight",   "nine",      "ten",      "eleven",   "twelve",  "thirteen",
                                            "fourteen", "fifteen", "sixteen",  "seventeen", "eighteen", "nineteen"};
constexpr std::array<const char*, 10> tens{"", "", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"};

bool letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool digit(char c) { return c >= '0' && c <= '9'; }
char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }

/// Latin letters with marks as plain ones, typographic quotes and dashes as ASCII, anything else as a space.
std::string plain(std::string_view text) {
    static constexpr std::string_view latin1 =  // U+00C0 to U+00FF
        "AAAAAAACEEEEIIIIDNOOOOO OUUUUYTsaaaaaaaceeeeiiiidnooooo ouuuuyty";
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const auto c = static_cast<unsigned char>(text[i]);
        if (c < 0x80) {
            out += text[i];
            continue;
        }
        const auto next = [&](std::size_t k) { return i + k < text.size() ? static_cast<unsigned char>(text[i + k]) : 0u; };
        if (c == 0xc3 && next(1) >= 0x80 && next(1) <= 0xbf) {
            out += latin1[next(1) - 0x80];
        } else if (c == 0xe2 && next(1) == 0x80 && (next(2) == 0x98 || next(2) == 0x99)) {
            out += '\'';
        } else if (c == 0xe2 && next(1) == 0x80 && next(2) >= 0x90 && next(2) <= 0x94) {
            out += '-';
        } else {
            out += ' ';
        }
        while (i + 1 < text.size() && (static_cast<unsigned char>(text[i + 1]) & 0xc0) == 0x80) ++i;
    }
    return out;
}

void say_number(std::string_view digits, std::vector<std::string>& out) {
    if (digits.size() > 2 || (digits.size() == 2 && digits[0] == '0')) {
        for (const char c : digits) out.emplace_back(small[static_cast<std::size_t>(c - '0')]);
        return;
    }
    std::size_t value = 0;
    for (const char c : digits) value = value * 10 + static_cast<std::size_t>(c - '0');
    if (value < 20) {
        out.emplace_back(small[value]);
        return;
    }
    out.emplace_back(tens[value / 10]);
    if (value % 10) out.emplace_back(small[value % 10]);
}

class Speaker {
  public:
    explicit Speaker(const std::function<bool(std::string_view)>& known) : known_(known) {}

    void token(std::string_view token) {
        if (take(token)) return;
        while (!token.empty() && !letter(token.front()) && !digit(token.front())) token.remove_prefix(1);
        while (!token.empty() && !letter(token.back()) && !digit(token.back())) token.remove_suffix(1);
        if (token.empty() || take(token)) return;
        if (const std::size_t cut = token.find_first_of("-_."); cut != token.npos) {
            this->token(token.substr(0, cut));
            this->token(token.substr(cut + 1));
            return;
        }
        if (split_at_digits(token)) return;
        // "SMS" and the like are said letter by letter.
        const bool capitals = std::all_of(token.begin(), token.end(), [](char c) { return c >= 'A' && c <= 'Z'; });
        if (capitals && token.size() <= 5) {
            for (const char c : token) take(std::string_view(&c, 1));
            return;
        }
        spoken.complete = false;
    }

    Spoken spoken;

  private:
    bool take(std::string_view token) {
        std::string word;
        for (const char c : token) word += lower(c);
        if (word.empty() || !known_(word)) return false;
        spoken.words.push_back(std::move(word));
        return true;
    }

    bool split_at_digits(std::string_view token) {
        const auto first = std::find_if(token.begin(), token.end(), digit);
        if (first == token.end()) return false;
        const auto last = std::find_if_not(first, token.end(), digit);
        if (first != token.begin()) this->token(std::string_view(token.begin(), first));
        say_number(std::string_view(first, last), spoken.words);
        const std::string_view rest(last, token.end());
        if (!rest.empty()) this->token(rest);
        return true;
    }

    const std::function<bool(std::string_view)>& known_;
};

}  // namespace

Spoken spoken_words(std::string_view phrase, const std::function<bool(std::string_view)>& known) {
    const std::string text = plain(phrase);
    Speaker speaker(known);
    const auto part = [](char c) { return letter(c) || digit(c) || c == '\'' || c == '-' || c == '.' || c == '_'; };
    for (std::size_t at = 0; at < text.size();) {
        if (!part(text[at])) {
            ++at;
            continue;
        }
        std::size_t end = at;
        while (end < text.size() && part(text[end])) ++end;
        speaker.token(std::string_view(text).substr(at, end - at));
        at = end;
    }
    return std::move(speaker.spoken);
}

}  // namespace jackfield::pocketsphinx
