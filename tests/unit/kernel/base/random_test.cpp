#include "base/random.hpp"

#include <array>

#include <gtest/gtest.h>

namespace jackfield::base {
namespace {

TEST(Random, ASeedGivesTheSameSequenceOnEveryMachine) {
    SeededRandom random(1234567);

    // The reference output of SplitMix64 for this seed.
    EXPECT_EQ(random.next(), 6457827717110365317u);
    EXPECT_EQ(random.next(), 3203168211198807973u);
    EXPECT_EQ(random.next(), 9817491932198370423u);
}

TEST(Random, BelowReachesEachNumberAndNoOther) {
    SeededRandom random(7);
    std::array<int, 6> seen{};

    for (int i = 0; i < 6000; ++i) ++seen.at(random.below(6));

    for (const int n : seen) EXPECT_GT(n, 800);
}

TEST(Random, BelowOneIsZero) {
    SystemRandom random;

    EXPECT_EQ(random.below(1), 0u);
}

}  // namespace
}  // namespace jackfield::base
