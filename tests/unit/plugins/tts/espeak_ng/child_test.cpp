#include "child.hpp"

#include <jackfield/sdk/plugin.hpp>

#include <cerrno>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

namespace jackfield::tts_espeak_ng {
namespace {

using std::chrono::milliseconds;

struct Ran {
    ChildOutcome outcome;
    std::string output;
};

Ran shell(const std::string& script,
          std::string_view input = {},
          milliseconds timeout = milliseconds(5000)) {
    Ran ran;
    ChildTask task;
    task.arguments = {"/bin/sh", "-c", script};
    task.input = input;
    task.timeout = timeout;
    task.on_output = [&](const std::uint8_t* bytes, std::size_t n) {
        ran.output.append(reinterpret_cast<const char*>(bytes), n);
        return ran.output.size() < 3'000'000;
    };
    task.stopped = [] { return false; };
    ran.outcome = run_child(task);
    return ran;
}

void expect_no_zombie() {
    EXPECT_EQ(::waitpid(-1, nullptr, WNOHANG), -1);
    EXPECT_EQ(errno, ECHILD);
}

TEST(Child, GetsItsInputAndGivesItsOutput) {
    const std::string megabyte(1'000'000, 'x');

    const Ran ran = shell("cat; echo trouble >&2; exit 3", megabyte);

    EXPECT_EQ(ran.output, megabyte);
    EXPECT_EQ(ran.outcome.kind, ChildOutcome::exited);
    EXPECT_EQ(ran.outcome.code, 3);
    EXPECT_EQ(ran.outcome.complaint, "trouble");
    expect_no_zombie();
}

TEST(Child, MayLeaveItsInputUnread) {
    // More than any socket buffer holds: writing on would raise SIGPIPE.
    const Ran ran = shell("exec <&-; echo done", std::string(4'000'000, 'x'));

    EXPECT_EQ(ran.output, "done\n");
    EXPECT_EQ(ran.outcome.code, 0);
}

TEST(Child, IsKilledWhenItHangs) {
    for (const std::string script :
         {"sleep 600", "exec >&-; sleep 600", "while :; do echo on and on; done"}) {
        const auto before = std::chrono::steady_clock::now();
        const Ran ran = shell(
            "exec 2>&-; exec " +
                std::string(script.starts_with("sleep") ? script : "/bin/sh -c '" + script + "'"),
            {},
            milliseconds(100));
        EXPECT_NE(ran.outcome.kind, ChildOutcome::exited) << script;
        EXPECT_LT(std::chrono::steady_clock::now() - before, milliseconds(2000)) << script;
        expect_no_zombie();
    }
}

TEST(Child, IsKilledWhenNobodyListensAnyMore) {
    ChildTask task;
    task.arguments = {"sleep", "600"};
    task.timeout = milliseconds(60'000);
    task.on_output = [](const std::uint8_t*, std::size_t) { return true; };
    int looks = 0;
    task.stopped = [&looks] { return ++looks > 1; };

    EXPECT_EQ(run_child(task).kind, ChildOutcome::stopped);
    expect_no_zombie();
}

TEST(Child, InheritsNothingButItsThreeDescriptors) {
    const int leaky = ::open("/dev/null", O_RDONLY);  // as a careless library would
    ASSERT_GE(leaky, 0);

    const Ran ran =
        shell("cd /proc/self/fd; for fd in *; do [ -e \"$fd\" ] && echo $fd; done; exit 0");
    ::close(leaky);

    // /proc/self is the shell itself; the directory that it reads may be open as a fourth.
    EXPECT_EQ(ran.output.substr(0, 6), "0\n1\n2\n");
    EXPECT_LE(ran.output.size(), 9u) << ran.output;
}

TEST(Child, SeesNoneOfTheHostsSecrets) {
    ::setenv("JACKFIELD_TEST_SECRET", "hush", 1);

    const Ran ran = shell("env");

    EXPECT_EQ(ran.output.find("hush"), std::string::npos);
    EXPECT_NE(ran.output.find("PATH="), std::string::npos);
}

TEST(Child, ReportsTheSignalThatEndedIt) {
    const Ran ran = shell("kill -SEGV $$");

    EXPECT_EQ(ran.outcome.kind, ChildOutcome::killed_by_signal);
    EXPECT_EQ(ran.outcome.code, SIGSEGV);
}

TEST(Child, ThatDoesNotExistIsNamedWithItsPackage) {
    ChildTask task;
    task.arguments = {"no-such-program-here"};
    task.timeout = milliseconds(1000);
    task.on_output = [](const std::uint8_t*, std::size_t) { return true; };
    task.stopped = [] { return false; };
    try {
        run_child(task);
        FAIL() << "it ran";
    } catch (const sdk::Failure& failure) {
        EXPECT_EQ(failure.code(), JF_E_NOT_FOUND);
        EXPECT_NE(std::string(failure.what()).find("no-such-program-here"), std::string::npos);
        EXPECT_NE(std::string(failure.what()).find("apt-get install espeak-ng"), std::string::npos);
    }
}

}  // namespace
}  // namespace jackfield::tts_espeak_ng
