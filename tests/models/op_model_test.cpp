#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "models/explorer.hpp"
#include "models/op_model.hpp"
#include "models/op_replay.hpp"

namespace jackfield::models {
namespace {

using testing::HasSubstr;

using OpExplorer = Explorer<OpModel>;

TEST(OpModel, HoldsInEveryStateOfTwoOpsAndAChild) {
    const OpModel model({2, 1, 2, 2});
    OpExplorer explorer(model);
    const OpExplorer::Result result = explorer.run({});

    EXPECT_FALSE(result.counterexample) << *result.counterexample;
    EXPECT_TRUE(result.all);
    EXPECT_GT(result.states, 1000u);
    RecordProperty("states", std::to_string(result.states));
    std::printf("two ops and a child: %zu states, %zu transitions, %zu steps deep\n", result.states, result.transitions, result.deepest);
}

TEST(OpModel, HoldsForOneOpWithTwoChildren) {
    const OpModel model({1, 2, 3, 1});
    OpExplorer explorer(model);
    const OpExplorer::Result result = explorer.run({});

    EXPECT_FALSE(result.counterexample) << *result.counterexample;
    EXPECT_TRUE(result.all);
    std::printf("one op with two children: %zu states, %zu transitions, %zu steps deep\n", result.states, result.transitions, result.deepest);
}

TEST(OpModel, DoesWhatTheTableDoesOnAShortestPathToEachStateAndOnEachStepFromThere) {
    const OpModel model({2, 1, 3, 2});
    RealOps real;
    OpExplorer explorer(model);
    std::size_t replayed = 0;
    std::string found;
    const OpExplorer::Result result = explorer.run({8}, [&](const std::vector<OpAction>& path) {
        if (!found.empty()) return;
        found = difference(model, real, path);
        ++replayed;
    });

    EXPECT_EQ(found, "");
    EXPECT_FALSE(result.counterexample);
    std::printf("replayed on the real table: %zu paths to %zu states\n", replayed, result.states);
}

TEST(OpModel, AcceptsWhatTheTableDoesAtRandom) {
    const OpModel model({1000, 1000, 1000, 1000});
    RealOps real;
    for (std::uint32_t seed = 1; seed <= 60; ++seed) ASSERT_EQ(accepted(model, record(real, seed, 120)), "") << "seed " << seed;
}

class PlantedFault : public testing::TestWithParam<std::pair<OpFault, const char*>> {};
INSTANTIATE_TEST_SUITE_P(Each, PlantedFault,
                         testing::Values(std::pair(OpFault::completes_twice, "completes twice"),
                                         std::pair(OpFault::children_survive, "was given up and never ends"),
                                         std::pair(OpFault::same_generation, "stale id"), std::pair(OpFault::no_grace_timer, "never ends"),
                                         std::pair(OpFault::late_link_forgotten, "never ends"),
                                         std::pair(OpFault::events_after_done, "event after its end")));

TEST_P(PlantedFault, IsFoundWithAShortestCounterexample) {
    const OpModel model({2, 1, 2, 2}, GetParam().first);
    OpExplorer explorer(model);
    const OpExplorer::Result result = explorer.run({});

    ASSERT_TRUE(result.counterexample);
    EXPECT_THAT(*result.counterexample, HasSubstr(GetParam().second));
    std::printf("%s", result.counterexample->c_str());
}

TEST(OpModel, WouldMixOpsUpIfGenerationsCameRoundAgainWhileAnIdIsKept) {
    const OpModel model({3, 0, 2, 1}, OpFault::generations_wrap);
    OpExplorer explorer(model);
    const OpExplorer::Result result = explorer.run({12});

    ASSERT_TRUE(result.counterexample);
    EXPECT_THAT(*result.counterexample, HasSubstr("stale id"));
    std::printf("%s", result.counterexample->c_str());
}

TEST(OpModel, IsComparedWithTheTableSoThatAFaultThereIsFound) {
    const OpModel model({2, 1, 3, 2});
    for (const auto fault : {RealOps::Fault::loses_a_completion, RealOps::Fault::repeats_a_completion}) {
        RealOps real(fault);
        OpExplorer explorer(model);
        std::string found;
        explorer.run({4}, [&](const std::vector<OpAction>& path) {
            if (found.empty()) found = difference(model, real, path);
        });
        EXPECT_THAT(found, HasSubstr("the kernel cancels op 0"));
        std::printf("%s\n", found.c_str());
    }
}

}  // namespace
}  // namespace jackfield::models
