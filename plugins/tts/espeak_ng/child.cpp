#include "child.hpp"

#include <jackfield/sdk/plugin.hpp>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <optional>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

namespace jackfield::tts_espeak_ng {
namespace {

// The operating system's clock, not the host's: a child runs in real time even when the host
// simulates.
using Clock = std::chrono::steady_clock;
constexpr auto look_every = std::chrono::milliseconds(20);

[[noreturn]] void fail(const char* doing, int error) {
    throw sdk::Failure(JF_E_INTERNAL,
                       std::string(doing) + ": " + std::generic_category().message(error),
                       JF_RETRY_OTHER_PROVIDER);
}

class Fd {
  public:
    Fd() = default;
    explicit Fd(int fd) : fd_(fd) {}
    Fd(Fd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
    Fd& operator=(Fd&& other) noexcept {
        std::swap(fd_, other.fd_);
        return *this;
    }
    ~Fd() { reset(); }

    int get() const { return fd_; }
    void reset() {
        if (fd_ >= 0) ::close(std::exchange(fd_, -1));
    }

  private:
    int fd_ = -1;
};

/// In a host that was started with a closed standard stream a new descriptor may be 0, 1 or 2,
/// where the child's own come to stand.
Fd above_standard(Fd fd) {
    if (fd.get() > 2) return fd;
    Fd high(::fcntl(fd.get(), F_DUPFD_CLOEXEC, 3));
    if (high.get() < 0) fail("fcntl", errno);
    return high;
}

struct Ends {
    Fd ours;
    Fd childs;
};

/// A socket rather than a pipe: send() can be told not to raise SIGPIPE when the child is gone,
/// write() can't.
Ends input_ends() {
    int fds[2];
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds) != 0)
        fail("socketpair", errno);
    Fd ours(fds[0]), childs(fds[1]);
    // The child's end is a plain standard input: O_NONBLOCK belongs to the end, not to the pair.
    ::fcntl(childs.get(), F_SETFL, 0);
    return {above_standard(std::move(ours)), above_standard(std::move(childs))};
}

Ends output_ends() {
    int fds[2];
    if (::pipe2(fds, O_CLOEXEC) != 0) fail("pipe2", errno);
    Fd ours(fds[0]), childs(fds[1]);
    ::fcntl(ours.get(), F_SETFL, O_NONBLOCK);
    return {above_standard(std::move(ours)), above_standard(std::move(childs))};
}

/// What a speech program may know of the host's environment, where keys and passwords live.
std::vector<std::string> small_environment() {
    std::vector<std::string> out{"LC_ALL=C.UTF-8"};
    for (const char* name : {"PATH", "HOME", "ESPEAK_DATA_PATH", "LD_LIBRARY_PATH"})
        if (const char* value = std::getenv(name)) out.push_back(std::string(name) + "=" + value);
    return out;
}

std::vector<char*> pointers(std::vector<std::string>& strings) {
    std::vector<char*> out;
    for (std::string& text : strings) out.push_back(text.data());
    out.push_back(nullptr);
    return out;
}

/// A child that has been started and is waited for, whatever happens.
class Child {
  public:
    Child(std::vector<std::string> arguments, int in, int out, int err) {
        posix_spawn_file_actions_t actions;
        posix_spawnattr_t attributes;
        posix_spawn_file_actions_init(&actions);
        posix_spawnattr_init(&attributes);
        posix_spawn_file_actions_adddup2(&actions, in, 0);
        posix_spawn_file_actions_adddup2(&actions, out, 1);
        posix_spawn_file_actions_adddup2(&actions, err, 2);
        // Every descriptor of ours closes on exec; this is for the ones that other libraries of the
        // host forgot.
        posix_spawn_file_actions_addclosefrom_np(&actions, 3);

        sigset_t all, none;
        sigfillset(&all);
        sigemptyset(&none);
        posix_spawnattr_setsigdefault(&attributes, &all);
        posix_spawnattr_setsigmask(&attributes, &none);
        // Its own group: Ctrl-C on the host's terminal is for the host, which drains its calls
        // first.
        posix_spawnattr_setpgroup(&attributes, 0);
        posix_spawnattr_setflags(
            &attributes, POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETPGROUP);

        std::vector<std::string> environment = small_environment();
        const int error = ::posix_spawnp(&pid_,
                                         arguments.front().c_str(),
                                         &actions,
                                         &attributes,
                                         pointers(arguments).data(),
                                         pointers(environment).data());
        posix_spawnattr_destroy(&attributes);
        posix_spawn_file_actions_destroy(&actions);
        if (error == 0) return;
        pid_ = -1;
        if (error == ENOENT || error == EACCES)
            throw sdk::Failure(JF_E_NOT_FOUND,
                               "the program " + arguments.front() + " can't be run (" +
                                   std::generic_category().message(error) +
                                   "): apt-get install espeak-ng, or set the option `command`",
                               JF_RETRY_OTHER_PROVIDER);
        fail("posix_spawn", error);
    }
    Child(const Child&) = delete;
    ~Child() { kill_and_wait(); }

