#pragma once

#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <sys/types.h>

namespace jackfield::conformance {

/// What belongs to the process and not to a guest in it.
struct ProcessState {
    std::map<int, std::pair<void*, int>> signals;  ///< handler and flags
    std::string locale;
    std::string folder;
    std::string environment;
    mode_t umask = 0;

    static ProcessState now();
};

/// A change of it, by the check's name.
struct ProcessChange {
    std::string check;
    std::string what;
};
std::vector<ProcessChange> compare(const ProcessState& before, const ProcessState& after);

/// Processes whose parent is this one, those that have ended and wait included.
std::set<pid_t> children();
/// Open descriptors: number and what it leads to.
std::map<int, std::string> descriptors();
unsigned threads();
/// "bash (4711)"
std::string process_name(pid_t pid);

}  // namespace jackfield::conformance
