#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "models/explorer.hpp"
#include "models/lease_model.hpp"
#include "models/lease_replay.hpp"

namespace jackfield::models {
namespace {

using testing::HasSubstr;

using LeaseExplorer = Explorer<LeaseModel>;

void print(const char* what, const LeaseExplorer::Result& result) {
    std::printf("%s: %zu states, %zu transitions, %zu steps deep\n", what, result.states, result.transitions, result.deepest);
}

TEST(LeaseModel, HoldsInEveryStateOfTwoWorkersAndTwoJobs) {
    const LeaseModel model({2, 2, 2});
    LeaseExplorer explorer(model);
    const LeaseExplorer::Result result = explorer.run({});

    EXPECT_FALSE(result.counterexample) << *result.counterexample;
    EXPECT_TRUE(result.all);
    EXPECT_GT(result.states, 1000u);
    print("two workers, two jobs", result);
}

TEST(LeaseModel, HoldsInEveryStateOfThreeWorkersAtOneJob) {
    const LeaseModel model({3, 1, 3});
    LeaseExplorer explorer(model);
    const LeaseExplorer::Result result = explorer.run({});

    EXPECT_FALSE(result.counterexample) << *result.counterexample;
    EXPECT_TRUE(result.all);
    print("three workers, one job", result);
}

TEST(LeaseModel, DoesWhatTheRulesDoOverSqliteOnAShortestPathToEachStateAndOnEachStepFromThere) {
    const LeaseModel model({2, 2, 2});
    RealLeases real(model.bounds());
    LeaseExplorer explorer(model);
    std::size_t replayed = 0;
    std::string found;
    explorer.run({3}, [&](const std::vector<LeaseAction>& path) {
        if (!found.empty()) return;
        found = difference(model, real, path);
        ++replayed;
    });

    EXPECT_EQ(found, "");
    std::printf("replayed over storage/sqlite: %zu paths\n", replayed);
}

TEST(LeaseModel, DoesWhatTheRulesDoOverSqliteForOneJobAndLonger) {
    const LeaseModel model({2, 1, 2});
    RealLeases real(model.bounds());
    LeaseExplorer explorer(model);
    std::size_t replayed = 0;
    std::string found;
    const LeaseExplorer::Result result = explorer.run({6}, [&](const std::vector<LeaseAction>& path) {
        if (!found.empty()) return;
        found = difference(model, real, path);
        ++replayed;
    });

    EXPECT_EQ(found, "");
    print("two workers, one job", result);
    std::printf("replayed over storage/sqlite: %zu paths\n", replayed);
}

class PlantedLeaseFault : public testing::TestWithParam<std::pair<LeaseFault, const char*>> {};
INSTANTIATE_TEST_SUITE_P(Each, PlantedLeaseFault,
                         testing::Values(std::pair(LeaseFault::no_fence, "twice"), std::pair(LeaseFault::effect_apart, "effect"),
                                         std::pair(LeaseFault::look_forgets_who, "two workers"),
                                         std::pair(LeaseFault::attempts_uncounted, "never ends"),
                                         std::pair(LeaseFault::lease_without_end, "never ends")));

TEST_P(PlantedLeaseFault, IsFoundWithAShortestCounterexample) {
    const LeaseModel model({2, 1, 2}, GetParam().first);
    LeaseExplorer explorer(model);
    const LeaseExplorer::Result result = explorer.run({});

    ASSERT_TRUE(result.counterexample);
    EXPECT_THAT(*result.counterexample, HasSubstr(GetParam().second));
    std::printf("%s", result.counterexample->c_str());
}

TEST(LeaseModel, IsComparedWithTheRulesSoThatADifferenceIsFound) {
    const LeaseModel model({2, 1, 2}, LeaseFault::no_fence);
    RealLeases real(model.bounds());
    LeaseExplorer explorer(model);
    std::string found;
    explorer.run({6}, [&](const std::vector<LeaseAction>& path) {
        if (found.empty()) found = difference(model, real, path);
    });
    EXPECT_THAT(found, HasSubstr("after\n"));
    std::printf("%s", found.c_str());
}

}  // namespace
}  // namespace jackfield::models
