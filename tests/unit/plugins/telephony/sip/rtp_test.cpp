#include "plugins/telephony/sip/rtp.hpp"

#include "plugins/telephony/sip/address.hpp"

#include <vector>

#include <gtest/gtest.h>

namespace jackfield::sip {
namespace {

constexpr std::uint64_t ms = 1'000'000;

std::vector<std::uint8_t> packet(std::uint8_t payload_type,
                                 std::uint16_t sequence,
                                 std::uint32_t timestamp,
                                 std::uint32_t ssrc,
                                 std::size_t payload = 160) {
    std::vector<std::uint8_t> out(rtp_header_size + payload, 0x7f);
    write_rtp_header(out.data(), payload_type, false, sequence, timestamp, ssrc);
    return out;
}

RtpPacket parsed(std::uint16_t sequence, std::uint32_t timestamp, std::uint32_t ssrc = 1) {
    RtpPacket out;
    out.sequence = sequence;
    out.timestamp = timestamp;
    out.ssrc = ssrc;
    return out;
}

jf_endpoint at(const char* text) {
    return *parse_endpoint(text);
}

TEST(RtpParser, ReadsWhatTheWriterWrote) {
    const auto bytes = packet(8, 0xfffe, 0x01020304, 0xdeadbeef);

    const auto read = parse_rtp(bytes);

    ASSERT_TRUE(read);
    EXPECT_EQ(read->payload_type, 8);
    EXPECT_EQ(read->sequence, 0xfffe);
    EXPECT_EQ(read->timestamp, 0x01020304u);
    EXPECT_EQ(read->ssrc, 0xdeadbeefu);
    EXPECT_EQ(read->payload.size(), 160u);
}

TEST(RtpParser, SkipsSourcesExtensionAndPadding) {
    auto bytes = packet(0, 1, 2, 3, 0);
    bytes[0] = 0x80 | 0x20 | 0x10 | 2;  // padding, extension, two CSRC
    bytes.insert(bytes.end(), 8, 0);    // CSRC
    for (const int b : {0xbe, 0xde, 0, 1, 9, 9, 9, 9})
        bytes.push_back(static_cast<std::uint8_t>(b));  // extension of one word
    for (const int b : {0x61, 0x62, 0x63, 0, 2}) bytes.push_back(static_cast<std::uint8_t>(b));

    const auto read = parse_rtp(bytes);

    ASSERT_TRUE(read);
    EXPECT_EQ(std::string(read->payload.begin(), read->payload.end()), "abc");
}

TEST(RtpParser, RefusesWhatDoesNotFitItsOwnLengths) {
    auto truncated_sources = packet(0, 1, 2, 3, 4);
    truncated_sources[0] = 0x80 | 15;
    auto truncated_extension = packet(0, 1, 2, 3, 8);
    truncated_extension[0] = 0x90;
    truncated_extension[14] = 0xff;
    auto all_padding = packet(0, 1, 2, 3, 4);
    all_padding[0] = 0xa0;
    all_padding.back() = 200;
    auto zero_padding = packet(0, 1, 2, 3, 4);
    zero_padding[0] = 0xa0;
    zero_padding.back() = 0;
    auto rtcp = packet(72, 1, 2, 3);

    EXPECT_FALSE(parse_rtp(truncated_sources));
    EXPECT_FALSE(parse_rtp(truncated_extension));
    EXPECT_FALSE(parse_rtp(all_padding));
    EXPECT_FALSE(parse_rtp(zero_padding));
    EXPECT_FALSE(parse_rtp(rtcp));
    EXPECT_FALSE(parse_rtp(std::vector<std::uint8_t>(11, 0x80)));
}

TEST(SourceLatch, BelievesTheSignalledAddressAtOnce) {
    SourceLatch latch;
    latch.signalled(at("192.0.2.1:4000"), 0);

    EXPECT_TRUE(latch.accept(at("192.0.2.1:4000"), 1, 77, 0));
    EXPECT_TRUE(latch.latched());
}

TEST(SourceLatch, TakesAnotherSourceOnlyAfterFourConsecutivePackets) {
    SourceLatch latch;
    latch.signalled(at("10.0.0.1:4000"), 0);
    const jf_endpoint nat = at("203.0.113.9:1234");

    EXPECT_FALSE(latch.accept(nat, 1, 10, 0));
    EXPECT_FALSE(latch.accept(nat, 1, 11, 0));
    EXPECT_FALSE(latch.accept(nat, 1, 11, 0)) << "a repeated packet begins the row anew";
    EXPECT_FALSE(latch.accept(nat, 1, 12, 0));
    EXPECT_FALSE(latch.accept(nat, 1, 13, 0));
    EXPECT_TRUE(latch.accept(nat, 1, 14, 0));
    EXPECT_TRUE(same_endpoint(latch.target(), nat));
}

TEST(SourceLatch, IsNotMovedByAThirdPartyOnceItHolds) {
    SourceLatch latch;
    latch.signalled(at("192.0.2.1:4000"), 0);
    ASSERT_TRUE(latch.accept(at("192.0.2.1:4000"), 1, 1, 0));

    for (std::uint16_t i = 0; i < 1000; ++i)
        EXPECT_FALSE(latch.accept(at("203.0.113.9:4000"), 1, i, i * 20 * ms));

    EXPECT_TRUE(same_endpoint(latch.target(), at("192.0.2.1:4000")));
}

TEST(SourceLatch, LearnsThoughAnAttackerInterleavesPackets) {
    SourceLatch latch;
    latch.signalled(at("10.0.0.1:4000"), 0);
    const jf_endpoint caller = at("203.0.113.9:1234");
    bool latched = false;

    for (std::uint16_t i = 0; i < 4; ++i) {
        latched = latch.accept(caller, 1, i, 0);
        if (i < 3) latch.accept(at("198.51.100.1:1"), 9, static_cast<std::uint16_t>(i * 7), 0);
    }

    EXPECT_TRUE(latched);
    EXPECT_TRUE(same_endpoint(latch.target(), caller));
}

TEST(SourceLatch, GivesTheSignalledAddressItsPlaceBackInTheFirstSecondsOnly) {
    SourceLatch early;
    SourceLatch late;
    for (SourceLatch* latch : {&early, &late}) {
        latch->signalled(at("192.0.2.1:4000"), 0);
        for (std::uint16_t i = 0; i < 4; ++i) latch->accept(at("198.51.100.1:1"), 9, i, ms);
        ASSERT_TRUE(latch->latched());
    }

    EXPECT_TRUE(early.accept(at("192.0.2.1:4000"), 1, 1, 1000 * ms));
    EXPECT_FALSE(late.accept(at("192.0.2.1:4000"), 1, 1, 6000 * ms));
}

TEST(SourceLatch, FollowsANewAddressFromSignallingAndIgnoresARepeatedOne) {
    SourceLatch latch;
    latch.signalled(at("192.0.2.1:4000"), 0);
    latch.accept(at("192.0.2.1:4000"), 1, 1, 0);

    latch.signalled(at("192.0.2.1:4000"), ms);
    EXPECT_TRUE(latch.latched());
    latch.signalled(at("192.0.2.2:5000"), ms);

    EXPECT_TRUE(same_endpoint(latch.target(), at("192.0.2.2:5000")));
    EXPECT_FALSE(latch.accept(at("192.0.2.1:4000"), 1, 2, ms));
    EXPECT_TRUE(latch.accept(at("192.0.2.2:5000"), 1, 3, ms));
}

TEST(RtpReceiver, CountsSamplesAcrossTheTimestampsWrap) {
    RtpReceiver receiver;
    EXPECT_EQ(receiver.accept(parsed(65534, 0xffffff60u), 0).pts, 0u);
    EXPECT_EQ(receiver.accept(parsed(65535, 0), 20 * ms).pts, 160u);
    EXPECT_EQ(receiver.accept(parsed(0, 160), 40 * ms).pts, 320u);
    EXPECT_EQ(receiver.statistics().lost, 0u);
}

TEST(RtpReceiver, ShowsOrderAndGapsByPts) {
    RtpReceiver receiver;
    receiver.accept(parsed(1, 1000), 0);
    EXPECT_EQ(receiver.accept(parsed(4, 1480), 60 * ms).pts, 480u);
    EXPECT_EQ(receiver.accept(parsed(3, 1320), 61 * ms).pts, 320u) << "late, in its place";
    EXPECT_EQ(receiver.accept(parsed(5, 1640), 80 * ms).pts, 640u);
    EXPECT_EQ(receiver.statistics().lost, 1u);
    EXPECT_TRUE(receiver.accept(parsed(0, 840), 90 * ms).stale) << "from before the start";
}

TEST(RtpReceiver, BridgesANewSourceAndARestartedTimelineByTheClock) {
    RtpReceiver receiver;
    receiver.accept(parsed(1, 1000, 1), 0);
    receiver.accept(parsed(2, 1160, 1), 20 * ms);

    const auto other = receiver.accept(parsed(900, 77, 2), 120 * ms);
    EXPECT_TRUE(other.discontinuity);
    EXPECT_EQ(other.pts, 160u + 800u);

    const auto restarted = receiver.accept(parsed(901, 77 + 4'000'000, 2), 140 * ms);
    EXPECT_TRUE(restarted.discontinuity);
    EXPECT_EQ(restarted.pts, 960u + 160u);
    EXPECT_EQ(receiver.statistics().received, 4u);
}

TEST(RtpReceiver, MeasuresJitter) {
    RtpReceiver steady;
    RtpReceiver shaky;
    for (std::uint16_t i = 0; i < 200; ++i) {
        steady.accept(parsed(i, i * 160u), i * 20 * ms);
        shaky.accept(parsed(i, i * 160u), i * 20 * ms + (i % 2) * 8 * ms);
    }
    EXPECT_LT(steady.statistics().jitter_us, 50u);
    EXPECT_NEAR(shaky.statistics().jitter_us, 8000, 500);
}

TEST(RtpSender, FollowsPtsWhileItKeepsStep) {
    RtpSender sender(7, 1000, 1);
    EXPECT_EQ(sender.stamp(500, 160, 0), 1000u);
    EXPECT_EQ(sender.stamp(660, 160, 25 * ms), 1160u);
    EXPECT_EQ(sender.stamp(8660, 160, 1020 * ms), 9160u) << "a pause that the writer counted";
    EXPECT_EQ(sender.next_sequence(), 7);
    EXPECT_EQ(sender.next_sequence(), 8);
}

TEST(RtpSender, FollowsTheClockWhereTheWriterDoesNot) {
    RtpSender sender(0, 0, 1);
    sender.stamp(0, 160, 0);
    EXPECT_EQ(sender.stamp(160, 160, 5000 * ms), 40000u) << "silence that was not counted";
    EXPECT_EQ(sender.stamp(0, 160, 5020 * ms), 40160u) << "a writer that begins again";
    EXPECT_GE(sender.stamp_now(5020 * ms), 40320u) << "never inside what was sent";
}

}  // namespace
}  // namespace jackfield::sip
