// Strangers, scanners, users with passwords, and carriers that are believed.

#include "credentials.hpp"
#include "sip_calls.hpp"

namespace jackfield::test {
namespace {

using Options = std::vector<std::pair<std::string, std::string>>;

class SipTrust : public SipCalls {
  protected:
    void serve(Options more) {
        Options options{{"listen.0", "udp:127.0.0.1:0"}, {"rtp_ports", "0"}};
        options.insert(options.end(), more.begin(), more.end());
        start(options);
    }
    void serve_anna(Options more = {}) {
        more.emplace_back("users.0.name", "anna");
        more.emplace_back("users.0.password", "correct horse");
        serve(more);
    }
    std::string request_line() const { return "sip:127.0.0.1:" + std::to_string(port); }
    /// A request outside of any call; the answer, or nothing.
    std::string ask(const std::string& method,
                    const std::string& user,
                    const std::string& headers,
                    int timeout_ms = 3000) {
        const std::string cseq = std::to_string(++cseq_) + " " + method;
        phone->send(method + " " + request_line() + " SIP/2.0\r\nVia: SIP/2.0/UDP " +
                    phone->sip.address() + ";branch=z9hG4bKask" + std::to_string(cseq_) +
                    ";rport\r\nFrom: <sip:" + user + "@127.0.0.1>;tag=f\r\nTo: <sip:" + user +
                    "@127.0.0.1>\r\nCall-ID: asking\r\nCSeq: " + cseq + "\r\nMax-Forwards: 70\r\n" +
                    headers + "Content-Length: 0\r\n\r\n");
        return phone->wait(
            pump(), [&](const std::string& m) { return header(m, "CSeq") == cseq; }, timeout_ms);
    }
    std::string contact(unsigned expires_s) const {
        return "Contact: <sip:anna@10.1.2.3:5060>;expires=" + std::to_string(expires_s) + "\r\n";
    }
    std::string register_as(const Credentials& who,
                            const std::string& headers,
                            const char* algorithm = "SHA-256",
                            const std::string& user = "anna") {
        const std::string asked = ask("REGISTER", user, headers);
        EXPECT_EQ(status_of(asked), 401) << asked;
        return ask("REGISTER",
                   user,
                   headers + authorization(
                                 who, challenge_of(asked, algorithm), "REGISTER", request_line()));
    }

