#include "call/causes.hpp"

#include <algorithm>
#include <array>

#include "base/json.hpp"

namespace jackfield::call {
namespace {

constexpr std::size_t longest_reason = 200;

}  // namespace

std::string cause_name(std::uint32_t cause) {
    static constexpr std::array names = {"normal",      "busy",      "no_answer",     "rejected",      "invalid_number", "cancelled",
                                         "unavailable", "not_found", "media_timeout", "carrier_error", "unacceptable",   "failed"};
    return cause < names.size() ? names[cause] : "failed";
}

std::string ended_by_name(std::uint32_t by, const std::string& direction) {
    if (by == JF_ENDED_BY_US) return "agent";
    if (by == JF_ENDED_BY_CARRIER) return "carrier";
    return direction == "outbound" ? "callee" : "caller";
}

std::string reason_of(const jf_call_end* end) {
    if (!end || end->cause == JF_CAUSE_NORMAL || !end->text.ptr) return {};
    return base::to_valid_utf8(std::string(end->text.ptr, std::min<std::size_t>(end->text.len, longest_reason)));
}

}  // namespace jackfield::call
