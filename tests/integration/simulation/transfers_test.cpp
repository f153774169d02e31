// Callers who are joined with a person on a second leg, in simulated time: whatever either side and the carrier do, both legs end, both are
// on record, and nothing is left.

#include <gtest/gtest.h>

#include <map>
#include <set>

#include "base/json.hpp"
#include "integration/simulation/simulated_host.hpp"

namespace jackfield::simulation {
namespace {

class JoinedCalls : public ::testing::TestWithParam<std::uint64_t> {};

TEST_P(JoinedCalls, EndWithBothTheirLegs) {
    SimulationOptions options;
    options.seed = GetParam();
    options.duration = std::chrono::minutes(5);
    options.lines = 20;
    options.joined = true;

    const Simulation run = simulate(options);

    ASSERT_EQ(run.failure, "");
    std::map<std::string, int> states;
    std::set<std::string> begun;
    for (const std::string& json : run.events) {
        const auto event = base::JsonDocument::parse(json);
        if (!event || event->root()["event"].text_or("") != "call.transfer") continue;
        ++states[std::string(event->root()["state"].text_or(""))];
        begun.insert(std::string(event->root()["call"].text_or("")));
    }
    for (const auto& [state, count] : states) std::printf("%s=%d\n", state.c_str(), count);
    EXPECT_GT(begun.size(), 0U);
    EXPECT_GT(states["joined"], 0);
    EXPECT_GT(states["failed"], 0);
    EXPECT_EQ(run.left_open, 0U);
    EXPECT_EQ(run.open_ops_when_quiet, 0U);
    // Each comes to one of the two, unless the caller has given up before.
    EXPECT_LE(states["joined"] + states["failed"], states["begun"]);
    for (const auto& [name, value] : run.op_counters)
        EXPECT_TRUE(name == "late_events" || value == 0U) << name;
    EXPECT_TRUE(run.malformed_recordings.empty());
}

INSTANTIATE_TEST_SUITE_P(Seeds, JoinedCalls, ::testing::Values(1, 2, 3));

}  // namespace
}  // namespace jackfield::simulation
