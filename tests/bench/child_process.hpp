#pragma once

#include <sys/types.h>

#include <map>
#include <string>
#include <vector>

namespace jackfield::bench {

/// A program that the bench started. Destroying it ends the program.
class ChildProcess {
  public:
    /// Output and errors go to the file `output`.
    ChildProcess(const std::vector<std::string>& command, const std::map<std::string, std::string>& environment,
                 const std::string& output);
    ~ChildProcess();
    ChildProcess(const ChildProcess&) = delete;

    pid_t pid() const { return pid_; }
    bool running();
    /// Waits for the end. -1: a signal ended it.
    int wait();
    /// SIGTERM, then as wait().
    int stop();

  private:
    pid_t pid_ = -1;
    int status_ = 0;
};

/// What a process has used so far.
struct ProcessCost {
    double cpu_s = 0;
    std::map<std::string, double> cpu_by_thread_s; ///< by thread name without its number: "jf-shard"
    double resident_kb = 0;
    double anonymous_kb = 0;
};

ProcessCost cost_of(pid_t pid);

/// The program's standard output. Throws when it doesn't end well.
std::string output_of(const std::string& command);

}  // namespace jackfield::bench
