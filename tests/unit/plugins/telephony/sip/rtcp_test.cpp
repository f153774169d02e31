#include "plugins/telephony/sip/rtcp.hpp"

#include "plugins/telephony/sip/emodel.hpp"
#include "plugins/telephony/sip/packetizer.hpp"

#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace jackfield::sip {
namespace {

constexpr std::uint64_t ms = 1'000'000;
constexpr std::uint64_t unix_ns = 1'700'000'000'000'000'000;

using Bytes = std::vector<std::uint8_t>;

void put32(Bytes& out, std::uint32_t value) {
    for (int shift = 24; shift >= 0; shift -= 8)
        out.push_back(static_cast<std::uint8_t>(value >> shift));
}

std::uint32_t at32(std::span<const std::uint8_t> bytes, std::size_t at) {
    return static_cast<std::uint32_t>(bytes[at]) << 24 |
           static_cast<std::uint32_t>(bytes[at + 1]) << 16 |
           static_cast<std::uint32_t>(bytes[at + 2]) << 8 | bytes[at + 3];
}

/// A sender report of `ssrc` with one block about `about`.
Bytes sender_report(std::uint32_t ssrc,
                    std::uint64_t ntp,
                    std::uint32_t about,
                    std::uint32_t lost = 0,
                    std::uint32_t lsr = 0,
                    std::uint32_t dlsr = 0) {
    Bytes out{0x81, 200, 0, 12};
    put32(out, ssrc);
    put32(out, static_cast<std::uint32_t>(ntp >> 32));
    put32(out, static_cast<std::uint32_t>(ntp));
    for (int i = 0; i < 3; ++i) put32(out, 1);
    put32(out, about);
    put32(out, lost);
    put32(out, 100);
    put32(out, 7);
    put32(out, lsr);
    put32(out, dlsr);
    return out;
}

struct Report {
    std::array<std::uint8_t, RtcpSession::most_packet> bytes;
    std::size_t size;
    std::span<const std::uint8_t> text() const { return {bytes.data(), size}; }
};
Report report(RtcpSession& session,
              const RtpReceiver& receiver,
              std::uint64_t now,
              bool bye = false) {
    Report out;
    out.size = session.report(out.bytes, 0xaabbccdd, receiver, bye, now);
    return out;
}

RtpPacket packet(std::uint16_t sequence, std::uint32_t ssrc = 77) {
    RtpPacket out;
    out.sequence = sequence;
    out.timestamp = 160u * sequence;
    out.ssrc = ssrc;
    return out;
}

TEST(Rtcp, IsToldFromRtpByItsType) {
    EXPECT_TRUE(is_rtcp(Bytes{0x80, 200}));
    EXPECT_TRUE(is_rtcp(Bytes{0x80, 204}));
    EXPECT_FALSE(is_rtcp(Bytes{0x80, 0x80 | 0}));
    EXPECT_FALSE(is_rtcp(Bytes{0x80, 101}));
    EXPECT_FALSE(is_rtcp(Bytes{0x80}));
}

TEST(Rtcp, ReadsWhatASenderReportSaysOfUs) {
    const auto parsed =
        parse_rtcp(sender_report(77, 0x1122334455667788, 0xaabbccdd, 0x40fffffe, 5, 6), 0xaabbccdd);
    ASSERT_TRUE(parsed);
    EXPECT_EQ(parsed->ssrc, 77u);
    EXPECT_EQ(parsed->ntp_time, 0x1122334455667788u);
    ASSERT_TRUE(parsed->about_us);
    EXPECT_EQ(parsed->about_us->fraction_lost, 0x40);
    EXPECT_EQ(parsed->about_us->lost, -2);
    EXPECT_EQ(parsed->about_us->jitter, 7u);
    EXPECT_FALSE(parse_rtcp(sender_report(77, 0, 1), 0xaabbccdd)->about_us)
        << "about somebody else";
}

TEST(Rtcp, TakesOnlyWholeCompoundPackets) {
    const Bytes whole = sender_report(77, 1, 2);
    for (std::size_t size = 0; size < whole.size(); ++size)
        EXPECT_FALSE(parse_rtcp(std::span(whole).first(size), 2)) << size;
    Bytes first_is_description{0x81, 202, 0, 1, 0, 0, 0, 1};
    EXPECT_FALSE(parse_rtcp(first_is_description, 2));
    Bytes too_many_blocks = whole;
    too_many_blocks[0] = 0x82;
    EXPECT_FALSE(parse_rtcp(too_many_blocks, 2));
    Bytes padding_in_the_middle = whole;
    padding_in_the_middle[0] |= 0x20;
    padding_in_the_middle.insert(padding_in_the_middle.end(), {0x81, 203, 0, 1, 0, 0, 0, 77});
    EXPECT_FALSE(parse_rtcp(padding_in_the_middle, 2));
    Bytes with_bye = whole;
    with_bye.insert(with_bye.end(), {0x81, 203, 0, 1, 0, 0, 0, 77});
    ASSERT_TRUE(parse_rtcp(with_bye, 2));
    EXPECT_TRUE(parse_rtcp(with_bye, 2)->bye);
}

TEST(Rtcp, ReportsAsAReceiverUntilSomethingIsSent) {
    RtcpSession session(unix_ns, 0, 1);
    RtpReceiver receiver;
    const Report first = report(session, receiver, 1000 * ms);
    EXPECT_EQ(first.bytes[1], 201);
    EXPECT_EQ(first.bytes[0], 0x80) << "about nobody yet";
    ASSERT_TRUE(parse_rtcp(first.text(), 1));

    session.sent(160, 8000, 1000 * ms);
    session.sent(160, 8160, 1020 * ms);
    const Report second = report(session, receiver, 1120 * ms, true);
    EXPECT_EQ(second.bytes[1], 200);
    EXPECT_EQ(at32(second.text(), 8), 1'700'000'000u + 2'208'988'800u + 1u) << "NTP seconds";
    EXPECT_EQ(at32(second.text(), 16), 8160u + 800u) << "the timestamp of now";
    EXPECT_EQ(at32(second.text(), 20), 2u);
    EXPECT_EQ(at32(second.text(), 24), 320u);
    EXPECT_TRUE(parse_rtcp(second.text(), 1)->bye);
}

TEST(Rtcp, ReportsLossSinceTheLastReportAndInAll) {
    RtcpSession session(unix_ns, 0, 1);
    RtpReceiver receiver;
    for (const std::uint16_t sequence : {10, 11, 12, 13})
        (void)receiver.accept(packet(sequence), 0);
    Report one = report(session, receiver, 5000 * ms);
    auto block = parse_rtcp(one.text(), 77)->about_us;
    ASSERT_TRUE(block);
    EXPECT_EQ(block->fraction_lost, 0);
    EXPECT_EQ(block->highest_sequence, 13u);

    for (const std::uint16_t sequence : {14, 17}) (void)receiver.accept(packet(sequence), 0);
    one = report(session, receiver, 10000 * ms);
    block = parse_rtcp(one.text(), 77)->about_us;
    EXPECT_EQ(block->fraction_lost, 128);
    EXPECT_EQ(block->lost, 2);

    // A new source starts anew, and its wraps are counted.
    (void)receiver.accept(packet(65535, 78), 0);
    RtpPacket wrapped = packet(0, 78);
    wrapped.timestamp = 160u * 65536;
    (void)receiver.accept(wrapped, 0);
    one = report(session, receiver, 15000 * ms);
    block = parse_rtcp(one.text(), 78)->about_us;
    ASSERT_TRUE(block);
    EXPECT_EQ(block->highest_sequence, 0x10000u);
    EXPECT_EQ(block->lost, 0);
}

TEST(Rtcp, MeasuresTheRoundTripByTheFarEndsReport) {
    RtcpSession session(unix_ns, 0, 1);
    RtpReceiver receiver;
    session.sent(160, 0, 0);
    const Report ours = report(session, receiver, 1000 * ms);
    const std::uint32_t lsr = at32(ours.text(), 8) << 16 | at32(ours.text(), 12) >> 16;
    EXPECT_EQ(session.round_trip_us(), 0u);

    // It was on the way for 30 ms, stayed there for half a second, and came back in 50.
    const Bytes theirs = sender_report(77, 9, 0xaabbccdd, 0, lsr, 32768);
    session.received(*parse_rtcp(theirs, 0xaabbccdd), 1580 * ms);
    EXPECT_NEAR(session.round_trip_us(), 80'000, 100);

    const Bytes absurd = sender_report(77, 9, 0xaabbccdd, 0, lsr, 65536 * 10);
    session.received(*parse_rtcp(absurd, 0xaabbccdd), 1600 * ms);
    EXPECT_NEAR(session.round_trip_us(), 80'000, 100) << "less than nothing is nobody's round trip";
}

TEST(Rtcp, TellsTheFarEndHowLongItsReportHasWaited) {
    RtcpSession session(unix_ns, 0, 1);
    RtpReceiver receiver;
    (void)receiver.accept(packet(1), 0);
    session.received(*parse_rtcp(sender_report(77, 0x0000123456780000, 1), 2), 2000 * ms);
    const Report ours = report(session, receiver, 2250 * ms);
    const auto block = parse_rtcp(ours.text(), 77)->about_us;
    ASSERT_TRUE(block);
    EXPECT_EQ(block->last_report, 0x12345678u);
    EXPECT_EQ(block->since_last_report, 16384u);
}

TEST(Rtcp, SpreadsItsReportsAroundFiveSeconds) {
    for (std::uint32_t random = 0; random < 50; ++random) {
        const RtcpSession session(unix_ns, 1000, random);
        EXPECT_GE(session.due_ns(), 1000 + RtcpSession::interval_ns / 2);
        EXPECT_LE(session.due_ns(), 1000 + RtcpSession::interval_ns * 3 / 2);
    }
}

TEST(Rtcp, KnowsThePartOfItsPacketsThatWasLost) {
    RtcpSession session(unix_ns, 0, 1);
    EXPECT_FALSE(session.loss_there());
    for (int i = 0; i < 100; ++i) session.sent(160, 0, 0);
    session.received(*parse_rtcp(sender_report(77, 9, 2, 5), 2), 0);
    EXPECT_DOUBLE_EQ(*session.loss_there(), 0.05);
    session.received(*parse_rtcp(sender_report(77, 9, 2, 0x00ffffff), 2), 0);
    EXPECT_DOUBLE_EQ(*session.loss_there(), 0) << "duplicates are no gain";
}

TEST(EModel, SaysWhatG711IsWorth) {
    EXPECT_NEAR(mean_opinion_score(0, 0), 4.41, 0.01);
    EXPECT_NEAR(mean_opinion_score(150, 0), 4.33, 0.01);
    EXPECT_NEAR(mean_opinion_score(50, 0.01), 4.31, 0.05);
    EXPECT_NEAR(mean_opinion_score(50, 0.05), 3.84, 0.1);
    EXPECT_LT(mean_opinion_score(400, 0.05), 3.2);
}

TEST(EModel, FallsWithDelayAndLossAndStaysOnItsScale) {
    float before = 5;
    for (double delay = 0; delay < 2000; delay += 50) {
        const float now = mean_opinion_score(delay, 0.02);
        EXPECT_LE(now, before);
        EXPECT_GE(now, 1);
        before = now;
    }
    before = 5;
    for (double loss = 0; loss <= 1.1; loss += 0.05) {
        EXPECT_LE(mean_opinion_score(60, loss), before);
        before = mean_opinion_score(60, loss);
    }
    EXPECT_GE(before, 1);
}

struct Sent {
    std::uint32_t timestamp;
    bool marker;
    std::string octets;
    bool operator==(const Sent&) const = default;
};
std::vector<Sent> push(Packetizer& packetizer,
                       const std::string& octets,
                       std::uint32_t timestamp,
                       bool marker = false) {
    std::vector<Sent> out;
    packetizer.push(
        {reinterpret_cast<const std::uint8_t*>(octets.data()), octets.size()},
        timestamp,
        marker,
        [&](std::uint32_t at, bool first, std::span<const std::uint8_t> part) {
            out.push_back({at, first, {reinterpret_cast<const char*>(part.data()), part.size()}});
        });
    return out;
}
std::string frame(char c) {
    return std::string(160, c);
}

TEST(Packetizer, PassesPacketsOf20MsAsTheyAre) {
    Packetizer packetizer;
    packetizer.set(20);
    EXPECT_EQ(push(packetizer, frame('a'), 500, true),
              (std::vector<Sent>{{500, true, frame('a')}}));
    EXPECT_EQ(push(packetizer, frame('b'), 9000), (std::vector<Sent>{{9000, false, frame('b')}}));
}

TEST(Packetizer, CutsThemIn10Ms) {
    Packetizer packetizer;
    packetizer.set(10);
    EXPECT_EQ(
        push(packetizer, std::string(80, 'a') + std::string(80, 'b'), 0, true),
        (std::vector<Sent>{{0, true, std::string(80, 'a')}, {80, false, std::string(80, 'b')}}));
}

TEST(Packetizer, JoinsThemTo30And40And60Ms) {
    Packetizer packetizer;
    packetizer.set(30);
    EXPECT_TRUE(push(packetizer, frame('a'), 1000, true).empty());
    EXPECT_EQ(push(packetizer, frame('b'), 1160),
              (std::vector<Sent>{{1000, true, frame('a') + std::string(80, 'b')}}));
    EXPECT_EQ(push(packetizer, frame('c'), 1320),
              (std::vector<Sent>{{1240, false, std::string(80, 'b') + frame('c')}}));

    packetizer.set(40);
    EXPECT_TRUE(push(packetizer, frame('a'), 0).empty());
    EXPECT_EQ(push(packetizer, frame('b'), 160),
              (std::vector<Sent>{{0, false, frame('a') + frame('b')}}));

    packetizer.set(60);
    EXPECT_TRUE(push(packetizer, frame('a'), 0).empty());
    EXPECT_TRUE(push(packetizer, frame('b'), 160).empty());
    EXPECT_EQ(push(packetizer, frame('c'), 320),
              (std::vector<Sent>{{0, false, frame('a') + frame('b') + frame('c')}}));
}

TEST(Packetizer, SendsWhatWaitsBeforeAGap) {
    Packetizer packetizer;
    packetizer.set(40);
    EXPECT_TRUE(push(packetizer, frame('a'), 0, true).empty());
    EXPECT_EQ(push(packetizer, frame('b'), 8000, true), (std::vector<Sent>{{0, true, frame('a')}}));
    EXPECT_EQ(push(packetizer, frame('c'), 8160),
              (std::vector<Sent>{{8000, true, frame('b') + frame('c')}}));
}

TEST(Packetizer, ForgetsWhatWaitsWhenTheCodecChanges) {
    Packetizer packetizer;
    packetizer.set(40);
    (void)push(packetizer, frame('a'), 0);
    packetizer.set(20);
    EXPECT_EQ(push(packetizer, frame('b'), 160), (std::vector<Sent>{{160, false, frame('b')}}));
}

}  // namespace
}  // namespace jackfield::sip
