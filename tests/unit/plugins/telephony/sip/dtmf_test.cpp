#include "plugins/telephony/sip/dtmf.hpp"

#include <vector>

#include <gtest/gtest.h>

namespace jackfield::sip {
namespace {

constexpr std::uint64_t ms = 1'000'000;

std::array<std::uint8_t, 4> event(std::uint8_t code, bool end, std::uint16_t duration) {
    return {code,
            static_cast<std::uint8_t>(end ? 0x8a : 0x0a),
            static_cast<std::uint8_t>(duration >> 8),
            static_cast<std::uint8_t>(duration)};
}

TEST(DtmfReceiver, ReportsAKeyOnceThoughItsEndComesThreeTimes) {
    DtmfReceiver receiver;
    std::vector<KeyPress> keys;
    const auto feed = [&](const std::array<std::uint8_t, 4>& payload, bool marker = false) {
        if (const auto key = receiver.event(payload, 1, 5000, marker, 0)) keys.push_back(*key);
    };

    feed(event(5, false, 160), true);
    feed(event(5, false, 320));
    for (int i = 0; i < 3; ++i) feed(event(5, true, 800));

    ASSERT_EQ(keys.size(), 1u);
    EXPECT_EQ(keys[0].digit, '5');
    EXPECT_EQ(keys[0].duration_ms, 100u);
}

TEST(DtmfReceiver, ReportsAKeyWhoseEndWasLost) {
    DtmfReceiver receiver;
    receiver.event(event(11, false, 160), 1, 1000, true, 0);

    EXPECT_FALSE(receiver.quiet(50 * ms));
    const auto key = receiver.quiet(120 * ms);
    ASSERT_TRUE(key);
    EXPECT_EQ(key->digit, '#');
    EXPECT_FALSE(receiver.quiet(500 * ms));
    EXPECT_FALSE(receiver.event(event(11, true, 800), 1, 1000, false, 600 * ms))
        << "its end comes after all";
}

TEST(DtmfReceiver, ReportsTheFormerKeyWhenTheNextOneBegins) {
    DtmfReceiver receiver;
    receiver.event(event(1, false, 160), 1, 1000, true, 0);

    const auto first = receiver.event(event(1, false, 160), 1, 3000, true, 100 * ms);
    const auto second = receiver.event(event(1, true, 800), 1, 3000, false, 180 * ms);

    ASSERT_TRUE(first && second);
    EXPECT_EQ(first->digit, '1');
    EXPECT_EQ(second->digit, '1');
}

TEST(DtmfReceiver, TakesTheSegmentsOfALongKeyForOne) {
    DtmfReceiver receiver;
    receiver.event(event(9, false, 0xffff), 1, 1000, true, 0);

    EXPECT_FALSE(receiver.event(event(9, false, 160), 1, 1000 + 0xffff, false, 20 * ms));
    const auto key = receiver.event(event(9, true, 800), 1, 1000 + 0xffff, false, 40 * ms);

    ASSERT_TRUE(key);
    EXPECT_EQ(key->duration_ms, (0xffffu + 800u) / 8);
}

TEST(DtmfReceiver, IgnoresWhatIsNoKey) {
    DtmfReceiver receiver;
    EXPECT_FALSE(receiver.event(event(16, true, 800), 1, 1, true, 0)) << "a hook flash";
    EXPECT_FALSE(receiver.event(std::array<std::uint8_t, 2>{1, 0x80}, 1, 1, true, 0));
}

TEST(DtmfSender, SendsGrowingDurationsThenTheEndThreeTimes) {
    DtmfSender sender;
    ASSERT_TRUE(sender.add("7"));
    std::vector<DtmfSender::Packet> packets;
    unsigned ticks = 0;

    for (; sender.busy() && ticks < 100; ++ticks)
        if (const auto packet = sender.tick()) packets.push_back(*packet);

    ASSERT_EQ(packets.size(), 7u);
    EXPECT_TRUE(packets[0].first);
    for (std::size_t i = 1; i < packets.size(); ++i) EXPECT_FALSE(packets[i].first);
    int ends = 0;
    for (const auto& packet : packets) ends += (packet.payload[1] & 0x80) != 0;
    EXPECT_EQ(ends, 3);
    EXPECT_EQ(packets.back().payload, event(7, true, 800));
    EXPECT_EQ(ticks, 10u) << "100 ms of tone, two repeats and a gap of 60 ms";
}

TEST(DtmfSender, IsReadBackByTheReceiver) {
    DtmfSender sender;
    DtmfReceiver receiver;
    ASSERT_TRUE(sender.add("12w*"));
    ASSERT_TRUE(sender.add("D"));
    std::string heard;
    std::uint32_t timestamp = 0;

    for (std::uint64_t now = 0; sender.busy(); now += 20) {
        const auto packet = sender.tick();
        if (!packet) continue;
        if (packet->first) timestamp = static_cast<std::uint32_t>(now * 8);
        if (const auto key = receiver.event(packet->payload, 1, timestamp, packet->first, now * ms))
            heard += key->digit;
    }

    EXPECT_EQ(heard, "12*D");
}

TEST(DtmfSender, RefusesWhatIsNoKeyAndTooMany) {
    DtmfSender sender;
    EXPECT_FALSE(sender.add("12x"));
    EXPECT_FALSE(sender.add(""));
    EXPECT_FALSE(sender.add(std::string(65, '1')));
    EXPECT_FALSE(sender.busy());
}

TEST(InfoDtmf, ReadsRelayAndBareBodies) {
    EXPECT_EQ(parse_info_dtmf("Signal=5\r\nDuration=160\r\n")->digit, '5');
    EXPECT_EQ(parse_info_dtmf("Signal=5\r\nDuration=160\r\n")->duration_ms, 160u);
    EXPECT_EQ(parse_info_dtmf("signal = #\nduration = 90")->digit, '#');
    EXPECT_EQ(parse_info_dtmf("Signal=11")->digit, '#');
    EXPECT_EQ(parse_info_dtmf(" * \r\n")->digit, '*');
    EXPECT_FALSE(parse_info_dtmf("Signal=flash"));
    EXPECT_FALSE(parse_info_dtmf(""));
}

}  // namespace
}  // namespace jackfield::sip
