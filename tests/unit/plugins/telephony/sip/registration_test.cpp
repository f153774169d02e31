// Our own registration at somebody else's registrar.

#include "credentials.hpp"
#include "sip_calls.hpp"

namespace jackfield::test {
namespace {

class SipRegistration : public SipCalls {
  protected:
    void serve(const std::string& expires_s = "300") {
        start({{"listen.0", "udp:127.0.0.1:0"},
               {"rtp_ports", "0"},
               {"from", "sip:desk@" + carrier.sip.address()},
               {"username", "desk"},
               {"password", "correct horse"},
               {"register", "true"},
               {"register_expires_s", expires_s}});
        carrier.set_server(port);
    }
    std::string next(int timeout_ms = 5000) {
        return carrier.wait(
            pump(),
            [&](const std::string& m) {
                if (!m.starts_with("REGISTER ") || header(m, "CSeq") == last_cseq) return false;
                last_cseq = header(m, "CSeq");
                return true;
            },
            timeout_ms);
    }
    std::string granted(const std::string& request, unsigned expires_s) const {
        const std::string contact = header(request, "Contact");
        return "Contact: " + contact.substr(0, contact.find(';')) +
               ";expires=" + std::to_string(expires_s) + "\r\n";
    }

    RawPhone carrier{0};
    std::string last_cseq;
    const Credentials desk{"desk", "correct horse"};
};

TEST_F(SipRegistration, AnswersTheChallengeRefreshesInTimeAndLeavesAtTheEnd) {
    serve();
    const std::string bare = next();
    ASSERT_NE(bare, "");
    EXPECT_TRUE(bare.starts_with("REGISTER sip:" + carrier.sip.address() + " ")) << bare;
    EXPECT_EQ(header(bare, "To"), "<sip:desk@" + carrier.sip.address() + ">");
    EXPECT_TRUE(header(bare, "Contact").starts_with("<sip:desk@127.0.0.1:" + std::to_string(port)))
        << bare;
    EXPECT_EQ(header(bare, "Expires"), "300");
    carrier.reply(bare,
                  401,
                  "Unauthorized",
                  {},
                  "WWW-Authenticate: Digest realm=\"c\", nonce=\"n\", algorithm=SHA-256, "
                  "qop=\"auth\"\r\n");
    const std::string shown = next();
    EXPECT_TRUE(answers(shown, "Authorization", desk, "n", "SHA-256")) << shown;
    EXPECT_EQ(header(shown, "Call-ID"), header(bare, "Call-ID"));
    carrier.reply(shown, 200, "OK", {}, granted(shown, 1));
    ASSERT_TRUE(until([&] { return host->gauge("sip_registered") == 1.0; }));
    EXPECT_EQ(host->log_fields("sip.registered", "registrar").size(), 1u);

    const std::string refresh = next();
    ASSERT_NE(refresh, "") << "before the second that was granted is over";
    EXPECT_NE(header(refresh, "Authorization").find("nc=00000002"), std::string::npos) << refresh;
    carrier.reply(refresh, 200, "OK", {}, granted(refresh, 300));
    until([] { return false; }, milliseconds(20));

    functions->destroy(instance);
    instance = nullptr;
    const std::string leave =
        carrier.wait([] {}, [](const std::string& m) { return header(m, "Expires") == "0"; }, 1000);
    EXPECT_TRUE(leave.starts_with("REGISTER ")) << leave;
}

TEST_F(SipRegistration, AsksForLongerWhenThatIsWanted) {
    serve("10");
    const std::string brief = next();
    carrier.reply(brief, 423, "Interval Too Brief", {}, "Min-Expires: 120\r\n");
    const std::string longer = next();
    EXPECT_EQ(header(longer, "Expires"), "120");
    carrier.reply(longer, 200, "OK", {}, granted(longer, 120));
    EXPECT_TRUE(until([&] { return host->gauge("sip_registered") == 1.0; }));
    carrier.reply(next(100), 200, "OK");
}

TEST_F(SipRegistration, ComesBackAfterAFailure) {
    serve();
    const std::string refused = next();
    carrier.reply(refused, 500, "Server Internal Error");
    ASSERT_TRUE(until([&] { return !host->log_field("sip.not_registered", "why").empty(); }));
    EXPECT_EQ(host->log_field("sip.not_registered", "why"), "500 Server Internal Error");
    const std::string again = next(6000);
    ASSERT_NE(again, "") << "within four seconds";
    carrier.reply(again, 200, "OK", {}, granted(again, 300));
    EXPECT_TRUE(until([&] { return host->gauge("sip_registered") == 1.0; }));
}

}  // namespace
}  // namespace jackfield::test
