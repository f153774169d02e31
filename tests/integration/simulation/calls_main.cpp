// Thousands of seeded calls against a whole host in simulated time. README.md says how to use it by hand.

#include <malloc.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <optional>
#include <set>

#include "integration/simulation/forked.hpp"
#include "integration/simulation/in_memory_host.hpp"
#include "integration/simulation/shrink.hpp"
#include "integration/simulation/world_run.hpp"

namespace jackfield::simulation {
namespace {

using namespace std::chrono_literals;

constexpr unsigned seconds_per_world = 60; ///< of real time: more is an endless loop
constexpr auto shrink_budget = 20s;
constexpr int most_reports = 2;             ///< of one invariant
constexpr int most_crashes = 20;            ///< then the run is given up
constexpr std::uint64_t twice_every = 32;   ///< so often a world is run again, to see whether it is the same
constexpr std::uint64_t settled_after = 30; ///< worlds: by then everything that is allocated once has been
constexpr std::size_t growth_limit = 4u << 20;
/// A host keeps the contexts of instances that are gone, since a thread of a plugin may still call with one (docs/decisions/0007): 24 KiB for the
/// instances of one world. With them freed nothing grows.
constexpr std::size_t kept_per_world = 32u << 10;

const char* const help =
    "usage: simulation_calls [options]\n"
    "  --calls=N       so many calls (default 200), twenty to a world, one world to a seed\n"
    "  --first=N       the first seed (default 1)\n"
    "  --shard=I/N     of these worlds, every N-th beginning with the I-th\n"
    "  --jobs=N        shares them among so many processes\n"
    "  --seed=N        one world\n"
    "  --only=3,7-9    of that world, these elements\n"
    "  --call=K        with --verbose: this call's trace only\n"
    "  --verbose       prints the world and what happened in it\n"
    "  --no-dead-air   does not hold the host to its dead-air bound\n"
    "  --no-shrink     does not look for a smaller world that fails\n";

struct Options {
    std::uint64_t calls = 200;
    std::uint64_t first = 1;
    std::uint64_t shard = 1;
    std::uint64_t shards = 1;
    std::uint64_t jobs = 1;
    std::optional<std::uint64_t> seed;
    std::string only;
    std::optional<int> call;
    bool verbose = false;
    bool shrinks = true;
    RunOptions run;
    std::string program;
};

std::optional<Options> read_options(int count, char** arguments) {
    Options out;
    out.program = arguments[0];
    for (int i = 1; i < count; ++i) {
        const std::string text = arguments[i];
        const auto value = [&](const char* name) -> const char* {
            return text.starts_with(name) ? text.c_str() + std::strlen(name) : nullptr;
        };
        if (const char* calls = value("--calls=")) out.calls = std::strtoull(calls, nullptr, 10);
        else if (const char* first = value("--first=")) out.first = std::strtoull(first, nullptr, 10);
        else if (const char* jobs = value("--jobs=")) out.jobs = std::max(1ULL, std::strtoull(jobs, nullptr, 10));
        else if (const char* seed = value("--seed=")) out.seed = std::strtoull(seed, nullptr, 10);
        else if (const char* call = value("--call=")) out.call = std::atoi(call);
        else if (const char* list = value("--only=")) out.only = list;
        else if (const char* which = value("--shard=")) {
            char* of = nullptr;
            out.shard = std::strtoull(which, &of, 10);
            if (*of == '/') out.shards = std::strtoull(of + 1, nullptr, 10);
            if (out.shard < 1 || out.shard > out.shards) return std::nullopt;
        } else if (text == "--verbose") out.verbose = true;
        else if (text == "--no-dead-air") out.run.witness.dead_air = false;
        else if (text == "--no-shrink") out.shrinks = false;
        else return std::nullopt;
    }
    return out;
}

std::string hexadecimal(std::uint64_t value) {
    char text[17];
    std::snprintf(text, sizeof text, "%016llx", static_cast<unsigned long long>(value));
    return text;
}

struct Totals {
    std::size_t worlds = 0;
    std::size_t calls = 0;
    std::size_t answered = 0;
    std::size_t second_legs = 0;
    std::size_t second_legs_answered = 0;
    std::size_t twice = 0;
    double call_seconds = 0;
    std::uint64_t digest = 14695981039346656037u;
    std::map<std::string, std::uint64_t> rules, causes, logged;

