#pragma once

#include "conformance/kit/check.hpp"

namespace jackfield::conformance {

/// What every plugin promises, whatever it provides.
std::span<const Check> module_checks();

}  // namespace jackfield::conformance
