#include "integration/simulation/forked.hpp"

#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>

namespace jackfield::simulation {
namespace {

void write_all(int file, const std::string& text) {
    for (std::size_t at = 0; at < text.size();) {
        const ssize_t n = write(file, text.data() + at, text.size() - at);
        if (n <= 0) return;
        at += static_cast<std::size_t>(n);
    }
}

}  // namespace

Ended run_forked(const std::function<void(const std::function<void(const std::string&)>&)>& work, unsigned seconds,
                 const std::function<void(const std::string&)>& on_line) {
    Ended out;
    std::array<int, 2> pipe_ends{};
    if (pipe(pipe_ends.data()) != 0) std::perror("pipe"), std::exit(2);
    std::fflush(nullptr);
    const pid_t child = fork();
    if (child < 0) std::perror("fork"), std::exit(2);
    if (child == 0) {
        close(pipe_ends[0]);
        if (seconds > 0) alarm(seconds);
        work([&](const std::string& line) { write_all(pipe_ends[1], line + '\n'); });
        // Not _exit: coverage is written at a proper end.
        std::exit(0);
    }
    close(pipe_ends[1]);
    std::string line;
    std::array<char, 4096> bytes{};
    while (true) {
        const ssize_t n = read(pipe_ends[0], bytes.data(), bytes.size());
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) break;
        out.written.append(bytes.data(), static_cast<std::size_t>(n));
        for (ssize_t i = 0; i < n; ++i) {
            if (bytes[static_cast<std::size_t>(i)] != '\n') {
                line += bytes[static_cast<std::size_t>(i)];
                continue;
            }
            if (on_line) on_line(line);
            line.clear();
        }
    }
    close(pipe_ends[0]);
    int status = 0;
    while (waitpid(child, &status, 0) < 0 && errno == EINTR) {}
    if (WIFSIGNALED(status)) out.signal = WTERMSIG(status);
    else if (WEXITSTATUS(status) != 0) out.signal = SIGABRT; // a sanitizer's way to end
    return out;
}

}  // namespace jackfield::simulation
