#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace jackfield::tts_espeak_ng {

struct ChildTask {
    std::vector<std::string>
        arguments;           // the first is the program, looked up in PATH unless it is a path
    std::string_view input;  // goes to its standard input, which is then closed
    std::chrono::milliseconds timeout;
    /// Bytes of its standard output. False: enough, kill it.
    std::function<bool(const std::uint8_t*, std::size_t)> on_output;
    /// Asked every 20 ms at the latest. True: kill it.
    std::function<bool()> stopped;
};

struct ChildOutcome {
    enum Kind { exited, killed_by_signal, timed_out, stopped } kind = exited;
    int code = 0;           // exit status or signal
    std::string complaint;  // the beginning of its standard error, on one line
};

/// Runs a program to its end, on this thread. The child gets three descriptors and no others,
/// default signals, a process group of its own and an environment without the host's secrets. It
/// has been waited for when this returns or throws (Failure: it could not be started). Needs no
/// SIGCHLD handler and touches none.
ChildOutcome run_child(const ChildTask& task);

}  // namespace jackfield::tts_espeak_ng
