// What happens between the answer and the end: session timers, UPDATE, re-INVITE, late offers,
// packet times, G.722, RTCP.

#include "raw_srtp.hpp"
#include "sip_calls.hpp"

#include <cmath>

namespace jackfield::test {
namespace {

class SipSessions : public SipCalls {
  protected:
    void TearDown() override {
        end_call();
        SipCalls::TearDown();
    }
    void end_call() {
        if (!call || telephony->hangup(instance, call->op, JF_CAUSE_NORMAL) != JF_OK) return;
        const std::string bye = phone->wait_request(pump(), "BYE");
        if (!bye.empty()) phone->reply(bye, 200, "OK");
        EXPECT_TRUE(done(*call));
        call.reset();
    }
    void answer_with(const std::string& description, std::string_view extra = {}) {
        end_call();
        phone->invite("+12125550100", description, extra);
        ASSERT_TRUE(until([&] { return (call = host->take_incoming()) != nullptr; }));
        const jf_answer options = sdk::make<jf_answer>();
        ASSERT_EQ(telephony->answer(instance, call->op, &options), JF_OK);
        ok = phone->wait_status(pump(), 200);
        ASSERT_NE(ok, "");
    }
    void establish(const std::string& description, std::string_view extra = {}) {
        answer_with(description, extra);
        phone->ack(ok);
        rtp_port = audio_port(ok);
        ASSERT_TRUE(seen(*call, JF_EV_ANSWERED));
    }
    void establish() { establish(phone->sdp()); }
    void establish_with(std::string_view headers) { establish(phone->sdp(), headers); }
    bool ended() {
        return host->read(*call, [](const Call& c) { return c.done; });
    }
    /// Nothing is heard of the call for a moment.
    bool goes_on() {
        until([&] { return ended(); }, milliseconds(50));
        return !ended();
    }
    std::string datagram(const UdpPort& at) {
        std::string out;
        until([&] {
            if (const auto one = at.receive()) out = one->bytes;
            return !out.empty();
        });
        return out;
    }
    static unsigned type_of(const std::string& packet) {
        return packet.size() > 1 ? static_cast<unsigned char>(packet[1]) : 0;
    }
    std::size_t heard() {
        return host->read(*call, [](const Call& c) { return c.pts.size(); });
    }
    jf_format last_format() {
        return host->read(*call, [](const Call& c) { return c.formats.back(); });
    }
    std::shared_ptr<Call> call;
};

TEST_F(SipSessions, EndWhenTheFarEndDoesNotRefreshThemInTime) {
    establish_with("Supported: timer\r\nSession-Expires: 90;refresher=uac\r\n");
    EXPECT_EQ(header(ok, "Session-Expires"), "90;refresher=uac");
    EXPECT_EQ(header(ok, "Require"), "timer");

    host->jump(milliseconds(59'000));
    EXPECT_TRUE(goes_on());
    host->jump(milliseconds(1'500));
    const std::string bye = phone->wait_request(pump(), "BYE");
    EXPECT_EQ(header(bye, "Reason"), "Q.850;cause=102");
    phone->reply(bye, 200, "OK");
    EXPECT_TRUE(done(*call));
    EXPECT_EQ(call->end.cause, JF_CAUSE_CARRIER_ERROR);
}

TEST_F(SipSessions, GoOnWhenTheFarEndRefreshesThemByUpdateOrReInvite) {
    establish_with("Supported: timer\r\nSession-Expires: 90;refresher=uac\r\n");

    host->jump(milliseconds(50'000));
    phone->request(
        "UPDATE", ok, {}, {}, "Supported: timer\r\nSession-Expires: 90;refresher=uac\r\n");
    const std::string updated = phone->wait_status(pump(), 200, "UPDATE");
    EXPECT_EQ(header(updated, "Session-Expires"), "90;refresher=uac") << updated;
    host->jump(milliseconds(50'000));
    EXPECT_TRUE(goes_on());

    phone->request("INVITE",
                   ok,
                   "application/sdp",
                   phone->sdp(),
                   "Supported: timer\r\nSession-Expires: 90;refresher=uac\r\n");
    const std::string again = phone->wait_status(pump(), 200);
    EXPECT_EQ(header(again, "Session-Expires"), "90;refresher=uac") << again;
    phone->ack(again);
    host->jump(milliseconds(50'000));
    EXPECT_TRUE(goes_on());
}

TEST_F(SipSessions, AreRefreshedByUpdateWhereThatIsOurs) {
    establish_with(
        "Allow: INVITE, ACK, BYE, UPDATE\r\nSupported: timer\r\nSession-Expires: "
        "90;refresher=uas\r\n");
    EXPECT_EQ(header(ok, "Session-Expires"), "90;refresher=uas");
    EXPECT_EQ(header(ok, "Require"), "") << "nothing is asked of the caller";

    for (int i = 0; i < 2; ++i) {
        host->jump(milliseconds(45'500));
        const std::string update = phone->wait_request(pump(), "UPDATE");
        ASSERT_NE(update, "");
        EXPECT_EQ(header(update, "Session-Expires"), "90;refresher=uac");
        EXPECT_EQ(body(update), "");
        phone->reply(update, 200, "OK", {}, "Session-Expires: 90;refresher=uac\r\n");
        EXPECT_TRUE(goes_on());
    }

    host->jump(milliseconds(45'500));
    const std::string update = phone->wait_request(pump(), "UPDATE");
    phone->reply(update, 481, "Call Does Not Exist");
    EXPECT_TRUE(done(*call)) << "the far end has no such call any more";
}

TEST_F(SipSessions, AreRefreshedByReInviteWhereTheFarEndHasNoUpdate) {
    establish_with("Supported: timer\r\nSession-Expires: 90;refresher=uas\r\n");

    host->jump(milliseconds(45'500));
    const std::string invite = phone->wait_request(pump(), "INVITE");
    ASSERT_NE(invite, "");
    EXPECT_EQ(header(invite, "Session-Expires"), "90;refresher=uac");
    EXPECT_NE(body(invite).find("m=audio"), std::string::npos);
    phone->reply(invite, 200, "OK", phone->sdp("0 101"), "Session-Expires: 90;refresher=uac\r\n");
    const std::string ack = phone->wait_request(pump(), "ACK");
    EXPECT_EQ(header(ack, "CSeq"),
              header(invite, "CSeq").substr(0, header(invite, "CSeq").find(' ')) + " ACK");

    // The ACK was lost: the answer comes again.
    phone->reply(invite, 200, "OK", phone->sdp("0 101"), "Session-Expires: 90;refresher=uac\r\n");
    EXPECT_NE(phone->wait_request(pump(), "ACK"), "");
    host->jump(milliseconds(30'000));
    EXPECT_TRUE(goes_on());
}

TEST_F(SipSessions, AreRefusedWithTooShortAnInterval) {
    phone->invite("100", phone->sdp(), "Supported: timer\r\nSession-Expires: 60\r\n");
    std::string refused = phone->wait_status(pump(), 422);
    EXPECT_EQ(header(refused, "Min-SE"), "90");
    phone->ack(refused);

    establish_with("Supported: timer\r\nx: 90;refresher=uac\r\n");
    phone->request("UPDATE", ok, {}, {}, "Supported: timer\r\nSession-Expires: 60\r\n");
    refused = phone->wait_status(pump(), 422, "UPDATE");
    EXPECT_EQ(header(refused, "Min-SE"), "90");
}

TEST_F(SipSessions, ThatWePlaceAskForATimerAndTakeALongerOneWhenTold) {
    call = dial();
    std::string invite = phone->wait_request(pump(), "INVITE");
    EXPECT_EQ(header(invite, "Session-Expires"), "1800");
    EXPECT_EQ(header(invite, "Min-SE"), "90");
    EXPECT_EQ(header(invite, "Supported"), "timer");
    phone->reply(invite, 422, "Session Interval Too Small", {}, "Min-SE: 3600\r\n");
    EXPECT_NE(phone->wait_request(pump(), "ACK"), "");

    invite = phone->wait_request(pump(), "INVITE");
    EXPECT_EQ(header(invite, "Session-Expires"), "3600");
    phone->reply(invite,
                 200,
                 "OK",
                 phone->sdp(),
                 "Session-Expires: 3600;refresher=uac\r\nAllow: UPDATE\r\n");
    EXPECT_NE(phone->wait_request(pump(), "ACK"), "");
    ASSERT_TRUE(seen(*call, JF_EV_ANSWERED));

    host->jump(std::chrono::seconds(1801));
    const std::string update = phone->wait_request(pump(), "UPDATE");
    EXPECT_EQ(header(update, "Session-Expires"), "3600;refresher=uac");
    phone->reply(update, 200, "OK", {}, "Session-Expires: 3600;refresher=uac\r\n");
}

TEST_F(SipSessions, DoWithoutATimerWhereTheFarEndHasNone) {
    establish();
    EXPECT_EQ(header(ok, "Session-Expires"), "");
    host->jump(std::chrono::hours(3));
    EXPECT_TRUE(goes_on());
}

TEST_F(SipSessions, ChangeTheCodecByUpdateAndByReInvite) {
    establish();
    ASSERT_EQ(last_format().codec, JF_CODEC_PCMU);

    phone->request("UPDATE", ok, "application/sdp", phone->sdp("8 101"));
    std::string changed = phone->wait_status(pump(), 200, "UPDATE");
    EXPECT_NE(changed.find("RTP/AVP 8 101"), std::string::npos) << changed;
    ASSERT_TRUE(seen(*call, JF_EV_FORMAT));
    EXPECT_EQ(last_format().codec, JF_CODEC_PCMA);
    EXPECT_EQ(say(*call, 0, JF_CODEC_PCMA), JF_OK);
    EXPECT_EQ(type_of(next_audio()), 8u);

    phone->request("INVITE", ok, "application/sdp", phone->sdp("0 101"));
    changed = phone->wait_status(pump(), 200);
    phone->ack(changed);
    ASSERT_TRUE(until([&] { return last_format().codec == JF_CODEC_PCMU; }));

    phone->request(
        "UPDATE", ok, "application/sdp", phone->sdp("111", "a=rtpmap:111 opus/48000/2\r\n"));
    EXPECT_NE(phone->wait_status(pump(), 488, "UPDATE"), "");
    EXPECT_TRUE(goes_on()) << "a refused change leaves all as it was";
}

TEST_F(SipSessions, ChangeByAReInviteWithoutAnOffer) {
    establish();
    phone->request("INVITE", ok);
    const std::string offer = phone->wait_status(pump(), 200);
    ASSERT_NE(offer.find("RTP/AVP 0 8 9 101"), std::string::npos) << offer;

    // Until the answer has come in the ACK there is no other exchange.
    phone->request("UPDATE", ok, "application/sdp", phone->sdp("0 101"));
    const std::string busy = phone->wait_status(pump(), 500, "UPDATE");
    EXPECT_NE(header(busy, "Retry-After"), "");

    phone->ack(offer, phone->sdp("8 101"));
    ASSERT_TRUE(until([&] { return last_format().codec == JF_CODEC_PCMA; }));

    phone->request("INVITE", ok);
    phone->ack(phone->wait_status(pump(), 200));
    EXPECT_NE(phone->wait_request(pump(), "BYE"), "") << "an ACK without the answer";
    EXPECT_TRUE(done(*call));
}

TEST_F(SipSessions, WithoutAnOfferTakeTheAnswerOfTheAckInFull) {
    answer_with("");
    phone->ack(
        ok, phone->sdp("8 97", "a=rtpmap:97 telephone-event/8000\r\na=ptime:40\r\na=sendrecv\r\n"));
    rtp_port = audio_port(ok);
    ASSERT_TRUE(seen(*call, JF_EV_ANSWERED));
    EXPECT_EQ(last_format().codec, JF_CODEC_PCMA);

    hear(*call, 1, 3, 8);
    EXPECT_EQ(say(*call, 0, JF_CODEC_PCMA), JF_OK);
    EXPECT_EQ(say(*call, 160, JF_CODEC_PCMA), JF_OK);
    EXPECT_EQ(next_audio().size(), 12u + 320u);
    EXPECT_EQ(control(*call, JF_TEL_DTMF, 0, "5"), JF_OK);
    EXPECT_EQ(type_of(next_audio()) & 0x7f, 97u);
}

TEST_F(SipSessions, WithoutAnOfferEndWhenTheAckHasNoAnswer) {
    answer_with("");
    phone->ack(ok);
    EXPECT_NE(phone->wait_request(pump(), "BYE"), "");
    EXPECT_TRUE(done(*call));
}

TEST_F(SipSessions, RepeatTheAnswerToAChangeUntilItsAckComes) {
    establish();
    phone->request("INVITE", ok, "application/sdp", phone->sdp());
    const std::string first = phone->wait_status(pump(), 200);
    const std::string second = phone->wait_status(pump(), 200);
    EXPECT_EQ(first, second);
    phone->ack(second);
    EXPECT_TRUE(goes_on());
}

TEST_F(SipSessions, AnswerAChangeThatCrossesOursWith491AndTryOursAgain) {
    establish();
    ASSERT_EQ(control(*call, JF_TEL_HOLD, 1), JF_OK);
    const std::string ours = phone->wait_request(pump(), "INVITE");
    ASSERT_NE(ours.find("a=sendonly"), std::string::npos);

    phone->request("INVITE", ok, "application/sdp", phone->sdp());
    const std::string pending = phone->wait_status(pump(), 491);
    ASSERT_NE(pending, "");
    phone->ack(pending);
    phone->reply(ours, 491, "Request Pending");
    EXPECT_NE(phone->wait_request(pump(), "ACK"), "");

    const std::string again = phone->wait_request(pump(), "INVITE");
    ASSERT_NE(again.find("a=sendonly"), std::string::npos) << "within two seconds";
    phone->reply(again, 200, "OK", phone->sdp("0 101", "a=recvonly\r\n"));
    EXPECT_NE(phone->wait_request(pump(), "ACK"), "");
}

TEST_F(SipSessions, AreAsBeforeWhenTheFarEndRefusesToBeHeld) {
    establish();
    ASSERT_EQ(control(*call, JF_TEL_HOLD, 1), JF_OK);
    const std::string first = phone->wait_request(pump(), "INVITE");
    phone->reply(first, 488, "Not Acceptable Here");
    EXPECT_NE(phone->wait_request(pump(), "ACK"), "");
    EXPECT_TRUE(goes_on());

    ASSERT_EQ(control(*call, JF_TEL_HOLD, 1), JF_OK);
    const std::string second = phone->wait_request(pump(), "INVITE");
    EXPECT_NE(second.find("a=sendonly"), std::string::npos) << "it may be tried again";
    phone->reply(second, 200, "OK", phone->sdp("0 101", "a=recvonly\r\n"));
    EXPECT_NE(phone->wait_request(pump(), "ACK"), "");
}

TEST_F(SipSessions, AnswerUpdatesOfNoCallWith481) {
    establish();
    std::string stranger = ok;
    const std::size_t tag = stranger.find("To: ");
    stranger.replace(stranger.find(";tag=", tag) + 5, 4, "zzzz");
    phone->request("UPDATE", stranger);
    EXPECT_NE(phone->wait_status(pump(), 481, "UPDATE"), "");
    phone->request("UPDATE", ok, {}, {}, "Require: foo\r\n");
    const std::string unmet = phone->wait_status(pump(), 420, "UPDATE");
    EXPECT_EQ(header(unmet, "Unsupported"), "foo");
}

TEST_F(SipSessions, SendPacketsAsLongAsTheFarEndWantsThem) {
    for (const auto& [attributes, size] :
         std::vector<std::pair<std::string, std::size_t>>{{"a=ptime:10\r\n", 80},
                                                          {"a=ptime:30\r\n", 240},
                                                          {"a=ptime:40\r\n", 320},
                                                          {"a=ptime:60\r\n", 480},
                                                          {"a=maxptime:10\r\n", 80},
                                                          {"a=ptime:60\r\na=maxptime:40\r\n", 320},
                                                          {"a=maxptime:150\r\n", 160}}) {
        establish(phone->sdp("0", attributes));
        EXPECT_EQ(last_format().ptime_ms, 20u) << "the host gives what it always gives";
        for (std::uint64_t i = 0; i < 6; ++i) ASSERT_EQ(say(*call, 160 * i), JF_OK);
        std::uint32_t expected = 0;
        for (std::size_t i = 0; i < 960 / size; ++i) {
            const std::string packet = next_audio();
            ASSERT_EQ(packet.size(), 12 + size) << attributes;
            std::uint32_t timestamp = 0;
            for (std::size_t b = 4; b < 8; ++b)
                timestamp = timestamp << 8 | static_cast<unsigned char>(packet[b]);
            if (i > 0) {
                EXPECT_EQ(timestamp, expected) << attributes;
            }
            expected = timestamp + static_cast<std::uint32_t>(size);
        }
    }
}

TEST_F(SipSessions, HearPacketsOfAnyLength) {
    establish();
    std::uint32_t at = 0;
    std::vector<std::uint64_t> expected;
    for (const std::size_t size : {80, 240, 320, 480, 160}) {
        phone->audio.send(
            rtp_port,
            rtp(0, static_cast<std::uint16_t>(expected.size()), at, 77, std::string(size, 'u')));
        expected.push_back(at);
        at += static_cast<std::uint32_t>(size);
    }
    ASSERT_TRUE(until([&] { return heard() == 5; }));
    EXPECT_EQ(call->pts, expected);
}

TEST_F(SipSessions, CarryG722WhereTheFarEndHasNothingElse) {
    establish(phone->sdp("9 101"));
    EXPECT_NE(ok.find("RTP/AVP 9 101\r\na=rtpmap:9 G722/8000\r\n"), std::string::npos) << ok;
    EXPECT_EQ(last_format().codec, JF_CODEC_PCMU) << "the host's side of it";

    // A tone that we say comes back as the same tone when it is sent to us as it left.
    const auto mu_law = [](double sample) {
        const int magnitude = std::min(static_cast<int>(std::abs(sample)) + 132, 32635);
        int exponent = 7;
        for (int mask = 0x4000; (magnitude & mask) == 0 && exponent > 0; mask >>= 1) --exponent;
        const int mantissa = magnitude >> (exponent + 3) & 0x0f;
        return static_cast<char>(~((sample < 0 ? 0x80 : 0) | exponent << 4 | mantissa));
    };
    const auto linear = [](char code) {
        const int bits = ~static_cast<unsigned char>(code) & 0xff;
        const int magnitude = (((bits & 0x0f) << 3) + 132) << (bits >> 4 & 7);
        return (bits & 0x80 ? 132 - magnitude : magnitude - 132) / 32768.0;
    };
    double tone_power = 0, power = 0;
    for (std::uint16_t i = 0; i < 25; ++i) {
        std::string tone(160, 0);
        for (std::size_t n = 0; n < 160; ++n)
            tone[n] =
                mu_law(8000 * std::sin(2 * M_PI * 440 * (160 * i + static_cast<double>(n)) / 8000));
        jf_frame frame = sdk::make<jf_frame>();
        frame.codec = JF_CODEC_PCMU;
        frame.channels = 1;
        frame.rate_hz = 8000;
        frame.samples = 160;
        frame.pts = 160u * i;
        frame.data = sdk::bytes(tone);
        ASSERT_EQ(telephony->media_out(instance, call->op, &frame), JF_OK);
        const std::string sent = next_audio();
        ASSERT_EQ(sent.size(), 172u);
        EXPECT_EQ(type_of(sent) & 0x7f, 9u);
        phone->audio.send(rtp_port, sent);
        ASSERT_TRUE(until([&] { return heard() == i + 1u; }));
        if (i < 5) continue;  // the coder adapts
        for (std::size_t n = 0; n < 160; ++n) {
            tone_power += linear(tone[n]) * linear(tone[n]);
            power += linear(call->last_audio[n]) * linear(call->last_audio[n]);
        }
    }
    EXPECT_NEAR(power / tone_power, 1, 0.2);
}

TEST_F(SipSessions, PreferG711ToG722) {
    establish(phone->sdp("9 8 0 101"));
    EXPECT_NE(ok.find("RTP/AVP 0 101"), std::string::npos) << ok;
}

TEST_F(SipSessions, TakeTheCodecsThatAreConfiguredOnly) {
    start({{"listen.0", "udp:127.0.0.1:0"}, {"rtp_ports", "0"}, {"codecs.0", "PCMA"}});
    phone->invite("100", phone->sdp("0 9"));
    phone->ack(phone->wait_status(pump(), 488));
    establish(phone->sdp("0 8"));
    EXPECT_NE(ok.find("RTP/AVP 8\r\n"), std::string::npos) << ok;
}

TEST_F(SipSessions, ReportOnTheRtcpPortAndMeasureTheRoundTrip) {
    establish(phone->sdp("0", "a=rtcp:" + std::to_string(phone->stranger.port()) + "\r\n"));
    hear(*call, 1, 10);
    ASSERT_EQ(say(*call, 0), JF_OK);
    host->jump(milliseconds(7'500));
    const std::string report = datagram(phone->stranger);
    ASSERT_GE(report.size(), 52u);
    EXPECT_EQ(type_of(report), 200u) << "a sender report";
    EXPECT_EQ(report.substr(28, 4), std::string("\0\0\0\x4d", 4)) << "about our SSRC, 77";

    // Ours comes back in a report of theirs, with no time spent there.
    std::string theirs = report.substr(0, 52);
    theirs.replace(4, 4, std::string("\0\0\0\x4d", 4));
    theirs.replace(28, 4, report.substr(4, 4));
    theirs.replace(32, 4, std::string(4, 0));
    theirs.replace(44, 4, report.substr(10, 4));
    theirs.replace(48, 4, std::string(4, 0));
    const std::size_t at = ok.find("a=rtcp:");
    const int rtcp_port = at == std::string::npos ? rtp_port + 1 : std::stoi(ok.substr(at + 7));
    phone->stranger.send(static_cast<std::uint16_t>(rtcp_port), theirs);
    ASSERT_TRUE(until([&] {
        host->jump(milliseconds(500));
        return host->read(*call, [](const Call& c) { return c.last_quality.round_trip_us > 0; });
    }));
    EXPECT_LT(call->last_quality.round_trip_us, 8'000'000u) << "less than what was jumped";
    EXPECT_GE(call->last_quality.mos, 1);
    EXPECT_LE(call->last_quality.mos, 4.5);
    EXPECT_EQ(call->last_quality.packets_in, 10u);

    end_call();
    std::string last;
    for (std::string one = report; !one.empty();) {
        last = one;
        const auto next = phone->stranger.receive();
        one = next ? next->bytes : "";
    }
    ASSERT_GE(last.size(), 8u);
    EXPECT_EQ(static_cast<unsigned char>(last[last.size() - 7]), 203u) << "goodbye";
}

TEST_F(SipSessions, ReportWhereTheAudioGoesWithRtcpMux) {
    establish(phone->sdp("0", "a=rtcp-mux\r\n"));
    EXPECT_NE(ok.find("a=rtcp-mux\r\n"), std::string::npos);
    EXPECT_EQ(host->open_sockets(), 1u);
    hear(*call, 1, 3);
    host->jump(milliseconds(7'500));
    std::string report;
    do report = next_audio();
    while (!report.empty() && type_of(report) < 200);
    EXPECT_EQ(type_of(report), 201u) << "nothing has been said by us: a receiver report";

    phone->audio.send(rtp_port, report);
    phone->audio.send(rtp_port, report.substr(0, 6));
    hear(*call, 4, 1);
    EXPECT_EQ(heard(), 4u) << "reports are no audio";
}

TEST_F(SipSessions, LoseInScoreWhatIsLostOnTheWay) {
    establish();
    hear(*call, 0, 20);
    host->jump(milliseconds(5'500));
    ASSERT_TRUE(
        until([&] { return host->read(*call, [](const Call& c) { return c.quality > 0; }); }));
    const float before = host->read(*call, [](const Call& c) { return c.last_quality.mos; });
    EXPECT_GT(before, 4.2);
    hear(*call, 40, 20);
    host->jump(milliseconds(5'500));
    ASSERT_TRUE(until([&] {
        return host->read(*call, [](const Call& c) { return c.last_quality.packets_lost == 20; });
    }));
    EXPECT_LT(call->last_quality.mos, before - 1);
}

TEST_F(SipSessions, ReportProtectedUnderSrtp) {
    start({{"listen.0", "udp:127.0.0.1:0"},
           {"rtp_ports", "0"},
           {"srtp", "required"},
           {"srtp_over_cleartext", "true"}});
    const std::string key = base64("0123456789abcdefghijklmnopqrst");
    std::string offer =
        phone->sdp("0", "a=rtcp-mux\r\na=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:" + key + "\r\n");
    offer.replace(offer.find("RTP/AVP"), 7, "RTP/SAVP");
    establish(offer);
    host->jump(milliseconds(7'500));
    const std::string sealed = next_audio();
    const auto report = RawSrtp(inline_key(ok), 10).unprotect_rtcp(sealed);
    ASSERT_TRUE(report);
    EXPECT_EQ(type_of(*report), 201u);

    phone->audio.send(rtp_port,
                      RawSrtp(key, 10).protect(rtp(0, 1, 160, 77, std::string(160, 'u'))));
    phone->audio.send(rtp_port, RawSrtp(key, 10).protect_rtcp(*report, 1));
    phone->audio.send(rtp_port, *report);
    EXPECT_TRUE(until([&] { return heard() == 1; }));
}

}  // namespace
}  // namespace jackfield::test
