#include "conformance/records/records_checks.hpp"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <fstream>
#include <map>
#include <thread>

extern char** environ;

/// Restarts, kills and the end.
namespace jackfield::conformance::records {

void outlives_its_instance(Bench& bench) {
    auto instance = bench.start();
    {
        RecordsUser user(bench, instance);
        const std::uint32_t h = user.declared(people("outlives_its_instance"));
        user.done(Write::upsert(h, "acme", "a").set(name, "kept").set(score, 5), "an upsert");
    }
    bench.stop(instance);
    RecordsUser user(bench);
    const std::uint32_t h = user.declared(people("outlives_its_instance"));
    require_value("a record after a restart", get(user, h, "a").field(name), "kept");
}

namespace {

// A process that is killed while it writes: the check starts one, which says in a file what was acknowledged.
constexpr const char* acknowledged_file = "records-acknowledged.txt";
sdk::Collection pairs() { return sdk::Collection("verify.killed", JF_SCOPE_TENANT).field("n", JF_VALUE_INT); }

std::vector<std::string> acknowledged() {
    std::ifstream file(acknowledged_file);
    std::vector<std::string> out;
    for (std::string line; std::getline(file, line);) out.push_back(line);
    return out;
}

/// This program with the same target, writing until it is killed.
pid_t start_writer() {
    std::ifstream file("/proc/self/cmdline", std::ios::binary);
    std::vector<std::string> words;
    for (std::string word; std::getline(file, word, '\0') && word != "--report-fd";) words.push_back(word);
    words.insert(words.end(), {"--report-fd", "1", "--mid-op", "records"});
    std::vector<char*> arguments;
    for (std::string& word : words) arguments.push_back(word.data());
    arguments.push_back(nullptr);
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
    pid_t pid = -1;
    const int error = ::posix_spawn(&pid, "/proc/self/exe", &actions, nullptr, arguments.data(), environ);
    posix_spawn_file_actions_destroy(&actions);
    require(error == 0, "the kit could not start its writer");
    return pid;
}

}  // namespace

void mid_op(Bench& bench) {
    auto* const user = new RecordsUser(bench);
    const std::uint32_t h = user->declared(pairs());
    std::thread([user, h] {
        const int file = ::open(acknowledged_file, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
        const std::string process = std::to_string(::getpid());
        try {
            for (int i = 0;; ++i) {
                const std::string id = process + "-" + std::to_string(i);
                if (user->can("batch")) {
                    sdk::Batch batch;
                    batch.add(Write::insert(h, "acme", id + "a").set(8, i)).add(Write::insert(h, "acme", id + "b").set(8, i));
                    user->done(batch, "a batch");
                } else {
                    user->done(Write::insert(h, "acme", id + "a").set(8, i), "an insert");
                }
                // One write(2), so that a line is never torn by the kill.
                const std::string line = id + "\n";
                if (::write(file, line.data(), line.size()) < 0) return;
            }
        } catch (const Failed&) {
        }
    }).detach();
}

void survives_kills(Bench& bench) {
    ::unlink(acknowledged_file);
    for (std::size_t round = 1; round <= 3; ++round) {
        const pid_t writer = start_writer();
        for (int i = 0; i < 2000 && acknowledged().size() < round * 20; ++i) std::this_thread::sleep_for(milliseconds(10));
        ::kill(writer, SIGKILL);
        ::waitpid(writer, nullptr, 0);
    }
    const std::vector<std::string> kept = acknowledged();
    require(kept.size() >= 60, fmt::format("a writer made only {} writes in 20 s", kept.size()));
    RecordsUser user(bench);
    const std::uint32_t h = user.declared(pairs());
    std::map<std::string, int> halves;
    for (const Row& row : user.done(Query(h, "acme").limit(1'000'000), "a query after a kill").rows) ++halves[row.id().substr(0, row.id().size() - 1)];
    for (const std::string& id : kept) require(halves.contains(id), "a write that was acknowledged before the kill is gone: " + id);
    if (user.can("batch"))
        for (const auto& [id, n] : halves) require(n == 2, "half of a batch is there after a kill: " + id);
}

void refuses_while_quiescing(Bench& bench) {
    RecordsUser user(bench);
    const std::uint32_t h = user.declared(people("refuses_while_quiescing"));
    OpRecord& quiet = bench.open(*user.instance());
    require_status("quiesce", bench.begin_blocking(quiet, *user.instance(), "quiesce", [&] {
        return bench.spy().functions_of(*user.instance())->quiesce(bench.spy().self_of(*user.instance()), quiet.op, 2000);
    }), {JF_OK});
    bench.expect_done(quiet, "quiesce", milliseconds(3000));
    RecordsUser::require_reply("a query after quiesce", user(Query(h, "acme")), {JF_E_STATE});
    RecordsUser::require_reply("an insert after quiesce", user(add(h, "a", 1)), {JF_E_STATE});
}

}  // namespace jackfield::conformance::records
