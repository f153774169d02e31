#include "base/unique_function.hpp"

#include <array>
#include <memory>
#include <string>

#include <gtest/gtest.h>

namespace jackfield::base {
namespace {

/// Counts how many of it are alive.
struct Counted {
    explicit Counted(int& n) : alive(&n) { ++*alive; }
    Counted(const Counted& other) : alive(other.alive) { ++*alive; }
    Counted(Counted&& other) noexcept : alive(other.alive) { ++*alive; }
    Counted& operator=(const Counted&) = delete;
    ~Counted() { --*alive; }
    int* alive;
};

TEST(UniqueFunction, HoldsWhatCannotBeCopied) {
    UniqueFunction<int()> function = [held = std::make_unique<int>(5)] { return *held; };

    EXPECT_TRUE(static_cast<bool>(function));
    EXPECT_EQ(function(), 5);
}

TEST(UniqueFunction, PassesArgumentsThroughWithoutCopies) {
    UniqueFunction<std::unique_ptr<int>(std::unique_ptr<int>, int&)> function =
        [](std::unique_ptr<int> p, int& n) {
            n += *p;
            return p;
        };
    int n = 1;

    const std::unique_ptr<int> back = function(std::make_unique<int>(4), n);

    EXPECT_EQ(n, 5);
    EXPECT_EQ(*back, 4);
}

TEST(UniqueFunction, AnEmptyOneIsFalse) {
    EXPECT_FALSE(static_cast<bool>(Task()));
}

TEST(UniqueFunction, MovingLeavesTheSourceEmpty) {
    Task first = [] {};
    Task second = std::move(first);

    EXPECT_FALSE(static_cast<bool>(first));  // NOLINT(bugprone-use-after-move): that is the point
    EXPECT_TRUE(static_cast<bool>(second));
}

template <std::size_t Bytes>
void destroys_once() {
    int alive = 0;
    {
        const Counted counted(alive);
        Task first = [counted, padding = std::array<char, Bytes>{}] { static_cast<void>(padding); };
        Task second = std::move(first);
        Task third = [] {};
        third = std::move(second);
        third();
        EXPECT_EQ(alive, 2);
    }
    EXPECT_EQ(alive, 0);
}

TEST(UniqueFunction, DestroysASmallCaptureOnce) {
    destroys_once<1>();
}
TEST(UniqueFunction, DestroysACaptureOnTheHeapOnce) {
    destroys_once<500>();
}

TEST(UniqueFunction, AssigningReplacesWhatItHeld) {
    int alive = 0;
    Task task = [counted = Counted(alive)] { static_cast<void>(counted); };

    task = Task();

    EXPECT_EQ(alive, 0);
    EXPECT_FALSE(static_cast<bool>(task));
}

TEST(UniqueFunction, KeepsStateBetweenCalls) {
    UniqueFunction<int()> next = [n = 0]() mutable { return ++n; };

    next();

    EXPECT_EQ(next(), 2);
}

}  // namespace
}  // namespace jackfield::base
