#pragma once

#include <string>

#include "base/clock.hpp"
#include "base/random.hpp"

namespace jackfield::base {

/// A ULID: 26 characters of Crockford base 32, 48 bits of milliseconds then 80 bits of randomness; ids made later
/// sort later. Source: github.com/ulid/spec.
std::string make_ulid(UtcTime now, Random& random);

bool is_ulid(std::string_view text);

}  // namespace jackfield::base
