#include "resilience/latency_histogram.hpp"

#include <gtest/gtest.h>

#include <thread>
#include <vector>

namespace jackfield::resilience {
namespace {

using base::Milliseconds;

base::MonoTime at_s(std::int64_t s) { return {s * 1'000'000'000}; }

/// As near as the buckets are fine: a fifth of the value.
void expect_near(Milliseconds found, std::int64_t wanted_ms) {
    EXPECT_NEAR(static_cast<double>(found.count()), static_cast<double>(wanted_ms), 0.2 * static_cast<double>(wanted_ms));
}

TEST(LatencyHistogram, TellsTheQuantilesOfWhatItSaw) {
    LatencyHistogram histogram;

    for (int ms = 1; ms <= 1000; ++ms) histogram.observe(at_s(1), Milliseconds(ms));
    const auto summary = histogram.summary(at_s(2));

    EXPECT_DOUBLE_EQ(summary.samples, 1000);
    expect_near(summary.p50, 500);
    expect_near(summary.p95, 950);
    expect_near(summary.p99, 990);
}

TEST(LatencyHistogram, SaysNothingWhileTooLittleIsKnown) {
    LatencyHistogram histogram;

    for (int i = 0; i < 19; ++i) histogram.observe(at_s(1), Milliseconds(200));

    EXPECT_EQ(histogram.quantile(at_s(1), 0.95, 20), std::nullopt);
    EXPECT_EQ(LatencyHistogram().quantile(at_s(1), 0.95), std::nullopt);
    histogram.observe(at_s(1), Milliseconds(200));
    ASSERT_TRUE(histogram.quantile(at_s(1), 0.95, 20));
    expect_near(*histogram.quantile(at_s(1), 0.95, 20), 200);
}

TEST(LatencyHistogram, TrustsTheLastMinuteMoreThanTheOneBefore) {
    LatencyHistogram histogram;
    for (int i = 0; i < 100; ++i) histogram.observe(at_s(1), Milliseconds(2000));

    for (int i = 0; i < 100; ++i) histogram.observe(at_s(121), Milliseconds(100));

    // Two half-lives later the slow hundred weighs twenty-five.
    EXPECT_DOUBLE_EQ(histogram.summary(at_s(121)).samples, 125);
    expect_near(histogram.summary(at_s(121)).p50, 100);
}

TEST(LatencyHistogram, ForgetsWhatIsSixMinutesOld) {
    LatencyHistogram histogram;
    for (int i = 0; i < 100; ++i) histogram.observe(at_s(1), Milliseconds(2000));

    EXPECT_EQ(histogram.summary(at_s(361)).samples, 0);
    histogram.observe(at_s(361), Milliseconds(50)); // the same slice again
    EXPECT_DOUBLE_EQ(histogram.summary(at_s(361)).samples, 1);
}

TEST(LatencyHistogram, HoldsWhatIsOutOfItsRange) {
    LatencyHistogram histogram;

    histogram.observe(at_s(1), base::Nanoseconds(0));
    histogram.observe(at_s(1), std::chrono::hours(1));

    EXPECT_LE(histogram.summary(at_s(1)).p50, Milliseconds(8));
    EXPECT_GE(histogram.summary(at_s(1)).p99, Milliseconds(16'000));
}

TEST(LatencyHistogram, CountsFromManyThreads) {
    LatencyHistogram histogram;
    histogram.observe(at_s(1), Milliseconds(20));
    std::vector<std::thread> threads;

    for (int t = 0; t < 4; ++t)
        threads.emplace_back([&] {
            for (int i = 0; i < 1000; ++i) histogram.observe(at_s(1), Milliseconds(20));
        });
    for (std::thread& thread : threads) thread.join();

    EXPECT_DOUBLE_EQ(histogram.summary(at_s(1)).samples, 4001);
}

}  // namespace
}  // namespace jackfield::resilience
