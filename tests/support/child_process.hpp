#pragma once

#include <sys/types.h>

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace jackfield::test {

using std::chrono::milliseconds;

/// How a child ended: its exit status, or the signal that ended it.
struct ExitStatus {
    int code = -1;
    int signal = 0;
};

/// One child process whose stdout and stderr are read while it runs. It is killed when this goes. Not for threads to share.
class ChildProcess {
  public:
    /// `environment` is added to this process's own. Throws std::runtime_error when the program can't be started.
    explicit ChildProcess(const std::vector<std::string>& command, const std::vector<std::string>& environment = {});
    ~ChildProcess();
    ChildProcess(const ChildProcess&) = delete;
    ChildProcess& operator=(const ChildProcess&) = delete;

    pid_t pid() const { return pid_; }
    void signal(int number);
    /// Nothing when the child still runs after `timeout`.
    std::optional<ExitStatus> wait(milliseconds timeout);

    /// The first line that holds all `parts`, beginning with line number `from`; waits for it. Nothing when time is over or the child
    /// closed its output without it.
    std::optional<std::string> wait_line(const std::vector<std::string>& parts, milliseconds timeout, std::size_t from = 0);
    /// Lines so far: what `from` may begin with.
    std::size_t lines() const;
    std::string out() const;
    std::string err() const;

  private:
    struct Stream {
        int fd = -1;
        std::string text;
        std::string rest; ///< the line that is not complete yet
    };
    void read_all();

    pid_t pid_ = -1;
    int watch_ = -1; ///< pidfd: readable when the child has ended
    std::optional<ExitStatus> status_;
    std::thread reader_;
    mutable std::mutex mutex_;
    std::condition_variable changed_;
    Stream streams_[2];
    std::vector<std::string> lines_; ///< of both streams, in the order in which they were read
    bool closed_ = false;
};

}  // namespace jackfield::test
