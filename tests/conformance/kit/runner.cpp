#include "conformance/kit/runner.hpp"

#include "base/json.hpp"
#include "conformance/kit/check.hpp"
#include "conformance/kit/process_watch.hpp"

#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <thread>

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <spawn.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

namespace jackfield::conformance {
namespace {

namespace fs = std::filesystem;

constexpr int child_report_fd = 3;

std::string words_of(const std::vector<const Check*>& checks, std::size_t from) {
    std::string out;
    for (std::size_t i = from; i < checks.size(); ++i) out += (out.empty() ? "" : ",") + std::string(checks[i]->name);
    return out;
}

}  // namespace

Runner::Child Runner::spawn(const std::vector<std::string>& what) {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) throw std::runtime_error("pipe2: " + std::string(std::strerror(errno)));
    std::vector<std::string> words{"/proc/self/exe"};
    words.insert(words.end(), arguments_.begin(), arguments_.end());
    words.insert(words.end(), what.begin(), what.end());
    std::vector<char*> argv;
    for (std::string& word : words) argv.push_back(word.data());
    argv.push_back(nullptr);

    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
    const std::string out = scratch_ + "/stdout.txt", err = scratch_ + "/stderr.txt";
    posix_spawn_file_actions_addopen(&actions, 1, out.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
    posix_spawn_file_actions_addopen(&actions, 2, err.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
    posix_spawn_file_actions_adddup2(&actions, ends[1], child_report_fd);
    posix_spawn_file_actions_addchdir_np(&actions, scratch_.c_str());
    Child child;
    const int problem = posix_spawn(&child.pid, "/proc/self/exe", &actions, nullptr, argv.data(), environ);
    posix_spawn_file_actions_destroy(&actions);
    ::close(ends[1]);
    if (problem != 0) {
        ::close(ends[0]);
        throw std::runtime_error("posix_spawn: " + std::string(std::strerror(problem)));
    }
    child.fd = ends[0];
    // glibc 2.36 declares pidfd_open() for C only.
    child.watch = static_cast<int>(::syscall(SYS_pidfd_open, child.pid, 0));
    return child;
}

bool Runner::read_line(Child& child, std::string& line, int limit_ms, bool& timed_out) {
    timed_out = false;
    const auto until = std::chrono::steady_clock::now() + std::chrono::milliseconds(limit_ms);
    while (true) {
        if (const std::size_t end = child.buffer.find('\n'); end != std::string::npos) {
            line = child.buffer.substr(0, end);
            child.buffer.erase(0, end + 1);
            return true;
        }
        const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(until - std::chrono::steady_clock::now()).count();
        pollfd waiting[] = {{child.fd, POLLIN, 0}, {child.watch, POLLIN, 0}};
        const int ready = left > 0 ? ::poll(waiting, 2, static_cast<int>(left)) : 0;
        if (ready < 0 && errno == EINTR) continue;
        if (ready > 0 && waiting[0].revents == 0) return false;  // it has ended, and all that it wrote has been read
        if (ready == 0) {
            timed_out = true;
            ::kill(child.pid, SIGKILL);
            return false;
        }
        char bytes[4096];
        const ssize_t n = ::read(child.fd, bytes, sizeof bytes);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return false;
        child.buffer.append(bytes, static_cast<std::size_t>(n));
    }
}

std::string Runner::reap(Child& child) {
    int status = 0;
    // A child of the plugin's may hold the pipe's other end; it is not waited for.
    ::close(child.fd);
    if (child.watch >= 0) ::close(child.watch);
    ::waitpid(child.pid, &status, 0);
    child.pid = -1;
    if (WIFSIGNALED(status)) return fmt::format("it crashed the process: {}", strsignal(WTERMSIG(status)));
    return fmt::format("it ended the process with exit status {}", WEXITSTATUS(status));
}

std::string Runner::stderr_tail() const {
    std::ifstream file(scratch_ + "/stderr.txt");
    std::string last, line;
    while (std::getline(file, line))
        if (!line.empty() && (last.empty() || line.find("ERROR") != std::string::npos || line.find("what()") != std::string::npos)) last = line;
    return last.empty() ? "" : " (standard error: " + base::to_valid_utf8(last.substr(0, 200)) + ")";
}

void Runner::look_at_stdout(const std::string& during) {
    std::ifstream file(scratch_ + "/stdout.txt");
    std::string first;
    if (std::getline(file, first) || !first.empty())
        seen_.try_emplace("process.prints_nothing", fmt::format("it wrote \"{}\" (during {})", base::to_valid_utf8(first.substr(0, 80)), during));
}

void Runner::add(Row row) {
    show_(row);
    rows_.push_back(std::move(row));
}

std::size_t Runner::run_some(const std::vector<const Check*>& checks, std::size_t from) {
    Child child = spawn({"--report-fd", std::to_string(child_report_fd), "--checks", words_of(checks, from)});
    std::size_t next = from;
    std::string line;
    bool timed_out = false;
    // Loading and starting a rig is quick; a plugin's constructor may hang all the same.
    int limit_ms = 20'000;
    const Check* running = nullptr;
    while (read_line(child, line, limit_ms, timed_out)) {
        const auto document = base::JsonDocument::parse(line);
        if (!document) continue;
        const base::JsonView report = document->root();
        if (!report["begin"].absent()) {
            running = checks[next];
            limit_ms = running->seconds * 1000;
            began_(running->name);
            continue;
        }
        Row row{Row::Outcome::passed, running->name, running->promise, report["detail"].text_or(""), running->remedy, report["ms"].integer_or(0)};
        const std::string outcome = report["outcome"].text_or("");
        if (outcome == "failed") row.outcome = Row::Outcome::failed;
        if (outcome == "not_applicable") row.outcome = Row::Outcome::not_applicable;
        for (std::size_t i = 0; i < report["seen"].size(); ++i) {
            const base::JsonView one = report["seen"].at(i);
            seen_.try_emplace(one["check"].text_or(""), fmt::format("{} (during {})", one["what"].text_or(""), running->name));
        }
        ran_any_ = true;
        gave_up_ = gave_up_ || (running->is_gate && row.outcome == Row::Outcome::failed);
        add(std::move(row));
        ++next;
        running = nullptr;
        limit_ms = 20'000;
    }
    const std::string ended = reap(child);
    if (const std::string orphan = end_orphans(running ? 0 : 500); !orphan.empty() && !running)
        seen_.try_emplace("process.children", fmt::format("{} was left behind (during {})", orphan, checks[next > from ? next - 1 : from]->name));
    look_at_stdout(next > from ? checks[next - 1]->name : "loading");
    if (running || (next == from && next < checks.size())) {
        const Check& victim = running ? *running : *checks[next];
        const std::string what = timed_out ? fmt::format("it did not return within {} s", victim.seconds) : ended;
        add({Row::Outcome::failed, victim.name, victim.promise, what + (timed_out ? "" : stderr_tail()), victim.remedy, 0});
        gave_up_ = gave_up_ || victim.is_gate;
        ++next;
    }
    return next;
}

void Runner::run(std::vector<const Check*> checks) {
    ::prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
    for (std::size_t next = 0; next < checks.size() && !gave_up_;) next = run_some(checks, next);
}

std::string Runner::killed_once(const Suite& suite, bool& applicable) {
    Child child = spawn({"--report-fd", std::to_string(child_report_fd), "--mid-op", std::string(suite.name)});
    std::string line;
    bool timed_out = false;
    const bool ready = read_line(child, line, 30'000, timed_out);
    if (ready) {
        const auto document = base::JsonDocument::parse(line);
        const std::string problem = document ? document->root()["detail"].text_or("") : line;
        if (!problem.empty()) {
            applicable = false;
            ::kill(child.pid, SIGKILL);
            reap(child);
            return problem;
        }
    }
    ::kill(child.pid, SIGKILL);
    const std::string ended = reap(child);
    if (!ready) return timed_out ? "its work did not begin within 30 s" : ended + stderr_tail();
    const std::string orphan = end_orphans(2000);
    return orphan.empty() ? "" : orphan + " lived on when the host was killed";
}

std::string Runner::end_orphans(int patience_ms) {
    // Orphans come to this process, the nearest subreaper.
    for (int waited = 0; waited <= patience_ms; waited += 10) {
        while (::waitpid(-1, nullptr, WNOHANG) > 0) {
        }
        if (children().empty()) return "";
        std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    std::string name;
    for (const pid_t pid : children()) {
        if (name.empty()) name = process_name(pid);
        ::kill(pid, SIGKILL);
        ::waitpid(pid, nullptr, 0);
    }
    return name;
}

void Runner::kill_in_mid_op(const Suite& suite) {
    const std::string name = std::string(suite.name) + ".killed_in_mid_op";
    began_(name);
    const auto began = std::chrono::steady_clock::now();
    bool applicable = true;
    const std::string problem = killed_once(suite, applicable);
    Row row{Row::Outcome::passed, name, "A host that is killed leaves nothing of it behind", problem,
            "Children end when their standard input does, or ask prctl(PR_SET_PDEATHSIG); locks and temporary files are the kernel's to clear.", 0};
    if (!problem.empty()) row.outcome = applicable ? Row::Outcome::failed : Row::Outcome::not_applicable;
    row.ms = std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - began).count();
    add(std::move(row));
}

void Runner::report_observed() {
    if (!ran_any_ || gave_up_) return;
    for (const Observed& one : all_observed()) {
        const auto found = seen_.find(one.name);
        add({found == seen_.end() ? Row::Outcome::passed : Row::Outcome::failed, one.name, one.promise, found == seen_.end() ? "" : found->second, one.remedy, 0});
    }
}

}  // namespace jackfield::conformance
