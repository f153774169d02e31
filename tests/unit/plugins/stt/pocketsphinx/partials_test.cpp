#include "plugins/stt/pocketsphinx/partials.hpp"

#include <gtest/gtest.h>

namespace jackfield::pocketsphinx {
namespace {

TEST(Partials, ComeInGrowingStepsWhereDecodingIsQuick) {
    EXPECT_EQ(next_partial_ms(400, 20), 640u);
    EXPECT_EQ(next_partial_ms(1000, 50), 1600u);
}

TEST(Partials, LeaveTheMachineAloneWhenItIsBehind) {
    EXPECT_EQ(next_partial_ms(1000, 400), 2600u) << "four times as long as the last one took";
    EXPECT_EQ(next_partial_ms(1000, ~std::uint64_t{0} / 8), UINT32_MAX);
}

}  // namespace
}  // namespace jackfield::pocketsphinx
