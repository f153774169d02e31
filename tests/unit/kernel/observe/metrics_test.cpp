#include "observe/metrics.hpp"

#include <thread>

#include <gtest/gtest.h>

namespace jackfield::observe {
namespace {

TEST(Metrics, SumsACounterOverItsShards) {
    Metrics metrics(4);
    const Counter counter = metrics.counter("jackfield_call_started_total", "Calls.");

    std::vector<std::thread> shards;
    for (unsigned shard = 0; shard < 4; ++shard)
        shards.emplace_back([&, shard] {
            set_metric_shard(shard);
            for (int i = 0; i < 1000; ++i) counter.add();
        });
    for (std::thread& shard : shards) shard.join();
    counter.add(5);

    EXPECT_EQ(metrics.value("jackfield_call_started_total"), 4005);
}

TEST(Metrics, ManyThreadsOutsideTheShardsLoseNoCount) {
    Metrics metrics(1);
    const Counter counter = metrics.counter("jackfield_test_hits_total", "Hits.");
    const Histogram histogram = metrics.histogram("jackfield_test_wait_seconds", "Waits.");

    std::vector<std::thread> threads;
    for (int t = 0; t < 4; ++t)
        threads.emplace_back([&, t] {
            // A shard's number beyond what the metrics know falls into the shared slot.
            set_metric_shard(static_cast<unsigned>(100 + t));
            for (int i = 0; i < 5000; ++i) {
                counter.add();
                histogram.observe(0.01);
            }
        });
    for (std::thread& thread : threads) thread.join();

    EXPECT_EQ(metrics.value("jackfield_test_hits_total"), 20'000);
    EXPECT_EQ(metrics.value("jackfield_test_wait_seconds"), 20'000);
}

TEST(Metrics, LabelsMakeSeriesAndTheirOrderDoesNotMatter) {
    Metrics metrics(1);
    const char* name = "jackfield_stt_streams_total";

    metrics.counter(name, "Streams.", {{"tenant", "a"}, {"outcome", "ok"}}).add(1);
    metrics.counter(name, "Streams.", {{"outcome", "ok"}, {"tenant", "a"}}).add(2);
    metrics.counter(name, "Streams.", {{"tenant", "b"}, {"outcome", "ok"}}).add(10);

    EXPECT_EQ(metrics.value(name, {{"tenant", "a"}, {"outcome", "ok"}}), 3);
    EXPECT_EQ(metrics.value(name, {{"outcome", "ok"}, {"tenant", "b"}}), 10);
    EXPECT_EQ(metrics.value(name, {{"tenant", "c"}}), 0);
}

TEST(Metrics, GaugesAreSetAddedToAndRead) {
    Metrics metrics(2);
    const Gauge gauge = metrics.gauge("jackfield_call_live", "Live calls.");
    metrics.read_gauge("jackfield_op_live", "Live ops.", {}, [] { return 42.0; });

    gauge.set(5);
    gauge.add(-2);

    EXPECT_EQ(metrics.value("jackfield_call_live"), 3);
    EXPECT_EQ(metrics.value("jackfield_op_live"), 42);
}

TEST(Metrics, AHistogramCountsUpToEachBoundInclusive) {
    Metrics metrics(1);
    const Histogram histogram =
        metrics.histogram("jackfield_call_reply_seconds", "Replies.", {}, {0.1, 0.5, 1.0});

    for (const double seconds : {0.05, 0.1, 0.2, 0.5, 2.0}) histogram.observe(seconds);

    const std::vector<MetricFamily> families = metrics.collect();
    ASSERT_EQ(families.size(), 1u);
    const MetricSeries& series = families[0].series.at(0);
    EXPECT_EQ(series.cumulative, (std::vector<std::uint64_t>{2, 4, 4}));
    EXPECT_EQ(series.count, 5u);
    EXPECT_DOUBLE_EQ(series.sum, 2.85);
}

TEST(Metrics, TooManySeriesEndInOther) {
    Metrics metrics(1);
    const char* name = "jackfield_test_flood_total";

    for (std::size_t i = 0; i < Metrics::most_series + 50; ++i)
        metrics.counter(name, "Flood.", {{"tenant", "t" + std::to_string(i)}}).add();

    EXPECT_EQ(metrics.value(name, {{"tenant", "other"}}), 50);
    EXPECT_EQ(metrics.collect()[0].series.size(), Metrics::most_series + 1);
}

TEST(Metrics, HandlesWithoutAMetricDoNothing) {
    Counter().add();
    Gauge().set(1);
    Gauge().add(1);
    Histogram().observe(1);
}

TEST(Metrics, KnowsGoodNames) {
    EXPECT_TRUE(is_metric_name("jackfield_media_late_frames_total"));
    EXPECT_FALSE(is_metric_name("jackfield_"));
    EXPECT_FALSE(is_metric_name("other_x"));
    EXPECT_FALSE(is_metric_name("jackfield_Bad"));
    EXPECT_FALSE(is_metric_name("jackfield_a b"));
    EXPECT_FALSE(is_metric_name("jackfield_" + std::string(200, 'a')));
}

TEST(MetricsDeathTest, OneNameIsOneType) {
    Metrics metrics(1);
    metrics.counter("jackfield_test_x_total", "X.");

    EXPECT_DEATH(metrics.gauge("jackfield_test_x_total", "X."), "one name is one type");
}

}  // namespace
}  // namespace jackfield::observe
