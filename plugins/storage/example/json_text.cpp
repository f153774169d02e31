#include "json_text.hpp"

#include <jackfield/sdk/json.hpp>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <vector>

namespace example {
namespace {

constexpr int deepest = 100;
constexpr std::size_t most_numbers = 100'000;

/// RFC 8259, read from the left.
class Reader {
  public:
    explicit Reader(std::string_view text) : left_(text) {}

    bool at_end() { return skip(), left_.empty(); }
    bool take(char c) {
        skip();
        if (left_.empty() || left_[0] != c) return false;
        left_.remove_prefix(1);
        return true;
    }
    bool value(int depth = 0) {
        if (depth > deepest) return false;
        skip();
        if (left_.empty()) return false;
        switch (left_[0]) {
            case '{': return list('}', [&] { return string() && take(':') && value(depth + 1); });
            case '[': return list(']', [&] { return value(depth + 1); });
            case '"': return string();
            default: break;
        }
        for (const std::string_view word : {"true", "false", "null"})
            if (left_.starts_with(word)) return left_.remove_prefix(word.size()), true;
        return number();
    }
    bool number() {
        skip();
        const std::string_view before = left_;
        if (left_.starts_with('-')) left_.remove_prefix(1);
        if (left_.starts_with('0')) left_.remove_prefix(1);
        else if (!digits()) return false;
        if (left_.starts_with('.') && (left_.remove_prefix(1), !digits())) return false;
        if (!left_.empty() && (left_[0] | 0x20) == 'e') {
            left_.remove_prefix(1);
            if (left_.starts_with('+') || left_.starts_with('-')) left_.remove_prefix(1);
            if (!digits()) return false;
        }
        last_ = before.substr(0, before.size() - left_.size());
        return true;
    }
    /// The number that was read last.
    std::string_view last() const { return last_; }

  private:
    void skip() { left_.remove_prefix(std::min(left_.find_first_not_of(" \t\n\r"), left_.size())); }
    bool digits() {
        const std::size_t n = std::min(left_.find_first_not_of("0123456789"), left_.size());
        left_.remove_prefix(n);
        return n > 0;
    }
    bool string() {
        if (!take('"')) return false;
        for (std::size_t i = 0; i < left_.size(); ++i) {
            const char c = left_[i];
            if (static_cast<unsigned char>(c) < 0x20) return false;
            if (c == '"') return left_.remove_prefix(i + 1), true;
            if (c != '\\') continue;
            if (++i == left_.size()) return false;
            if (left_[i] == 'u') {
                const std::string_view hex = left_.substr(i + 1, 4);
                if (hex.size() < 4 || hex.find_first_not_of("0123456789abcdefABCDEF") != std::string_view::npos) return false;
                i += 4;
            } else if (std::string_view("\"\\/bfnrt").find(left_[i]) == std::string_view::npos) return false;
        }
        return false;
    }
    template <typename Element>
    bool list(char close, Element element) {
        left_.remove_prefix(1);
        if (take(close)) return true;
        do
            if (!element()) return false;
        while (take(','));
        return take(close);
    }

    std::string_view left_, last_;
};

/// Whole as long as it is: counts must not become 3e+18.
struct Number {
    bool whole = true;
    std::int64_t i = 0;
    double f = 0;
};

std::optional<std::vector<Number>> numbers_of(std::string_view json) {
    Reader reader(json);
    std::vector<Number> out;
    if (!reader.take('[')) return std::nullopt;
    if (reader.take(']')) return reader.at_end() ? std::optional(out) : std::nullopt;
    do {
        if (!reader.number() || out.size() == most_numbers) return std::nullopt;
        const std::string_view text = reader.last();
        const char* const end = text.data() + text.size();
        Number number;
        if (std::from_chars(text.data(), end, number.f).ec != std::errc()) return std::nullopt;
        const auto whole = std::from_chars(text.data(), end, number.i);
        number.whole = whole.ec == std::errc() && whole.ptr == end;
        out.push_back(number);
    } while (reader.take(','));
    return reader.take(']') && reader.at_end() ? std::optional(out) : std::nullopt;
}

Number sum(const Number& a, const Number& b) {
    Number out;
    out.whole = a.whole && b.whole && !__builtin_add_overflow(a.i, b.i, &out.i);
    out.f = out.whole ? static_cast<double>(out.i) : a.f + b.f;
    return out;
}

template <typename T>
std::string shortest(T value) {
    char digits[40];
    return {digits, std::to_chars(digits, digits + sizeof digits, value).ptr};
}

}  // namespace

bool is_json(std::string_view text) {
    Reader reader(text);
    return reader.value() && reader.at_end();
}

std::string json_of(const jackfield::sdk::Value& value) {
    switch (value.type()) {
        case JF_VALUE_NULL: return "null";
        case JF_VALUE_BOOL: return value.boolean() ? "true" : "false";
        case JF_VALUE_REAL: return shortest(value.real());
        case JF_VALUE_TEXT: return jackfield::sdk::quoted(value.text());
        case JF_VALUE_JSON: return value.text();
        default: return shortest(value.integer());
    }
}

std::optional<std::string> with_element(std::string_view array, std::string_view element) {
    const std::size_t close = array.find_last_not_of(" \t\n\r");
    if (!is_json(array) || close == std::string_view::npos || array[close] != ']') return std::nullopt;
    const std::string_view before = array.substr(0, close);
    const bool empty = before[before.find_last_not_of(" \t\n\r")] == '[';
    return std::string(before) + (empty ? "" : ",") + std::string(element) + "]";
}

std::optional<std::string> added_up(std::string_view a, std::string_view b) {
    auto total = numbers_of(a);
    const auto more = numbers_of(b);
    if (!total || !more) return std::nullopt;
    total->resize(std::max(total->size(), more->size()));
    for (std::size_t i = 0; i < more->size(); ++i) (*total)[i] = sum((*total)[i], (*more)[i]);
    std::string out = "[";
    for (const Number& number : *total) {
        if (!number.whole && !std::isfinite(number.f)) return std::nullopt;
        if (out.size() > 1) out += ',';
        out += number.whole ? shortest(number.i) : shortest(number.f + 0.0);  // no -0
    }
    return out + ']';
}

bool is_number_array(std::string_view text) { return numbers_of(text).has_value(); }

}  // namespace example
