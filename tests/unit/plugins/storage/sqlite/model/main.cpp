// Random operations on storage/sqlite beside a model of maps, with the process killed and the power cut again and again: what was answered is there, the
// rest is absent, never half.
//
//   records_model --steps 1000000 --kills 1000 --seed 1
//
// A child process runs the operations, several threads at once, each on a tenant of its own, and says what each was answered. The parent draws the same
// operations and asks the model. When the child is gone, by SIGKILL or by a power cut of power_vfs.hpp, the parent opens the file: each tenant's records must
// be those after its last answered operation, or after the one that was under way. Beside that all threads claim records of one tenant that they share.
// Every few rounds another child migrates the collection to its next version or takes that back, and is often gone in the middle of it.

#include <poll.h>
#include <spawn.h>
#include <sqlite3.h>
#include <sys/wait.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <iostream>
#include <map>
#include <thread>

#include "model.hpp"
#include "power_vfs.hpp"
#include "shared_jobs.hpp"

extern char** environ;

namespace jackfield::test::model {
namespace {

struct Options {
    std::uint64_t steps = 20000, kills = 20, seed = 1, threads = 4;
    bool lies = false;
    std::string work;
    // The child's.
    bool child = false;
    std::uint64_t round = 0, round_steps = 0, cut = 0, error = 0;
    std::uint32_t version = 1;
    bool migrate = false, kill = false;  // from `version` to the other one
};

/// Checkpoints come often, so that they are met by kills, too.
const Database::Options small_log{{"checkpoint_pages", "40"}, {"readers", "2"}};

constexpr std::uint64_t rounds_between_migrations = 4;

std::string tenant_of(std::uint64_t thread) { return "tenant" + std::to_string(thread); }
std::string token_of(std::uint64_t round, std::uint64_t thread, std::uint64_t step) {
    return std::to_string(round) + "." + std::to_string(thread) + "." + std::to_string(step);
}

/// From `version` to the other one: forward, or one step back.
sdk::RecordsReply migrate(Database& db, std::uint32_t version) {
    if (version == 1) db.declare(collection(2));
    return db.migrate(version == 1 ? JF_MIGRATE_APPLY : JF_MIGRATE_ROLLBACK, "test.model");
}

int run_migration(const Options& options) {
    install_power_vfs({options.seed * 1000003 + options.round, options.cut, 0, false, options.kill});
    Database db(options.work + "/model.db", 5000, small_log);
    if (db.started().status != JF_OK) return 3;
    const sdk::RecordsReply reply = migrate(db, options.version);
    if (reply.status != JF_OK) std::fprintf(stderr, "%s\n", reply.error.c_str());
    return reply.status == JF_OK ? 0 : 5;
}

/// A short stand-in for an answer on its way to the parent.
std::string digest(const std::string& text) {
    std::uint64_t hash = 0xcbf29ce484222325u;
    for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3u;
    char hex[24];
    std::snprintf(hex, sizeof hex, "%016llx", static_cast<unsigned long long>(hash));
    std::string start = text.substr(0, 200);
    for (char& c : start)
        if (c == '\n') c = ' ';
    return std::string(hex) + " " + start;
}

int run_child(const Options& options) {
    // Killed otherwise, the process leaves what it wrote to the operating system, synced or not.
    if (options.cut || options.error || options.lies)
        install_power_vfs({options.seed * 1000003 + options.round, options.cut, options.error, options.lies, false});
    Database db(options.work + "/model.db", 5000, small_log);
    if (db.started().status != JF_OK) {
        std::fprintf(stderr, "%s\n", db.started().error.c_str());
        return 3;
    }
    const std::uint32_t handle = db.declare(collection(options.version)).collection;
    if (handle == 0) return 3;
    std::vector<std::thread> threads;
    for (std::uint64_t t = 0; t < options.threads; ++t)
        threads.emplace_back([&, t] {
            Random random = random_of(options.seed, options.round, t);
            for (std::uint64_t i = 0; i < options.round_steps; ++i) {
                // One write(2) each, so that a line is never torn.
                const Operation operation = draw(random);
                const std::string said = operation.shared == Operation::Shared::none ? digest(run(db, handle, tenant_of(t), operation))
                                                                                     : run_shared(db, handle, operation, token_of(options.round, t, i));
                const std::string line = std::to_string(t) + " " + said + "\n";
                if (::write(STDOUT_FILENO, line.data(), line.size()) < 0) ::_exit(4);
            }
        });
    for (std::thread& thread : threads) thread.join();
    return 0;
}

/// The child process and the lines that it says.
class Child {
  public:
    explicit Child(const Options& options) {
        int ends[2];
        if (::pipe(ends) != 0) throw std::runtime_error("no pipe");
        std::vector<std::string> words{"records_model", "--child", "--work", options.work, "--seed", std::to_string(options.seed),
                                       "--threads", std::to_string(options.threads), "--round", std::to_string(options.round),
                                       "--round-steps", std::to_string(options.round_steps), "--cut", std::to_string(options.cut), "--error", std::to_string(options.error),
                                       "--version", std::to_string(options.version)};
        if (options.lies) words.emplace_back("--lies");
        if (options.migrate) words.emplace_back("--migrate");
        if (options.kill) words.emplace_back("--kill");
        std::vector<char*> arguments;
        for (std::string& word : words) arguments.push_back(word.data());
        arguments.push_back(nullptr);
        posix_spawn_file_actions_t actions;
        posix_spawn_file_actions_init(&actions);
        posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
        posix_spawn_file_actions_addclose(&actions, ends[0]);
        if (::posix_spawn(&pid_, "/proc/self/exe", &actions, nullptr, arguments.data(), environ) != 0) throw std::runtime_error("no child");
        posix_spawn_file_actions_destroy(&actions);
        ::close(ends[1]);
        out_ = ends[0];
    }
    ~Child() { ::close(out_); }
    Child(const Child&) = delete;

