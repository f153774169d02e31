#include "app/pcap.hpp"

#include <gtest/gtest.h>

#include <sstream>

#include "support/pcap_reader.hpp"

namespace jackfield::app {
namespace {

PcapEndpoint at(std::string_view text) {
    PcapEndpoint out;
    EXPECT_TRUE(PcapEndpoint::parse(text, out)) << text;
    return out;
}

TEST(PcapWriter, WritesWhatAStrictReaderTakes) {
    std::stringstream file;
    PcapWriter writer(file);

    writer.write_udp(1'795'176'385'576'273, at("192.0.2.1:5060"), at("198.51.100.7:40000"), "OPTIONS sip:a@b SIP/2.0\r\n\r\n");
    writer.write_udp(1'795'176'386'000'001, at("[2001:db8::1]:5060"), at("[2001:db8::2]:5062"), "odd");

    const auto packets = test::read_pcap(file.str());
    ASSERT_EQ(packets.size(), 2u);
    EXPECT_EQ(packets[0].utc_us, 1'795'176'385'576'273);
    EXPECT_EQ(packets[0].from, "192.0.2.1:5060");
    EXPECT_EQ(packets[0].to, "198.51.100.7:40000");
    EXPECT_EQ(packets[0].payload, "OPTIONS sip:a@b SIP/2.0\r\n\r\n");
    EXPECT_EQ(packets[1].from, "[2001:db8::1]:5060");
    EXPECT_EQ(packets[1].payload, "odd");
}

TEST(PcapWriter, CutsWhatNoPacketHolds) {
    std::stringstream file;
    PcapWriter writer(file);

    writer.write_udp(0, at("192.0.2.1:1"), at("192.0.2.2:2"), std::string(70'000, 'x'));

    ASSERT_EQ(test::read_pcap(file.str()).size(), 1u);
}

TEST(PcapEndpoint, IsReadFromATrace) {
    PcapEndpoint out;
    for (const char* wrong : {"", "192.0.2.1", "192.0.2.1:", "192.0.2.1:70000", "::1:5060", "[::1]", "host:5060", "192.0.2.1:50x"})
        EXPECT_FALSE(PcapEndpoint::parse(wrong, out)) << wrong;
}

TEST(AudioEndpoint, IsTheMediumsAddressBeforeTheSessions) {
    PcapEndpoint out;
    ASSERT_TRUE(audio_endpoint("INVITE x SIP/2.0\r\n\r\nv=0\r\nc=IN IP4 192.0.2.1\r\nm=audio 4000 RTP/AVP 0\r\nc=IN IP4 192.0.2.9\r\n", out));
    EXPECT_EQ(out.ip[3], 9);
    ASSERT_TRUE(audio_endpoint("INVITE x SIP/2.0\r\n\r\nv=0\r\nc=IN IP4 192.0.2.1\r\nm=audio 4000 RTP/AVP 0\r\nm=video 5000 RTP/AVP 96\r\nc=IN IP4 192.0.2.9\r\n", out));
    EXPECT_EQ(out.ip[3], 1);
    EXPECT_EQ(out.port, 4000);
}

TEST(AudioEndpoint, IsNoneWhereThereIsNoAudio) {
    PcapEndpoint out;
    for (const char* message : {"BYE x SIP/2.0\r\n\r\n", "", "SIP/2.0 200 OK\r\n\r\nv=0\r\nc=IN IP4 192.0.2.1\r\nm=audio 0 RTP/AVP 0\r\n",
                                "SIP/2.0 200 OK\r\n\r\nm=audio 4000 RTP/AVP 0\r\n", "SIP/2.0 200 OK\r\n\r\nm=audio 4000\r\nc=IN \r\n"})
        EXPECT_FALSE(audio_endpoint(message, out)) << message;
}

TEST(Rtp, HasItsHeaderInNetworkOrder) {
    EXPECT_EQ(rtp_packet(8, 0x0102, 0x03040506, 0x0708090a, "xy"), std::string("\x80\x08\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0axy", 14));
}

}  // namespace
}  // namespace jackfield::app
