#include "store/calendar.hpp"

#include <gtest/gtest.h>
#include <jackfield/records.h>

namespace jackfield::store {
namespace {

constexpr std::int64_t second = 1'000'000, hour = 3600 * second, day = 24 * hour;
// 2026-03-07 12:00 UTC, the day before New York's clocks go forward.
constexpr std::int64_t before_spring = 1772884800 * second;

std::vector<std::int64_t> lengths(const std::string& zone, std::uint32_t unit, std::int64_t from, std::int64_t to) {
    const auto edges = local_edges(zone, unit, from, to);
    EXPECT_TRUE(edges) << zone;
    std::vector<std::int64_t> out;
    for (std::size_t i = 1; edges && i < edges->size(); ++i) out.push_back(((*edges)[i] - (*edges)[i - 1]) / hour);
    return out;
}

TEST(Calendar, GivesADayAnHourLessInSpringAndOneMoreInAutumn) {
    EXPECT_EQ(lengths("America/New_York", JF_CALENDAR_DAY, before_spring, before_spring + 2 * day), (std::vector<std::int64_t>{24, 23, 24}));
    // 2026-10-31 12:00 UTC.
    EXPECT_EQ(lengths("America/New_York", JF_CALENDAR_DAY, 1793448000 * second, 1793448000 * second + 2 * day), (std::vector<std::int64_t>{24, 25, 24}));
}

TEST(Calendar, BeginsBeforeTheSpanAndEndsBehindIt) {
    const auto edges = local_edges("America/New_York", JF_CALENDAR_DAY, before_spring, before_spring + hour);
    ASSERT_TRUE(edges);
    // Midnight in New York is 05:00 UTC in winter.
    EXPECT_EQ(*edges, (std::vector<std::int64_t>{before_spring - 7 * hour, before_spring + 17 * hour}));
}

TEST(Calendar, CountsAnHourThatComesTwiceAsTwo) {
    // 2026-11-01 04:00 UTC is midnight in New York; at 06:00 UTC its clocks go back from two to one.
    EXPECT_EQ(lengths("America/New_York", JF_CALENDAR_HOUR, 1793505600 * second, 1793505600 * second + 4 * hour), (std::vector<std::int64_t>{1, 1, 1, 1}));
    const auto kathmandu = local_edges("Asia/Kathmandu", JF_CALENDAR_HOUR, before_spring, before_spring + hour);
    ASSERT_TRUE(kathmandu);
    EXPECT_EQ(kathmandu->front(), before_spring - hour / 60 * 45);
}

TEST(Calendar, KnowsWeeksMonthsAndDaysThatNeverWere) {
    const auto weeks = local_edges("Etc/UTC", JF_CALENDAR_WEEK, before_spring, before_spring + 8 * day);
    ASSERT_TRUE(weeks);
    EXPECT_EQ(weeks->front(), 1772409600 * second);  // Monday, 2026-03-02
    EXPECT_EQ(lengths("Etc/UTC", JF_CALENDAR_MONTH, 1769904000 * second, 1769904000 * second + 40 * day), (std::vector<std::int64_t>{28 * 24, 31 * 24}));
    // Samoa had no 30 December 2011: from the 29th to New Year's Day there are two days.
    EXPECT_EQ(lengths("Pacific/Apia", JF_CALENDAR_DAY, 1325152800 * second, 1325152800 * second + 2 * day), (std::vector<std::int64_t>{24, 24}));
}

TEST(Calendar, RefusesWhatIsNoZoneUnitOrSpan) {
    EXPECT_FALSE(local_edges("Moon/Base", JF_CALENDAR_DAY, 0, 1));
    EXPECT_FALSE(local_edges("Etc/UTC", 9, 0, 1));
    EXPECT_FALSE(local_edges("Etc/UTC", JF_CALENDAR_DAY, 2, 1));
    EXPECT_FALSE(local_edges("Etc/UTC", JF_CALENDAR_HOUR, 0, 100 * 365 * day));
    EXPECT_FALSE(local_edges("Etc/UTC", JF_CALENDAR_DAY, INT64_MIN, 0));
}

}  // namespace
}  // namespace jackfield::store
