#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "simulators/scenario.hpp"
#include "simulators/sip_phone.hpp"

namespace jackfield::sim {
namespace {

using std::chrono_literals::operator""ms;
using std::chrono_literals::operator""s;

PhoneOptions called(AnswerPlan plan = {}) {
    PhoneOptions options;
    options.user = "callee";
    options.answer = std::move(plan);
    return options;
}

AnswerPlan at_once() {
    AnswerPlan plan;
    plan.after = 0ms;
    return plan;
}

class SimPhoneOver : public testing::TestWithParam<const char*> {};
INSTANTIATE_TEST_SUITE_P(Transports, SimPhoneOver, testing::Values("", ";transport=tcp"));

TEST_P(SimPhoneOver, CallsRingsTalksAndHangsUp) {
    SipPhone callee(called());
    SipPhone caller;

    ASSERT_TRUE(caller.call(callee.uri() + GetParam()));
    ASSERT_TRUE(caller.wait_answered(5s));
    caller.say("tone", tone(440, 300));
    ASSERT_TRUE(caller.wait_said(5s));
    ASSERT_TRUE(callee.wait_agent_quiet(100ms, 5s));
    caller.hang_up();
    ASSERT_TRUE(callee.wait_ended(5s));

    const CallReport report = callee.report();
    EXPECT_EQ(report.ended_by, EndedBy::peer);
    EXPECT_EQ(caller.report().statuses, (std::vector<int>{100, 180, 200}));
    ASSERT_EQ(report.agent.size(), 1u);
    EXPECT_NEAR(report.agent[0].end_ms - report.agent[0].start_ms, 300, 25);
    EXPECT_EQ(report.media.lost, 0u);
}

TEST_P(SimPhoneOver, IsHungUpByTheCallee) {
    AnswerPlan plan = at_once();
    plan.hang_up_after = 100ms;
    SipPhone callee(called(plan));
    SipPhone caller;

    ASSERT_TRUE(caller.call(callee.uri() + GetParam()));
    ASSERT_TRUE(caller.wait_ended(5s));

    EXPECT_EQ(caller.report().ended_by, EndedBy::peer);
}

TEST(SimPhone, CancelsWhileItRings) {
    AnswerPlan plan;
    plan.never = true;
    SipPhone callee(called(plan));
    SipPhone caller;

    ASSERT_TRUE(caller.call(callee.uri()));
    ASSERT_TRUE(caller.wait_ringing(5s));
    caller.cancel();
    ASSERT_TRUE(caller.wait_ended(5s));

    EXPECT_EQ(caller.report().final_status, 487);
    EXPECT_EQ(callee.report().ended_by, EndedBy::cancelled);
}

TEST(SimPhone, IsRefusedWithTheStatusOfThePlan) {
    AnswerPlan plan = at_once();
    plan.status = 486;
    SipPhone callee(called(plan));
    SipPhone caller;

    ASSERT_TRUE(caller.call(callee.uri()));
    ASSERT_TRUE(caller.wait_ended(5s));

    EXPECT_EQ(caller.report().final_status, 486);
    EXPECT_EQ(caller.report().ended_by, EndedBy::rejected);
}

TEST(SimPhone, HearsEachKeyOnce) {
    SipPhone callee(called(at_once()));
    SipPhone caller;
    ASSERT_TRUE(caller.call(callee.uri()));
    ASSERT_TRUE(caller.wait_answered(5s));

    caller.press("1229#");

    EXPECT_TRUE(callee.wait_heard_key("1229#", 5s));
    EXPECT_EQ(callee.report().keys_heard, "1229#");
}

TEST(SimPhone, ChangesDirectionCodecAndPortInsideACall) {
    SipPhone callee(called(at_once()));
    SipPhone caller;
    ASSERT_TRUE(caller.call(callee.uri()));
    ASSERT_TRUE(caller.wait_answered(5s));
    const Endpoint before = callee.far_media();

    EXPECT_EQ(caller.change({"inactive", {}, false}), 200);
    EXPECT_EQ(caller.change({"sendrecv", Codec::pcma, true}), 200);
    caller.say("tone", tone(440, 200));
    ASSERT_TRUE(caller.wait_said(5s));
    EXPECT_TRUE(callee.wait_agent_quiet(100ms, 5s));

    EXPECT_EQ(callee.report().codec, "PCMA");
    EXPECT_NE(callee.far_media(), before);
}

TEST(SimPhone, MeasuresTheLatencyOfReplies) {
    AnswerPlan plan = at_once();
    plan.reply_quiet = 400ms;
    plan.replies = {tone(300, 300), tone(300, 300)};
    SipPhone callee(called(plan));
    SipPhone caller;
    ASSERT_TRUE(caller.call(callee.uri()));
    ASSERT_TRUE(caller.wait_answered(5s));

    for (int i = 0; i < 2; ++i) {
        caller.say("question", tone(440, 250));
        ASSERT_TRUE(caller.wait_said(5s));
        ASSERT_TRUE(caller.wait_agent_quiet(300ms, 5s));
    }

    const CallReport report = caller.report();
    const CallReport truth = callee.report();
    ASSERT_EQ(report.turns.size(), 2u);
    ASSERT_EQ(truth.turns.size(), 2u);
    ASSERT_EQ(truth.agent.size(), 2u);
    for (std::size_t i = 0; i < 2; ++i) {
        ASSERT_TRUE(report.turns[i].latency_ms);
        EXPECT_GE(*report.turns[i].latency_ms, 395);
        // The callee knows what it took; how late a busy machine made it is in both figures.
        EXPECT_NEAR(*report.turns[i].latency_ms, truth.turns[i].start_ms - truth.agent[i].end_ms, 15);
    }
    EXPECT_EQ(report.agent.size(), 2u);
}

TEST(SimPhone, MeasuresHowLongItWasTalkedOver) {
    AnswerPlan plan = at_once();
    plan.greeting = tone(300, 1000);
    SipPhone callee(called(plan));
    SipPhone caller;
    ASSERT_TRUE(caller.call(callee.uri()));

    ASSERT_TRUE(caller.wait_agent_speaking(200ms, 5s));
    caller.say("interruption", tone(440, 200));
    ASSERT_TRUE(caller.wait_agent_quiet(100ms, 5s));

    const CallReport report = caller.report();
    ASSERT_EQ(report.turns.size(), 1u);
    ASSERT_TRUE(report.turns[0].kept_speaking_ms);
    EXPECT_GT(*report.turns[0].kept_speaking_ms, 400);
    EXPECT_LT(*report.turns[0].kept_speaking_ms, 800);
}

TEST(SimPhone, IgnoresMediaOfAThirdParty) {
    SipPhone callee(called(at_once()));
    SipPhone caller;
    ASSERT_TRUE(caller.call(callee.uri()));
    ASSERT_TRUE(caller.wait_answered(5s));

    caller.attack(10, true);
    ASSERT_TRUE(caller.wait_said(5s));
    caller.say("tone", tone(440, 100));
    ASSERT_TRUE(callee.wait_agent_quiet(50ms, 5s));

    EXPECT_EQ(callee.report().media.foreign, 10u);
    EXPECT_EQ(caller.report().media.attack_received, 0u);
    EXPECT_EQ(callee.report().agent.size(), 1u);
}

TEST(SimPhone, RecordsBothDirectionsOnOneClock) {
    AnswerPlan plan = at_once();
    plan.echo = true;
    SipPhone callee(called(plan));
    SipPhone caller;
    ASSERT_TRUE(caller.call(callee.uri()));
    ASSERT_TRUE(caller.wait_answered(5s));

    caller.say("tone", tone(440, 200));
    ASSERT_TRUE(caller.wait_agent_quiet(100ms, 5s));

    const Wav wav = caller.recording();
    Pcm left;
    Pcm right;
    for (std::size_t i = 0; i + 1 < wav.samples.size(); i += 2) {
        left.push_back(wav.samples[i]);
        right.push_back(wav.samples[i + 1]);
    }
    const VoicedSpan said = find_voiced(left);
    const VoicedSpan heard = find_voiced(right);
    EXPECT_NEAR(said.last - said.first, 1600, 20);
    EXPECT_NEAR(heard.last - heard.first, 1600, 20);
    // The echo leaves at the callee's next tick.
    EXPECT_GE(heard.first, said.first);
    EXPECT_LE(heard.first - said.first, 80 * rate_hz / 1000);
}

TEST(SimPhone, AnswersAPing) {
    SipPhone callee;
    SipPhone caller;

    EXPECT_EQ(caller.ping(callee.uri()), 200);
    EXPECT_EQ(caller.ping(callee.uri() + ";transport=tcp"), 200);
}

TEST(SimPhone, VanishesWithoutAWord) {
    SipPhone callee(called(at_once()));
    SipPhone caller;
    ASSERT_TRUE(caller.call(callee.uri()));
    ASSERT_TRUE(caller.wait_answered(5s));

    caller.vanish();

    EXPECT_EQ(caller.report().ended_by, EndedBy::vanished);
    EXPECT_FALSE(callee.wait_ended(200ms));
}

TEST(SimScenario, FollowsItsStepsAndChecksItsExpectations) {
    AnswerPlan plan = at_once();
    plan.greeting = tone(300, 200);
    plan.reply_quiet = 200ms;
    plan.replies = {tone(300, 200)};
    SipPhone callee(called(plan));
    SipPhone caller;
    ASSERT_TRUE(caller.call(callee.uri()));

    const auto steps = parse_scenario(
        "wait_answered\nwait_agent 300ms  # the greeting\nsay tone 200ms\nwait_agent 500ms\nhold\nresume\n"
        "expect answered_turns = 1\nexpect latency_max_ms <= 10\nexpect lost = 0\nhang_up\nexpect ended_by = us\n");
    const ScenarioResult result = run_scenario(caller, steps, ".", 5s);

    ASSERT_EQ(result.failures.size(), 1u);
    EXPECT_THAT(result.failures[0], testing::StartsWith("line 8: expect: expected latency_max_ms <= 10, was "));
}

}  // namespace
}  // namespace jackfield::sim
