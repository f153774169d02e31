#pragma once

#include <jackfield/telephony.h>

#include <cstdint>
#include <string>

/// Names of the ABI's causes, as they are stored and printed.
namespace jackfield::call {

/// "normal", "busy", ... of a JF_CAUSE_*.
std::string cause_name(std::uint32_t cause);
/// "caller", "agent", "carrier" of a JF_ENDED_BY_*.
std::string ended_by_name(std::uint32_t by, const std::string& direction);
/// What the carrier says of an end that is not the usual one: "user busy". Empty when it says nothing.
std::string reason_of(const jf_call_end* end);

}  // namespace jackfield::call