    bool read_line(std::string& line) {
        while (true) {
            if (const std::size_t end = buffer_.find('\n', from_); end != std::string::npos) {
                line = buffer_.substr(from_, end - from_);
                from_ = end + 1;
                return true;
            }
            buffer_.erase(0, from_);
            from_ = 0;
            char more[65536];
            const ssize_t n = ::read(out_, more, sizeof more);
            if (n <= 0) return false;
            buffer_.append(more, static_cast<std::size_t>(n));
        }
    }
    void kill() { ::kill(pid_, SIGKILL); }
    int wait() {
        int status = 0;
        ::waitpid(pid_, &status, 0);
        return status;
    }

  private:
    pid_t pid_ = 0;
    int out_ = -1;
    std::string buffer_;
    std::size_t from_ = 0;
};

class Trial {
  public:
    explicit Trial(const Options& options) : options_(options), models_(options.threads), chance_(random_of(options.seed, UINT64_MAX, 0)) {}

    bool run() {
        const std::uint64_t rounds = options_.kills + 1;
        const std::uint64_t round_steps = std::max<std::uint64_t>(1, options_.steps / rounds / options_.threads);
        for (round_ = 0; killed_ + cut_ < options_.kills || answered_ < options_.steps; ++round_) {
            if (!run_round(round_steps) || (round_ % rounds_between_migrations == rounds_between_migrations - 1 && !run_migration())) {
                std::printf("replay: records_model --steps %llu --kills %llu --seed %llu --threads %llu%s\n", static_cast<unsigned long long>(options_.steps),
                            static_cast<unsigned long long>(options_.kills), static_cast<unsigned long long>(options_.seed),
                            static_cast<unsigned long long>(options_.threads), options_.lies ? " --lies" : "");
                shrink();
                return false;
            }
            if (round_ % 100 == 99) std::fprintf(stderr, "%s\n", summary().c_str());
        }
        return true;
    }
    std::string summary() const {
        char text[500];
        std::snprintf(text, sizeof text,
                      "records_model: %llu steps answered as the model answers, %llu kills, %llu power cuts, %llu operations under way then: %llu there, %llu absent, 0 half; "
                      "%llu refused by a failing disk; %llu records claimed by threads that share them, none twice; %llu migrations, %llu cut off in the middle of it",
                      static_cast<unsigned long long>(answered_), static_cast<unsigned long long>(killed_), static_cast<unsigned long long>(cut_),
                      static_cast<unsigned long long>(under_way_), static_cast<unsigned long long>(there_), static_cast<unsigned long long>(under_way_ - there_), static_cast<unsigned long long>(refused_),
                      static_cast<unsigned long long>(shared_.claims()), static_cast<unsigned long long>(migrations_), static_cast<unsigned long long>(migrations_cut_));
        return text;
    }

