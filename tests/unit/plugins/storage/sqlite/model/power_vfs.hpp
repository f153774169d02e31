#pragma once

#include <cstdint>

namespace jackfield::test::model {

/// What a disk does at a power cut, as SQLite's default file system of this process: files read back what was written, but only what was synced is kept
/// when the process ends. At the cut each sector that was not synced is kept or lost by chance, in any order, and the process is gone at once.
struct PowerCut {
    std::uint64_t seed = 1;
    /// The write or sync at which it happens; 0: never.
    std::uint64_t after = 0;
    /// The write or sync from which three in a row fail: out of space, then errors of input and output; 0: never.
    std::uint64_t error_at = 0;
    /// A disk that says it has synced and has not: to see that the test notices.
    bool lies = false;
    /// The process dies of SIGKILL instead: the operating system keeps all that was written, synced or not.
    bool kill = false;
};
constexpr int cut_exit_code = 77;

/// Once, before the first database is opened.
void install_power_vfs(const PowerCut& cut);
/// Writes and syncs so far.
std::uint64_t power_vfs_operations();

}  // namespace jackfield::test::model
