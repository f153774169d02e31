#pragma once

#include "conformance/kit/check.hpp"
#include "conformance/kit/target.hpp"

#include <string>
#include <vector>

namespace jackfield::conformance {

/// What a child process does: tries the checks one after the other and writes a line of JSON to `report_fd` before and after each. Ends
/// after the first that failed, since the plugin may be in any state then.
int run_checks(Target target, const std::vector<std::string>& names, int report_fd);

/// Begins work of the interface, says so, and waits to be killed.
int run_mid_op(Target target, std::string_view suite, int report_fd);

/// What is noticed in passing, in whichever check it happens.
struct Observed {
    const char* name;
    const char* promise;
    const char* remedy;
};
std::span<const Observed> all_observed();

}  // namespace jackfield::conformance