  private:
    bool run_round(std::uint64_t round_steps) {
        const std::uint64_t steps = round_steps * options_.threads;
        const bool faults = killed_ + cut_ < options_.kills;
        const bool power = faults && chance_() % 2;
        // An operation makes one or two writes and syncs, since some share a transaction and others only ask.
        const std::uint64_t cut = power ? 1 + chance_() % std::max<std::uint64_t>(16, steps >> (chance_() % 6)) : 0;
        const std::uint64_t kill_at = faults && !power ? 1 + chance_() % steps : UINT64_MAX;
        // Now and then the disk fails for a moment: what was refused then must have changed nothing. Not beside a power cut: a commit whose sync failed may
        // be found in the log all the same when the power goes at once, which no program on this side of the disk can help.
        const std::uint64_t error = !power && chance_() % 4 == 0 ? 1 + chance_() % std::max<std::uint64_t>(16, steps / 2) : 0;
        randoms_.clear();
        done_.assign(options_.threads, 0);
        for (std::uint64_t t = 0; t < options_.threads; ++t) randoms_.push_back(random_of(options_.seed, round_, t));
        Options of_child = options_;
        of_child.round = round_;
        of_child.round_steps = round_steps;
        of_child.cut = cut;
        of_child.error = error;
        of_child.version = version_;
        Child child(of_child);
        std::string line;
        for (std::uint64_t lines = 0; child.read_line(line);) {
            if (!compare(line)) {
                child.kill();
                child.wait();
                return false;
            }
            if (++lines == kill_at) child.kill();
        }
        const int status = child.wait();
        const bool was_killed = WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
        const bool was_cut = WIFEXITED(status) && WEXITSTATUS(status) == cut_exit_code;
        const bool never_began = error != 0 && WIFEXITED(status) && WEXITSTATUS(status) == 3;
        if (!was_killed && !was_cut && !never_began && status != 0) {
            std::printf("round %llu: the child ended with status %d\n", static_cast<unsigned long long>(round_), status);
            return false;
        }
        killed_ += was_killed;
        cut_ += was_cut;
        return look_at_file(round_steps);
    }

    bool compare(const std::string& line) {
        const std::size_t space = line.find(' ');
        const auto thread = std::stoull(line.substr(0, space));
        const Operation operation = draw(randoms_.at(thread));
        if (operation.shared != Operation::Shared::none) return compare_shared(operation, thread, line.substr(space + 1));
        // Out of space, or an error of the disk.
        if (line.find(" -10 0 0", space) == space + 17 || line.find(" -14 0 0", space) == space + 17) {
            ++refused_;
            ++done_[thread];
            return true;
        }
        const std::string expected = models_[thread].apply(operation);
        // Done, but the disk failed when the log was to be emptied.
        const bool erases = std::any_of(operation.changes.begin(), operation.changes.end(), [](const Change& change) { return (change.flags & JF_WRITE_ERASE) != 0; });
        if (erases && line.find(" -6 0 0", space) == space + 17) {
            ++done_[thread];
            ++answered_;
            return true;
        }
        if (digest(expected) != line.substr(space + 1)) {
            std::printf("round %llu, thread %llu, operation %llu: %s\n  the plugin: %s\n  the model:  %s\n", static_cast<unsigned long long>(round_),
                        thread, static_cast<unsigned long long>(done_[thread]), text_of(operation).c_str(), line.substr(space + 1).c_str(), digest(expected).c_str());
            return false;
        }
        ++done_[thread];
        ++answered_;
        return true;
    }

    bool compare_shared(const Operation& operation, std::uint64_t thread, const std::string& answer) {
        const std::string token = token_of(round_, thread, done_[thread]);
        ++done_[thread];
        if (answer == "-10" || answer == "-14") return ++refused_, true;
        ++answered_;
        return no_wrong(shared_.answered(operation, token, answer));
    }
    bool no_wrong(const std::string& wrong) const {
        if (!wrong.empty()) std::printf("round %llu, records that are shared: %s\n", static_cast<unsigned long long>(round_), wrong.c_str());
        return wrong.empty();
    }

