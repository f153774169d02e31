#include "media/recording_ring.hpp"

#include <thread>
#include <vector>

#include <gtest/gtest.h>

namespace jackfield::media {
namespace {

TEST(RecordingRing, GivesBackWhatWasPushed) {
    RecordingRing ring(4096);
    const std::vector<std::uint8_t> codes(160, 9);

    EXPECT_EQ(ring.push(RecordingSide::agent, 320, codes), 160U);
    RecordingChunk chunk;
    ASSERT_TRUE(ring.pop(chunk));

    EXPECT_EQ(chunk.side, RecordingSide::agent);
    EXPECT_EQ(chunk.at, 320);
    EXPECT_EQ(chunk.size, 160U);
    EXPECT_EQ(chunk.codes[159], 9);
    EXPECT_FALSE(ring.pop(chunk));
}

TEST(RecordingRing, TakesNothingWhenFull) {
    RecordingRing ring(4096);
    const std::vector<std::uint8_t> codes(160, 9);
    int taken = 0;
    while (ring.push(RecordingSide::caller, 0, codes) == 160) ++taken;

    EXPECT_EQ(taken, 23);
    RecordingChunk chunk;
    EXPECT_TRUE(ring.pop(chunk));
    EXPECT_EQ(ring.push(RecordingSide::caller, 0, codes), 160U);
}

TEST(RecordingRing, LosesNothingBetweenTwoThreads) {
    RecordingRing ring(8192);
    constexpr SamplePos packets = 20000;
    std::thread producer([&] {
        for (SamplePos i = 0; i < packets; ++i) {
            const std::vector<std::uint8_t> codes(static_cast<std::size_t>(1 + i % 160),
                                                  static_cast<std::uint8_t>(i));
            while (ring.push(RecordingSide::caller, i, codes) == 0) std::this_thread::yield();
        }
    });
    RecordingChunk chunk;
    for (SamplePos i = 0; i < packets; ++i) {
        while (!ring.pop(chunk)) std::this_thread::yield();
        ASSERT_EQ(chunk.at, i);
        ASSERT_EQ(chunk.size, static_cast<std::size_t>(1 + i % 160));
        ASSERT_EQ(chunk.codes[chunk.size - 1], static_cast<std::uint8_t>(i));
    }
    producer.join();
}

}  // namespace
}  // namespace jackfield::media
