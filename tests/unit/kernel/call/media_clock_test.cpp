#include "call/media_clock.hpp"

#include <gtest/gtest.h>

#include <array>
#include <functional>
#include <map>

namespace jackfield::call {
namespace {

using namespace std::chrono_literals;

struct Client final : public MediaClient {
    void on_media_tick(base::MonoTime now, std::uint64_t jumped) override {
        ticks.push_back(now);
        skipped += jumped;
        if (on_tick) on_tick();
    }
    std::vector<base::MonoTime> ticks;
    std::uint64_t skipped = 0;
    std::function<void()> on_tick;
};

/// A shard whose thread can be held up: timers fire when the test says so.
class StallingShard final : public runtime::Shard {
  public:
    StallingShard() : Shard(0) {}
    void post(base::Task task) override { task(); }
    runtime::TimerId start_timer(base::MonoTime at, base::Task task) override {
        at_ = at;
        task_ = std::move(task);
        return 1;
    }
    void cancel_timer(runtime::TimerId) override { task_ = {}; }
    base::MonoTime now() const override { return now_; }
    base::MonoTime due() const { return at_; }
    void fire_at(base::MonoTime now) {
        now_ = now;
        base::Task task = std::move(task_);
        task();
    }

  private:
    base::MonoTime now_;
    base::MonoTime at_;
    base::Task task_;
};

TEST(MediaClock, TicksEvery20Ms) {
    runtime::SimRuntime runtime(1);
    MediaClock clock(runtime.shard(0));
    Client client;
    clock.add(client);

    runtime.run_for(1s);

    ASSERT_EQ(client.ticks.size(), 50U);
    for (std::size_t i = 1; i < client.ticks.size(); ++i) EXPECT_EQ(client.ticks[i] - client.ticks[i - 1], 20ms);
    EXPECT_EQ(client.skipped, 0U);
    clock.remove(client);
}

TEST(MediaClock, SpreadsCallsOverFourPhases) {
    runtime::SimRuntime runtime(1);
    MediaClock clock(runtime.shard(0));
    std::array<Client, 8> clients;
    for (Client& client : clients) clock.add(client);

    runtime.run_for(100ms);

    std::map<std::int64_t, int> phases;
    for (const Client& client : clients) ++phases[client.ticks.front().ns % 20'000'000];
    EXPECT_EQ(phases, (std::map<std::int64_t, int>{{0, 2}, {5'000'000, 2}, {10'000'000, 2}, {15'000'000, 2}}));
    for (Client& client : clients) clock.remove(client);
}

TEST(MediaClock, StopsForAClientThatLeavesWhileItTicks) {
    runtime::SimRuntime runtime(1);
    MediaClock clock(runtime.shard(0));
    Client client;
    client.on_tick = [&] { clock.remove(client); };
    clock.add(client);

    runtime.run_for(1s);

    EXPECT_EQ(client.ticks.size(), 1U);
    EXPECT_EQ(clock.clients(), 0U);
    EXPECT_TRUE(runtime.run_until_idle({10'000'000'000}));
}

TEST(MediaClock, SendsThreePacketsAfterAStallAndSaysHowManyItLeftOut) {
    StallingShard shard;
    MediaClock clock(shard);
    Client client;
    clock.add(client);
    shard.fire_at(shard.due());
    ASSERT_EQ(client.ticks.size(), 1U);

    shard.fire_at(shard.due() + 200ms); // ten more intervals have passed

    EXPECT_EQ(client.ticks.size(), 4U);
    EXPECT_EQ(client.skipped, 8U);
    EXPECT_EQ(shard.due() - shard.now(), 20ms);
    clock.remove(client);
}

TEST(MediaClock, LeavesNothingRunningBehindWhenItIsDestroyed) {
    runtime::SimRuntime runtime(1);
    Client client;
    {
        MediaClock clock(runtime.shard(0));
        clock.add(client);
    }

    runtime.run_for(1s);

    EXPECT_TRUE(client.ticks.empty());
}

}  // namespace
}  // namespace jackfield::call
