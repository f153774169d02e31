#include "base/id.hpp"

#include <set>

#include <gtest/gtest.h>

namespace jackfield::base {
namespace {

TEST(Ulid, WritesItsTimeInTheFirstTenCharacters) {
    SeededRandom random(1);

    // The example of the specification: 1469918176385 ms is 01ARYZ6S41.
    const std::string id = make_ulid({1469918176385'000}, random);

    EXPECT_EQ(id.substr(0, 10), "01ARYZ6S41");
    EXPECT_TRUE(is_ulid(id)) << id;
}

TEST(Ulid, ALaterOneSortsLater) {
    SeededRandom random(2);
    std::string before;

    for (std::int64_t ms = 0; ms < 5000; ++ms) {
        std::string id = make_ulid({(1'700'000'000'000 + ms) * 1000}, random);
        EXPECT_LT(before, id);
        before = std::move(id);
    }
}

TEST(Ulid, DiffersWithinOneMillisecond) {
    SystemRandom random;
    std::set<std::string> ids;

    for (int i = 0; i < 10'000; ++i) ids.insert(make_ulid({0}, random));

    EXPECT_EQ(ids.size(), 10'000u);
}

TEST(Ulid, IsTheSameFromOneSeed) {
    SeededRandom first(3);
    SeededRandom second(3);

    EXPECT_EQ(make_ulid({5}, first), make_ulid({5}, second));
}

TEST(Ulid, KnowsWhatIsNone) {
    EXPECT_FALSE(is_ulid(""));
    EXPECT_FALSE(is_ulid("01ARYZ6S41TSV4RRFFQ69G5FA"));
    EXPECT_FALSE(is_ulid("01ARYZ6S41TSV4RRFFQ69G5FAVX"));
    EXPECT_FALSE(is_ulid("81ARYZ6S41TSV4RRFFQ69G5FAV"));
    EXPECT_FALSE(is_ulid("01ARYZ6S41TSV4RRFFQ69G5FAI"));
    EXPECT_FALSE(is_ulid("01aryz6s41tsv4rrffq69g5fav"));
    EXPECT_TRUE(is_ulid("01ARYZ6S41TSV4RRFFQ69G5FAV"));
}

}  // namespace
}  // namespace jackfield::base
