#include "call/local_time.hpp"

#include <gtest/gtest.h>

namespace jackfield::call {
namespace {

TEST(LocalTime, CarriesTheOffsetOfTheZoneAtThatMoment) {
    EXPECT_EQ(format_local({1768494600000000}, "America/New_York"), "2026-01-15T11:30:00-05:00");
    EXPECT_EQ(format_local({1784133000000000}, "America/New_York"), "2026-07-15T12:30:00-04:00");
    EXPECT_EQ(format_local({1784133000000000}, "Asia/Kolkata"), "2026-07-15T22:00:00+05:30");
}

TEST(LocalTime, DropsFractionsOfASecond) { EXPECT_EQ(format_local({1768494600999999}, "UTC"), "2026-01-15T16:30:00+00:00"); }

TEST(LocalTime, TakesAnUnknownZoneForUtc) { EXPECT_EQ(format_local({1768494600000000}, "Mars/Olympus"), "2026-01-15T16:30:00Z"); }

}  // namespace
}  // namespace jackfield::call
