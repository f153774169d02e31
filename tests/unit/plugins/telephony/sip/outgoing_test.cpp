// Calls that we place, and those of an earlier life.

#include "sip_calls.hpp"

namespace jackfield::test {
namespace {

TEST_F(SipCalls, ArePlacedAnsweredAndEnded) {
    const auto call = dial();
    const std::string invite = phone->wait_request(pump(), "INVITE");
    ASSERT_NE(invite, "");
    EXPECT_TRUE(header(invite, "From").starts_with("\"Acme\" <sip:+12125550100@")) << invite;
    rtp_port = audio_port(invite);
    phone->reply(invite, 180, "Ringing");
    ASSERT_TRUE(seen(*call, JF_EV_RINGING));
    phone->reply(invite, 200, "OK", phone->sdp("0 101"));
    EXPECT_NE(phone->wait_request(pump(), "ACK"), "");
    ASSERT_TRUE(seen(*call, JF_EV_ANSWERED));
    EXPECT_NE(call->leg_state, "");
    hear(*call, 1, 2);

    EXPECT_EQ(telephony->hangup(instance, call->op, JF_CAUSE_NORMAL), JF_OK);

    const std::string bye = phone->wait_request(pump(), "BYE");
    EXPECT_NE(bye, "");
    phone->reply(bye, 200, "OK");
    EXPECT_TRUE(done(*call));
}

TEST_F(SipCalls, WhichFailSayWhy) {
    const auto busy = dial();
    const std::string invite = phone->wait_request(pump(), "INVITE");
    phone->reply(invite, 486, "Busy Here", {}, "Reason: Q.850;cause=17\r\n");
    ASSERT_TRUE(done(*busy));
    EXPECT_EQ(busy->end.cause, JF_CAUSE_BUSY);
    EXPECT_EQ(busy->end.status, 486u);
    EXPECT_EQ(busy->end.q850, 17u);

    const auto nobody = dial(10'000);
    const std::string second = phone->wait_request(pump(), "INVITE");
    phone->reply(second, 180, "Ringing");
    ASSERT_TRUE(seen(*nobody, JF_EV_RINGING));
    host->jump(milliseconds(11'000));
    ASSERT_TRUE(done(*nobody));
    EXPECT_EQ(nobody->end.cause, JF_CAUSE_NO_ANSWER);
    const std::string cancel = phone->wait_request(pump(), "CANCEL");
    EXPECT_NE(cancel, "");
    phone->reply(cancel, 200, "OK");
    phone->reply(second, 487, "Request Terminated");

    const auto wrong_codec = dial();
    const std::string third = phone->wait_request(pump(), "INVITE");
    phone->reply(third, 200, "OK", phone->sdp("111", "a=rtpmap:111 opus/48000/2\r\n"));
    ASSERT_TRUE(done(*wrong_codec));
    EXPECT_EQ(wrong_codec->end.cause, JF_CAUSE_UNACCEPTABLE);
    EXPECT_NE(phone->wait_request(pump(), "BYE"), "");
}

TEST_F(SipCalls, MayHaveEarlyMedia) {
    const auto call = dial();
    const std::string invite = phone->wait_request(pump(), "INVITE");
    rtp_port = audio_port(invite);
    phone->reply(invite, 183, "Session Progress", phone->sdp("0 101"));
    ASSERT_TRUE(seen(*call, JF_EV_RINGING));
    hear(*call, 1, 2);
    phone->reply(invite, 200, "OK", phone->sdp("0 101"));
    ASSERT_TRUE(seen(*call, JF_EV_ANSWERED));
    phone->wait_request(pump(), "ACK");
    EXPECT_EQ(telephony->hangup(instance, call->op, JF_CAUSE_NORMAL), JF_OK);
    EXPECT_TRUE(done(*call));
}

TEST_F(SipCalls, AnswerADigestChallenge) {
    start({{"listen.0", "udp:127.0.0.1:0"},
           {"rtp_ports", "0"},
           {"username", "bob"},
           {"password", "zanzibar"}});
    const auto call = dial();
    const std::string first = phone->wait_request(pump(), "INVITE");
    phone->reply(first,
                 401,
                 "Unauthorized",
                 {},
                 "WWW-Authenticate: Digest realm=\"biloxi.example.com\", nonce=\"dcd98b\", "
                 "qop=\"auth\", algorithm=MD5\r\n");
    const std::string second = phone->wait(pump(), [](const std::string& m) {
        return m.starts_with("INVITE ") && m.find("Authorization:") != std::string::npos;
    });
    ASSERT_NE(second, "");
    EXPECT_NE(header(second, "Authorization").find("username=\"bob\""), std::string::npos);
    EXPECT_EQ(second.find("zanzibar"), std::string::npos);
    phone->reply(second, 603, "Decline");
    ASSERT_TRUE(done(*call));
    EXPECT_EQ(call->end.cause, JF_CAUSE_REJECTED);

    // Who looks into the call sees every message of it, and no secret.
    std::string seen;
    bool challenged = false;
    for (const std::string& message : call->messages) {
        seen += message.substr(0, message.find_first_of(" \r", 9)) + "\n";
        if (message.find("\r\nAuthorization: ") == std::string::npos) continue;
        challenged = true;
        EXPECT_NE(message.find("\r\nAuthorization: Digest ***\r\n"), std::string::npos) << message;
    }
    EXPECT_TRUE(challenged) << seen;
    EXPECT_TRUE(seen.starts_with(">INVITE")) << seen;
    EXPECT_NE(seen.find("<SIP/2.0 401"), std::string::npos) << seen;
    EXPECT_NE(seen.find("<SIP/2.0 603"), std::string::npos) << seen;
}

TEST_F(SipCalls, RefuseWhatCannotBeDialled) {
    const jf_answer media = sdk::make<jf_answer>();
    for (const char* to : {"+12125550100", "sip:a@b>\r\nX: y", "hello there", ""}) {
        const auto call = host->open_call();
        jf_dial what = sdk::make<jf_dial>();
        what.to = sdk::str(to);
        jf_error error = sdk::make<jf_error>();
        EXPECT_EQ(telephony->dial(instance, call->op, &what, &media, &error), JF_E_INVALID) << to;
        EXPECT_NE(std::string(error.text), "");
    }
}

TEST_F(SipCalls, OfAnEarlierLifeAreHungUp) {
    const auto call = answered();
    ASSERT_TRUE(call);
    const std::string state = call->leg_state;
    const std::string to = header(ok, "To");
    // The instance that had the call is gone as after a crash: a new one knows only what the host
    // stored.
    phone->request("BYE", ok);
    ASSERT_TRUE(done(*call));

    const auto op = host->open_call();
    jf_error error = sdk::make<jf_error>();
    ASSERT_EQ(telephony->reap(instance, op->op, sdk::bytes(state), &error), JF_OK) << error.text;
    const std::string bye = phone->wait_request(pump(), "BYE");
    ASSERT_NE(bye, "");
    EXPECT_EQ(header(bye, "Call-ID"), phone->call_id());
    EXPECT_EQ(header(bye, "From"), to);
    EXPECT_FALSE(op->done);
    phone->reply(bye, 481, "Call Does Not Exist");
    ASSERT_TRUE(done(*op));
    EXPECT_EQ(op->status, JF_OK);

    const auto cancelled = host->open_call();
    ASSERT_EQ(telephony->reap(instance, cancelled->op, sdk::bytes(state), &error), JF_OK);
    EXPECT_EQ(functions->cancel(instance, cancelled->op), JF_OK);
    ASSERT_TRUE(done(*cancelled));
    EXPECT_EQ(cancelled->status, JF_E_CANCELLED);
    EXPECT_EQ(telephony->reap(instance, host->open_call()->op, sdk::bytes("nonsense"), &error),
              JF_E_INVALID);
}

}  // namespace
}  // namespace jackfield::test
