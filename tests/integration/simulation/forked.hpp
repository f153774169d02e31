#pragma once

#include <functional>
#include <string>

namespace jackfield::simulation {

/// What became of a piece of work that ran in a process of its own.
struct Ended {
    int signal = 0;      ///< that killed it, 0: none
    std::string written; ///< what it wrote, up to where it was killed
};

/// Runs `work` in a copy of this process, so that a crash or an endless loop costs no more than the copy. It is killed after `seconds`; 0:
/// never. What it writes comes back as it is written, a line at a time, to `on_line` (which may be null).
Ended run_forked(const std::function<void(const std::function<void(const std::string&)>& write_line)>& work, unsigned seconds,
                 const std::function<void(const std::string&)>& on_line);

}  // namespace jackfield::simulation
