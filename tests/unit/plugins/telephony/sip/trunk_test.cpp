// Calls by way of carriers' proxies: which one, and what when it fails.

#include "credentials.hpp"
#include "fake_dns.hpp"
#include "sip_calls.hpp"

namespace jackfield::test {
namespace {

class SipTrunks : public SipCalls {
  protected:
    void serve(std::vector<std::pair<std::string, std::string>> more) {
        std::vector<std::pair<std::string, std::string>> options{
            {"listen.0", "udp:127.0.0.1:0"}, {"rtp_ports", "0"}, {"dial_allow.0", "*"}};
        options.insert(options.end(), more.begin(), more.end());
        start(options);
        first.set_server(port);
        second.set_server(port);
    }
    static std::string uri(const RawPhone& at) { return "sip:" + at.sip.address(); }
    void serve_both(const std::string& health) {
        serve({{"outbound_proxy", uri(first)},
               {"backup_proxies.0", uri(second)},
               {"health_interval_s", health}});
    }
    std::shared_ptr<Call> dial_number(const std::string& number = "+12125550123") {
        const auto call = host->open_call();
        jf_dial what = sdk::make<jf_dial>();
        what.to = sdk::str(number);
        const jf_answer media = sdk::make<jf_answer>();
        jf_error error = sdk::make<jf_error>();
        EXPECT_EQ(telephony->dial(instance, call->op, &what, &media, &error), JF_OK) << error.text;
        return call;
    }
    std::function<void()> pump_dns() {
        return [this] {
            dns.serve();
            host->pump();
        };
    }