    /// To the other version, by a child that is often gone before it has done so. The file is at the one or the other then, with all that it held; a second
    /// run gets there.
    bool run_migration() {
        Options of_child = options_;
        of_child.lies = false;
        of_child.migrate = true;
        of_child.kill = chance_() % 2;
        of_child.cut = chance_() % 8 ? 1 + chance_() % 120 : 0;
        of_child.round = round_;
        of_child.version = version_;
        Child child(of_child);
        const int status = child.wait();
        const bool gone = (WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL) || (WIFEXITED(status) && WEXITSTATUS(status) == cut_exit_code);
        if (!gone && status != 0) {
            std::printf("round %llu: the migration from version %u ended with status %d\n", static_cast<unsigned long long>(round_), version_, status);
            return false;
        }
        ++migrations_;
        migrations_cut_ += gone;
        const std::uint32_t wanted = 3 - version_;
        Database db(options_.work + "/model.db", 5000, small_log);
        std::uint32_t stands = 0;
        for (const sdk::MigrationStep& step : db.migrate(JF_MIGRATE_STATUS).steps)
            if (step.kind == JF_STEP_STANDS) stands = step.to_version;
        bool good = stands == wanted || (gone && stands == version_);
        if (good && stands == version_) {
            const std::uint32_t old = db.declare(collection(version_)).collection;
            for (std::uint64_t t = 0; t < options_.threads; ++t) good = good && state_of(db, old, tenant_of(t)) == models_[t].state();
            good = good && migrate(db, version_).status == JF_OK;
        }
        version_ = wanted;
        const std::uint32_t handle = db.declare(collection(version_)).collection;
        for (std::uint64_t t = 0; t < options_.threads && good; ++t) good = state_of(db, handle, tenant_of(t)) == models_[t].state();
        if (!good) std::printf("round %llu: migrated to version %u, found at %u, and not as it was\n", static_cast<unsigned long long>(round_), wanted, stands);
        return good;
    }

    bool look_at_file(std::uint64_t round_steps) {
        Database db(options_.work + "/model.db", 5000, small_log);
        if (db.started().status != JF_OK) {
            std::printf("round %llu: the file is not opened any more: %s\n", static_cast<unsigned long long>(round_), db.started().error.c_str());
            return false;
        }
        const std::uint32_t handle = db.declare(collection(version_)).collection;
        std::map<std::string, Operation> shared;
        for (std::uint64_t t = 0; t < options_.threads; ++t) {
            const std::string found = state_of(db, handle, tenant_of(t));
            if (done_[t] == round_steps) {
                if (found == models_[t].state()) continue;
                return differs(t, found, models_[t].state(), {});
            }
            Model after = models_[t];
            const Operation next = draw(randoms_[t]);
            ++under_way_;
            if (next.shared != Operation::Shared::none) shared.emplace(token_of(round_, t, done_[t]), next);
            else after.apply(next);
            if (found == after.state() && found != models_[t].state()) {
                models_[t] = after;
                ++there_;
            } else if (found != models_[t].state()) {
                return differs(t, found, models_[t].state(), after.state());
            }
        }
        if (!no_wrong(shared_.look_at(db, handle, shared))) return false;
        there_ += shared_.found_under_way().size();
        return round_ % 20 != 0 || file_is_sound();
    }

    bool differs(std::uint64_t thread, const std::string& found, const std::string& before, const std::string& after) {
        std::printf("round %llu, thread %llu, after %llu answered operations the file holds neither what was answered nor the next\n  found:    %s\n  answered: %s\n  the next: %s\n",
                    static_cast<unsigned long long>(round_), static_cast<unsigned long long>(thread), static_cast<unsigned long long>(done_[thread]), found.c_str(),
                    before.c_str(), after.c_str());
        return false;
    }

