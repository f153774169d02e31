#include "resilience/backoff.hpp"

#include <gtest/gtest.h>

namespace jackfield::resilience {
namespace {

TEST(Backoff, DoublesUpToTheLongestWithinHalfOfJitter) {
    base::SeededRandom random(7);
    Backoff backoff(base::Milliseconds(1000), base::Milliseconds(5000));

    for (const std::int64_t whole : {1000, 2000, 4000, 5000, 5000}) {
        const auto wait = backoff.next(random).count();
        EXPECT_GE(wait, whole / 2);
        EXPECT_LE(wait, whole);
    }
}

}  // namespace
}  // namespace jackfield::resilience
