#include "call/audio_tap.hpp"

#include <gtest/gtest.h>

#include <array>

namespace jackfield::call {
namespace {

constexpr std::array<std::uint8_t, 160> packet{1, 2, 3};

TEST(AudioTap, PassesBothSidesWithTheirPlaceInTime) {
    AudioTap tap(media::G711Law::a);
    tap.write(media::RecordingSide::caller, 320, packet);
    tap.write(media::RecordingSide::agent, 480, packet);

    media::RecordingChunk chunk;
    ASSERT_TRUE(tap.read(chunk));
    EXPECT_EQ(chunk.side, media::RecordingSide::caller);
    EXPECT_EQ(chunk.at, 320);
    EXPECT_EQ(chunk.size, 160u);
    ASSERT_TRUE(tap.read(chunk));
    EXPECT_EQ(chunk.side, media::RecordingSide::agent);
    EXPECT_FALSE(tap.read(chunk));
    EXPECT_EQ(tap.dropped_samples(), 0u);
}

TEST(AudioTap, DropsAndCountsWhatNobodyReads) {
    AudioTap tap(media::G711Law::mu);
    const std::uint64_t written = 50 * 60 * 160;

    for (std::uint64_t i = 0; i < 50 * 60; ++i) tap.write(media::RecordingSide::agent, static_cast<media::SamplePos>(i * 160), packet);

    std::uint64_t read = 0;
    for (media::RecordingChunk chunk; tap.read(chunk);) read += chunk.size;
    EXPECT_GT(read, 4u * 8000);
    EXPECT_LE(read, AudioTap::ring_bytes);
    EXPECT_EQ(read + tap.dropped_samples(), written);
}

TEST(AudioTap, TellsBothSidesThatTheOtherIsGone) {
    AudioTap tap(media::G711Law::mu);
    EXPECT_FALSE(tap.ended());
    EXPECT_FALSE(tap.abandoned());

    tap.end();
    tap.abandon();

    EXPECT_TRUE(tap.ended());
    EXPECT_TRUE(tap.abandoned());
}

}  // namespace
}  // namespace jackfield::call
