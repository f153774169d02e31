#include "runtime/timer_queue.hpp"

#include <gtest/gtest.h>

#include <map>
#include <string>

#include "base/random.hpp"

namespace jackfield::runtime {
namespace {

/// Runs everything that is due and says in which order.
std::string due(TimerQueue& queue, std::string& ran, std::int64_t now) {
    while (base::Task task = queue.take_due({now})) task();
    return std::exchange(ran, {});
}

TEST(TimerQueue, RunsByTimeThenByArrival) {
    TimerQueue queue;
    std::string ran;
    for (const auto& [at, name] : {std::pair{30, 'd'}, {10, 'a'}, {20, 'b'}, {20, 'c'}, {40, 'e'}})
        queue.add({at}, [&ran, name = name] { ran += name; });

    EXPECT_EQ(queue.next(), (base::MonoTime{10}));
    EXPECT_EQ(due(queue, ran, 9), "");
    EXPECT_EQ(due(queue, ran, 30), "abcd");
    EXPECT_EQ(due(queue, ran, 99), "e");
    EXPECT_TRUE(queue.empty());
}

TEST(TimerQueue, ForgetsWhatWasCancelled) {
    TimerQueue queue;
    std::string ran;
    const std::uint64_t a = queue.add({10}, [&] { ran += 'a'; });
    queue.add({20}, [&] { ran += 'b'; });

    queue.cancel(a);

    EXPECT_EQ(due(queue, ran, 99), "b");
}

TEST(TimerQueue, IgnoresIdsOfTimersThatAreOver) {
    TimerQueue queue;
    std::string ran;
    const std::uint64_t a = queue.add({10}, [&] { ran += 'a'; });
    EXPECT_EQ(due(queue, ran, 10), "a");
    queue.add({20}, [&] { ran += 'b'; }); // takes a's place

    queue.cancel(a);
    queue.cancel(0);
    queue.cancel(~std::uint64_t{0});

    EXPECT_EQ(due(queue, ran, 99), "b");
}

TEST(TimerQueue, GivesNoTimerTheIdOfNone) {
    TimerQueue queue;

    for (int i = 0; i < 100; ++i) EXPECT_NE(queue.add({i}, [] {}), 0U);
}

TEST(TimerQueue, BehavesAsAnOrderedMapDoes) {
    TimerQueue queue;
    base::SeededRandom random(7);
    std::map<std::pair<std::int64_t, int>, std::uint64_t> model;
    std::vector<int> ran;
    int next = 0;
    std::int64_t now = 0;

    for (int step = 0; step < 20000; ++step) {
        switch (random.below(4)) {
            case 0:
            case 1: {
                const std::int64_t at = now + static_cast<std::int64_t>(random.below(100));
                const int number = next++;
                model[{at, number}] = queue.add({at}, [&ran, number] { ran.push_back(number); });
                break;
            }
            case 2: {
                if (model.empty()) break;
                const auto chosen = std::next(model.begin(), static_cast<std::ptrdiff_t>(random.below(model.size())));
                queue.cancel(chosen->second);
                model.erase(chosen);
                break;
            }
            default: {
                now += static_cast<std::int64_t>(random.below(20));
                std::vector<int> expected;
                while (!model.empty() && model.begin()->first.first <= now) {
                    expected.push_back(model.begin()->first.second);
                    model.erase(model.begin());
                }
                ran.clear();
                while (base::Task task = queue.take_due({now})) task();
                ASSERT_EQ(ran, expected) << "step " << step;
            }
        }
        ASSERT_EQ(queue.empty(), model.empty());
        if (!model.empty()) {
            ASSERT_EQ(queue.next().ns, model.begin()->first.first);
        }
    }
}

}  // namespace
}  // namespace jackfield::runtime
