#include <gtest/gtest.h>

#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <map>
#include <random>
#include <set>
#include <sstream>

#include "database.hpp"
#include "vectors_crash.hpp"

extern char** environ;

namespace jackfield::test {
namespace {

/// Runs the helper until it has said `lines` lines, kills it, and answers all that it said.
std::string run_and_kill(std::string path, std::string round, std::size_t lines) {
    int ends[2];
    if (::pipe(ends) != 0) throw std::runtime_error("no pipe");
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
    posix_spawn_file_actions_addclose(&actions, ends[0]);
    std::string program = SQLITE_VECTORS_CRASH_HELPER;
    char* const arguments[] = {program.data(), path.data(), round.data(), nullptr};
    pid_t pid = 0;
    if (::posix_spawn(&pid, program.c_str(), &actions, nullptr, arguments, environ) != 0) throw std::runtime_error("no helper");
    posix_spawn_file_actions_destroy(&actions);
    ::close(ends[1]);
    std::string said;
    char buffer[4096];
    bool killed = false;
    while (true) {
        const ssize_t n = ::read(ends[0], buffer, sizeof buffer);
        if (n <= 0) break;
        said.append(buffer, static_cast<std::size_t>(n));
        if (!killed && static_cast<std::size_t>(std::count(said.begin(), said.end(), '\n')) >= lines) killed = ::kill(pid, SIGKILL) == 0;
    }
    ::close(ends[0]);
    int status = 0;
    ::waitpid(pid, &status, 0);
    EXPECT_TRUE(WIFSIGNALED(status));
    return said;
}

TEST(SqliteVectorsCrash, KeepsWhatWasAcknowledgedAndNoHalfBatchThroughKills) {
    TempFolder folder;
    const std::string path = folder.file("a.db");
    std::mt19937 random(11);
    std::set<std::string> put, gone;
    for (int round = 0; round < 20; ++round) {
        std::istringstream lines(run_and_kill(path, std::to_string(round), 1 + random() % 60));
        for (std::string line; std::getline(lines, line);) {
            if (line.starts_with("put ")) put.insert(line.substr(4));
            if (line.starts_with("gone ")) gone.insert(line.substr(5));
        }
        if (round % 5 != 4) continue;  // most rounds recover straight into new writes

        VectorsClient client(*jf_module_entry_v1(), "storage/sqlite", {{"path", path}, {"vectors_exact_below", "0"}});
        const std::uint32_t space = vector_crash::ensure(client);
        const TestSearch everything{vector_crash::values_of("x"), 10000, {}, {vector_crash::name_field}};
        const VectorsReply reply = client.search(space, "t", everything);
        std::map<std::string, int> parts;
        for (const TestMatch& match : reply.matches) {
            const std::string& name = match.values[0].text();
            EXPECT_TRUE(match.id.starts_with(name));
            ++parts[name];
        }
        for (const auto& [name, n] : parts) EXPECT_EQ(n, 3) << name;
        // Every third is removed again, and the kill may have come before that was said.
        for (const std::string& name : put)
            EXPECT_TRUE(parts.contains(name) || std::stoi(name.substr(name.find('-') + 1)) % 3 == 2) << name;
        for (const std::string& name : gone) EXPECT_FALSE(parts.contains(name)) << name;
        EXPECT_EQ(client.stats(space, "t").stats.vectors, reply.matches.size());
        const auto some = parts.begin()->first + ".1";
        EXPECT_EQ(client.search(space, "t", {vector_crash::values_of(some), 1}).ids(), std::vector<std::string>{some});
    }
    EXPECT_GE(put.size(), 100u);
    EXPECT_GE(gone.size(), 20u);
}

}  // namespace
}  // namespace jackfield::test
