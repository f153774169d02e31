#include "call/causes.hpp"

#include <jackfield/telephony.h>

#include <array>

namespace jackfield::call {

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

}  // namespace jackfield::call
