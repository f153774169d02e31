#include "plugin_host/overruns.hpp"

#include <gtest/gtest.h>

namespace jackfield::plugin_host {
namespace {

using namespace std::chrono_literals;

base::MonoTime at(std::chrono::nanoseconds time) { return base::MonoTime{} + time; }

TEST(Overruns, TellsTheFirstAtOnceAndThenTheLongestOfAMinute) {
    Overruns overruns;
    overruns.note(ThreadClass::media, 3ms, 5, OpOwner::of("acme", "01CALL"));

    const auto first = overruns.take(at(1s));
    ASSERT_TRUE(first);
    EXPECT_EQ(first->thread_class, ThreadClass::media);
    EXPECT_EQ(first->longest, 3ms);
    EXPECT_EQ(first->op, 5U);
    EXPECT_EQ(first->owner.call(), "01CALL");
    EXPECT_EQ(first->count, 1U);
    overruns.note(ThreadClass::media, 9ms, 6, {});
    overruns.note(ThreadClass::media, 4ms, 7, {});
    EXPECT_FALSE(overruns.take(at(60s)));

    const auto next = overruns.take(at(61s));
    ASSERT_TRUE(next);
    EXPECT_EQ(next->longest, 9ms);
    EXPECT_EQ(next->op, 6U);
    EXPECT_EQ(next->count, 2U);
    EXPECT_FALSE(overruns.take(at(200s))) << "nothing has happened since";
}

TEST(Overruns, KeepsThreadClassesApart) {
    Overruns overruns;
    overruns.note(ThreadClass::media, 3ms, 1, {});
    ASSERT_TRUE(overruns.take(at(1s)));
    overruns.note(ThreadClass::stream, 30ms, JF_NO_OP, {});

    const auto told = overruns.take(at(2s));

    ASSERT_TRUE(told);
    EXPECT_EQ(told->thread_class, ThreadClass::stream);
    EXPECT_EQ(told->op, JF_NO_OP);
}

}  // namespace
}  // namespace jackfield::plugin_host
