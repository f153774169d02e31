#include "conformance/kit/process_watch.hpp"

#include <clocale>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

namespace jackfield::conformance {
namespace {

namespace fs = std::filesystem;

/// Fields of /proc/<pid>/stat after the name, which may hold anything in its parentheses.
pid_t parent_of(const fs::path& process) {
    std::ifstream file(process / "stat");
    std::string line;
    std::getline(file, line);
    const std::size_t end = line.rfind(')');
    char state = 0;
    int parent = 0;
    if (end == std::string::npos || std::sscanf(line.c_str() + end + 1, " %c %d", &state, &parent) != 2) return 0;
    return parent;
}

}  // namespace

ProcessState ProcessState::now() {
    ProcessState out;
    for (int signal = 1; signal < NSIG; ++signal) {
        struct sigaction action {};
        if (sigaction(signal, nullptr, &action) != 0) continue;
        void* const handler = action.sa_flags & SA_SIGINFO ? reinterpret_cast<void*>(action.sa_sigaction) : reinterpret_cast<void*>(action.sa_handler);
        out.signals[signal] = {handler, action.sa_flags};
    }
    out.locale = std::setlocale(LC_ALL, nullptr);
    std::error_code error;
    out.folder = fs::current_path(error).string();
    for (char** entry = environ; entry && *entry; ++entry) out.environment += std::string(*entry) + "\n";
    out.umask = ::umask(0);
    ::umask(out.umask);
    return out;
}

std::vector<ProcessChange> compare(const ProcessState& before, const ProcessState& after) {
    std::vector<ProcessChange> out;
    for (const auto& [signal, action] : after.signals)
        if (const auto found = before.signals.find(signal); found != before.signals.end() && found->second != action) {
            out.push_back({"process.signals", fmt::format("the handling of {} is another one than before", strsignal(signal))});
            break;
        }
    if (before.locale != after.locale)
        out.push_back({"process.locale", fmt::format("the process's locale was {} and is {}", before.locale, after.locale)});
    if (before.folder != after.folder)
        out.push_back({"process.folder", fmt::format("the working folder was {} and is {}", before.folder, after.folder)});
    if (before.environment != after.environment) out.push_back({"process.environment", "the process's environment has changed"});
    if (before.umask != after.umask) out.push_back({"process.umask", fmt::format("the umask was {:03o} and is {:03o}", before.umask, after.umask)});
    return out;
}

std::set<pid_t> children() {
    std::set<pid_t> out;
    const pid_t self = getpid();
    std::error_code error;
    for (const auto& entry : fs::directory_iterator("/proc", error)) {
        const std::string name = entry.path().filename().string();
        if (name.find_first_not_of("0123456789") == std::string::npos && parent_of(entry.path()) == self)
            out.insert(static_cast<pid_t>(std::strtol(name.c_str(), nullptr, 10)));
    }
    return out;
}

std::map<int, std::string> descriptors() {
    std::map<int, std::string> out;
    std::error_code error;
    for (const auto& entry : fs::directory_iterator("/proc/self/fd", error)) {
        const std::string leads_to = fs::read_symlink(entry.path(), error).string();
        if (error || leads_to.find("/proc/") == 0) continue;  // the folder that is being read
        out[static_cast<int>(std::strtol(entry.path().filename().c_str(), nullptr, 10))] = leads_to;
    }
    return out;
}

unsigned threads() {
    std::error_code error;
    unsigned n = 0;
    for ([[maybe_unused]] const auto& entry : fs::directory_iterator("/proc/self/task", error)) ++n;
    return n;
}

std::string process_name(pid_t pid) {
    std::ifstream file(fmt::format("/proc/{}/comm", pid));
    std::string name;
    std::getline(file, name);
    return fmt::format("{} ({})", name.empty() ? "a process" : name, pid);
}

}  // namespace jackfield::conformance
