// The SDK's small reader of flat objects against the kernel's reader: what both understand, they understand alike.

#include "base/assert.hpp"
#include "base/json.hpp"

#include <jackfield/sdk/json.hpp>

#include <cmath>
#include <cstdint>
#include <set>
#include <string_view>

using namespace jackfield;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    const sdk::JsonObject object(text);
    for (const char* name : {"a", "date", "", "\n"}) {
        static_cast<void>(object.text(name));
        static_cast<void>(object.number(name));
        static_cast<void>(object.flag(name));
    }
    // What it quotes is JSON, and the same text, as long as it is UTF-8.
    if (base::is_valid_utf8(text)) {
        const auto quoted = base::JsonDocument::parse(sdk::quoted(text));
        JF_ASSERT(quoted && *quoted->root().text() == text, "quoted() makes JSON of any text");
    }
    const auto document = base::JsonDocument::parse(text);
    if (!document || !document->root().is_object()) return 0;
    for (const auto& [name, value] : document->root().members()) {
        const std::string key(name);
        if (value.is_string()) JF_ASSERT(object.text(key) && *object.text(key) == *value.text(), "texts are read alike");
        if (value.is_bool()) JF_ASSERT(object.flag(key) == *value.boolean(), "flags are read alike");
        if (value.is_integer() && std::abs(static_cast<double>(*value.integer())) < 1e15)
            JF_ASSERT(object.number(key) && *object.number(key) == static_cast<double>(*value.integer()), "numbers are read alike");
        if (value.is_object() || value.is_array()) JF_ASSERT(!object.text(key) && !object.flag(key), "what is nested reads as nothing");
    }
    return 0;
}
