#include "resilience/circuit_breaker.hpp"

#include <gtest/gtest.h>

namespace jackfield::resilience {
namespace {

base::MonoTime at_ms(std::int64_t ms) { return {ms * 1'000'000}; }

TEST(CircuitBreaker, OpensAfterFiveFailuresInARow) {
    CircuitBreaker breaker;

    for (int i = 0; i < 4; ++i) breaker.failed(at_ms(i));
    EXPECT_TRUE(breaker.allow(at_ms(10)));
    breaker.failed(at_ms(20));

    EXPECT_FALSE(breaker.allow(at_ms(30)));
    EXPECT_EQ(breaker.state(at_ms(30)), CircuitBreaker::State::open);
}

TEST(CircuitBreaker, OpensWhenHalfOfTheLastThirtySecondsFailed) {
    CircuitBreaker breaker;

    for (int i = 0; i < 4; ++i) {
        breaker.succeeded(at_ms(i * 100));
        breaker.failed(at_ms(i * 100 + 50));
    }

    EXPECT_FALSE(breaker.allow(at_ms(1000)));
}

TEST(CircuitBreaker, ForgetsWhatLiesThirtySecondsBack) {
    CircuitBreaker breaker;

    for (int i = 0; i < 2; ++i) {
        breaker.failed(at_ms(i));
        breaker.succeeded(at_ms(i));
    }
    for (int i = 0; i < 6; ++i) breaker.succeeded(at_ms(40000 + i));
    breaker.failed(at_ms(41000));

    EXPECT_TRUE(breaker.allow(at_ms(41001)));
}

TEST(CircuitBreaker, LetsOneProbeThroughAfterTenSecondsAndClosesWithItsSuccess) {
    CircuitBreaker breaker;
    for (int i = 0; i < 5; ++i) breaker.failed(at_ms(0));

    EXPECT_TRUE(breaker.allow(at_ms(10000)));
    EXPECT_FALSE(breaker.allow(at_ms(10001)));
    breaker.succeeded(at_ms(10100));

    EXPECT_TRUE(breaker.allow(at_ms(10200)));
    EXPECT_EQ(breaker.state(at_ms(10200)), CircuitBreaker::State::closed);
}

TEST(CircuitBreaker, StaysOpenForAnotherRoundWhenTheProbeFails) {
    CircuitBreaker breaker;
    for (int i = 0; i < 5; ++i) breaker.failed(at_ms(0));

    ASSERT_TRUE(breaker.allow(at_ms(10000)));
    breaker.failed(at_ms(10500));

    EXPECT_FALSE(breaker.allow(at_ms(15000)));
    EXPECT_TRUE(breaker.allow(at_ms(20500)));
}

TEST(CircuitBreaker, AllowsAnotherProbeWhenTheFirstNeverReported) {
    CircuitBreaker breaker;
    for (int i = 0; i < 5; ++i) breaker.failed(at_ms(0));

    ASSERT_TRUE(breaker.allow(at_ms(10000)));

    EXPECT_TRUE(breaker.allow(at_ms(20000)));
}

TEST(CircuitBreaker, IgnoresALateSuccessOfBeforeItOpened) {
    CircuitBreaker breaker;
    for (int i = 0; i < 5; ++i) breaker.failed(at_ms(0));

    breaker.succeeded(at_ms(100));

    EXPECT_FALSE(breaker.allow(at_ms(200)));
}

}  // namespace
}  // namespace jackfield::resilience