    /// SQLite's own checks, of tables, indexes and the search index against its texts.
    bool file_is_sound() {
        sqlite3* handle = nullptr;
        sqlite3_open((options_.work + "/model.db").c_str(), &handle);
        sqlite3_busy_timeout(handle, 30'000); // the plugin may be emptying its log
        std::string said;
        sqlite3_exec(handle, "PRAGMA integrity_check", [](void* out, int, char** columns, char**) { *static_cast<std::string*>(out) += columns[0]; return 0; }, &said, nullptr);
        const int search = sqlite3_exec(handle, "INSERT INTO \"test.model#text\"(\"test.model#text\", rank) VALUES ('integrity-check', 1)", nullptr, nullptr, nullptr);
        sqlite3_close(handle);
        if (said == "ok" && search == SQLITE_OK) return true;
        std::printf("round %llu: the file is not sound: %s, search index %d\n", static_cast<unsigned long long>(round_), said.c_str(), search);
        return false;
    }

    /// When the same operations fail without any crash, the fewest of them that still do.
    void shrink() {
        for (std::uint64_t t = 0; t < options_.threads; ++t) {
            std::vector<Operation> all;
            for (std::uint64_t round = 0; round <= round_ && all.size() < 20000; ++round) {
                Random random = random_of(options_.seed, round, t);
                for (std::uint64_t i = 0; i < std::max<std::uint64_t>(1, options_.steps / (options_.kills + 1) / options_.threads); ++i)
                    if (Operation one = draw(random); one.shared == Operation::Shared::none) all.push_back(std::move(one));
            }
            std::size_t failing = first_failure(all);
            if (failing == all.size()) continue;
            all.resize(failing + 1);
            const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(30);
            for (std::size_t chunk = all.size() / 2; chunk > 0 && std::chrono::steady_clock::now() < until; chunk /= 2)
                for (std::size_t at = 0; at + chunk < all.size() && std::chrono::steady_clock::now() < until;) {
                    std::vector<Operation> fewer(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(at));
                    fewer.insert(fewer.end(), all.begin() + static_cast<std::ptrdiff_t>(at + chunk), all.end());
                    const std::size_t fails = first_failure(fewer);
                    if (fails == fewer.size()) at += chunk;
                    else (all = std::move(fewer)).resize(fails + 1);
                }
            std::printf("without any crash %zu operations are enough:\n", all.size());
            for (const Operation& operation : all) std::printf("  %s\n", text_of(operation).c_str());
            return;
        }
        std::printf("the operations alone do not fail: it takes the crash\n");
    }
    static std::size_t first_failure(const std::vector<Operation>& operations) {
        Database db(":memory:");
        const std::uint32_t handle = db.declare(collection()).collection;
        Model model;
        for (std::size_t i = 0; i < operations.size(); ++i)
            if (model.apply(operations[i]) != model::run(db, handle, "t", operations[i])) return i;
        return operations.size();
    }

    Options options_;
    std::vector<Model> models_;
    Random chance_;
    std::uint64_t round_ = 0, answered_ = 0, killed_ = 0, cut_ = 0, under_way_ = 0, there_ = 0, refused_ = 0, migrations_ = 0, migrations_cut_ = 0;
    std::uint32_t version_ = 1;
    SharedJobs shared_;
    std::vector<Random> randoms_;
    std::vector<std::uint64_t> done_;  // answered in this round
};

}  // namespace
}  // namespace jackfield::test::model

int main(int argc, char** argv) {
    using namespace jackfield::test;
    model::Options options;
    CLI::App app("Random operations on storage/sqlite beside a model, with kills and power cuts", "records_model");
    app.add_option("--steps", options.steps, "Operations to be answered")->capture_default_str();
    app.add_option("--kills", options.kills, "Processes to kill, half of them by a power cut that loses and tears what was not synced")->capture_default_str();
    app.add_option("--seed", options.seed, "Of everything that is random but the moment of a SIGKILL")->capture_default_str();
    app.add_option("--threads", options.threads, "Threads, each with a tenant of its own")->check(CLI::Range(1, 64))->capture_default_str();
    app.add_option("--work", options.work, "Folder of the database; otherwise one that goes with the end");
    app.add_flag("--lies", options.lies, "The disk does not keep what it says it has synced: the trial has to fail");
    app.add_flag("--child", options.child)->group("");
    app.add_option("--round", options.round)->group("");
    app.add_option("--round-steps", options.round_steps)->group("");
    app.add_option("--cut", options.cut)->group("");
    app.add_option("--error", options.error)->group("");
    app.add_option("--version", options.version)->group("");
    app.add_flag("--migrate", options.migrate)->group("");
    app.add_flag("--kill", options.kill)->group("");
    CLI11_PARSE(app, argc, argv);
    if (options.child) return options.migrate ? model::run_migration(options) : model::run_child(options);
    const TempFolder folder;
    if (options.work.empty()) options.work = folder.file("");
    model::Trial trial(options);
    const auto began = std::chrono::steady_clock::now();
    const bool passed = trial.run();
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - began;
    std::printf("%s; %.1f s\n", passed ? trial.summary().c_str() : "records_model: FAILED", took.count());
    return passed ? 0 : 1;
}
