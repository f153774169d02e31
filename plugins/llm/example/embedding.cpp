#include "embedding.hpp"

#include <cctype>
#include <cmath>

namespace jackfield::llm_example {
namespace {

/// FNV-1a with the last mixing step of SplitMix64: FNV alone leaves neighbours near one another.
std::uint64_t hash(std::string_view word) {
    std::uint64_t h = 14695981039346656037u;
    for (const char c : word) h = (h ^ static_cast<std::uint64_t>(std::tolower(static_cast<unsigned char>(c)))) * 1099511628211u;
    h = (h ^ h >> 30) * 0xbf58476d1ce4e5b9u;
    h = (h ^ h >> 27) * 0x94d049bb133111ebu;
    return h ^ h >> 31;
}

bool is_of_a_word(char c) { return std::isalnum(static_cast<unsigned char>(c)) || static_cast<unsigned char>(c) >= 0x80; }

}  // namespace

std::vector<float> embed(std::string_view text, std::uint32_t dim) {
    std::vector<float> out(dim);
    const auto add = [&](std::string_view word) {
        const std::uint64_t h = hash(word);
        out[h % dim] += h >> 63 ? 1.0f : -1.0f;
    };
    for (std::size_t from = 0; from < text.size();) {
        std::size_t to = from;
        while (to < text.size() && is_of_a_word(text[to])) ++to;
        if (to > from) add(text.substr(from, to - from));
        from = to + 1;
    }
    float length = 0;
    for (const float value : out) length += value * value;
    // No word, or words that cancel each other out: the text as a whole, since a zero vector points nowhere.
    if (length == 0) {
        add(text);
        length = 0;
        for (const float value : out) length += value * value;
    }
    if (length == 0) out[0] = length = 1;
    for (float& value : out) value /= std::sqrt(length);
    return out;
}

}  // namespace jackfield::llm_example
