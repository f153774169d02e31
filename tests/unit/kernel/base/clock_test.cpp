#include "base/clock.hpp"

#include <gtest/gtest.h>

namespace jackfield::base {
namespace {

using namespace std::chrono_literals;

TEST(Clock, PointsAndDistancesAddUp) {
    const MonoTime start{1'000};
    const MonoTime later = start + 3ms;

    EXPECT_EQ(later - start, 3ms);
    EXPECT_EQ(later - 3ms, start);
    EXPECT_LT(start, later);
}

TEST(Clock, TheSystemsNeverGoesBack) {
    const SystemClock clock;
    const MonoTime first = clock.now();

    EXPECT_LE(first, clock.now());
    // 2020-01-01: a clock that counts from another epoch would be far off.
    EXPECT_GT(clock.utc_now().us, 1'577'836'800'000'000);
}

}  // namespace
}  // namespace jackfield::base