    void add(const Outcome& outcome) {
        ++worlds;
        calls += outcome.calls;
        answered += outcome.answered;
        second_legs += outcome.second_legs;
        second_legs_answered += outcome.second_legs_answered;
        call_seconds += outcome.call_seconds;
        digest = (digest ^ outcome.digest) * 1099511628211u;
        for (const auto& [name, n] : outcome.rules) rules[name] += n;
        for (const auto& [name, n] : outcome.causes) causes[name] += n;
        for (const auto& [name, n] : outcome.logged) logged[name] += n;
    }
};

std::string list_of(const std::map<std::string, std::uint64_t>& counts) {
    std::string out;
    for (const auto& [name, count] : counts) out += ' ' + (name.empty() ? std::string("-") : name) + '=' + std::to_string(count);
    return out;
}

std::size_t allocated() { return mallinfo2().uordblks + mallinfo2().hblkhd; }

/// One world, and again when its turn has come.
Outcome run_seed(std::uint64_t seed, const Options& options, Totals& totals) {
    const World world = draw_world(seed);
    Outcome outcome = run_world(world, options.run);
    totals.add(outcome);
    if (seed % twice_every != 0) return outcome;
    ++totals.twice;
    const Outcome again = run_world(world, options.run);
    if (again.digest != outcome.digest || again.steps != outcome.steps)
        outcome.violations.push_back({"same_seed_same_run", -1, hexadecimal(outcome.digest) + " and then " + hexadecimal(again.digest)});
    return outcome;
}

std::string line_of(const Violation& violation) {
    std::string text = violation.text;
    for (char& c : text)
        if (c == '\n' || c == '\t') c = ' ';
    return violation.invariant + '\t' + std::to_string(violation.call) + '\t' + text;
}

Violation violation_of(const std::string& line) {
    const std::size_t first = line.find('\t');
    const std::size_t second = line.find('\t', first + 1);
    return {line.substr(0, first), std::stoi(line.substr(first + 1)), line.substr(second + 1)};
}

std::vector<Violation> try_world(const World& world, const RunOptions& run) {
    std::vector<Violation> out;
    const Ended ended = run_forked(
        [&](const auto& write_line) {
            for (const Violation& violation : run_world(world, run).violations) write_line(line_of(violation));
        },
        seconds_per_world, [&](const std::string& line) { out.push_back(violation_of(line)); });
    if (ended.signal) out.push_back({"crash", -1, strsignal(ended.signal)});
    return out;
}

/// At once, since other jobs write to the same place.
void print(const std::string& text) {
    std::fwrite(text.data(), 1, text.size(), stdout);
    std::fflush(stdout);
}

/// Says what is wrong and how to see it again.
void report(std::uint64_t seed, const Violation& violation, const Options& options) {
    std::string replay = options.program + " --seed=" + std::to_string(seed);
    if (!options.run.witness.dead_air) replay += " --no-dead-air";
    const std::string call = violation.call >= 0 ? std::to_string(violation.call) : "";
    std::string text = "FAILED seed " + std::to_string(seed) + ", " + violation.invariant + (call.empty() ? "" : ", call " + call) + ": " +
                       violation.text + "\n  replay: " + replay + (call.empty() ? "" : " --call=" + call) + " --verbose\n";
    print(text);
    if (!options.shrinks || violation.invariant == "same_seed_same_run" || violation.invariant == "bounded_memory") return;
    const World world = draw_world(seed);
    const Trial trial = [&](const World& smaller) {
        std::vector<std::string> names;
        for (const Violation& seen : try_world(smaller, options.run)) names.push_back(seen.invariant);
        return names;
    };
    const std::vector<std::size_t> places = shrink(world, violation.invariant, violation.call, trial, shrink_budget);
    if (places.size() == world.elements.size()) return print("  no smaller world that breaks it was found\n");
    const World smaller = only(world, places);
    text = "  smaller: " + replay + " --only=" + to_ranges(places) + " --verbose\n" + to_text(smaller);
    for (const Violation& seen : try_world(smaller, options.run)) {
        if (seen.invariant != violation.invariant) continue;
        text += "  there: " + seen.text + '\n';
        break;
    }
    print(text);
}

int show(const Options& options) {
    World world = draw_world(*options.seed);
    std::printf("%s", to_text(world).c_str());
    if (!options.only.empty()) world = only(world, from_ranges(options.only));
    RunOptions run = options.run;
    run.trace = true;
    const Outcome outcome = run_world(world, run);
    for (const auto& [call, lines] : outcome.trace) {
        if (options.call && call != *options.call) continue;
        std::printf("\n%s\n", call < 0 ? "host" : ("call " + std::to_string(call)).c_str());
        for (const std::string& line : lines) std::printf("%s%s", line.c_str(), line.ends_with('\n') ? "" : "\n");
    }
    std::printf("\n%zu calls, digest %s\n", outcome.calls, hexadecimal(outcome.digest).c_str());
    for (const Violation& violation : outcome.violations)
        std::printf("BROKEN %s, call %d: %s\n", violation.invariant.c_str(), violation.call, violation.text.c_str());
    return outcome.violations.empty() ? 0 : 1;
}

std::vector<std::uint64_t> seeds_of(const Options& options) {
    if (options.seed) return {*options.seed};
    std::vector<std::uint64_t> out;
    const std::uint64_t worlds = (options.calls + calls_per_world - 1) / calls_per_world;
    for (std::uint64_t i = options.shard - 1; i < worlds; i += options.shards) out.push_back(options.first + i);
    return out;
}

void print(const Totals& totals, double cpu) {
    char line[256];
    std::snprintf(line, sizeof line, "%zu worlds (%zu of them twice), %zu calls, %zu answered, %zu second legs, %zu answered, %.1f s each, %.1f s of CPU, digest %s\n",
                totals.worlds, totals.twice, totals.calls, totals.answered, totals.second_legs, totals.second_legs_answered, totals.call_seconds / static_cast<double>(std::max<std::size_t>(totals.answered, 1)), cpu,
                hexadecimal(totals.digest).c_str());
    print(line + ("causes" + list_of(totals.causes) + "\nturns" + list_of(totals.rules) + "\nlogged" + list_of(totals.logged)) + '\n');
}

/// In a process that may crash: says at each seed where it is and what it saw.
void run_seeds(const std::vector<std::uint64_t>& seeds, const Options& options, const std::function<void(const std::string&)>& write_line) {
    Totals totals;
    std::size_t settled = 0;
    for (const std::uint64_t seed : seeds) {
        write_line("at " + std::to_string(seed));
        alarm(seconds_per_world);
        const Outcome outcome = run_seed(seed, options, totals);
        for (const Violation& violation : outcome.violations) write_line("broken " + line_of(violation));
        if (totals.worlds == settled_after) settled = allocated();
        if (settled && allocated() > settled + growth_limit + (totals.worlds - settled_after) * kept_per_world)
            return write_line("broken " + line_of({"bounded_memory", -1, std::to_string((allocated() - settled) >> 10) + " KiB more than after " +
                                                                             std::to_string(settled_after) + " worlds"}));
    }
    print(totals, cpu_now());
}

int run_all(const Options& options) {
    std::vector<std::uint64_t> seeds = seeds_of(options);
    std::map<std::string, int> failures;
    int crashes = 0;
    while (!seeds.empty()) {
        std::uint64_t at = seeds.front();
        std::vector<Violation> broken;
        std::vector<std::pair<std::uint64_t, Violation>> to_report;
        const auto settle = [&] {
            std::set<std::string> told;
            for (Violation& violation : broken)
                if (told.insert(violation.invariant).second) to_report.emplace_back(at, std::move(violation));
            broken.clear();
        };
        const Ended ended = run_forked([&](const auto& write_line) { run_seeds(seeds, options, write_line); }, 0,
                                       [&](const std::string& line) {
                                           if (line.starts_with("at ")) {
                                               settle();
                                               at = std::stoull(line.substr(3));
                                           } else if (line.starts_with("broken ")) {
                                               broken.push_back(violation_of(line.substr(7)));
                                           }
                                       });
        if (ended.signal) broken.insert(broken.begin(), {"crash", -1, strsignal(ended.signal)});
        settle();
        for (const auto& [seed, violation] : to_report)
            if (++failures[violation.invariant] <= most_reports) report(seed, violation, options);
        if (!ended.signal || ++crashes == most_crashes) break;
        while (!seeds.empty() && seeds.front() != at) seeds.erase(seeds.begin());
        if (!seeds.empty()) seeds.erase(seeds.begin());
    }
    std::string text = failures.empty() ? "all invariants held\n" : "";
    for (const auto& [invariant, worlds] : failures) text += "BROKEN " + invariant + " in " + std::to_string(worlds) + " worlds\n";
    print(text);
    return failures.empty() ? 0 : 1;
}

/// Each job is a shard of its own.
int run_jobs(Options options) {
    if (options.jobs == 1) return run_all(options);
    std::vector<pid_t> children;
    const std::uint64_t shard = options.shard - 1;
    const std::uint64_t shards = options.shards;
    for (std::uint64_t job = 0; job < options.jobs; ++job) {
        options.shard = shard + job * shards + 1;
        options.shards = shards * options.jobs;
        const pid_t child = fork();
        if (child < 0) return std::perror("fork"), 2;
        if (child == 0) std::exit(run_all(options));
        children.push_back(child);
    }
    bool failed = false;
    for (const pid_t child : children) {
        int status = 0;
        while (waitpid(child, &status, 0) < 0 && errno == EINTR) {}
        failed |= status != 0;
    }
    return failed ? 1 : 0;
}

}  // namespace
}  // namespace jackfield::simulation

int main(int count, char** arguments) {
    using namespace jackfield::simulation;
    const auto options = read_options(count, arguments);
    if (!options) {
        std::fputs(help, stderr);
        return 2;
    }
    return options->seed && options->verbose ? show(*options) : run_jobs(*options);
}
