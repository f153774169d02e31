#include <gtest/gtest.h>

#include "simulators/audio.hpp"
#include "simulators/scenario.hpp"
#include "simulators/sdp.hpp"
#include "simulators/sip_message.hpp"
#include "simulators/torture.hpp"

namespace jackfield::sim {
namespace {

TEST(SimSipMessage, ReadsCompactAndFoldedHeaders) {
    const auto message = parse_sip("SIP/2.0 200 OK\r\nv: SIP/2.0/UDP a;branch=z9\r\nt: <sip:b@c>\r\n ;tag=7\r\ni: x\r\nl: 2\r\n\r\nhi!");

    ASSERT_TRUE(message);
    EXPECT_EQ(message->status, 200);
    EXPECT_EQ(message->branch(), "z9");
    EXPECT_EQ(header_parameter(message->get("To"), "tag"), "7");
    EXPECT_EQ(message->body, "hi");
}

TEST(SimSipMessage, CutsAStreamWhereverItIsSplit) {
    SipMessage ping;
    ping.method = "OPTIONS";
    ping.uri = "sip:a@b";
    ping.body = "body";
    const std::string stream = ping.wire() + "\r\n\r\n" + ping.wire();

    SipFramer framer;
    std::vector<std::string> messages;
    for (char byte : stream) {
        for (std::string& message : framer.feed({&byte, 1})) messages.push_back(std::move(message));
    }

    EXPECT_EQ(messages, (std::vector<std::string>{ping.wire(), ping.wire()}));
}

TEST(SimSdp, SurvivesARoundTrip) {
    Sdp sdp;
    sdp.media = {loopback, 4000};
    sdp.codecs = {Codec::pcma, Codec::pcmu};
    sdp.event_payload = 96;
    sdp.direction = "sendonly";

    const auto read = parse_sdp(build_sdp(sdp, 3));

    ASSERT_TRUE(read);
    EXPECT_EQ(read->media, sdp.media);
    EXPECT_EQ(read->codecs, sdp.codecs);
    EXPECT_EQ(read->event_payload, 96);
    EXPECT_EQ(read->direction, "sendonly");
}

TEST(SimAudio, EncodesTheSpotValuesOfG711) {
    const std::vector<std::int16_t> samples = {0, 100, -100, 1000, -1000, 32767, -32768};

    EXPECT_EQ(encode(Codec::pcmu, samples), "\xFF\xF2\x72\xCE\x4E\x80" + std::string(1, '\0'));
    EXPECT_EQ(encode(Codec::pcma, samples), "\xD5\xD3\x53\xFA\x7A\xAA\x2A");
}

TEST(SimTorture, MakesNothingThatALenientServerTakesForACall) {
    const TortureOptions options;
    for (int i = 0; i < 2000; ++i) {
        const auto message = parse_sip(make_malformed(i, static_cast<std::uint64_t>(i), options, 5070));
        if (!message || message->method != "INVITE") continue;

        const auto session = parse_sdp(message->body);
        EXPECT_FALSE(session && session->media.port == 40000) << message->wire();
    }
}

TEST(SimScenario, NamesTheLineOfAMistake) {
    try {
        parse_scenario("wait_answered\n\nsayy hello.wav\n");
        FAIL();
    } catch (const std::runtime_error& error) {
        EXPECT_STREQ(error.what(), "line 3: no step is called 'sayy'");
    }
}

}  // namespace
}  // namespace jackfield::sim