    const Credentials anna{"anna", "correct horse"};
    unsigned cseq_ = 0;
};

TEST_F(SipTrust, FloodsAreDroppedInSilenceAndCallsGoOn) {
    serve({{"max_requests_per_second", "20"}});
    const auto call = answered();
    ASSERT_TRUE(call);
    for (unsigned i = 0; i < 300; ++i)
        phone->send("OPTIONS sip:x SIP/2.0\r\nVia: SIP/2.0/UDP " + phone->sip.address() +
                    ";branch=z9hG4bKflood" + std::to_string(i) +
                    ";rport\r\nFrom: <sip:a@b>;tag=1\r\nTo: <sip:x>\r\nCall-ID: flood" +
                    std::to_string(i) + "\r\nCSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n");
    until([] { return false; }, milliseconds(200));
    unsigned replies = 0;
    while (phone->sip.receive()) ++replies;
    EXPECT_GE(replies, 10u);
    EXPECT_LE(replies, 60u);
    EXPECT_GE(host->counted("sip_flood_messages"), 200u);
    EXPECT_EQ(host->log_fields("sip.not_answered", "why").size(), 1u) << "one line, not 300";

    hear(*call, 1, 3);
    phone->request("BYE", ok);
    EXPECT_NE(phone->wait_status(pump(), 200, "BYE"), "");
    EXPECT_TRUE(done(*call));
}

TEST_F(SipTrust, FromATrunksNetworkNothingIsCounted) {
    serve({{"max_requests_per_second", "1"}, {"allow.0", "127.0.0.0/8"}});
    for (int i = 0; i < 10; ++i) EXPECT_EQ(status_of(ask("OPTIONS", "x", "")), 200);
    EXPECT_EQ(host->counted("sip_flood_messages"), 0u);
}

TEST_F(SipTrust, ScannersGetNoAnswer) {
    serve({{"refuse_user_agents.0", "friendly-scanner"}});
    EXPECT_EQ(ask("OPTIONS", "100", "User-Agent: Friendly-Scanner\r\n", 300), "");
    phone->invite("100", phone->sdp(), "User-Agent: x friendly-scanner/2\r\n");
    EXPECT_EQ(phone->wait(
                  pump(), [](const std::string&) { return true; }, 300),
              "");
    EXPECT_FALSE(host->take_incoming());
    EXPECT_EQ(host->counted("sip_scanner_messages"), 2u);
    EXPECT_EQ(status_of(ask("OPTIONS", "100", "User-Agent: Linphone\r\n")), 200);
}

TEST_F(SipTrust, StrangersLearnNothingFromARefusal) {
    for (const jf_status status : {JF_E_NOT_FOUND, JF_E_AUTH}) {
        host->refuse_incoming(status);
        phone->invite("100", phone->sdp());
        const std::string answer =
            phone->wait(pump(), [](const std::string& m) { return status_of(m) >= 200; });
        EXPECT_EQ(status_of(answer), 404);
        phone->ack(answer);
    }
    serve_anna();
    for (const jf_status status : {JF_OK, JF_E_NOT_FOUND}) {
        host->refuse_incoming(status);
        phone->invite("100", phone->sdp());
        EXPECT_NE(phone->wait_status(pump(), 401), "");
    }
    EXPECT_FALSE(host->take_incoming());
}

TEST_F(SipTrust, UsersCallWithTheirPasswordAndAreWhoTheyAre) {
    serve_anna();
    phone->invite("100", phone->sdp());
    const std::string asked = phone->wait_status(pump(), 401);
    ASSERT_NE(asked, "");
    phone->ack(asked);
    const std::string uri = "sip:100@127.0.0.1:" + std::to_string(port);
    const std::string right = authorization(anna, challenge_of(asked, "SHA-256"), "INVITE", uri);

    phone->invite("100", phone->sdp(), right);
    std::shared_ptr<Call> call;
    ASSERT_TRUE(until([&] { return (call = host->take_incoming()) != nullptr; }));
    EXPECT_EQ(call->from, "anna") << "and not what From says";
    phone->cancel();
    ASSERT_TRUE(done(*call));

    phone->invite("100", phone->sdp(), right);
    const std::string again = phone->wait_status(pump(), 401);
    EXPECT_NE(again, "") << "what has been seen on the wire is worth nothing";
    EXPECT_NE(again.find("stale=true"), std::string::npos);
    EXPECT_FALSE(host->take_incoming());
}

TEST_F(SipTrust, WhoGuessesPasswordsIsNotListenedToAnyMore) {
    serve_anna();
    const Credentials wrong{"anna", "password1"};
    for (int i = 0; i < 10; ++i) EXPECT_EQ(status_of(register_as(wrong, contact(300))), 401);
    EXPECT_EQ(ask("REGISTER", "anna", contact(300), 300), "");
    EXPECT_EQ(host->counted("sip_wrong_passwords"), 10u);
    EXPECT_GE(host->counted("sip_password_guesses"), 1u);
}

TEST_F(SipTrust, PhonesRegisterAndAreDialledWhereTheyAre) {
    serve_anna();
    const std::string registered = register_as(anna, contact(300));
    ASSERT_EQ(status_of(registered), 200) << registered;
    EXPECT_NE(registered.find("<sip:anna@10.1.2.3:5060>;expires=300"), std::string::npos)
        << registered;
    EXPECT_EQ(host->gauge("sip_registered_phones"), 1.0);

    const auto call = host->open_call();
    jf_dial what = sdk::make<jf_dial>();
    what.to = sdk::str("sip:anna@");
    const jf_answer media = sdk::make<jf_answer>();
    jf_error error = sdk::make<jf_error>();
    ASSERT_EQ(telephony->dial(instance, call->op, &what, &media, &error), JF_OK) << error.text;
    const std::string invite = phone->wait_request(pump(), "INVITE");
    EXPECT_TRUE(invite.starts_with("INVITE sip:anna@" + phone->sip.address() + " ")) << invite;
    phone->reply(invite, 486, "Busy Here");
    ASSERT_TRUE(done(*call));

    EXPECT_EQ(status_of(register_as(anna, contact(0), "MD5")), 200);
    const auto nobody = host->open_call();
    EXPECT_EQ(telephony->dial(instance, nobody->op, &what, &media, &error), JF_E_NOT_FOUND);
}

TEST_F(SipTrust, PhonesThatKnowOnlyMd5AreNotScaredByAnother) {
    serve_anna();
    EXPECT_NE(ask("REGISTER", "anna", contact(300)).find("SHA-256"), std::string::npos);
    const std::string old =
        ask("REGISTER", "anna", contact(300) + "User-Agent: baresip v1.0.0 (x86_64/linux)\r\n");
    EXPECT_EQ(old.find("SHA-256"), std::string::npos) << old;
    EXPECT_NE(challenge_of(old, "MD5"), "");
}

TEST_F(SipTrust, PhonesThatRegisterWronglyHearWhy) {
    serve_anna();
    const std::string brief = register_as(anna, contact(10));
    EXPECT_EQ(status_of(brief), 423);
    EXPECT_EQ(header(brief, "Min-Expires"), "60");
    EXPECT_EQ(status_of(register_as(anna, contact(300), "SHA-256", "bert")), 403);
    EXPECT_EQ(status_of(register_as(anna, "Contact: <tel:1>\r\n")), 400);
    EXPECT_EQ(status_of(register_as(anna, "")), 200) << "a question";
}

TEST_F(SipTrust, ACarriersWordAboutTheCallerIsTakenAndAStrangersIsNot) {
    const std::string said =
        "P-Asserted-Identity: <sip:+12125550177@carrier>\r\nDiversion: "
        "<sip:+12125550166@carrier>;reason=no-answer\r\nHistory-Info: <sip:a@carrier>;index=1\r\n";
    const auto names = [](const Call& call) {
        std::string out;
        for (const auto& [name, value] : call.headers) out += name + " ";
        return out;
    };
    for (const bool trusted : {false, true}) {
        serve(trusted ? Options{{"allow.0", "127.0.0.0/8"}} : Options{});
        phone->invite("100", phone->sdp(), said);
        std::shared_ptr<Call> call;
        ASSERT_TRUE(until([&] { return (call = host->take_incoming()) != nullptr; }));
        EXPECT_EQ(call->from, trusted ? "+12125550177" : "+12125550199");
        for (const char* name : {"P-Asserted-Identity", "Diversion", "History-Info"})
            EXPECT_EQ(names(*call).find(name) != std::string::npos, trusted) << name;
        phone->cancel();
        ASSERT_TRUE(done(*call));
    }
    phone->invite("100", phone->sdp(), said + "Privacy: id\r\n");
    std::shared_ptr<Call> call;
    ASSERT_TRUE(until([&] { return (call = host->take_incoming()) != nullptr; }));
    EXPECT_EQ(call->from, "+12125550199") << "withheld";
    phone->cancel();
    ASSERT_TRUE(done(*call));
}

TEST_F(SipTrust, WhatRequiresMoreThanThereIsGetsA420) {
    phone->invite("100", phone->sdp(), "Require: 100rel\r\n");
    const std::string refused = phone->wait_status(pump(), 420);
    EXPECT_EQ(header(refused, "Unsupported"), "100rel") << refused;
    EXPECT_FALSE(host->take_incoming());
}

TEST_F(SipTrust, CausesTravelInBothDirections) {
    const auto cancelled = incoming();
    ASSERT_TRUE(cancelled);
    phone->send("CANCEL sip:+12125550100@127.0.0.1:" + std::to_string(port) +
                " SIP/2.0\r\nVia: SIP/2.0/UDP " + phone->sip.address() + ";branch=z9hG4bKinvite1x" +
                std::to_string(phone->sip.port()) +
                ";rport\r\nMax-Forwards: 70\r\nFrom: \"A Caller\" "
                "<sip:+12125550199@127.0.0.1>;tag=tag1\r\nTo: <sip:+12125550100@127.0.0.1:" +
                std::to_string(port) + ">\r\nCall-ID: " + phone->call_id() +
                "\r\nCSeq: 1 CANCEL\r\nReason: SIP;cause=200, "
                "Q.850;cause=26\r\nContent-Length: 0\r\n\r\n");
    ASSERT_TRUE(done(*cancelled));
    EXPECT_EQ(cancelled->end.cause, JF_CAUSE_CANCELLED);
    EXPECT_EQ(cancelled->end.q850, 26u);

    const auto refused = incoming();
    ASSERT_TRUE(refused);
    EXPECT_EQ(telephony->hangup(instance, refused->op, JF_CAUSE_BUSY), JF_OK);
    const std::string busy = phone->wait_status(pump(), 486);
    EXPECT_EQ(header(busy, "Reason"), "Q.850;cause=17");
    phone->ack(busy);
    EXPECT_TRUE(done(*refused));
}

class SipDialling : public SipTrust {
  protected:
    jf_status try_to_dial(const std::string& to, std::string* why = nullptr) {
        const auto call = host->open_call();
        jf_dial what = sdk::make<jf_dial>();
        what.to = sdk::str(to);
        const jf_answer media = sdk::make<jf_answer>();
        jf_error error = sdk::make<jf_error>();
        const jf_status status = telephony->dial(instance, call->op, &what, &media, &error);
        if (why) *why = error.text;
        if (status == JF_OK) {
            const std::string invite = phone->wait_request(pump(), "INVITE");
            phone->reply(invite, 486, "Busy Here");
            EXPECT_TRUE(done(*call));
        }
        return status;
    }
    /// As serve(), with our phone as the trunk; it outlives the restart.
    void serve_trunk(Options more) {
        Options options{{"listen.0", "udp:127.0.0.1:0"}, {"rtp_ports", "0"}};
        auto carrier = std::make_unique<RawPhone>(0);
        const std::string proxy = "sip:" + carrier->sip.address();
        options.insert(options.end(), more.begin(), more.end());
        options.emplace_back("outbound_proxy", proxy);
        options.emplace_back("health_interval_s", "0");
        start(options);
        phone = std::move(carrier);
        phone->set_server(port);
    }
};

TEST_F(SipDialling, ThroughATrunkGoesOnlyWhereItIsConfigured) {
    serve_trunk({});
    std::string why;
    EXPECT_EQ(try_to_dial("+12125550123", &why), JF_E_AUTH);
    EXPECT_NE(why.find("dial_allow"), std::string::npos) << why;
    EXPECT_EQ(host->counted("sip_refused_dials"), 1u);

    serve_trunk({{"dial_allow.0", "+1212"}});
    EXPECT_EQ(try_to_dial("+12125550123"), JF_OK);
    EXPECT_EQ(try_to_dial("+19005550123"), JF_E_AUTH);
}

TEST_F(SipDialling, OfEmergencyNumbersIsRefusedUnlessConfigured) {
    serve_trunk({{"dial_allow.0", "*"}, {"emergency_numbers.0", "112"}});
    EXPECT_EQ(try_to_dial("112"), JF_E_AUTH);
    serve_trunk({{"emergency", "true"}, {"emergency_numbers.0", "112"}});
    EXPECT_EQ(try_to_dial("112"), JF_OK);
}

TEST_F(SipDialling, IsCapped) {
    serve_trunk({{"dial_allow.0", "*"}, {"max_dials_per_minute", "2"}});
    EXPECT_EQ(try_to_dial("+12125550123"), JF_OK);
    EXPECT_EQ(try_to_dial("+12125550123"), JF_OK);
    EXPECT_EQ(try_to_dial("+12125550123"), JF_E_QUOTA);
}

TEST_F(SipDialling, CannotBeHadThroughATransferEither) {
    serve_trunk({{"dial_allow.0", "+1212"}});
    const auto call = answered();
    ASSERT_TRUE(call);
    EXPECT_EQ(control(*call, JF_TEL_TRANSFER, 0, "+19005550123"), JF_E_AUTH);
    ASSERT_EQ(control(*call, JF_TEL_TRANSFER, 0, "+12125550123"), JF_OK);
    EXPECT_NE(phone->wait_request(pump(), "REFER"), "");
    phone->request("BYE", ok);
    EXPECT_TRUE(done(*call));
}

}  // namespace
}  // namespace jackfield::test
