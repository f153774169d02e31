#include "observe/traceparent.hpp"

#include "base/id.hpp"

#include <gtest/gtest.h>

namespace jackfield::observe {
namespace {

constexpr const char* example = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

TEST(TraceParent, ReadsAndWritesTheStandardsExample) {
    const auto trace = parse_traceparent(example);

    ASSERT_TRUE(trace.has_value());
    EXPECT_EQ(trace->trace_high, 0x4bf92f3577b34da6u);
    EXPECT_EQ(trace->trace_low, 0xa3ce929d0e0e4736u);
    EXPECT_EQ(trace->span, 0x00f067aa0ba902b7u);
    EXPECT_TRUE(trace->sampled);
    EXPECT_EQ(format_traceparent(*trace), example);
}

TEST(TraceParent, RefusesWhatTheStandardRefuses) {
    for (const char* text : {"",
                             "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7",
                             "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
                             "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
                             "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
                             "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
                             "00_4bf92f3577b34da6a3ce929d0e0e4736_00f067aa0ba902b7_01",
                             "00-4bf92f3577b34da6a3ce929d0e0e473g-00f067aa0ba902b7-01",
                             "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-more",
                             "01-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01more"})
        EXPECT_FALSE(parse_traceparent(text).has_value()) << text;
}

TEST(TraceParent, TakesWhatItKnowsOfALaterVersion) {
    const auto trace =
        parse_traceparent("cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-03-what-comes");

    ASSERT_TRUE(trace.has_value());
    EXPECT_EQ(format_traceparent(*trace), example);
}

TEST(TraceParent, AChildStaysInItsTrace) {
    base::SeededRandom random(1);
    const TraceParent parent = new_trace(random, true);

    const TraceParent child = child_of(parent, random);

    EXPECT_EQ(child.trace_high, parent.trace_high);
    EXPECT_EQ(child.trace_low, parent.trace_low);
    EXPECT_NE(child.span, parent.span);
    EXPECT_EQ(parse_traceparent(format_traceparent(child)), child);
}

TEST(RequestId, IsAUlidWhenItIsOurs) {
    const base::SystemClock clock;
    base::SeededRandom random(1);

    EXPECT_TRUE(base::is_ulid(RequestId::make(clock, random).text()));
}

TEST(RequestId, AcceptsAPeersOnlyWhenItIsPlain) {
    EXPECT_EQ(RequestId::accept("a1-B2_c.3")->text(), "a1-B2_c.3");
    EXPECT_FALSE(RequestId::accept("").has_value());
    EXPECT_FALSE(RequestId::accept("a b").has_value());
    EXPECT_FALSE(RequestId::accept("a\"b").has_value());
    EXPECT_FALSE(RequestId::accept(std::string(65, 'a')).has_value());
}

}  // namespace
}  // namespace jackfield::observe
