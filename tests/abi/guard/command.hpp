#pragma once

#include <string>
#include <vector>

namespace jackfield::abi_guard {

/// What a program printed (both streams, in order) and how it ended.
struct Ran {
    std::string out;
    int status = 0;
};

/// Runs a program and waits for it. A program that is not installed is an error which names the package that has it: a guard that can't run
/// has not passed.
Ran run(const std::vector<std::string>& command);

}  // namespace jackfield::abi_guard
