#include "media/packet_clock.hpp"

#include <gtest/gtest.h>

namespace jackfield::media {
namespace {

using base::Milliseconds;
using base::MonoTime;

TEST(PacketClock, GivesOnePacketEachTwentyMilliseconds) {
    PacketClock clock;
    const MonoTime start{1'000'000};
    clock.start(start);

    EXPECT_EQ(clock.due(start - Milliseconds(1)).packets, 0U);
    for (int i = 0; i < 100; ++i) {
        EXPECT_EQ(clock.next_due(), start + Milliseconds(20 * i));
        EXPECT_EQ(clock.due(start + Milliseconds(20 * i)).packets, 1U);
        EXPECT_EQ(clock.due(start + Milliseconds(20 * i + 10)).packets, 0U);
    }
}

TEST(PacketClock, LateWakeUpsDontAddUp) {
    PacketClock clock;
    clock.start(MonoTime{});
    std::uint64_t sent = 0;

    for (int i = 0; i < 1000; ++i) sent += clock.due(MonoTime{} + Milliseconds(20 * i + 7)).packets;

    EXPECT_EQ(sent, 1000U);
    EXPECT_EQ(clock.next_due(), MonoTime{} + Milliseconds(20000));
}

TEST(PacketClock, CatchesUpThreePackets) {
    PacketClock clock;
    clock.start(MonoTime{});

    const PacketClock::Due due = clock.due(MonoTime{} + Milliseconds(59));

    EXPECT_EQ(due.packets, 3U);
    EXPECT_EQ(due.skipped, 0U);
    EXPECT_EQ(clock.next_due(), MonoTime{} + Milliseconds(60));
}

TEST(PacketClock, SkipsWhatALongerStallMissed) {
    PacketClock clock;
    clock.start(MonoTime{});

    const PacketClock::Due due = clock.due(MonoTime{} + Milliseconds(1010));

    EXPECT_EQ(due.packets, 3U);
    EXPECT_EQ(due.skipped, 48U);
    EXPECT_EQ(clock.skipped_total(), 48U);
    EXPECT_EQ(clock.due(MonoTime{} + Milliseconds(1019)).packets, 0U);
    EXPECT_EQ(clock.due(MonoTime{} + Milliseconds(1020)).packets, 1U);
}

}  // namespace
}  // namespace jackfield::media
