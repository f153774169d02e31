#include "call/masking.hpp"

#include <algorithm>
#include <array>
#include <cstdint>

namespace jackfield::call {
namespace {

constexpr std::size_t shortest = 3;
constexpr std::size_t telling = 4;

struct Row {
    std::string_view language;
    std::array<std::string_view, 10> digits;
};

/// In lower case; feminine and shortened forms are what people read numbers with.
constexpr Row rows[] = {
    {"en", {"zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"}},
    {"de", {"null", "eins", "zwei", "drei", "vier", "fünf", "sechs", "sieben", "acht", "neun"}},
    {"es", {"cero", "uno", "dos", "tres", "cuatro", "cinco", "seis", "siete", "ocho", "nueve"}},
    {"fr", {"zéro", "un", "deux", "trois", "quatre", "cinq", "six", "sept", "huit", "neuf"}},
    {"it", {"zero", "uno", "due", "tre", "quattro", "cinque", "sei", "sette", "otto", "nove"}},
    {"pt", {"zero", "um", "dois", "três", "quatro", "cinco", "seis", "sete", "oito", "nove"}},
    {"nl", {"nul", "een", "twee", "drie", "vier", "vijf", "zes", "zeven", "acht", "negen"}},
    {"pl", {"zero", "jeden", "dwa", "trzy", "cztery", "pięć", "sześć", "siedem", "osiem", "dziewięć"}},
    {"tr", {"sıfır", "bir", "iki", "üç", "dört", "beş", "altı", "yedi", "sekiz", "dokuz"}},
};
constexpr std::pair<std::string_view, char> variants[] = {{"oh", '0'}, {"o", '0'}, {"zwo", '2'}, {"meia", '6'}, {"één", '1'}};

const Row* row_of(std::string_view language) {
    const std::string_view first = language.substr(0, language.find('-'));
    const auto found = std::find_if(std::begin(rows), std::end(rows), [&](const Row& row) { return row.language == first; });
    return found == std::end(rows) ? nullptr : &*found;
}

struct Token {
    std::size_t from = 0;
    std::size_t length = 0;
    std::string digits; ///< empty: a word that is none
};

bool of_word(char c) {
    const auto u = static_cast<unsigned char>(c);
    return u >= 0x80 || (u >= '0' && u <= '9') || ((u | 0x20) >= 'a' && (u | 0x20) <= 'z');
}

std::string digits_of(std::string_view word, const Row* row) {
    if (std::all_of(word.begin(), word.end(), [](char c) { return c >= '0' && c <= '9'; })) return std::string(word);
    std::string low(word);
    for (char& c : low)
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + 32);
    if (!row) return {};
    for (std::size_t i = 0; i < row->digits.size(); ++i)
        if (low == row->digits[i]) return std::string(1, static_cast<char>('0' + i));
    for (const auto& [name, digit] : variants)
        if (low == name) return std::string(1, digit);
    return {};
}

std::vector<Token> tokens_of(std::string_view text, const Row* row) {
    std::vector<Token> out;
    for (std::size_t at = 0; at < text.size();) {
        if (!of_word(text[at])) {
            ++at;
            continue;
        }
        std::size_t end = at;
        while (end < text.size() && of_word(text[end])) ++end;
        out.push_back({at, end - at, digits_of(text.substr(at, end - at), row)});
        at = end;
    }
    return out;
}

bool tells(std::string_view said, std::string_view kept) {
    const std::size_t length = std::min(telling, kept.size());
    for (std::size_t at = 0; at + length <= kept.size(); ++at)
        if (said.find(kept.substr(at, length)) != std::string_view::npos) return true;
    return false;
}

}  // namespace

void Masking::keep(std::string_view text, std::string_view language) {
    std::string digits;
    for (const Token& token : tokens_of(text, row_of(language))) digits += token.digits;
    if (digits.size() >= shortest && std::find(kept_.begin(), kept_.end(), digits) == kept_.end()) kept_.push_back(std::move(digits));
}

std::string Masking::masked(std::string_view text, std::string_view language) const {
    std::string out(text);
    if (kept_.empty()) return out;
    const std::vector<Token> tokens = tokens_of(text, row_of(language));
    for (std::size_t first = 0; first < tokens.size();) {
        std::size_t last = first;
        std::string run;
        while (last < tokens.size() && !tokens[last].digits.empty()) run += tokens[last++].digits;
        const bool hide = std::any_of(kept_.begin(), kept_.end(), [&](const std::string& kept) { return tells(run, kept); });
        for (std::size_t i = first; hide && i < last; ++i) std::fill_n(out.begin() + static_cast<std::ptrdiff_t>(tokens[i].from), tokens[i].length, '*');
        first = std::max(last, first + 1);
    }
    return out;
}

}  // namespace jackfield::call
