#include "plugins/stt/pocketsphinx/ring.hpp"

#include <gtest/gtest.h>

#include <thread>
#include <vector>

namespace jackfield::pocketsphinx {
namespace {

TEST(PacketRing, GivesPacketsBackInOrderWithTheirPositions) {
    PacketRing ring(100);
    const std::vector<std::uint8_t> audio{1, 2, 3};
    PacketRing::Packet packet;
    std::vector<std::uint8_t> out;

    // Many times around.
    for (std::uint64_t i = 0; i < 100; ++i) {
        ASSERT_TRUE(ring.write(i * 3, audio));
        ASSERT_TRUE(ring.read(ring.written(), packet, out));
        ASSERT_EQ(packet.position, i * 3);
        ASSERT_EQ(out, audio);
    }
    EXPECT_FALSE(ring.read(ring.written(), packet, out));
}

TEST(PacketRing, RefusesWhatDoesNotFitAndKeepsTheRest) {
    PacketRing ring(64);
    const std::vector<std::uint8_t> audio(20, 7);
    PacketRing::Packet packet;
    std::vector<std::uint8_t> out;

    EXPECT_TRUE(ring.write(0, audio));
    EXPECT_FALSE(ring.write(20, audio));
    EXPECT_TRUE(ring.read(ring.written(), packet, out));
    EXPECT_TRUE(ring.write(40, audio));
}

TEST(PacketRing, StopsReadingAtAMark) {
    PacketRing ring(1000);
    const std::vector<std::uint8_t> audio(10, 7);
    PacketRing::Packet packet;
    std::vector<std::uint8_t> out;
    ring.write(0, audio);
    const std::uint64_t mark = ring.written();
    ring.write(10, audio);

    EXPECT_TRUE(ring.read(mark, packet, out));
    EXPECT_FALSE(ring.read(mark, packet, out));
    EXPECT_TRUE(ring.read(ring.written(), packet, out));
}

TEST(PacketRing, CarriesPacketsBetweenTwoThreads) {
    PacketRing ring(500);
    constexpr std::uint64_t packets = 20000;
    std::thread writer([&] {
        std::vector<std::uint8_t> audio;
        for (std::uint64_t i = 0; i < packets;) {
            audio.assign(1 + i % 50, static_cast<std::uint8_t>(i));
            if (ring.write(i, audio)) ++i;
            else std::this_thread::yield();
        }
    });

    PacketRing::Packet packet;
    std::vector<std::uint8_t> out;
    std::uint64_t wrong = 0;
    for (std::uint64_t i = 0; i < packets;) {
        if (!ring.read(ring.written(), packet, out)) {
            std::this_thread::yield();
            continue;
        }
        wrong += packet.position != i || out != std::vector<std::uint8_t>(1 + i % 50, static_cast<std::uint8_t>(i));
        ++i;
    }
    writer.join();

    EXPECT_EQ(wrong, 0u);
}

}  // namespace
}  // namespace jackfield::pocketsphinx
