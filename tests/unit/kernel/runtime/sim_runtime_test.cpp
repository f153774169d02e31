#include <gtest/gtest.h>

#include <string>

#include "runtime/runtime.hpp"

namespace jackfield::runtime {
namespace {

using namespace std::chrono_literals;

TEST(SimRuntime, MovesTimeOnlyWhenNothingIsDue) {
    SimRuntime runtime(1);
    Shard& shard = runtime.shard(0);
    std::string ran;
    shard.start_timer(shard.now() + 20ms, [&] { ran += 'b'; });
    shard.post([&] {
        ran += 'a';
        EXPECT_EQ(shard.now().ns, 0);
    });

    runtime.run_for(19ms);
    EXPECT_EQ(ran, "a");
    runtime.run_for(1ms);

    EXPECT_EQ(ran, "ab");
    EXPECT_EQ(shard.now(), base::MonoTime{} + 20ms);
}

TEST(SimRuntime, RunsTheHookAfterEachTaskOfAShardAndKnowsTheShard) {
    SimRuntime runtime(1, 2);
    std::string ran;
    for (unsigned i = 0; i < 2; ++i) {
        runtime.shard(i).set_after_task([&ran, i, &runtime] {
            EXPECT_EQ(Shard::current(), &runtime.shard(i));
            ran += i ? "B" : "A";
        });
        runtime.shard(i).post([&ran, i] { ran += i ? "b" : "a"; });
    }

    runtime.run_for(1ms);

    EXPECT_EQ(ran, "aAbB");
    EXPECT_EQ(Shard::current(), nullptr);
}

TEST(SimRuntime, LetsPoolWorkTakeItsTime) {
    SimRuntime runtime(1);
    runtime.set_pool_latency(5ms);
    bool ran = false;
    ASSERT_TRUE(runtime.pool().submit([&] { ran = true; }));

    runtime.run_for(4ms);
    EXPECT_FALSE(ran);
    runtime.run_for(1ms);

    EXPECT_TRUE(ran);
}

TEST(SimRuntime, ForgetsACancelledTimer) {
    SimRuntime runtime(1);
    const TimerId timer = runtime.shard(0).start_timer({1'000'000}, [] { FAIL(); });

    runtime.shard(0).cancel_timer(timer);

    EXPECT_TRUE(runtime.run_until_idle({1'000'000'000}));
}

TEST(SimRuntime, DrawsTheSameNumbersFromTheSameSeed) {
    SimRuntime one(42);
    SimRuntime other(42);
    SimRuntime different(43);

    const std::uint64_t first = one.random().next();
    EXPECT_EQ(first, other.random().next());
    EXPECT_NE(first, different.random().next());
}

}  // namespace
}  // namespace jackfield::runtime
