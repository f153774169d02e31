#include "media/audio_history.hpp"

#include <numeric>
#include <vector>

#include <gtest/gtest.h>

namespace jackfield::media {
namespace {

using std::chrono::milliseconds;

std::vector<std::uint8_t> ramp(std::size_t n, std::uint8_t from = 0) {
    std::vector<std::uint8_t> codes(n);
    std::iota(codes.begin(), codes.end(), from);
    return codes;
}

TEST(AudioHistory, ReadsBackByPosition) {
    AudioHistory history(G711Law::mu, milliseconds(100));
    history.append(1000, ramp(160));

    std::vector<std::uint8_t> out(10);
    EXPECT_EQ(history.read(1050, out), 10U);

    EXPECT_EQ(out, ramp(10, 50));
    EXPECT_EQ(history.begin(), 1000);
    EXPECT_EQ(history.end(), 1160);
}

TEST(AudioHistory, KeepsOnlyTheLastOfIt) {
    AudioHistory history(G711Law::mu, milliseconds(100));

    for (SamplePos at = 0; at < 8000; at += 160) history.append(at, ramp(160));

    EXPECT_EQ(history.end(), 8000);
    EXPECT_EQ(history.begin(), 8000 - 800);
    std::vector<std::uint8_t> out(2000);
    EXPECT_EQ(history.read(0, out), 0U);
    EXPECT_EQ(history.read(7200, out), 800U);
    EXPECT_EQ(out[0], 0);
    EXPECT_EQ(out[799], 159);
    EXPECT_EQ(history.read(8000, out), 0U);
}

TEST(AudioHistory, DecodesOnRead) {
    AudioHistory history(G711Law::a, milliseconds(100));
    history.append(0, std::vector<std::uint8_t>(160, 0xAA));

    std::vector<std::int16_t> out(200);

    EXPECT_EQ(history.read(0, out), 160U);
    EXPECT_EQ(out[159], 32256);
}

TEST(AudioHistory, FillsAHoleWithSilence) {
    AudioHistory history(G711Law::mu, milliseconds(200));
    history.append(0, ramp(160));
    history.append(500, ramp(160));

    std::vector<std::uint8_t> out(660);

    EXPECT_EQ(history.read(0, out), 660U);
    EXPECT_EQ(out[159], 159);
    EXPECT_EQ(out[160], 0xFF);
    EXPECT_EQ(out[499], 0xFF);
    EXPECT_EQ(out[500], 0);
}

TEST(AudioHistory, PassesOverWhatIsThere) {
    AudioHistory history(G711Law::mu, milliseconds(200));
    history.append(0, ramp(160));

    history.append(80, std::vector<std::uint8_t>(160, 9));
    history.append(0, std::vector<std::uint8_t>(20, 7));

    std::vector<std::uint8_t> out(240);
    EXPECT_EQ(history.read(0, out), 240U);
    EXPECT_EQ(out[159], 159);
    EXPECT_EQ(out[160], 9);
}

TEST(AudioHistory, BeginsAnewAfterAJump) {
    AudioHistory history(G711Law::mu, milliseconds(100));
    history.append(0, ramp(160));

    history.append(1'000'000, ramp(160));
    EXPECT_EQ(history.begin(), 1'000'000);

    history.append(5, ramp(160));
    EXPECT_EQ(history.begin(), 5);
    EXPECT_EQ(history.end(), 165);
}

TEST(AudioHistory, NeverKeepsMoreThanTwelveSeconds) {
    const AudioHistory history(G711Law::mu, std::chrono::hours(1));

    EXPECT_EQ(history.capacity(), 12U * 8000U);
}

}  // namespace
}  // namespace jackfield::media