    void kill_and_wait() {
        if (pid_ < 0) return;
        ::kill(pid_, SIGKILL);
        wait(0);
    }

    /// True when the child is over; then outcome() holds.
    bool poll_exit() { return pid_ < 0 || wait(WNOHANG); }
    int status() const { return status_; }

  private:
    bool wait(int flags) {
        int status = 0;
        pid_t got = 0;
        do got = ::waitpid(pid_, &status, flags);
        while (got < 0 && errno == EINTR);
        if (got == 0) return false;
        // ECHILD: the host ignores SIGCHLD, so the system has reaped it, and how it ended is not
        // known.
        status_ = got > 0 ? status : 0;
        pid_ = -1;
        return true;
    }

    pid_t pid_ = -1;
    int status_ = 0;
};

class Run {
  public:
    explicit Run(const ChildTask& task)
        : task_(task), input_(task.input), deadline_(Clock::now() + task.timeout) {}

    ChildOutcome run() {
        Ends in = input_ends(), out = output_ends(), err = output_ends();
        Child child(task_.arguments, in.childs.get(), out.childs.get(), err.childs.get());
        in.childs.reset();
        out.childs.reset();
        err.childs.reset();
        in_ = std::move(in.ours);
        out_ = std::move(out.ours);
        err_ = std::move(err.ours);

        while (out_.get() >= 0 && !early_) {
            wait_for_bytes();
            write_input();
            read_output();
            read_complaint();
            look_up();
        }
        while (!early_ && !child.poll_exit()) {
            ::poll(nullptr, 0, 2);
            look_up();
        }
        read_complaint();
        child.kill_and_wait();
        return outcome(child.status());
    }

  private:
    void wait_for_bytes() {
        std::array<pollfd, 3> fds{
            {{out_.get(), POLLIN, 0}, {err_.get(), POLLIN, 0}, {in_.get(), POLLOUT, 0}}};
        ::poll(fds.data(), fds.size(), static_cast<int>(look_every.count()));
    }

    void write_input() {
        while (in_.get() >= 0) {
            if (input_.empty()) return in_.reset();
            const ssize_t n =
                ::send(in_.get(), input_.data(), input_.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
            if (n < 0 && errno == EINTR) continue;
            if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) return;
            // A child that reads no further has its reasons; its exit status tells them.
            if (n < 0) return in_.reset();
            input_.remove_prefix(static_cast<std::size_t>(n));
        }
    }

    void read_output() {
        read_all(out_, [this](const std::uint8_t* bytes, std::size_t n) {
            if (!early_ && !task_.on_output(bytes, n)) early_ = ChildOutcome::stopped;
            return !early_;
        });
    }

    void read_complaint() {
        read_all(err_, [this](const std::uint8_t* bytes, std::size_t n) {
            for (std::size_t i = 0; i < n && complaint_.size() < 120; ++i)
                complaint_ +=
                    bytes[i] >= 0x20 && bytes[i] < 0x7f ? static_cast<char>(bytes[i]) : ' ';
            return true;
        });
    }

    /// Reads what is there, a bounded part of it, so that a child that never stops writing can't
    /// keep us from looking up.
    template <typename Take>
    void read_all(Fd& fd, Take take) {
        std::array<std::uint8_t, 16384> buffer;
        for (int round = 0; round < 16 && fd.get() >= 0; ++round) {
            const ssize_t n = ::read(fd.get(), buffer.data(), buffer.size());
            if (n < 0 && errno == EINTR) continue;
            if (n < 0 && errno == EAGAIN) return;
            if (n <= 0) return fd.reset();
            if (!take(buffer.data(), static_cast<std::size_t>(n))) return;
        }
    }

    void look_up() {
        if (early_) return;
        if (task_.stopped())
            early_ = ChildOutcome::stopped;
        else if (Clock::now() >= deadline_)
            early_ = ChildOutcome::timed_out;
    }

    ChildOutcome outcome(int status) {
        ChildOutcome out;
        const std::size_t last = complaint_.find_last_not_of(' ');
        out.complaint = complaint_.substr(0, last == std::string::npos ? 0 : last + 1);
        if (early_) {
            out.kind = *early_;
        } else if (WIFSIGNALED(status)) {
            out.kind = ChildOutcome::killed_by_signal;
            out.code = WTERMSIG(status);
        } else {
            out.code = WEXITSTATUS(status);
        }
        return out;
    }

    const ChildTask& task_;
    std::string_view input_;
    Clock::time_point deadline_;
    Fd in_, out_, err_;
    std::optional<ChildOutcome::Kind> early_;
    std::string complaint_;
};

}  // namespace

ChildOutcome run_child(const ChildTask& task) {
    return Run(task).run();
}

}  // namespace jackfield::tts_espeak_ng
