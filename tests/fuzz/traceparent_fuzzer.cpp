#include "base/assert.hpp"
#include "observe/traceparent.hpp"

#include <cstdint>
#include <string_view>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace jackfield::observe;
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    if (const auto trace = parse_traceparent(text))
        JF_ASSERT(parse_traceparent(format_traceparent(*trace)) == trace,
                  "what is written reads back");
    if (const auto id = RequestId::accept(text))
        JF_ASSERT(id->text() == text, "an accepted id is taken as it is");
    return 0;
}
