#include "media/reorder_window.hpp"

#include "media/frame_cutter.hpp"
#include "media/level.hpp"

#include <vector>

#include <gtest/gtest.h>

namespace jackfield::media {
namespace {

using base::Milliseconds;
using base::MonoTime;
using Taken = ReorderWindow::Taken;

struct Leg {
    ReorderWindow window{};
    MonoTime now{};
    std::vector<std::uint8_t> heard{};
    std::vector<Piece> pieces{};  // their bytes are gone, the rest stays

    Taken push(SamplePos pts, std::uint8_t code, std::size_t samples = 160) {
        const std::vector<std::uint8_t> packet(samples, code);
        const Taken taken = window.push(pts, packet, now);
        pull();
        return taken;
    }
    void pull() {
        while (auto piece = window.pop(now)) {
            heard.insert(heard.end(), piece->codes.begin(), piece->codes.end());
            pieces.push_back(*piece);
        }
    }
    void wait(int ms) {
        now = now + Milliseconds(ms);
        pull();
    }
};

TEST(ReorderWindow, GivesPacketsInOrderAtOnce) {
    Leg leg;

    leg.push(16000, 1);
    EXPECT_EQ(leg.heard.size(), 160U);
    leg.wait(20);
    leg.push(16160, 2);

    EXPECT_EQ(leg.heard.size(), 320U);
    EXPECT_EQ(leg.pieces[0].position, 0);
    EXPECT_EQ(leg.pieces[1].position, 160);
    EXPECT_EQ(leg.pieces[1].pts, 16160);
    EXPECT_FALSE(leg.window.next_deadline());
}

TEST(ReorderWindow, PutsSwappedPacketsInOrder) {
    Leg leg;
    leg.push(0, 1);

    leg.push(320, 3);
    EXPECT_EQ(leg.heard.size(), 160U);
    leg.wait(10);
    leg.push(160, 2);

    ASSERT_EQ(leg.heard.size(), 480U);
    EXPECT_EQ(leg.heard[160], 2);
    EXPECT_EQ(leg.heard[320], 3);
    EXPECT_EQ(leg.window.counters().reordered, 1U);
    EXPECT_EQ(leg.window.counters().missing_samples, 0U);
}

TEST(ReorderWindow, WaitsTwentyMillisecondsForAMissingPacketAndNoLonger) {
    Leg leg;
    leg.push(0, 1);
    leg.wait(40);
    leg.push(320, 3);
    ASSERT_TRUE(leg.window.next_deadline());
    EXPECT_EQ(*leg.window.next_deadline(), leg.now + Milliseconds(20));

    leg.wait(19);
    EXPECT_EQ(leg.heard.size(), 160U);
    leg.wait(1);

    ASSERT_EQ(leg.heard.size(), 480U);
    EXPECT_EQ(leg.pieces[1].kind, PieceKind::concealed);
    EXPECT_EQ(leg.heard[320], 3);
    EXPECT_EQ(leg.window.counters().missing_samples, 160U);
}

TEST(ReorderWindow, ConcealsBySixtyMillisecondsOfFadingThenSilence) {
    Leg leg;
    leg.push(0, encode_sample(G711Law::mu, 8000));
    leg.wait(100);
    leg.push(160 + 800, 3);
    leg.wait(20);

    ASSERT_EQ(leg.heard.size(), 160U + 800U + 160U);
    float last = measure(G711Law::mu, std::span(leg.heard).first(160)).rms_dbov;
    for (std::size_t packet = 1; packet <= 3; ++packet) {
        const float level =
            measure(G711Law::mu, std::span(leg.heard).subspan(160 * packet, 160)).rms_dbov;
        EXPECT_LT(level, last);
        last = level;
    }
    EXPECT_EQ(leg.pieces[4].kind, PieceKind::silence);
    EXPECT_EQ(leg.heard[160 * 4], 0xFF);
    EXPECT_EQ(leg.heard[160 * 6 - 1], 0xFF);
    EXPECT_EQ(leg.heard[160 * 6], 3);
}

TEST(ReorderWindow, DropsWhatComesTooLateAndWhatComesTwice) {
    Leg leg;
    leg.push(0, 1);
    EXPECT_EQ(leg.push(0, 1), Taken::duplicate);
    leg.push(320, 3);
    EXPECT_EQ(leg.push(320, 3), Taken::duplicate);
    leg.wait(20);

    EXPECT_EQ(leg.push(160, 2), Taken::late);

    EXPECT_EQ(leg.heard.size(), 480U);
    EXPECT_EQ(leg.window.counters().duplicate, 2U);
    EXPECT_EQ(leg.window.counters().late, 1U);
}

TEST(ReorderWindow, TakesPacketsOfAnyLength) {
    Leg leg;

    leg.push(0, 1, 80);
    leg.push(80, 2, 240);
    leg.push(320, 3, 480);
    leg.push(800, 4, 160);

    ASSERT_EQ(leg.heard.size(), 960U);
    EXPECT_EQ(leg.heard[80], 2);
    EXPECT_EQ(leg.heard[319], 2);
    EXPECT_EQ(leg.heard[799], 3);
    EXPECT_EQ(leg.window.position(), 960);
}

TEST(ReorderWindow, PlaysThePartOfAnOverlapThatIsNew) {
    Leg leg;
    leg.push(0, 1, 160);

    leg.push(80, 2, 160);

    ASSERT_EQ(leg.heard.size(), 240U);
    EXPECT_EQ(leg.heard[159], 1);
    EXPECT_EQ(leg.heard[160], 2);
}

TEST(ReorderWindow, BeginsANewTimeLineAfterAJumpAndKeepsTheClock) {
    Leg leg;
    leg.push(0, 1);
    leg.wait(3000);

    leg.push(900'000, 2);
    leg.wait(20);

    ASSERT_EQ(leg.pieces.size(), 2U);
    EXPECT_TRUE(leg.pieces[1].resync);
    EXPECT_EQ(leg.pieces[1].pts, 900'000);
    EXPECT_EQ(leg.pieces[1].position, 24000);
    EXPECT_EQ(leg.heard.size(), 320U);
    EXPECT_EQ(leg.window.counters().resyncs, 1U);
}

TEST(ReorderWindow, FollowsAJumpBackAtOnce) {
    Leg leg;
    leg.push(900'000, 1);
    leg.wait(20);

    leg.push(100, 2);
    leg.wait(20);
    leg.push(260, 3);

    ASSERT_EQ(leg.pieces.size(), 3U);
    EXPECT_TRUE(leg.pieces[1].resync);
    EXPECT_EQ(leg.pieces[1].position, 160);
    EXPECT_FALSE(leg.pieces[2].resync);
    EXPECT_EQ(leg.pieces[2].position, 320);
}

TEST(ReorderWindow, TakesTheFourthLatePacketInARowForANewTimeLine) {
    Leg leg;
    leg.push(8000, 1);

    EXPECT_EQ(leg.push(4000, 2), Taken::late);
    EXPECT_EQ(leg.push(4160, 2), Taken::late);
    EXPECT_EQ(leg.push(4320, 2), Taken::late);
    EXPECT_EQ(leg.push(4480, 2), Taken::stored);
    leg.push(4640, 2);

    EXPECT_EQ(leg.heard.size(), 480U);
    EXPECT_EQ(leg.window.counters().resyncs, 1U);
}

TEST(ReorderWindow, StopsWaitingWhenTheWindowFillsUp) {
    Leg leg;
    leg.push(0, 1);

    for (SamplePos i = 2; i < 40; ++i) leg.push(160 * i, 2);

    EXPECT_GE(leg.heard.size(), 160U * 20U);
    EXPECT_EQ(leg.window.counters().overflow, 0U);
}

TEST(ReorderWindow, RefusesWhatItHasNoRoomFor) {
    Leg leg;

    EXPECT_EQ(leg.push(0, 1, 160 * 40), Taken::overflow);
    leg.push(160 * 32, 2);

    EXPECT_EQ(leg.window.counters().overflow, 1U);
    EXPECT_EQ(leg.heard.size(), 160U * 33U);
}

TEST(FrameCutter, MakesPacketsOfTwentyMillisecondsFromAnyPieces) {
    FrameCutter cutter;
    std::vector<SamplePos> positions;
    const auto sink = [&](SamplePos at, std::span<const std::uint8_t, packet_samples>) {
        positions.push_back(at);
    };

    cutter.push(0, std::vector<std::uint8_t>(240, 1), sink);
    cutter.push(240, std::vector<std::uint8_t>(240, 1), sink);

    EXPECT_EQ(positions, (std::vector<SamplePos>{0, 160, 320}));
    EXPECT_EQ(cutter.held(), 0U);
}

TEST(FrameCutter, CompletesAPacketWithSilenceBeforeAJump) {
    FrameCutter cutter;
    std::vector<std::vector<std::uint8_t>> frames;
    std::vector<SamplePos> positions;
    const auto sink = [&](SamplePos at, std::span<const std::uint8_t, packet_samples> frame) {
        positions.push_back(at);
        frames.emplace_back(frame.begin(), frame.end());
    };

    cutter.push(0, std::vector<std::uint8_t>(80, 1), sink);
    cutter.push(1000, std::vector<std::uint8_t>(160, 2), sink);

    EXPECT_EQ(positions, (std::vector<SamplePos>{0, 1000}));
    EXPECT_EQ(frames[0][79], 1);
    EXPECT_EQ(frames[0][80], 0xFF);
}

}  // namespace
}  // namespace jackfield::media
