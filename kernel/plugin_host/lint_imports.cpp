#include "plugin_host/lint_imports.hpp"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>
#include <unordered_set>

#include <elf.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

namespace jackfield::plugin_host {
namespace {

/// Functions whose effect is the whole process's. One entry per reason; a plugin that has a case for one of them finds the facility named.
struct Manners {
    std::string_view code;
    Severity severity;
    std::string_view names;  ///< separated by spaces
    std::string_view why;
    std::string_view remedy;
};

constexpr std::array<Manners, 10> manners{{
    {"ends_process", Severity::error, "exit _exit _Exit quick_exit at_quick_exit pthread_exit thrd_exit",
     "It ends the host, and every call of every tenant with it.",
     "Complete the op with an error, or answer one from start: the instance is then given up and tried again."},
    {"aborts", Severity::warning, "abort __assert_fail __assert_perror_fail",
     "A failed assertion ends the host and every call in it.",
     "Compile with NDEBUG, and answer JF_E_INTERNAL where an invariant does not hold. A library linked statically may bring it along."},
    {"starts_processes", Severity::error, "fork vfork __libc_fork system popen daemon execv execve execvp execl execlp execle fexecve clone",
     "A fork of a host with many threads and sockets copies locks that nobody will release, and descriptors of all calls.",
     "Use posix_spawn from a worker, with default signal handlers and without the host's descriptors (posix_spawn_file_actions_addclosefrom_np)."},
    {"sets_locale", Severity::error, "setlocale",
     "It changes how every thread of the host reads and writes numbers.",
     "Use newlocale with the _l functions, or std::from_chars and std::to_chars."},
    {"sets_signals", Severity::error,
     "signal __sysv_signal bsd_signal sigset sigaction __sigaction sigignore siginterrupt sigprocmask alarm setitimer",
     "Signals belong to the host: its handlers stop it cleanly and report crashes.",
     "Use jf.host.timer/1 for time, MSG_NOSIGNAL for sockets, and pthread_sigmask in threads of your own."},
    {"sets_environment", Severity::error, "setenv putenv unsetenv clearenv",
     "Other threads read the environment at the same time: that is a data race in libc, and a crash.",
     "Take settings from the configuration; give a child process its environment through posix_spawn."},
    {"sets_directory", Severity::error, "chdir fchdir chroot",
     "Every relative path of the host changes its meaning.",
     "Use absolute paths, or openat()."},
    {"sets_process", Severity::error,
     "umask setuid setgid seteuid setegid setreuid setregid setresuid setresgid setgroups setrlimit prlimit setpriority nice mlockall ptrace "
     "personality setsid setpgid",
     "It changes rights or limits of the whole host.",
     "Ask the operator to start the host so, or do it in a child process."},
    {"registers_at_exit", Severity::warning, "atexit on_exit pthread_atfork __register_atfork",
     "The handler runs while the host shuts down, when the instances are gone.",
     "Free in destroy and deinit."},
    {"loads_code", Severity::warning, "dlopen dlmopen",
     "What it loads has been checked by nobody, and may be loaded for all (RTLD_GLOBAL).",
     "Link what is needed; say in the README what is loaded and why otherwise."},
}};

bool names(std::string_view list, std::string_view name) {
    for (std::size_t at = 0; at <= list.size();) {
        const std::size_t end = std::min(list.find(' ', at), list.size());
        if (list.substr(at, end - at) == name) return true;
        at = end + 1;
    }
    return false;
}

void lint_manners(const ElfFacts& elf, std::vector<LintFinding>& findings) {
    for (const Manners& rule : manners) {
        std::vector<std::string> used;
        for (const std::string& import : elf.imports)
            if (names(rule.names, import)) used.push_back(import);
        if (used.empty()) continue;
        findings.push_back({std::string(rule.code), rule.severity, fmt::format("it imports {}", fmt::join(used, ", ")),
                            std::string(rule.why), std::string(rule.remedy)});
    }
}

/// Exports of the needed libraries, those that the plugin names and those that they need in turn.
struct Offered {
    std::unordered_set<std::string> direct, indirect;
    std::vector<std::string> missing;
};

Offered offered_by(const ElfFacts& elf, const std::function<std::optional<std::vector<std::byte>>(std::string_view)>& library) {
    constexpr std::size_t most_libraries = 300;
    Offered out;
    std::deque<std::pair<std::string, bool>> wanted;
    std::set<std::string> seen;
    for (const std::string& name : elf.needed)
        if (seen.insert(name).second) wanted.emplace_back(name, true);
    while (!wanted.empty() && seen.size() < most_libraries) {
        const auto [name, direct] = wanted.front();
        wanted.pop_front();
        const auto bytes = library(name);
        const auto facts = bytes ? read_elf(*bytes) : base::Result<ElfFacts>(base::Error(base::ErrorCode::not_found, "none"));
        if (!facts) {
            out.missing.push_back(name);
            continue;
        }
        (direct ? out.direct : out.indirect).insert(facts->exports.begin(), facts->exports.end());
        for (const std::string& next : facts->needed)
            if (seen.insert(next).second) wanted.emplace_back(next, false);
    }
    return out;
}

std::string some_of(const std::vector<std::string>& list) {
    const std::size_t shown = std::min<std::size_t>(list.size(), 5);
    return fmt::format("{}{}", fmt::join(list.begin(), list.begin() + static_cast<std::ptrdiff_t>(shown), ", "),
                       list.size() > shown ? fmt::format(" and {} more", list.size() - shown) : "");
}

void lint_needs(const ElfFacts& elf,
                const std::function<std::optional<std::vector<std::byte>>(std::string_view)>& library,
                std::vector<LintFinding>& findings) {
    const Offered offered = offered_by(elf, library);
    if (!offered.missing.empty()) {
        findings.push_back({"missing_library", Severity::error, fmt::format("{} is not on this system", some_of(offered.missing)),
                            "The dynamic loader refuses the plugin where a library is missing.",
                            "Install it, say so in the README and in your package, or link it statically."});
        return;  // Whatever else is missing may be in there.
    }
    const std::set<std::string_view> weak(elf.weak_imports.begin(), elf.weak_imports.end());
    std::vector<std::string> undeclared, indirect;
    for (const std::string& import : elf.imports) {
        if (weak.contains(import) || offered.direct.contains(import)) continue;
        (offered.indirect.contains(import) ? indirect : undeclared).push_back(import);
    }
    if (!undeclared.empty())
        findings.push_back({"undeclared_need", Severity::error, fmt::format("no library that it needs has {}", some_of(undeclared)),
                            "It loads only where another library happens to bring the name along.",
                            "Link with -Wl,--no-undefined and name every library."});
    if (!indirect.empty())
        findings.push_back({"indirect_need", Severity::warning,
                            fmt::format("{} comes from a library of a library", some_of(indirect)),
                            "It breaks when the library in between stops needing the other one.",
                            "Link the library that has it."});
}

std::vector<std::filesystem::path> library_folders() {
    std::vector<std::filesystem::path> out;
    if (const char* own = std::getenv("LD_LIBRARY_PATH")) {
        std::string_view list = own;
        while (!list.empty()) {
            const std::size_t end = std::min(list.find(':'), list.size());
            if (end > 0) out.emplace_back(list.substr(0, end));
            list.remove_prefix(std::min(end + 1, list.size()));
        }
    }
    std::error_code error;
    std::set<std::filesystem::path> lists;
    for (const auto& entry : std::filesystem::directory_iterator("/etc/ld.so.conf.d", error)) lists.insert(entry.path());
    for (const std::filesystem::path& list : lists) {
        std::ifstream file(list);
        for (std::string line; std::getline(file, line);)
            if (line.starts_with("/")) out.emplace_back(line);
    }
    for (const char* usual : {"/lib/x86_64-linux-gnu", "/lib/aarch64-linux-gnu", "/lib64", "/usr/lib64", "/lib", "/usr/lib", "/usr/local/lib"})
        out.emplace_back(usual);
    return out;
}

}  // namespace

void lint_imports(const ElfFacts& elf,
                  const std::function<std::optional<std::vector<std::byte>>(std::string_view)>& library,
                  std::vector<LintFinding>& findings) {
    lint_manners(elf, findings);
    // What another machine's libraries offer can't be asked here.
    if (library && elf.machine == host_machine()) lint_needs(elf, library, findings);
}

std::optional<std::vector<std::byte>> read_system_library(std::string_view name) {
    if (name.find('/') != std::string_view::npos) return std::nullopt;
    static const std::vector<std::filesystem::path> folders = library_folders();
    for (const std::filesystem::path& folder : folders) {
        std::ifstream file(folder / name, std::ios::binary);
        if (!file) continue;
        const std::string text{std::istreambuf_iterator<char>(file), {}};
        // The loader, too, passes over libraries of another class or machine: i386's stand in /lib32.
        Elf64_Ehdr header{};
        if (text.size() < sizeof header) continue;
        std::memcpy(&header, text.data(), sizeof header);
        if (header.e_ident[EI_CLASS] != ELFCLASS64 || header.e_machine != host_machine()) continue;
        const auto* first = reinterpret_cast<const std::byte*>(text.data());
        return std::vector<std::byte>(first, first + text.size());
    }
    return std::nullopt;
}

}  // namespace jackfield::plugin_host
