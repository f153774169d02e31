// An hour of ten concurrent calls on a whole host, in simulated time: what one seed does it does again, and what must hold at the
// end of any hour holds.

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <set>

#include "base/json.hpp"
#include "integration/simulation/simulated_host.hpp"

namespace jackfield::simulation {
namespace {

// Optimised code runs the hour that the README promises; a slow build shows the same paths in half of it.
#if defined(NDEBUG) && !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
constexpr int default_minutes = 60;
constexpr double cpu_limit_seconds = 10;
#else
constexpr int default_minutes = 30; // the least that brings callers of all manners
constexpr double cpu_limit_seconds = 1e9;
#endif

long number_from(const char* variable, long otherwise) {
    const char* text = std::getenv(variable);
    return text ? std::atol(text) : otherwise;
}

SimulationOptions options_from_environment() {
    SimulationOptions options;
    options.seed = static_cast<std::uint64_t>(number_from("JACKFIELD_SIM_SEED", 1));
    options.duration = std::chrono::minutes(number_from("JACKFIELD_SIM_MINUTES", default_minutes));
    return options;
}

std::string replay(const SimulationOptions& options) {
    return "replay: JACKFIELD_SIM_SEED=" + std::to_string(options.seed) + " JACKFIELD_SIM_MINUTES=" +
           std::to_string(options.duration.count()) + " " + JACKFIELD_BINARY_DIR + "/bin/simulation_test";
}

/// Of the events: how many by name, and by what an event says of itself.
struct Tally {
    std::map<std::string, int> names;
    std::map<std::string, int> causes;
    std::map<std::string, int> reasons;
    std::map<std::string, int> rules;
    std::map<std::string, std::vector<std::string>> of_call;
    std::map<std::string, std::int64_t> turns;
};

Tally tally(const std::vector<std::string>& events) {
    Tally out;
    for (const std::string& json : events) {
        const auto event = base::JsonDocument::parse(json);
        if (!event) {
            ++out.names["not JSON"];
            continue;
        }
        const auto text = [&](const char* key) { return std::string(event->root()[key].text_or("")); };
        ++out.names[text("event")];
        out.of_call[text("call")].push_back(text("event"));
        if (text("event") == "call.ended") {
            ++out.causes[text("cause")];
            ++out.reasons[text("reason")];
        }
        if (text("event") == "call.turn") {
            ++out.rules[text("rule")];
            ++out.turns[text("call")];
        }
    }
    return out;
}

std::string list_of(const std::map<std::string, int>& counts) {
    std::string out;
    for (const auto& [name, count] : counts) out += " " + (name.empty() ? std::string("-") : name) + "=" + std::to_string(count);
    return out;
}

/// One run serves all tests of the process. JACKFIELD_SIM_TRACE names a file for its events, one a line.
const Simulation& first_run() {
    static const Simulation run = [] {
        Simulation made = simulate(options_from_environment());
        if (const char* trace = std::getenv("JACKFIELD_SIM_TRACE")) {
            std::ofstream file(trace);
            for (const std::string& event : made.events) file << event << '\n';
        }
        return made;
    }();
    return run;
}

class SimulatedHour : public ::testing::Test {
  protected:
    void SetUp() override { ASSERT_EQ(first_run().failure, "") << replay(options_); }
    void TearDown() override {
        if (HasFailure()) std::printf("%s\n", replay(options_).c_str());
    }
    const SimulationOptions options_ = options_from_environment();
};

TEST_F(SimulatedHour, RunsTenCallsAtATimeFasterThanItsBudget) {
    const Simulation& run = first_run();
    const Tally seen = tally(run.events);

    std::printf("seed %llu: %lld simulated minutes, %zu calls, %.0f call seconds, %llu steps, %.2f s of CPU (%.2f us a call second)\n",
                static_cast<unsigned long long>(options_.seed), static_cast<long long>(options_.duration.count()), run.calls.size(),
                run.call_seconds, static_cast<unsigned long long>(run.steps), run.cpu_seconds, run.cpu_seconds / run.call_seconds * 1e6);
    std::printf("events%s\ncauses%s\nreasons%s\nrules%s\n", list_of(seen.names).c_str(), list_of(seen.causes).c_str(),
                list_of(seen.reasons).c_str(), list_of(seen.rules).c_str());
    for (const auto& [event, count] : run.logged) std::printf("logged %s=%llu\n", event.c_str(), static_cast<unsigned long long>(count));

    EXPECT_GE(run.call_seconds, 0.8 * static_cast<double>(options_.lines) * static_cast<double>(std::chrono::seconds(options_.duration).count()));
    EXPECT_LT(run.cpu_seconds, cpu_limit_seconds);
}

TEST_F(SimulatedHour, DoesTheSameAgainFromTheSameSeed) {
    const Simulation& first = first_run();
    const Simulation second = simulate(options_);

    std::printf("again: %.2f s of CPU\n", second.cpu_seconds);
    for (std::size_t i = 0; i < std::min(first.events.size(), second.events.size()); ++i)
        ASSERT_EQ(first.events[i], second.events[i]) << "event " << i << " is the first that differs";
    EXPECT_EQ(first.events.size(), second.events.size());
    EXPECT_EQ(first.counts, second.counts);
}

TEST_F(SimulatedHour, DoesSomethingElseFromAnotherSeed) {
    SimulationOptions shorter = options_;
    shorter.duration = std::chrono::minutes(2);
    const Simulation one = simulate(shorter);
    shorter.seed += 1;
    const Simulation other = simulate(shorter);

    EXPECT_NE(one.events, other.events);
}

TEST_F(SimulatedHour, BringsCallersOfAllManners) {
    const Tally seen = tally(first_run().events);
    if (options_.duration < std::chrono::minutes(30)) GTEST_SKIP() << "too short for all of them";

    for (const char* rule : {"greeting", "reply", "endpoint", "dtmf", "silence", "barge_in_voice", "barge_in_words", "ended"})
        EXPECT_GT(seen.rules.count(rule), 0U) << rule;
    for (const char* reason : {"hang_up", "transfer"}) EXPECT_GT(seen.reasons.count(reason), 0U) << reason;
    for (const char* cause : {"normal", "cancelled", "media_timeout", "busy", "no_answer"}) EXPECT_GT(seen.causes.count(cause), 0U) << cause;
}

TEST_F(SimulatedHour, EndsEveryCallOnceInEventsAndInTheStore) {
    const Simulation& run = first_run();
    const Tally seen = tally(run.events);

    EXPECT_EQ(seen.names.count("not JSON"), 0U);
    for (const auto& [call, events] : seen.of_call) {
        EXPECT_EQ(std::count(events.begin(), events.end(), "call.ended"), 1) << call;
        EXPECT_EQ(events.back(), "call.ended") << call;
        EXPECT_LE(std::count(events.begin(), events.end(), "call.started"), 1) << call;
    }
    EXPECT_EQ(run.calls.size(), seen.of_call.size());
    EXPECT_EQ(run.left_open, 0U);
    std::set<std::string> ids;
    for (const store::CallRow& call : run.calls) {
        EXPECT_TRUE(ids.insert(call.id).second) << call.id;
        EXPECT_EQ(call.state, "ended") << call.id;
        EXPECT_FALSE(call.cause.empty()) << call.id;
        EXPECT_GE(call.ended, call.started) << call.id;
        const auto turns = run.turns.find(call.id);
        ASSERT_NE(turns, run.turns.end()) << call.id;
        EXPECT_EQ(static_cast<std::int64_t>(turns->second.size()), call.turns) << call.id;
        const auto told = seen.turns.find(call.id);
        EXPECT_EQ(told == seen.turns.end() ? 0 : told->second, call.turns) << call.id;
    }
    EXPECT_EQ(run.metrics.at("jackfield_call_started_total"), run.metrics.at("jackfield_call_ended_total"));
    EXPECT_EQ(run.metrics.at("jackfield_call_active"), 0);
    EXPECT_EQ(run.metrics.at("jackfield_plugin_sim_legs_ended_total"), run.metrics.at("jackfield_call_ended_total"));
}

TEST_F(SimulatedHour, CompletesEveryOperationOnce) {
    const Simulation& run = first_run();

    EXPECT_EQ(run.open_ops_when_quiet, 0U);
    EXPECT_EQ(run.open_ops_at_end, 0U);
    for (const auto& [name, count] : run.op_counters) EXPECT_EQ(count, 0U) << name;
}

TEST_F(SimulatedHour, SendsNoAudioAfterTheEnd) {
    const auto& metrics = first_run().metrics;

    EXPECT_EQ(metrics.count("jackfield_plugin_sim_media_without_call_total"), 0U);
    EXPECT_EQ(metrics.count("jackfield_plugin_sim_packets_refused_total"), 0U);
    EXPECT_EQ(metrics.at("jackfield_call_packets_dropped_total"), 0);
    EXPECT_EQ(metrics.at("jackfield_call_stt_dropped_total"), 0);
}

TEST_F(SimulatedHour, KeepsEveryRecordingWhole) {
    const Simulation& run = first_run();

    EXPECT_TRUE(run.malformed_recordings.empty());
    std::size_t expected = 0;
    for (const store::CallRow& call : run.calls) {
        if (call.agent != "desk" || !call.answered.us) continue;
        ++expected;
        const auto file = run.recordings.find(call.recording);
        ASSERT_NE(file, run.recordings.end()) << call.id;
        const double seconds = static_cast<double>(file->second.frames) / 8000.0;
        const double talked = static_cast<double>(call.ended.us - call.answered.us) * 1e-6;
        // What passes between our goodbye and the carrier's is not recorded.
        EXPECT_GT(seconds, talked - 0.5) << call.id;
        EXPECT_LT(seconds, talked + 0.1) << call.id;
    }
    EXPECT_EQ(run.recordings.size(), expected);
    EXPECT_EQ(run.logged.count("recording.gaps"), 0U);
}

}  // namespace
}  // namespace jackfield::simulation
