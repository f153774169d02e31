#include <algorithm>

#include "plugin_kit/package.hpp"

namespace jackfield::plugin_kit {
namespace {

/// The part before the next dot, which is taken off.
std::string_view next_part(std::string_view& text) {
    const std::size_t dot = std::min(text.find('.'), text.size());
    const std::string_view part = text.substr(0, dot);
    text.remove_prefix(std::min(dot + 1, text.size()));
    return part;
}

bool is_number(std::string_view text) { return !text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos; }

/// Numbers by value, however long they are, and before words; words by their bytes.
int compare_parts(std::string_view a, std::string_view b) {
    if (is_number(a) != is_number(b)) return is_number(a) ? -1 : 1;
    if (is_number(a)) {
        const auto without_zeros = [](std::string_view text) { return text.substr(std::min(text.find_first_not_of('0'), text.size())); };
        a = without_zeros(a);
        b = without_zeros(b);
        if (a.size() != b.size()) return a.size() < b.size() ? -1 : 1;
    }
    return a.compare(b);
}

int compare_lists(std::string_view a, std::string_view b, bool missing_is_zero) {
    while (!a.empty() || !b.empty()) {
        if (!missing_is_zero && (a.empty() || b.empty())) return a.empty() ? -1 : 1;
        const std::string_view first = a.empty() ? "0" : next_part(a);
        const std::string_view second = b.empty() ? "0" : next_part(b);
        if (const int order = compare_parts(first, second); order != 0) return order;
    }
    return 0;
}

}  // namespace

int compare_versions(std::string_view a, std::string_view b) {
    a = a.substr(0, a.find('+')); // what a build adds has no order
    b = b.substr(0, b.find('+'));
    const std::size_t dash_a = std::min(a.find('-'), a.size());
    const std::size_t dash_b = std::min(b.find('-'), b.size());
    if (const int order = compare_lists(a.substr(0, dash_a), b.substr(0, dash_b), true); order != 0) return order;
    if ((dash_a == a.size()) != (dash_b == b.size())) return dash_a == a.size() ? 1 : -1;
    if (dash_a == a.size()) return 0;
    return compare_lists(a.substr(dash_a + 1), b.substr(dash_b + 1), false);
}

}  // namespace jackfield::plugin_kit
