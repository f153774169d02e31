// Calls that come in.

#include "sip_calls.hpp"

namespace jackfield::test {
namespace {

TEST_F(SipCalls, AreOfferedRungAnsweredHeardSpokenToAndEnded) {
    const auto call = incoming();
    ASSERT_TRUE(call);
    EXPECT_EQ(call->to, "+12125550100");
    EXPECT_EQ(call->from, "+12125550199");
    EXPECT_EQ(call->from_name, "A Caller");
    EXPECT_EQ(call->leg, phone->call_id());
    EXPECT_EQ(call->keys,
              (std::vector<std::string>{
                  "+12125550100", "sip:+12125550100@127.0.0.1", "sip:+12125550100@", "*"}));
    EXPECT_NE(phone->wait_status(pump(), 100), "");

    EXPECT_EQ(control(*call, JF_TEL_RING), JF_OK);
    EXPECT_NE(phone->wait_status(pump(), 180), "");

    const jf_answer options = sdk::make<jf_answer>();
    EXPECT_EQ(telephony->answer(instance, call->op, &options), JF_OK);
    ok = phone->wait_status(pump(), 200);
    EXPECT_NE(ok.find(" RTP/AVP 0 101\r\n"), std::string::npos) << ok;
    EXPECT_NE(header(ok, "Contact"), "");
    EXPECT_NE(header(ok, "Allow"), "");
    rtp_port = audio_port(ok);
    EXPECT_FALSE(host->read(*call, [](const Call& c) { return c.has(JF_EV_ANSWERED); }))
        << "before the ACK";
    phone->ack(ok);
    ASSERT_TRUE(seen(*call, JF_EV_ANSWERED));
    EXPECT_EQ(call->formats[0].codec, JF_CODEC_PCMU);
    EXPECT_EQ(call->formats[0].rate_hz, 8000u);

    hear(*call, 100, 5);
    EXPECT_EQ(call->pts, (std::vector<std::uint64_t>{0, 160, 320, 480, 640}));
    EXPECT_EQ(call->last_audio, std::string(160, 'u'));

    ASSERT_EQ(say(*call, 1000, JF_CODEC_PCMU, JF_FRAME_TALKSPURT), JF_OK);
    ASSERT_EQ(say(*call, 1160), JF_OK);
    const std::string first = next_audio();
    const std::string second = next_audio();
    ASSERT_EQ(first.size(), 172u);
    EXPECT_EQ(static_cast<unsigned char>(first[1]), 0x80) << "the marker of a talk spurt";
    EXPECT_EQ(static_cast<unsigned char>(second[1]), 0);
    EXPECT_EQ(first.substr(8, 4), second.substr(8, 4)) << "SSRC";
    EXPECT_EQ(first.substr(12), std::string(160, 'v'));
    EXPECT_EQ(say(*call, 1320, JF_CODEC_PCMA), JF_E_INVALID) << "not what was agreed on";

    phone->request("BYE", ok, {}, {}, "Reason: Q.850;cause=16\r\n");
    EXPECT_NE(phone->wait_status(pump(), 200, "BYE"), "");
    ASSERT_TRUE(done(*call));
    EXPECT_EQ(call->status, JF_OK);
    EXPECT_EQ(call->end.cause, JF_CAUSE_NORMAL);
    EXPECT_EQ(call->end.by, JF_ENDED_BY_FAR_END);
    EXPECT_EQ(call->end.q850, 16u);
    EXPECT_EQ(call->end.packets_in, 5u);
    EXPECT_EQ(call->end.packets_out, 2u);
    EXPECT_EQ(call->quality, 1u);
    EXPECT_EQ(say(*call, 0), JF_E_INVALID) << "a stale op is harmless";
    EXPECT_EQ(telephony->hangup(instance, call->op, 0), JF_E_INVALID);
}

TEST_F(SipCalls, EndWithAByeWhenTheHostHangsUp) {
    const auto call = answered();
    ASSERT_TRUE(call);

    EXPECT_EQ(telephony->hangup(instance, call->op, JF_CAUSE_NORMAL), JF_OK);

    EXPECT_TRUE(done(*call));
    EXPECT_EQ(call->end.by, JF_ENDED_BY_US);
    const std::string bye = phone->wait_request(pump(), "BYE");
    EXPECT_EQ(header(bye, "Reason"), "Q.850;cause=16");
    phone->reply(bye, 200, "OK");
}

TEST_F(SipCalls, EndWhenTheCallerCancelsBeforeTheAnswer) {
    const auto call = incoming();
    ASSERT_TRUE(call);

    phone->cancel();

    EXPECT_NE(phone->wait_status(pump(), 200, "CANCEL"), "");
    const std::string final = phone->wait_status(pump(), 487);
    EXPECT_NE(final, "");
    phone->ack(final);
    ASSERT_TRUE(done(*call));
    EXPECT_EQ(call->end.cause, JF_CAUSE_CANCELLED);
    const jf_answer options = sdk::make<jf_answer>();
    EXPECT_EQ(telephony->answer(instance, call->op, &options), JF_E_INVALID);
}

TEST_F(SipCalls, AreRefusedWithTheStatusOfTheCause) {
    for (const auto& [cause, status] :
         std::vector<std::pair<std::uint32_t, int>>{{JF_CAUSE_BUSY, 486},
                                                    {JF_CAUSE_NOT_FOUND, 404},
                                                    {JF_CAUSE_UNAVAILABLE, 503},
                                                    {JF_CAUSE_REJECTED, 603}}) {
        const auto call = incoming();
        ASSERT_TRUE(call);
        EXPECT_EQ(control(*call, JF_TEL_REJECT, cause), JF_OK);
        const std::string final = phone->wait_status(pump(), status);
        ASSERT_NE(final, "") << status;
        EXPECT_EQ(header(final, "Retry-After").empty(), status != 503);
        phone->ack(final);
        EXPECT_TRUE(done(*call));
        EXPECT_EQ(call->end.status, static_cast<std::uint32_t>(status));
    }
}

TEST_F(SipCalls, GetA503WhileTheHostTakesNone) {
    host->refuse_incoming(JF_E_STATE);
    phone->invite("100", phone->sdp());
    const std::string refused = phone->wait_status(pump(), 503);
    EXPECT_NE(header(refused, "Retry-After"), "");
    phone->ack(refused);

    host->refuse_incoming(JF_E_NOT_FOUND);
    phone->invite("100", phone->sdp());
    phone->ack(phone->wait_status(pump(), 404));
}

TEST_F(SipCalls, GetA488WithoutACommonCodec) {
    phone->invite("100", phone->sdp("111", "a=rtpmap:111 opus/48000/2\r\n"));
    EXPECT_NE(phone->wait_status(pump(), 488), "");
    EXPECT_FALSE(host->take_incoming());
}

TEST_F(SipCalls, MayComeWithoutAnOffer) {
    phone->invite("100", "");
    std::shared_ptr<Call> call;
    ASSERT_TRUE(until([&] { return (call = host->take_incoming()) != nullptr; }));
    const jf_answer options = sdk::make<jf_answer>();
    ASSERT_EQ(telephony->answer(instance, call->op, &options), JF_OK);
    ok = phone->wait_status(pump(), 200);
    EXPECT_NE(ok.find("RTP/AVP 0 8 9 101"), std::string::npos) << ok;
    rtp_port = audio_port(ok);

    const std::string answer = phone->sdp("8", "");
    const std::string uri = "sip:100@127.0.0.1:" + std::to_string(port);
    phone->send("ACK " + uri + " SIP/2.0\r\nVia: SIP/2.0/UDP " + phone->sip.address() +
                ";branch=z9hG4bKlate\r\nMax-Forwards: 70\r\nFrom: " + header(ok, "From") +
                "\r\nTo: " + header(ok, "To") + "\r\nCall-ID: " + phone->call_id() +
                "\r\nCSeq: 1 ACK\r\nContent-Type: application/sdp\r\nContent-Length: " +
                std::to_string(answer.size()) + "\r\n\r\n" + answer);

    ASSERT_TRUE(seen(*call, JF_EV_ANSWERED));
    EXPECT_EQ(call->formats[0].codec, JF_CODEC_PCMA);
    hear(*call, 1, 3, 8);
    phone->request("BYE", ok);
    EXPECT_TRUE(done(*call));
}

TEST_F(SipCalls, CarryKeysInBothDirections) {
    const auto call = answered();
    ASSERT_TRUE(call);
    std::uint16_t sequence = 500;
    const auto key = [&](char code, std::uint32_t timestamp) {
        for (int i = 0; i < 5; ++i) {
            const bool end = i >= 2;
            const char duration = static_cast<char>(end ? 3 : i + 1);
            phone->audio.send(
                rtp_port,
                rtp(101,
                    sequence++,
                    timestamp,
                    77,
                    std::string{code, static_cast<char>(end ? 0x8a : 0x0a), duration, 0},
                    i == 0));
        }
    };
    key(5, 1000);
    key(11, 9000);
    EXPECT_TRUE(until([&] {
        return host->read(*call, [](const Call& c) { return c.digits == "5#"; });
    })) << call->digits;

    phone->request("INFO", ok, "application/dtmf-relay", "Signal=7\r\nDuration=160\r\n");
    EXPECT_NE(phone->wait_status(pump(), 200, "INFO"), "");
    EXPECT_TRUE(
        until([&] { return host->read(*call, [](const Call& c) { return c.digits == "5#7"; }); }));

    EXPECT_EQ(control(*call, JF_TEL_DTMF, 0, "1x"), JF_E_INVALID);
    ASSERT_EQ(control(*call, JF_TEL_DTMF, 0, "3"), JF_OK);
    std::vector<std::string> packets;
    until([&] {
        if (const auto datagram = phone->audio.receive()) packets.push_back(datagram->bytes);
        return packets.size() >= 7;
    });
    ASSERT_EQ(packets.size(), 7u);
    int ends = 0;
    for (const std::string& packet : packets) {
        EXPECT_EQ(packet[1] & 0x7f, 101);
        EXPECT_EQ(packet.substr(4, 4), packets[0].substr(4, 4))
            << "all carry the timestamp of the key's start";
        EXPECT_EQ(packet[12], 3);
        ends += (packet[13] & 0x80) != 0;
    }
    EXPECT_EQ(ends, 3);
    phone->request("BYE", ok);
    EXPECT_TRUE(done(*call));
}

TEST_F(SipCalls, AreHeldAndResumedByTheFarEnd) {
    const auto call = answered();
    ASSERT_TRUE(call);
    hear(*call, 1, 1);

    phone->request("INVITE", ok, "application/sdp", phone->sdp("0 101", "a=sendonly\r\n"));
    const std::string held = phone->wait_status(pump(), 200);
    EXPECT_NE(held.find("a=recvonly"), std::string::npos) << held;
    phone->ack(held);
    ASSERT_TRUE(until(
        [&] { return host->read(*call, [](const Call& c) { return c.holds.size() == 1; }); }));
    EXPECT_EQ(call->holds[0], 1u);
    EXPECT_EQ(say(*call, 0), JF_OK);
    EXPECT_EQ(next_audio(100), "") << "swallowed";

    UdpPort elsewhere;
    phone->request(
        "INVITE", ok, "application/sdp", phone->sdp("8 101", "a=sendrecv\r\n", elsewhere.port()));
    const std::string resumed = phone->wait_status(pump(), 200);
    phone->ack(resumed);
    ASSERT_TRUE(until([&] {
        return host->read(
            *call, [](const Call& c) { return c.holds.size() == 2 && c.formats.size() == 2; });
    }));
    EXPECT_EQ(call->holds[1], 0u);
    EXPECT_EQ(call->formats[1].codec, JF_CODEC_PCMA);
    EXPECT_EQ(say(*call, 160, JF_CODEC_PCMA), JF_OK);
    std::optional<UdpPort::Datagram> there;
    EXPECT_TRUE(until([&] { return (there = elsewhere.receive()).has_value(); }))
        << "media follows the new address";

    phone->request(
        "INVITE", ok, "application/sdp", phone->sdp("111", "a=rtpmap:111 opus/48000/2\r\n"));
    EXPECT_NE(phone->wait_status(pump(), 488), "");
    EXPECT_EQ(say(*call, 320, JF_CODEC_PCMA), JF_OK)
        << "a failed re-INVITE leaves the call as it was";
    phone->request("BYE", ok);
    EXPECT_TRUE(done(*call));
}

TEST_F(SipCalls, AreHeldByTheHost) {
    const auto call = answered();
    ASSERT_TRUE(call);
    ASSERT_EQ(control(*call, JF_TEL_HOLD, 1), JF_OK);
    const std::string reinvite = phone->wait_request(pump(), "INVITE");
    EXPECT_NE(reinvite.find("a=sendonly"), std::string::npos) << reinvite;
    phone->reply(reinvite, 200, "OK", phone->sdp("0 101", "a=recvonly\r\n"));
    EXPECT_NE(phone->wait_request(pump(), "ACK"), "");
    phone->request("BYE", ok);
    EXPECT_TRUE(done(*call));
}

TEST_F(SipCalls, EndWhenTheFarEndFallsSilentOnTheWire) {
    const auto never = answered(30'000, 15'000);
    ASSERT_TRUE(never);
    host->jump(milliseconds(29'000));
    EXPECT_FALSE(never->done);
    host->jump(milliseconds(2'000));
    ASSERT_TRUE(done(*never));
    EXPECT_EQ(never->end.cause, JF_CAUSE_MEDIA_TIMEOUT);
    EXPECT_NE(phone->wait_request(pump(), "BYE"), "");

    const auto stopped = answered(30'000, 15'000);
    ASSERT_TRUE(stopped);
    hear(*stopped, 1, 2);
    host->jump(milliseconds(14'000));
    hear(*stopped, 3, 1);
    host->jump(milliseconds(14'000));
    EXPECT_FALSE(stopped->done);
    EXPECT_GE(stopped->quality, 4u);
    host->jump(milliseconds(2'000));
    ASSERT_TRUE(done(*stopped));
    EXPECT_EQ(stopped->end.cause, JF_CAUSE_MEDIA_TIMEOUT);
}

TEST_F(SipCalls, SurviveTheEndOfTheirInstanceOnlyAsAReap) {
    const auto call = answered();
    ASSERT_TRUE(call);
    EXPECT_EQ(functions->cancel(instance, call->op), JF_OK);
    ASSERT_TRUE(done(*call));
    EXPECT_EQ(call->status, JF_E_CANCELLED);
    EXPECT_EQ(functions->cancel(instance, call->op), JF_E_INVALID);
}

TEST_F(SipCalls, AreHungUpWhenTheHostEndsTheOpByItself) {
    const auto call = answered();
    ASSERT_TRUE(call);

    host->table()->complete(host->table()->ctx, call->op, JF_E_TIMEOUT, nullptr, nullptr);

    EXPECT_NE(phone->wait_request(pump(), "BYE"), "");
    EXPECT_EQ(say(*call, 0), JF_E_INVALID);
}

}  // namespace
}  // namespace jackfield::test
