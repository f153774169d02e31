#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <map>
#include <random>
#include <set>
#include <sstream>

#include "crash_records.hpp"

extern char** environ;

namespace jackfield::test {
namespace {

using testing::HasSubstr;

class Helper {
  public:
    Helper(std::string path, std::string mode, std::string argument) {
        int ends[2];
        if (::pipe(ends) != 0) throw std::runtime_error("no pipe");
        posix_spawn_file_actions_t actions;
        posix_spawn_file_actions_init(&actions);
        posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
        posix_spawn_file_actions_addclose(&actions, ends[0]);
        std::string program = SQLITE_CRASH_HELPER;
        char* const arguments[] = {program.data(), path.data(), mode.data(), argument.data(), nullptr};
        if (::posix_spawn(&pid_, program.c_str(), &actions, nullptr, arguments, environ) != 0) throw std::runtime_error("no helper");
        posix_spawn_file_actions_destroy(&actions);
        ::close(ends[1]);
        out_ = ends[0];
    }
    ~Helper() { ::close(out_); }
    Helper(const Helper&) = delete;

    /// Reads until `lines` lines are there or the helper has ended.
    void read_lines(std::size_t lines) {
        char buffer[4096];
        while (lines_ < lines) {
            const ssize_t n = ::read(out_, buffer, sizeof buffer);
            if (n <= 0) return;
            said_.append(buffer, static_cast<std::size_t>(n));
            lines_ += static_cast<std::size_t>(std::count(buffer, buffer + n, '\n'));
        }
    }
    void kill() { ::kill(pid_, SIGKILL); }
    int wait() {
        int status = 0;
        ::waitpid(pid_, &status, 0);
        return status;
    }
    const std::string& said() const { return said_; }

  private:
    pid_t pid_ = 0;
    int out_ = -1;
    std::size_t lines_ = 0;
    std::string said_;
};

std::set<std::string> acknowledged(const std::string& said) {
    std::set<std::string> names;
    std::istringstream lines(said);
    for (std::string line; std::getline(lines, line);)
        if (line.starts_with("ack ")) names.insert(line.substr(4));
    return names;
}

TEST(SqliteCrash, KeepsWhatWasAcknowledgedAndNoHalfBatchThroughFiftyKills) {
    TempFolder folder;
    const std::string path = folder.file("a.db");
    std::mt19937 random(7);
    std::set<std::string> expected;
    for (int round = 0; round < 50; ++round) {
        Helper helper(path, "pairs", std::to_string(round));
        helper.read_lines(1 + random() % 40);
        helper.kill();
        ASSERT_TRUE(WIFSIGNALED(helper.wait()));
        helper.read_lines(SIZE_MAX);
        expected.merge(acknowledged(helper.said()));

        if (round % 10 != 9) continue;  // most rounds recover straight into new writes
        Database db(path);
        ASSERT_EQ(db.started().status, JF_OK) << db.started().error;
        const std::uint32_t h = db.declare(crash::collection()).collection;
        std::map<std::string, int> halves;
        std::int64_t pairs = 0;
        for (const sdk::Row& row : db(sdk::Query(h, "pairs").limit(UINT32_MAX)).rows)
            ++halves[row.id().substr(0, row.id().size() - 2)];
        for (const auto& [name, n] : halves) {
            EXPECT_EQ(n, 2) << name;
            ++pairs;
        }
        for (const std::string& name : expected) EXPECT_TRUE(halves.contains(name)) << name;
        EXPECT_EQ(db(sdk::Query(h, "counters").sum(crash::count)).rows[0][0].integer(), pairs);
    }
    EXPECT_GE(expected.size(), 50u);
}

TEST(SqliteCrash, SaysThatTheDiskIsFullAndKeepsReading) {
    TempFolder folder;
    const std::string path = folder.file("a.db");
    Helper helper(path, "limit", "600000");
    helper.read_lines(SIZE_MAX);
    ASSERT_EQ(helper.wait(), 0) << helper.said();

    EXPECT_THAT(helper.said(), HasSubstr("failed " + std::to_string(JF_E_QUOTA) + " 5000 no space left for database '" + path));
    Database db(path);
    const std::uint32_t h = db.declare(crash::collection()).collection;
    const auto rows = db(sdk::Query(h, "t").limit(UINT32_MAX)).rows;
    EXPECT_EQ(rows.size(), acknowledged(helper.said()).size());
    EXPECT_GT(rows.size(), 10u);
    EXPECT_EQ(db(sdk::Write::insert(h, "t", "after").set(crash::text, "y")).status, JF_OK);
}

}  // namespace
}  // namespace jackfield::test
