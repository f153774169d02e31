#pragma once

#include "abi/guard/surface.hpp"

namespace jackfield::abi_guard {

/// One thing that a plugin built before would not survive, or that no rule allows.
struct Finding {
    std::string key;     ///< what an entry of accepted-changes begins with: exact, and the same in every run
    std::string message; ///< header, struct, member, what was published, and what to do instead
};

/// Every difference that is not an append, and every public struct that has a hole or a function without a thread class.
std::vector<Finding> compare(const Surface& published, const Surface& now);

/// Names of structs, members and constants that `now` has and `published` has not.
std::vector<std::string> appended(const Surface& published, const Surface& now);

}  // namespace jackfield::abi_guard
