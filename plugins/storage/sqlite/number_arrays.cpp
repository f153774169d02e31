#include "number_arrays.hpp"

#include <charconv>
#include <cmath>
#include <new>

namespace jackfield::sqlite {
namespace {

constexpr std::size_t most_elements = 100'000;

void skip_space(std::string_view& text) {
    while (!text.empty() && (text[0] == ' ' || text[0] == '\t' || text[0] == '\n' || text[0] == '\r')) text.remove_prefix(1);
}

bool take(std::string_view& text, char c) {
    skip_space(text);
    if (text.empty() || text[0] != c) return false;
    text.remove_prefix(1);
    return true;
}

constexpr const char* no_array = "jf: a value to be added up is no JSON array of numbers";
constexpr const char* too_great = "jf: a sum is no finite number any more";

std::optional<NumberArray> argument(sqlite3_value* value) {
    const auto* text = reinterpret_cast<const char*>(sqlite3_value_text(value));
    return NumberArray::parse({text ? text : "", static_cast<std::size_t>(sqlite3_value_bytes(value))});
}

void answer(sqlite3_context* context, const NumberArray& array) {
    if (!array.finite()) return sqlite3_result_error(context, too_great, -1);
    const std::string json = array.json();
    sqlite3_result_text64(context, json.data(), json.size(), SQLITE_TRANSIENT, SQLITE_UTF8);
}

void add_each(sqlite3_context* context, int, sqlite3_value** values) {
    try {
        std::optional<NumberArray> total = argument(values[1]);
        if (total && sqlite3_value_type(values[0]) != SQLITE_NULL) {
            const std::optional<NumberArray> old = argument(values[0]);
            if (!old) return sqlite3_result_error(context, no_array, -1);
            total->add(*old);
        }
        if (!total) return sqlite3_result_error(context, no_array, -1);
        answer(context, *total);
    } catch (const std::bad_alloc&) {
        sqlite3_result_error_nomem(context);
    }
}

/// SQLite gives an aggregate some zeroed bytes of its own: they hold the pointer to its state.
NumberArray*& state_of(sqlite3_context* context) {
    return *static_cast<NumberArray**>(sqlite3_aggregate_context(context, sizeof(NumberArray*)));
}

void sum_each_step(sqlite3_context* context, int, sqlite3_value** values) {
    if (sqlite3_value_type(values[0]) == SQLITE_NULL) return;
    try {
        NumberArray*& state = state_of(context);
        const std::optional<NumberArray> more = argument(values[0]);
        if (!more) return sqlite3_result_error(context, no_array, -1);
        if (!state) state = new NumberArray;
        state->add(*more);
    } catch (const std::bad_alloc&) {
        sqlite3_result_error_nomem(context);
    }
}

void sum_each_final(sqlite3_context* context) {
    auto** state = static_cast<NumberArray**>(sqlite3_aggregate_context(context, 0));
    if (!state || !*state) return;
    try {
        answer(context, **state);
    } catch (const std::bad_alloc&) {
        sqlite3_result_error_nomem(context);
    }
    delete *state;
    *state = nullptr;
}

}  // namespace

std::optional<NumberArray> NumberArray::parse(std::string_view json) {
    NumberArray out;
    if (!take(json, '[')) return std::nullopt;
    bool closed = take(json, ']');
    while (!closed) {
        skip_space(json);
        Element element;
        // from_chars also reads "inf" and "nan", which JSON has not.
        if (json.empty() || (json[0] != '-' && (json[0] < '0' || json[0] > '9'))) return std::nullopt;
        const char* const end = json.data() + json.size();
        const auto whole = std::from_chars(json.data(), end, element.i);
        const auto real = std::from_chars(json.data(), end, element.f);
        if (real.ec != std::errc() || !std::isfinite(element.f)) return std::nullopt;
        element.whole = whole.ec == std::errc() && whole.ptr == real.ptr;
        json.remove_prefix(static_cast<std::size_t>(real.ptr - json.data()));
        if (out.elements_.size() == most_elements) return std::nullopt;
        out.elements_.push_back(element);
        if (take(json, ']')) closed = true;
        else if (!take(json, ',')) return std::nullopt;
    }
    skip_space(json);
    if (!json.empty()) return std::nullopt;
    return out;
}

NumberArray::Element NumberArray::sum(const Element& a, const Element& b) {
    Element out;
    if (a.whole && b.whole && !__builtin_add_overflow(a.i, b.i, &out.i)) {
        out.f = static_cast<double>(out.i);
        return out;
    }
    out.whole = false;
    out.f = (a.whole ? static_cast<double>(a.i) : a.f) + (b.whole ? static_cast<double>(b.i) : b.f);
    return out;
}

void NumberArray::add(const NumberArray& other) {
    if (other.elements_.size() > elements_.size()) elements_.resize(other.elements_.size());
    for (std::size_t i = 0; i < other.elements_.size(); ++i) elements_[i] = sum(elements_[i], other.elements_[i]);
}

bool NumberArray::finite() const {
    for (const Element& element : elements_)
        if (!element.whole && !std::isfinite(element.f)) return false;
    return true;
}

std::string NumberArray::json() const {
    std::string out = "[";
    for (const Element& element : elements_) {
        if (out.size() > 1) out += ',';
        char digits[40];
        const auto written = element.whole ? std::to_chars(digits, digits + sizeof digits, element.i)
                                           : std::to_chars(digits, digits + sizeof digits, element.f);
        out.append(digits, written.ptr);
    }
    return out + ']';
}

int register_array_functions(sqlite3* connection) {
    constexpr int flags = SQLITE_UTF8 | SQLITE_DETERMINISTIC | SQLITE_INNOCUOUS;
    const int result = sqlite3_create_function_v2(connection, "jf_add_each", 2, flags, nullptr, add_each, nullptr, nullptr, nullptr);
    if (result != SQLITE_OK) return result;
    return sqlite3_create_function_v2(connection, "jf_sum_each", 1, flags, nullptr, nullptr, sum_each_step, sum_each_final, nullptr);
}

}  // namespace jackfield::sqlite
