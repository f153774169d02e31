#include "base/assert.hpp"
#include "base/json.hpp"

#include <cstdint>
#include <string>
#include <string_view>

using namespace jackfield::base;

namespace {

/// Asks every question of a value, also those of another type.
void visit(JsonView view, int depth) {
    static_cast<void>(view.text_or(""));
    static_cast<void>(view.integer_or(0));
    static_cast<void>(view.real_or(0));
    static_cast<void>(view.boolean_or(false));
    if (view.is_string()) JF_ASSERT(is_valid_utf8(*view.text()), "the reader checks UTF-8");
    JF_ASSERT(depth <= 65, "the reader bounds the depth");
    for (std::size_t i = 0; view.is_array() && i < view.size(); ++i) visit(view.at(i), depth + 1);
    for (const auto& [name, member] : view.members()) {
        JF_ASSERT(!view[name].absent(), "a member is found by its name");
        visit(member, depth + 1);
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    std::string quoted;
    append_json_string(quoted, text);
    const auto round = JsonDocument::parse(quoted);
    JF_ASSERT(round.has_value(), "what the writer quotes, the reader reads");
    if (is_valid_utf8(text)) JF_ASSERT(*round->root().text() == text, "and it is the same text");

    const auto document = JsonDocument::parse(text);
    if (!document) return 0;
    visit(document->root(), 0);
    const std::string dumped = document->root().dump();
    const auto again = JsonDocument::parse(dumped);
    JF_ASSERT(again && again->root().dump() == dumped, "a dump reads back as itself");
    return 0;
}
