#include <gtest/gtest.h>

#include <condition_variable>
#include <future>
#include <memory>
#include <mutex>

#include "runtime/runtime.hpp"

namespace jackfield::runtime {
namespace {

using namespace std::chrono_literals;

/// What a task stands at until the test lets it go. Shared: the task may come to it after the test has ended.
class Gate {
  public:
    void pass() {
        std::unique_lock lock(mutex_);
        ++waiting_;
        changed_.notify_all();
        changed_.wait(lock, [this] { return open_; });
        ++passed_;
        changed_.notify_all();
    }
    void open() {
        const std::lock_guard lock(mutex_);
        open_ = true;
        changed_.notify_all();
    }
    bool wait_for_waiting(int n) {
        std::unique_lock lock(mutex_);
        return changed_.wait_for(lock, 20s, [&] { return waiting_ == n; });
    }
    bool wait_for_passed(int n) {
        std::unique_lock lock(mutex_);
        return changed_.wait_for(lock, 20s, [&] { return passed_ == n; });
    }

  private:
    std::mutex mutex_;
    std::condition_variable changed_;
    bool open_ = false;
    int waiting_ = 0, passed_ = 0;
};

RuntimeOptions small() {
    RuntimeOptions options;
    options.shards = 1;
    options.pool_threads = 1;
    return options;
}

TEST(RealRuntime, StopsWhenEverythingHasEnded) {
    RealRuntime runtime(small());
    runtime.start();
    std::promise<void> ran;
    runtime.shard(0).post([&] { ran.set_value(); });
    ran.get_future().wait();

    EXPECT_TRUE(runtime.stop());
    EXPECT_TRUE(runtime.stop()) << "twice is as good as once";
}

TEST(RealRuntime, LeavesAPoolThreadThatStandsInATask) {
    auto gate = std::make_shared<Gate>();
    auto runtime = std::make_unique<RealRuntime>(small());
    runtime->start();
    runtime->pool().submit([gate] { gate->pass(); });
    ASSERT_TRUE(gate->wait_for_waiting(1));

    const bool all = runtime->stop(10ms);
    runtime.reset();

    EXPECT_FALSE(all);
    gate->open();
    EXPECT_TRUE(gate->wait_for_passed(1)) << "what it stands on is still there";
}

TEST(RealRuntime, LeavesAShardThatStandsInATask) {
    auto gate = std::make_shared<Gate>();
    auto runtime = std::make_unique<RealRuntime>(small());
    runtime->start();
    runtime->shard(0).post([gate] { gate->pass(); });
    ASSERT_TRUE(gate->wait_for_waiting(1));

    const bool all = runtime->stop(10ms);
    runtime.reset();

    EXPECT_FALSE(all);
    gate->open();
    EXPECT_TRUE(gate->wait_for_passed(1));
}

TEST(RealRuntime, RunsPluginsJobsWhileEveryRequestToTheStoreStandsInTheDisk) {
    auto gate = std::make_shared<Gate>();
    RuntimeOptions options = small();
    options.pool_threads = 4;
    RealRuntime runtime(options);
    for (int i = 0; i < 8; ++i) runtime.storage_pool().submit([gate] { gate->pass(); });
    ASSERT_TRUE(gate->wait_for_waiting(4));

    std::promise<void> ran;
    runtime.pool().submit([&] { ran.set_value(); });

    EXPECT_EQ(ran.get_future().wait_for(20s), std::future_status::ready);
    gate->open();
    EXPECT_TRUE(runtime.stop());
}

TEST(RealRuntime, ReplacesAThreadThatStands) {
    auto gate = std::make_shared<Gate>();
    RealRuntime runtime(small());
    std::promise<void> ran;
    runtime.pool().submit([gate] { gate->pass(); });
    runtime.pool().submit([&] { ran.set_value(); });
    ASSERT_TRUE(gate->wait_for_waiting(1));

    runtime.pool().replace_stuck_thread();

    EXPECT_EQ(ran.get_future().wait_for(20s), std::future_status::ready);
    gate->open();
    EXPECT_TRUE(runtime.stop());
}

}  // namespace
}  // namespace jackfield::runtime