    RawPhone first{0};
    RawPhone second{0};
    FakeDns dns;
};

TEST_F(SipTrunks, TheNextIsTriedAfterA503) {
    serve_both("0");
    const auto call = dial_number();
    const std::string invite = first.wait_request(pump(), "INVITE");
    ASSERT_NE(invite, "");
    first.reply(invite, 503, "Service Unavailable");

    const std::string again = second.wait_request(pump(), "INVITE");
    ASSERT_NE(again, "");
    EXPECT_NE(header(again, "Call-ID"), "");
    second.reply(again, 486, "Busy Here");

    ASSERT_TRUE(done(*call));
    EXPECT_EQ(call->end.cause, JF_CAUSE_BUSY) << "busy is an answer: nobody else is asked";
    EXPECT_EQ(host->counted("sip_trunk_failovers"), 1u);
}

TEST_F(SipTrunks, TheNextIsTriedWhenNobodyAnswers) {
    serve_both("0");
    const auto call = dial_number();
    ASSERT_NE(first.wait_request(pump(), "INVITE"), "");
    const std::string again = second.wait(
        pump(), [](const std::string& m) { return m.starts_with("INVITE "); }, 8000);
    ASSERT_NE(again, "");
    second.reply(again, 180, "Ringing");
    ASSERT_TRUE(seen(*call, JF_EV_RINGING));
    second.reply(again, 200, "OK", second.sdp("0 101"));
    ASSERT_TRUE(seen(*call, JF_EV_ANSWERED));
    EXPECT_EQ(telephony->hangup(instance, call->op, JF_CAUSE_NORMAL), JF_OK);
    const std::string bye = second.wait_request(pump(), "BYE");
    EXPECT_NE(bye, "");
    second.reply(bye, 200, "OK");
    EXPECT_TRUE(done(*call));
}

TEST_F(SipTrunks, ACallThatRangIsNotTriedElsewhere) {
    serve_both("0");
    const auto call = dial_number();
    const std::string invite = first.wait_request(pump(), "INVITE");
    first.reply(invite, 180, "Ringing");
    ASSERT_TRUE(seen(*call, JF_EV_RINGING));
    first.reply(invite, 503, "Service Unavailable");
    ASSERT_TRUE(done(*call));
    EXPECT_EQ(call->end.status, 503u);
    EXPECT_EQ(host->counted("sip_trunk_failovers"), 0u);
}

TEST_F(SipTrunks, AreWatchedAndTheDeadOneIsTriedLast) {
    serve_both("1");
    std::string options = first.wait_request(pump(), "OPTIONS");
    ASSERT_NE(options, "");
    EXPECT_TRUE(options.starts_with("OPTIONS " + uri(first) + " ")) << options;
    first.reply(options, 503, "Service Unavailable");
    options = second.wait_request(pump(), "OPTIONS");
    second.reply(options, 405, "Method Not Allowed");
    const std::string call_id = header(options, "Call-ID");
    ASSERT_TRUE(until([&] {
        if (const auto more = first.sip.receive(); more && more->bytes.starts_with("OPTIONS "))
            first.reply(more->bytes, 503, "Service Unavailable");
        return host->gauge("sip_trunks_up") == 1.0;
    }));
    EXPECT_EQ(host->log_field("sip.trunk_down", "proxy"), uri(first));

    const auto call = dial_number();
    const std::string invite = second.wait_request(pump(), "INVITE");
    ASSERT_NE(invite, "");
    second.reply(invite, 486, "Busy Here");
    ASSERT_TRUE(done(*call));

    ASSERT_TRUE(until([&] {
        if (const auto more = first.sip.receive(); more && more->bytes.starts_with("OPTIONS "))
            first.reply(more->bytes, 200, "OK");
        return host->gauge("sip_trunks_up") == 2.0;
    }));
    EXPECT_EQ(host->log_field("sip.trunk_up", "proxy"), uri(first));
}

TEST_F(SipTrunks, AreFoundByNaptrAndSrvInTheirOrder) {
    dns.add_naptr("carrier.test", "SIP+D2U", "_sip._udp.carrier.test");
    dns.add_srv("_sip._udp.carrier.test", 20, 100, second.sip.port(), "two.carrier.test");
    dns.add_srv("_sip._udp.carrier.test", 10, 1, first.sip.port(), "one.carrier.test");
    dns.add_address("one.carrier.test");
    dns.add_address("two.carrier.test");
    serve({{"outbound_proxy", "sip:carrier.test"},
           {"health_interval_s", "0"},
           {"dns_servers.0", dns.address()}});

    const auto call = dial_number();
    const std::string invite = first.wait_request(pump_dns(), "INVITE");
    ASSERT_NE(invite, "");
    first.reply(invite, 503, "Service Unavailable");
    const std::string again = second.wait_request(pump_dns(), "INVITE");
    ASSERT_NE(again, "") << "the next of the records";
    EXPECT_EQ(header(again, "Call-ID"), header(invite, "Call-ID"));
    second.reply(again, 404, "Not Found");
    ASSERT_TRUE(done(*call));
    EXPECT_EQ(call->end.cause, JF_CAUSE_INVALID_NUMBER);
}

TEST_F(SipTrunks, ChallengesAreAnsweredWithTheStrongestThatWeKnow) {
    serve({{"outbound_proxy", uri(first)},
           {"health_interval_s", "0"},
           {"username", "bob"},
           {"password", "zanzibar"}});
    const auto call = dial_number();
    std::string invite = first.wait_request(pump(), "INVITE");
    first.reply(
        invite,
        407,
        "Proxy Authentication Required",
        {},
        "Proxy-Authenticate: Digest realm=\"c\", nonce=\"n1\", algorithm=SHA-1024, "
        "qop=\"auth\"\r\nProxy-Authenticate: Digest realm=\"c\", nonce=\"n2\", "
        "algorithm=SHA-256, qop=\"auth,auth-int\", opaque=\"o\"\r\nProxy-Authenticate: Digest "
        "realm=\"c\", nonce=\"n3\", algorithm=MD5, qop=\"auth\"\r\n");
    const auto authorized = [](const std::string& m) {
        return m.starts_with("INVITE ") && m.find("Proxy-Authorization:") != std::string::npos;
    };
    invite = first.wait(pump(), authorized);
    const Credentials bob{"bob", "zanzibar"};
    EXPECT_TRUE(answers(invite, "Proxy-Authorization", bob, "n2", "SHA-256")) << invite;
    EXPECT_NE(header(invite, "Proxy-Authorization").find("opaque=\"o\""), std::string::npos);
    EXPECT_NE(header(invite, "Proxy-Authorization").find("nc=00000001"), std::string::npos);

    first.reply(invite,
                407,
                "Proxy Authentication Required",
                {},
                "Proxy-Authenticate: Digest realm=\"c\", nonce=\"n4\", algorithm=SHA-256, "
                "qop=\"auth\", stale=true\r\n");
    const std::string old = header(invite, "CSeq");
    invite = first.wait(
        pump(), [&](const std::string& m) { return authorized(m) && header(m, "CSeq") != old; });
    EXPECT_TRUE(answers(invite, "Proxy-Authorization", bob, "n4", "SHA-256")) << invite;

    first.reply(invite,
                407,
                "Proxy Authentication Required",
                {},
                "Proxy-Authenticate: Digest realm=\"c\", nonce=\"n5\", algorithm=SHA-256, "
                "qop=\"auth\"\r\n");
    ASSERT_TRUE(done(*call))
        << "the password is wrong; trying it again and again would lock us out";
    EXPECT_EQ(call->end.status, 407u);
}

TEST_F(SipTrunks, KeepTheNonceForTheRestOfTheCall) {
    serve({{"outbound_proxy", uri(first)},
           {"health_interval_s", "0"},
           {"username", "bob"},
           {"password", "zanzibar"}});
    const auto call = dial_number();
    std::string invite = first.wait_request(pump(), "INVITE");
    first.reply(invite,
                401,
                "Unauthorized",
                {},
                "WWW-Authenticate: Digest realm=\"c\", nonce=\"n\", algorithm=SHA-256, "
                "qop=\"auth\"\r\n");
    invite = first.wait(pump(), [](const std::string& m) {
        return m.starts_with("INVITE ") && m.find("Authorization:") != std::string::npos;
    });
    first.reply(invite, 200, "OK", first.sdp("0 101"));
    ASSERT_TRUE(seen(*call, JF_EV_ANSWERED));
    EXPECT_EQ(telephony->hangup(instance, call->op, JF_CAUSE_NORMAL), JF_OK);
    const std::string bye = first.wait_request(pump(), "BYE");
    EXPECT_TRUE(answers(bye, "Authorization", {"bob", "zanzibar"}, "n", "SHA-256")) << bye;
    EXPECT_NE(header(bye, "Authorization").find("nc=0000000"), std::string::npos);
    EXPECT_EQ(header(bye, "Authorization").find("nc=00000001"), std::string::npos) << bye;
    first.reply(bye, 200, "OK");
    EXPECT_TRUE(done(*call));
}

}  // namespace
}  // namespace jackfield::test
