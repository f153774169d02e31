#include "support/child_process.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <stdexcept>

namespace jackfield::test {
namespace {

std::vector<char*> pointers(const std::vector<std::string>& texts) {
    std::vector<char*> out;
    for (const std::string& text : texts) out.push_back(const_cast<char*>(text.c_str()));
    out.push_back(nullptr);
    return out;
}

bool holds_all(const std::string& line, const std::vector<std::string>& parts) {
    return std::all_of(parts.begin(), parts.end(), [&](const std::string& part) { return line.find(part) != std::string::npos; });
}

}  // namespace

ChildProcess::ChildProcess(const std::vector<std::string>& command, const std::vector<std::string>& environment) {
    int ends[2][2];
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    for (int i = 0; i < 2; ++i) {
        // Close-on-exec, so that the next child does not keep this one's output open.
        if (::pipe2(ends[i], O_CLOEXEC) != 0) throw std::runtime_error("no pipe: " + std::string(std::strerror(errno)));
        posix_spawn_file_actions_adddup2(&actions, ends[i][1], i + 1);
        streams_[i].fd = ends[i][0];
    }
    std::vector<std::string> variables = environment;
    for (char** variable = environ; *variable; ++variable) variables.emplace_back(*variable);
    const int problem = ::posix_spawnp(&pid_, command.front().c_str(), &actions, nullptr, pointers(command).data(), pointers(variables).data());
    posix_spawn_file_actions_destroy(&actions);
    for (auto& end : ends) ::close(end[1]);
    if (problem != 0) throw std::runtime_error(command.front() + ": " + std::strerror(problem));
    watch_ = static_cast<int>(::syscall(SYS_pidfd_open, pid_, 0));
    if (watch_ < 0) throw std::runtime_error("pidfd_open: " + std::string(std::strerror(errno)));
    reader_ = std::thread([this] { read_all(); });
}

ChildProcess::~ChildProcess() {
    if (!status_) {
        signal(SIGKILL);
        (void)wait(milliseconds(10000));
    }
    if (reader_.joinable()) reader_.join();
    for (const Stream& stream : streams_) ::close(stream.fd);
    ::close(watch_);
}

void ChildProcess::signal(int number) {
    if (!status_) ::kill(pid_, number);
}

std::optional<ExitStatus> ChildProcess::wait(milliseconds timeout) {
    if (status_) return status_;
    pollfd ended{watch_, POLLIN, 0};
    if (::poll(&ended, 1, static_cast<int>(timeout.count())) != 1) return std::nullopt;
    int status = 0;
    ::waitpid(pid_, &status, 0);
    status_ = WIFEXITED(status) ? ExitStatus{WEXITSTATUS(status), 0} : ExitStatus{-1, WTERMSIG(status)};
    // What it wrote last is read too.
    if (reader_.joinable()) reader_.join();
    return status_;
}

std::optional<std::string> ChildProcess::wait_line(const std::vector<std::string>& parts, milliseconds timeout, std::size_t from) {
    const auto deadline = std::chrono::steady_clock::now() + timeout;
    std::unique_lock lock(mutex_);
    for (;;) {
        for (; from < lines_.size(); ++from)
            if (holds_all(lines_[from], parts)) return lines_[from];
        if (closed_ || changed_.wait_until(lock, deadline) == std::cv_status::timeout) return std::nullopt;
    }
}

std::size_t ChildProcess::lines() const {
    const std::lock_guard lock(mutex_);
    return lines_.size();
}

std::string ChildProcess::out() const {
    const std::lock_guard lock(mutex_);
    return streams_[0].text;
}

std::string ChildProcess::err() const {
    const std::lock_guard lock(mutex_);
    return streams_[1].text;
}

void ChildProcess::read_all() {
    pollfd polled[2] = {{streams_[0].fd, POLLIN, 0}, {streams_[1].fd, POLLIN, 0}};
    while (polled[0].fd >= 0 || polled[1].fd >= 0) {
        ::poll(polled, 2, -1);
        for (int i = 0; i < 2; ++i) {
            if (polled[i].fd < 0 || polled[i].revents == 0) continue;
            char bytes[8192];
            const ssize_t n = ::read(polled[i].fd, bytes, sizeof bytes);
            if (n <= 0) {
                polled[i].fd = -1;
                continue;
            }
            const std::lock_guard lock(mutex_);
            Stream& stream = streams_[i];
            stream.text.append(bytes, static_cast<std::size_t>(n));
            stream.rest.append(bytes, static_cast<std::size_t>(n));
            for (std::size_t end; (end = stream.rest.find('\n')) != std::string::npos; stream.rest.erase(0, end + 1))
                lines_.push_back(stream.rest.substr(0, end));
            changed_.notify_all();
        }
    }
    const std::lock_guard lock(mutex_);
    closed_ = true;
    changed_.notify_all();
}

}  // namespace jackfield::test
