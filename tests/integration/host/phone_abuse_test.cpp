// Callers who don't behave. After each of them a normal call must work, in the same host.

#include "host_fixture.hpp"
#include "simulators/torture.hpp"

namespace jackfield::test {
namespace {

/// One host for all: what one caller leaves behind is the next one's trouble.
class PhoneAbuse : public testing::Test {
  protected:
    static void SetUpTestSuite() {
        folder_ = new HostFolder;
        folder_->write_tenant("desk", desk_tenant());
        folder_->write_host();
        host_ = new HostProcess(*folder_);
        open_ops_ = open_ops(*folder_);
    }
    static void TearDownTestSuite() {
        delete host_;
        delete folder_;
        host_ = nullptr;
        folder_ = nullptr;
    }
    void SetUp() override { log_begin_ = host_->log_lines(); }
    void TearDown() override {
        ASSERT_TRUE(host_->running()) << host_->log();
        expect_normal_call(*folder_, *host_);
    }
    StoredCall ended_call() {
        EXPECT_TRUE(call_is_stored(*host_, log_begin_));
        return StoredCall(*folder_);
    }

    static HostFolder* folder_;
    static HostProcess* host_;
    static std::int64_t open_ops_;
    std::size_t log_begin_ = 0;
};

HostFolder* PhoneAbuse::folder_ = nullptr;
HostProcess* PhoneAbuse::host_ = nullptr;
std::int64_t PhoneAbuse::open_ops_ = 0;

TEST_F(PhoneAbuse, TalkingOverTheAgentSilencesIt) {
    sim::SipPhone phone;
    ASSERT_TRUE(call_until_agent_talks(phone, host_->sip_uri("reception")));
    phone.say("book", speech("book-appointment"));
    ASSERT_TRUE(phone.wait_said(10s));
    ASSERT_TRUE(phone.wait_agent_quiet(600ms, 15s));
    phone.hang_up();
    ASSERT_TRUE(phone.wait_ended(5s));

    const sim::CallReport report = phone.report();
    ASSERT_EQ(report.turns.size(), 1u) << report.json();
    ASSERT_TRUE(report.turns[0].kept_speaking_ms) << report.json();
    EXPECT_LE(*report.turns[0].kept_speaking_ms, 1000);
    const StoredCall call = ended_call();
    const auto agent = call.turns("assistant");
    ASSERT_EQ(agent.size(), 3u) << call["turns"].dump();
    EXPECT_TRUE(agent[1]["interrupted"].boolean_or(false));
    const std::string heard = agent[1]["text"].text_or("");
    EXPECT_TRUE(heard.starts_with("We are open")) << heard;
    EXPECT_EQ(heard.find("anything else"), std::string::npos) << heard;
    EXPECT_NE(agent[1]["unheard"].text_or("").find("anything else"), std::string::npos);
    EXPECT_EQ(agent[2]["text"].text_or(""), "Which day would you like?");
}

TEST_F(PhoneAbuse, AKeyDuringTheAgentsSpeechIsAChoice) {
    sim::SipPhone phone;
    ASSERT_TRUE(call_until_agent_talks(phone, host_->sip_uri("reception")));
    phone.press("1");
    ASSERT_TRUE(phone.wait_said(5s));
    ASSERT_TRUE(phone.wait_agent_quiet(600ms, 15s));
    phone.hang_up();

    const StoredCall call = ended_call();
    const auto agent = call.turns("assistant");
    ASSERT_EQ(agent.size(), 3u) << call["turns"].dump();
    EXPECT_TRUE(agent[1]["interrupted"].boolean_or(false));
    // To "anything else?", which is where the dialogue is, the key 1 says yes.
    EXPECT_EQ(agent[2]["text"].text_or(""), "How can I help you?");
    ASSERT_EQ(call.turns("user").size(), 2u);
    EXPECT_EQ(call.turns("user")[1]["text"].text_or(""), "1");
}

TEST_F(PhoneAbuse, ManyKeysAtOnceAreHarmless) {
    sim::SipPhone phone;
    ASSERT_TRUE(call_until_agent_talks(phone, host_->sip_uri("reception")));
    phone.press("*#0987654321ABCD*#12");
    ASSERT_TRUE(phone.wait_said(15s));
    phone.hang_up();

    EXPECT_EQ(ended_call().text("cause"), "normal");
}

TEST_F(PhoneAbuse, HangingUpInMidSentenceEndsTheCall) {
    sim::SipPhone phone;
    ASSERT_TRUE(call_until_agent_talks(phone, host_->sip_uri("reception")));
    phone.hang_up();
    ASSERT_TRUE(phone.wait_ended(5s));

    const StoredCall call = ended_call();
    EXPECT_EQ(call.text("cause"), "normal");
    EXPECT_EQ(call.text("ended_by"), "caller");
    const auto agent = call.turns("assistant");
    ASSERT_EQ(agent.size(), 2u);
    EXPECT_TRUE(agent[1]["interrupted"].boolean_or(false));
    EXPECT_EQ(agent[1]["text"].text_or("").find("anything else"), std::string::npos);
}

TEST_F(PhoneAbuse, HangingUpInTheMiddleOfItsOwnWordsEndsTheCall) {
    sim::SipPhone phone;
    ASSERT_TRUE(phone.call(host_->sip_uri("reception")));
    ASSERT_TRUE(phone.wait_agent_quiet(400ms, 15s));
    phone.say("book", speech("book-appointment"));
    ASSERT_TRUE(phone.wait(1200ms));
    phone.hang_up();

    EXPECT_EQ(ended_call().text("cause"), "normal");
}

TEST_F(PhoneAbuse, VanishingEndsTheCallWithinTheWatchdog) {
    sim::SipPhone phone;
    ASSERT_TRUE(call_until_agent_talks(phone, host_->sip_uri("reception")));
    const auto began = std::chrono::steady_clock::now();
    phone.vanish();

    const StoredCall call = ended_call();
    EXPECT_LE(std::chrono::steady_clock::now() - began, 6s);
    EXPECT_EQ(call.text("cause"), "media_timeout");
}

TEST_F(PhoneAbuse, CancellingBeforeTheAnswerEndsTheCall) {
    sim::SipPhone phone;
    ASSERT_TRUE(phone.call(host_->sip_uri("slow")));
    ASSERT_TRUE(phone.wait_ringing(5s));
    phone.cancel();
    ASSERT_TRUE(phone.wait_ended(5s));

    EXPECT_EQ(phone.report().final_status, 487);
    const StoredCall call = ended_call();
    EXPECT_EQ(call.text("cause"), "cancelled");
    EXPECT_EQ(call.text("ended_by"), "caller");
}

TEST_F(PhoneAbuse, FiveThousandMalformedMessagesAreHarmless) {
    sim::TortureOptions options;
    options.target = {sim::loopback, host_->udp_port()};

    const sim::TortureReport report = sim::torture(options);

    EXPECT_EQ(report.sent, 5000);
    EXPECT_EQ(report.server_errors, 0);
}

TEST_F(PhoneAbuse, MalformedMessagesOverTcpAreHarmless) {
    sim::TortureOptions options;
    options.target = {sim::loopback, host_->tcp_port()};
    options.tcp = true;
    options.count = 500;
    options.per_second = 500;

    const sim::TortureReport report = sim::torture(options);

    EXPECT_EQ(report.refused, 0);
    expect_normal_call(*folder_, *host_, true);
}

TEST_F(PhoneAbuse, AThirdPartysPacketsDoNotMoveTheMedia) {
    for (const bool same_ssrc : {false, true}) {
        SCOPED_TRACE(same_ssrc ? "with the caller's own SSRC" : "with an SSRC of its own");
        log_begin_ = host_->log_lines();
        sim::SipPhone phone;
        ASSERT_TRUE(call_until_agent_talks(phone, host_->sip_uri("reception")));
        phone.attack(150, same_ssrc);
        ASSERT_TRUE(phone.wait_said(10s));
        phone.press("1");
        ASSERT_TRUE(phone.wait_said(5s));
        ASSERT_TRUE(phone.wait_agent_quiet(600ms, 15s));
        phone.hang_up();
        ASSERT_TRUE(phone.wait_ended(5s));

        const sim::MediaCounts media = phone.report().media;
        EXPECT_EQ(media.attack_received, 0u);
        EXPECT_EQ(media.foreign, 0u);
        EXPECT_LE(media.lost, 2u);
        const StoredCall call = ended_call();
        const auto said = call.agent_said();
        ASSERT_EQ(said.size(), 3u) << call["turns"].dump();
        EXPECT_EQ(said[2], "How can I help you?");
    }
}

TEST_F(PhoneAbuse, ANumberThatNobodyAnswersIsNotFound) {
    for (const bool tcp : {false, true}) {
        sim::SipPhone phone;
        ASSERT_TRUE(phone.call(host_->sip_uri("nobody", tcp)));
        ASSERT_TRUE(phone.wait_ended(5s));
        EXPECT_EQ(phone.report().final_status, 404);
    }
}

TEST_F(PhoneAbuse, LeavesNothingBehind) {
    // What was refused waits half a minute for its ACK (RFC 3261 17.2.1, timer H). Each look is a process of its own, so this is no busy loop.
    const auto deadline = std::chrono::steady_clock::now() + 40s;
    std::int64_t open = open_ops(*folder_);
    while (open != open_ops_ && std::chrono::steady_clock::now() < deadline) open = open_ops(*folder_);
    EXPECT_EQ(open, open_ops_);
    EXPECT_EQ(host_->stop(), 0) << host_->log();
    EXPECT_EQ(query(folder_->database(), "PRAGMA integrity_check"), std::vector<std::string>{"ok"});
    EXPECT_EQ(query(folder_->database(), "SELECT count(*) FROM \"jf.calls\" WHERE state <> 'ended'"), std::vector<std::string>{"0"});
    // For the call that follows every test.
    delete host_;
    host_ = new HostProcess(*folder_);
}

}  // namespace
}  // namespace jackfield::test
