#pragma once

// How a leg ended: SIP status codes, Q.850 causes and the ABI's causes, in both directions. Pure.

#include <jackfield/telephony.h>

#include <cstdint>
#include <string>
#include <string_view>

namespace jackfield::sip {

struct End {
    std::uint32_t cause = JF_CAUSE_NORMAL;
    std::uint32_t by = JF_ENDED_BY_FAR_END;
    std::uint32_t status = 0;
    std::uint32_t q850 = 0;
    std::string text;
};

struct Refusal {
    std::uint16_t status;
    const char* reason;
};

/// How a call that has not been answered is refused for a cause.
Refusal refusal_for(std::uint32_t cause);
/// Why a call of ours failed, from the final status and the Q.850 cause, 0 none.
std::uint32_t cause_of(std::uint32_t status, std::uint32_t q850);
/// The Q.850 cause that goes into our BYE.
std::uint32_t q850_of(std::uint32_t cause);
/// The cause in a Reason header (RFC 3326), 0 when it isn't about Q.850.
std::uint32_t parse_reason(std::string_view header);

}  // namespace jackfield::sip
