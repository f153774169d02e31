// The call.ended event as service/call_log reads it.

#include "plugins/service/call_log/call_facts.hpp"

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace jackfield::call_log;
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    if (const auto facts = read_call_ended(text)) {
        const std::string summary = summary_by_rule(*facts);
        if (summary.empty() || summary.find('\n') != std::string::npos) std::abort();
        if (facts->seconds < 0 || facts->turns < 0) std::abort();
    }
    if (shortened(text, 100).size() > 100 || tidied(text).size() > 2000) std::abort();
    return 0;
}
