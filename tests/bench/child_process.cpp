#include "bench/child_process.hpp"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <stdexcept>

extern char** environ;

namespace jackfield::bench {
namespace {

std::string text_of(const std::filesystem::path& file) {
    std::ifstream in(file);
    std::stringstream text;
    text << in.rdbuf();
    return text.str();
}

/// utime and stime of a stat file. Schedstat would be finer but lacks threads that have ended; ticks are 10 ms, and the bench runs for seconds.
double cpu_seconds(const std::string& stat) {
    const auto behind_name = stat.rfind(')');
    if (behind_name == std::string::npos) return 0;
    std::istringstream fields(stat.substr(behind_name + 1));
    std::string skipped;
    for (int i = 0; i < 11; ++i) fields >> skipped;
    double user = 0;
    double system = 0;
    fields >> user >> system;
    return (user + system) / static_cast<double>(sysconf(_SC_CLK_TCK));
}

double kilobytes(const std::string& status, const std::string& key) {
    const auto at = status.find(key);
    return at == std::string::npos ? 0 : std::stod(status.substr(at + key.size()));
}

}  // namespace

ChildProcess::ChildProcess(const std::vector<std::string>& command, const std::map<std::string, std::string>& environment,
                           const std::string& output) {
    std::vector<std::string> variables;
    for (char** entry = environ; *entry; ++entry) {
        const std::string text = *entry;
        if (!environment.contains(text.substr(0, text.find('=')))) variables.push_back(text);
    }
    for (const auto& [name, value] : environment) variables.push_back(name + '=' + value);
    std::vector<char*> env;
    for (std::string& variable : variables) env.push_back(variable.data());
    env.push_back(nullptr);
    std::vector<std::string> words = command;
    std::vector<char*> argv;
    for (std::string& word : words) argv.push_back(word.data());
    argv.push_back(nullptr);
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, 1, output.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0644);
    posix_spawn_file_actions_adddup2(&actions, 1, 2);
    const int failed = posix_spawn(&pid_, argv[0], &actions, nullptr, argv.data(), env.data());
    posix_spawn_file_actions_destroy(&actions);
    if (failed != 0) throw std::runtime_error(command.front() + " can't be started");
}

ChildProcess::~ChildProcess() {
    if (running()) stop();
}

bool ChildProcess::running() {
    if (pid_ > 0 && waitpid(pid_, &status_, WNOHANG) == pid_) pid_ = -1;
    return pid_ > 0;
}

int ChildProcess::wait() {
    if (pid_ > 0) waitpid(pid_, &status_, 0);
    pid_ = -1;
    return WIFEXITED(status_) ? WEXITSTATUS(status_) : -1;
}

int ChildProcess::stop() {
    if (pid_ > 0) kill(pid_, SIGTERM);
    return wait();
}

ProcessCost cost_of(pid_t pid) {
    namespace fs = std::filesystem;
    const fs::path folder = "/proc/" + std::to_string(pid);
    ProcessCost cost;
    cost.cpu_s = cpu_seconds(text_of(folder / "stat"));
    std::error_code gone;
    for (const auto& task : fs::directory_iterator(folder / "task", gone)) {
        std::string name = text_of(task.path() / "comm");
        name = name.substr(0, name.find_last_not_of("\n-0123456789") + 1);
        cost.cpu_by_thread_s[name] += cpu_seconds(text_of(task.path() / "stat"));
    }
    const std::string status = text_of(folder / "status");
    cost.resident_kb = kilobytes(status, "VmRSS:");
    cost.anonymous_kb = kilobytes(status, "RssAnon:");
    return cost;
}

std::string output_of(const std::string& command) {
    FILE* const pipe = popen(command.c_str(), "r");
    if (!pipe) throw std::runtime_error(command);
    std::string out;
    char buffer[4096];
    for (std::size_t n = 0; (n = fread(buffer, 1, sizeof buffer, pipe)) > 0;) out.append(buffer, n);
    if (pclose(pipe) != 0) throw std::runtime_error(command + " failed: " + out);
    return out;
}

}  // namespace jackfield::bench
