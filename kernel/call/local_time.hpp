#pragma once

#include <string>

#include "base/clock.hpp"

namespace jackfield::call {

/// RFC 3339 with the zone's offset at that moment: "2026-11-20T09:30:00-05:00". An unknown zone counts as UTC (configuration refuses
/// those at start).
std::string format_local(base::UtcTime time, const std::string& zone);

}  // namespace jackfield::call
