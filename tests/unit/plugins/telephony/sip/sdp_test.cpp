#include "plugins/telephony/sip/sdp.hpp"

#include "plugins/telephony/sip/address.hpp"

#include <gtest/gtest.h>

namespace jackfield::sip {
namespace {

std::string offer(std::string_view media, std::string_view connection = "c=IN IP4 192.0.2.10\r\n") {
    return "v=0\r\no=- 1 1 IN IP4 192.0.2.10\r\ns=-\r\n" + std::string(connection) + "t=0 0\r\n" +
           std::string(media);
}

std::optional<Agreement> agreed(const std::string& text) {
    const auto session = parse_sdp(text);
    return session ? agree_on_offer(*session) : std::nullopt;
}

TEST(Sdp, PrefersMuLawAndTakesTheFarEndsEventNumber) {
    const auto agreement =
        agreed(offer("m=audio 40000 RTP/AVP 111 8 0 98\r\na=rtpmap:111 opus/48000/2\r\na=rtpmap:98 "
                     "telephone-event/8000\r\n"
                     "a=ptime:30\r\n"));

    ASSERT_TRUE(agreement);
    EXPECT_EQ(agreement->codec, JF_CODEC_PCMU);
    EXPECT_EQ(agreement->payload_type, 0);
    EXPECT_EQ(agreement->event_payload_type, 98);
    EXPECT_EQ(agreement->ptime_ms, 30u);
    EXPECT_EQ(endpoint_text(agreement->remote), "192.0.2.10:40000");
    EXPECT_FALSE(agreement->held());
}

TEST(Sdp, TakesALawAloneAndDynamicNumbers) {
    const auto a_law = agreed(offer("m=audio 40000 RTP/AVP 8\r\n"));
    const auto dynamic = agreed(offer("m=audio 40000 RTP/AVP 97\r\na=rtpmap:97 pcmu/8000/1\r\n"));

    ASSERT_TRUE(a_law && dynamic);
    EXPECT_EQ(a_law->codec, JF_CODEC_PCMA);
    EXPECT_EQ(a_law->event_payload_type, -1);
    EXPECT_EQ(dynamic->codec, JF_CODEC_PCMU);
    EXPECT_EQ(dynamic->payload_type, 97);
}

TEST(Sdp, RefusesOffersWithoutACommonCodecOrAnAddress) {
    EXPECT_FALSE(agreed(offer("m=audio 40000 RTP/AVP 111\r\na=rtpmap:111 opus/48000/2\r\n")));
    EXPECT_FALSE(agreed(offer("m=audio 40000 RTP/SAVP 0\r\n")));
    EXPECT_FALSE(agreed(offer("m=video 40000 RTP/AVP 0\r\n")));
    EXPECT_FALSE(agreed(offer("m=audio 0 RTP/AVP 0\r\n")));
    EXPECT_FALSE(agreed(offer("m=audio 40000 RTP/AVP 0\r\n", "")));
    EXPECT_FALSE(agreed(offer("m=audio 40000 RTP/AVP 0\r\na=rtpmap:0 PCMU/16000\r\n")));
    EXPECT_FALSE(parse_sdp("hello"));
    EXPECT_FALSE(parse_sdp("v=0\r\nm=audio\r\n"));
    EXPECT_FALSE(parse_sdp("v=0\r\nm=audio 70000 RTP/AVP 0\r\n"));
}

TEST(Sdp, UnderstandsEveryWayToHold) {
    EXPECT_TRUE(agreed(offer("m=audio 40000 RTP/AVP 0\r\na=sendonly\r\n"))->held());
    EXPECT_TRUE(agreed(offer("m=audio 40000 RTP/AVP 0\r\na=inactive\r\n"))->held());
    EXPECT_TRUE(agreed(offer("m=audio 40000 RTP/AVP 0\r\n", "c=IN IP4 0.0.0.0\r\n"))->held());
    EXPECT_TRUE(
        agreed(offer("m=audio 40000 RTP/AVP 0\r\n", "c=IN IP4 192.0.2.10\r\na=sendonly\r\n"))
            ->held())
        << "of the session";
    EXPECT_FALSE(agreed(offer("m=audio 40000 RTP/AVP 0\r\na=recvonly\r\n"))->held());
    EXPECT_FALSE(agreed(offer("m=audio 40000 RTP/AVP 0\r\na=recvonly\r\n"))->far_end_sends);
}

TEST(Sdp, AnswersEveryLineInItsOrderAndRefusesTheOthers) {
    const auto session =
        parse_sdp(offer("m=video 5000 RTP/AVP 96\r\nm=audio 40000 RTP/AVP 0 101\r\na=rtpmap:101 "
                        "telephone-event/8000\r\n"
                        "a=sendonly\r\n"));
    ASSERT_TRUE(session);
    const auto agreement = agree_on_offer(*session);
    ASSERT_TRUE(agreement);
    LocalMedia local;
    local.address = *parse_endpoint("198.51.100.1:20000");

    const std::string answer = write_answer(local, *session, *agreement);

    EXPECT_NE(answer.find("m=video 0 RTP/AVP 96\r\nm=audio 20000 RTP/AVP 0 101\r\n"),
              std::string::npos)
        << answer;
    EXPECT_NE(answer.find("a=recvonly\r\n"), std::string::npos) << answer;
    EXPECT_NE(answer.find("c=IN IP4 198.51.100.1\r\n"), std::string::npos) << answer;
    const auto read = parse_sdp(answer);
    ASSERT_TRUE(read);
    EXPECT_EQ(read->media.size(), 2u);
}

TEST(Sdp, AnswersTheProfileThatWasOffered) {
    LocalMedia local;
    local.address = *parse_endpoint("198.51.100.1:20000");
    const auto session = parse_sdp(offer("m=audio 4000 RTP/AVPF 0\r\na=rtcp-fb:* nack\r\n"));
    const auto agreement = agree_on_offer(*session);
    ASSERT_TRUE(agreement);
    EXPECT_NE(write_answer(local, *session, *agreement).find("m=audio 20000 RTP/AVPF 0\r\n"),
              std::string::npos);
}

TEST(Sdp, PrefersTheProtectedLineOfTwoWhereItMay) {
    const std::string key = "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:" + std::string(40, 'A') + "\r\n";
    const auto session =
        parse_sdp(offer("m=audio 4000 RTP/AVP 0\r\nm=audio 4002 RTP/SAVP 0\r\n" + key));
    MediaPolicy policy;
    EXPECT_EQ(agree_on_offer(*session, policy)->line, 0u);
    policy.srtp = SrtpMode::optional;
    EXPECT_EQ(agree_on_offer(*session, policy)->line, 0u) << "keys aren't safe";
    policy.keys_are_safe = true;
    EXPECT_EQ(agree_on_offer(*session, policy)->line, 1u);
    policy.srtp = SrtpMode::required;
    EXPECT_EQ(agree_on_offer(*session, policy)->line, 1u);
    policy.keys_are_safe = false;
    EXPECT_FALSE(agree_on_offer(*session, policy));
}

TEST(Sdp, FindsWhereRtcpGoes) {
    const auto plain = agree_on_offer(*parse_sdp(offer("m=audio 4000 RTP/AVP 0\r\n")));
    EXPECT_EQ(plain->rtcp_remote.port, 4001);
    const auto elsewhere =
        agree_on_offer(*parse_sdp(offer("m=audio 4000 RTP/AVP 0\r\na=rtcp:53020 IN IP4 192.0.2.77\r\n")));
    EXPECT_EQ(endpoint_text(elsewhere->rtcp_remote), "192.0.2.77:53020");
    const auto muxed = agree_on_offer(
        *parse_sdp(offer("m=audio 4000 RTP/AVP 0\r\na=rtcp-mux\r\na=rtcp:53020\r\n")));
    EXPECT_TRUE(muxed->rtcp_mux);
    EXPECT_EQ(muxed->rtcp_remote.port, 4000);
}

TEST(Sdp, ReadsTheAnswerToItsOwnOffer) {
    LocalMedia local;
    local.address = *parse_endpoint("[2001:db8::1]:20000");
    const std::string ours = write_offer(local, {Direction::sendrecv});
    const auto session = parse_sdp(ours);
    ASSERT_TRUE(session) << ours;
    const auto there = agree_on_offer(*session);
    ASSERT_TRUE(there) << ours;
    EXPECT_EQ(there->event_payload_type, 101);
    EXPECT_EQ(there->remote.family, JF_NET_IPV6);

    const auto held = parse_sdp(
        offer("m=audio 4 RTP/AVP 8 101\r\na=rtpmap:101 telephone-event/8000\r\na=recvonly\r\n"));
    const auto agreement = agree_on_answer(*held, {Direction::sendonly});
    ASSERT_TRUE(agreement);
    EXPECT_EQ(agreement->codec, JF_CODEC_PCMA);
    EXPECT_TRUE(agreement->we_send);
    EXPECT_FALSE(agreement->far_end_sends);
}

}  // namespace
}  // namespace jackfield::sip
