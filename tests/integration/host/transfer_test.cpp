// A caller who is handed on: to a person on a second leg, by the carrier, to another agent; who is put on hold; and who is asked for consent.

#include <cmath>

#include "host_fixture.hpp"
#include "media/wav.hpp"

namespace jackfield::test {
namespace {

using sim::AnswerPlan;
using sim::PhoneOptions;
using sim::SipPhone;

constexpr const char* dialogue = R"(
[dialogue]
name = "desk"
language = "en-US"
greeting = "Hello."
prompt = "How can I help you?"
anything_else = "Anything else?"
goodbye = "Goodbye."
[person]
to = "reception"
says = "One moment please."
unavailable = "I am sorry, nobody is free."
[no_match]
says = ["Sorry?"]
after = 20
[slots.to]
type = "choice"
ask = "Billing or repairs?"
values = ["billing", "repairs"]
[slots.card]
type = "digits"
ask = "Your card number?"
min_length = 4
max_length = 8
[intents.hours]
phrases = ["opening hours"]
says = "We are open all day."
dtmf = "5"
[intents.other]
phrases = ["another department"]
slots = ["to"]
tool = "hand_off"
says = "Done."
says_failed = "That did not work."
dtmf = "3"
[intents.pay]
phrases = ["i want to pay"]
slots = ["card"]
says = "Thank you."
dtmf = "4"
)";

constexpr const char* billing_dialogue = R"(
[dialogue]
name = "billing"
language = "en-US"
greeting = "Billing."
prompt = "This is billing."
anything_else = "More?"
goodbye = "Bye."
[no_match]
says = ["This is billing."]
after = 20
[intents.owed]
phrases = ["what do i owe"]
says = "You owe five dollars."
dtmf = "7"
)";

/// The tenant of these tests; `agent` is put into the table of agent `desk`, `tables` behind it.
std::string tenant(const std::string& agent, const std::string& tables) {
    return std::string("[tenant]\nname = \"Desk\"\n") +
           "[providers.ears]\nplugin = \"stt/pocketsphinx\"\n"
           "[providers.brain]\nplugin = \"llm/scripted\"\nscript_inline = '''" + dialogue + "'''\n"
           "[providers.brain2]\nplugin = \"llm/scripted\"\nscript_inline = '''" + billing_dialogue + "'''\n"
           "[providers.voice]\nplugin = \"tts/flite\"\n"
           "[agents.desk]\nanswers = [\"host:trunk/sip:desk@\"]\nstt = \"ears\"\nllm = \"brain\"\ntts = \"voice\"\ngreeting = \"Hello.\"\n"
           "tools = [\"hang_up\", \"transfer\", \"pause_recording\", \"resume_recording\"]\n" + agent +
           "\n[agents.billing]\nstt = \"ears\"\nllm = \"brain2\"\ntts = \"voice\"\n" + tables;
}

/// How loud a tone is in one channel of a phone's recording, in whole tenths of a second that hold it.
int tenths_with_tone(const sim::Wav& wav, int channel, int hz) {
    int found = 0;
    constexpr std::size_t block = 800;
    for (std::size_t from = 0; (from + block) * 2 <= wav.samples.size(); from += block) {
        double re = 0;
        double im = 0;
        double power = 1;
        for (std::size_t i = 0; i < block; ++i) {
            const double sample = wav.samples[(from + i) * 2 + static_cast<std::size_t>(channel)];
            const double angle = 2 * M_PI * hz * static_cast<double>(i) / sim::rate_hz;
            re += sample * std::cos(angle);
            im += sample * std::sin(angle);
            power += sample * sample;
        }
        const double share = 2 * (re * re + im * im) / (static_cast<double>(block) * power);
        found += share > 0.4 && power / block > 1e5;
    }
    return found;
}

class HostTransfer : public ::testing::Test {
  protected:
    void serve(const std::string& agent, const std::string& tables, const std::string& host_options = "") {
        folder_.write_tenant("desk", tenant(agent, tables));
        folder_.write_host(0, 0, host_options);
        host_ = std::make_unique<HostProcess>(folder_);
    }
    void call() {
        ASSERT_TRUE(caller_.call(host_->sip_uri("desk")));
        ASSERT_TRUE(caller_.wait_answered(10s)) << host_->log();
        ASSERT_TRUE(caller_.wait_agent_quiet(400ms, 15s)) << host_->log();
    }
    void ask_for_a_person() { caller_.press("0"); }
    void expect_they_hear_each_other(SipPhone& person) {
        caller_.say("caller", sim::tone(700, 1500));
        ASSERT_TRUE(caller_.wait_said(5s));
        person.say("person", sim::tone(1100, 1500));
        ASSERT_TRUE(person.wait_said(5s));
        caller_.wait(400ms);
        EXPECT_GE(tenths_with_tone(person.recording(), 1, 700), 12);
        EXPECT_GE(tenths_with_tone(caller_.recording(), 1, 1100), 12);
    }
    /// Waits for the call's end in the store.
    StoredCall stored() {
        EXPECT_TRUE(call_is_stored(*host_, 0));
        return StoredCall(folder_);
    }
    std::string transfer_to(const SipPhone& person, const std::string& more) {
        return "[agents.desk.transfer]\nreception = { to = \"" + person.uri() + "\"" + more + " }\n";
    }

    HostFolder folder_;
    std::unique_ptr<HostProcess> host_;
    SipPhone caller_;
};

TEST_F(HostTransfer, JoinsTheCallerWithAPersonOnAnotherCodec) {
    PhoneOptions options;
    options.codecs = {sim::Codec::pcma};
    options.answer.after = 1500ms;
    SipPhone person(options);
    serve("[agents.desk.recording]\nenabled = true\n", transfer_to(person, ", mode = \"bridge\""));
    call();

    ask_for_a_person();
    ASSERT_TRUE(person.wait_answered(15s)) << host_->log();
    ASSERT_TRUE(host_->wait_log({"\"call.transfer\"", "joined"}, 5s)) << host_->log();
    expect_they_hear_each_other(person);
    caller_.press("5");
    EXPECT_TRUE(person.wait_heard_key("5", 5s));
    person.press("7");
    EXPECT_TRUE(caller_.wait_heard_key("7", 5s));
    caller_.hang_up();

    EXPECT_TRUE(person.wait_ended(5s));
    EXPECT_EQ(person.report().ended_by, sim::EndedBy::peer);
    EXPECT_EQ(person.report().codec, "PCMA");
    // The ringing tone, while the person had not answered.
    EXPECT_GE(tenths_with_tone(caller_.recording(), 1, 440), 5);
    const StoredCall call = stored();
    EXPECT_EQ(call.text("cause"), "normal");
    EXPECT_EQ(call.text("reason"), "transfer");
    ASSERT_EQ(call["legs"].size(), 1u);
    EXPECT_EQ(call["legs"].at(0)["to"].text_or(""), person.uri());
    EXPECT_EQ(call["legs"].at(0)["state"].text_or(""), "ended");
    EXPECT_EQ(call["legs"].at(0)["reason"].text_or(""), "caller_left");
    // The leg is newer than the call, but it is no call of its own.
    const auto traced = folder_.jackfield_json({"call", "trace", "last"});
    ASSERT_TRUE(traced);
    EXPECT_EQ(traced->root()["call"].text_or(""), call.text("id"));
    const std::string leg = call["legs"].at(0)["id"].text_or("");
    const auto of_leg = folder_.jackfield({"call", "trace", leg});
    EXPECT_EQ(of_leg.code, 0) << of_leg.err;
    EXPECT_NE(of_leg.err.find(leg + " is the leg that call " + call.text("id") + " was transferred to"), std::string::npos) << of_leg.err;
    EXPECT_EQ(host_->stop(), 0);
    // Both sides of the conversation are in the recording.
    const sim::Wav recording = sim::read_wav(call.text("recording"));
    EXPECT_GE(tenths_with_tone(recording, 0, 700), 12);
    EXPECT_GE(tenths_with_tone(recording, 1, 1100), 12);
}

TEST_F(HostTransfer, EndsBothLegsWhenThePersonHangsUp) {
    PhoneOptions options;
    options.answer.hang_up_after = 800ms;
    SipPhone person(options);
    serve("", transfer_to(person, ", mode = \"bridge\""));
    call();

    ask_for_a_person();

    EXPECT_TRUE(caller_.wait_ended(15s)) << host_->log();
    EXPECT_EQ(caller_.report().ended_by, sim::EndedBy::peer);
    EXPECT_EQ(stored().text("reason"), "transfer");
    EXPECT_EQ(open_ops(folder_), 0);
}

TEST_F(HostTransfer, GoesOnWithTheConversationWhenThePersonIsBusy) {
    PhoneOptions options;
    options.answer.status = 486;
    SipPhone person(options);
    serve("", transfer_to(person, ", mode = \"bridge\""));
    call();

    ask_for_a_person();
    ASSERT_TRUE(host_->wait_log({"\"call.transfer\"", "failed", "busy"}, 15s)) << host_->log();
    ASSERT_TRUE(caller_.wait_agent_quiet(600ms, 15s));
    caller_.press("5");
    ASSERT_TRUE(caller_.wait_said(5s));
    ASSERT_TRUE(caller_.wait_agent_quiet(600ms, 15s));
    caller_.hang_up();

    const StoredCall call = stored();
    const auto said = call.agent_said();
    EXPECT_NE(std::find_if(said.begin(), said.end(), [](const std::string& text) { return text.starts_with("I am sorry, nobody is free."); }),
              said.end());
    EXPECT_NE(std::find_if(said.begin(), said.end(), [](const std::string& text) { return text.starts_with("We are open all day."); }), said.end());
    ASSERT_EQ(call["legs"].size(), 1u);
    EXPECT_EQ(call["legs"].at(0)["cause"].text_or(""), "busy");
    EXPECT_EQ(call.text("reason"), "");
}

TEST_F(HostTransfer, TellsThePersonFirstAndJoinsOnAKey) {
    SipPhone person;
    serve("", transfer_to(person, ", mode = \"attended\", announce = \"A call for the desk. Press one.\", accept_key = \"1\", hold_caller = true"));
    call();

    ask_for_a_person();
    ASSERT_TRUE(person.wait_answered(15s)) << host_->log();
    ASSERT_TRUE(person.wait_agent_quiet(400ms, 15s)) << "no announcement\n" << host_->log();
    EXPECT_FALSE(host_->wait_log({"\"call.transfer\"", "joined"}, 100ms));
    person.press("1");
    ASSERT_TRUE(host_->wait_log({"\"call.transfer\"", "joined"}, 5s)) << host_->log();
    expect_they_hear_each_other(person);

    caller_.hang_up();
    EXPECT_TRUE(person.wait_ended(5s));
}

TEST_F(HostTransfer, TakesThePersonsSilenceForANo) {
    SipPhone person;
    serve("", transfer_to(person, ", mode = \"attended\", announce = \"A call.\", accept_key = \"1\", accept_within_ms = 1000"));
    call();

    ask_for_a_person();
    ASSERT_TRUE(host_->wait_log({"\"call.transfer\"", "failed", "not_accepted"}, 20s)) << host_->log();

    EXPECT_TRUE(person.wait_ended(5s));
    ASSERT_TRUE(caller_.wait_agent_quiet(600ms, 15s));
    caller_.hang_up();
    EXPECT_EQ(stored()["legs"].at(0)["reason"].text_or(""), "not_accepted");
}

TEST_F(HostTransfer, EndsTheSecondLegWhenTheCallerGivesUp) {
    PhoneOptions options;
    options.answer.never = true;
    SipPhone person(options);
    serve("", transfer_to(person, ", mode = \"bridge\""));
    call();

    ask_for_a_person();
    ASSERT_TRUE(person.wait_ringing(15s)) << host_->log();
    caller_.wait(2500ms);
    caller_.hang_up();

    EXPECT_TRUE(person.wait_ended(5s));
    EXPECT_EQ(person.report().ended_by, sim::EndedBy::cancelled);
    EXPECT_GE(tenths_with_tone(caller_.recording(), 1, 440), 5);
    const StoredCall call = stored();
    EXPECT_EQ(call["legs"].at(0)["cause"].text_or(""), "cancelled");
    EXPECT_EQ(open_ops(folder_), 0);
}

TEST_F(HostTransfer, GoesOnWithTheConversationWhenTheCarrierWontTransfer) {
    serve("", "[agents.desk.transfer]\nreception = { to = \"sip:person@127.0.0.1:9\", ring_timeout_ms = 2000 }\n");
    call();

    // The caller's telephone takes the REFER and does nothing.
    ask_for_a_person();
    ASSERT_TRUE(host_->wait_log({"\"call.transfer\"", "failed"}, 20s)) << host_->log();
    ASSERT_TRUE(caller_.wait(4000ms));
    caller_.hang_up();

    const auto said = stored().agent_said();
    EXPECT_NE(std::find_if(said.begin(), said.end(), [](const std::string& text) { return text.starts_with("I am sorry, nobody is free."); }),
              said.end());
}

TEST_F(HostTransfer, WaitsSilentlyWhileHeldAndGoesOnAfterwards) {
    serve("resume_phrase = \"Thank you for waiting.\"\n", "[agents.desk.turn]\nhang_up_after_silence_ms = 3000\nnudge_after_ms = 1500\n");
    call();

    ASSERT_EQ(caller_.change({.direction = "inactive", .codec = {}}), 200);
    caller_.wait(4500ms);
    ASSERT_EQ(caller_.state(), sim::CallState::answered) << host_->log();
    ASSERT_EQ(caller_.change({.direction = "sendrecv", .codec = {}}), 200);
    caller_.wait(3500ms);
    caller_.hang_up();

    const auto said = stored().agent_said();
    ASSERT_GE(said.size(), 2u);
    EXPECT_EQ(said[1], "Thank you for waiting.");
}

TEST_F(HostTransfer, LetsAnotherAgentTakeOver) {
    serve("hand_off = [\"billing\"]\n", "");
    call();

    caller_.press("3");
    ASSERT_TRUE(caller_.wait_said(5s));
    ASSERT_TRUE(caller_.wait_agent_quiet(500ms, 15s));
    caller_.press("1");
    ASSERT_TRUE(host_->wait_log({"\"call.hand_off\"", "billing"}, 10s)) << host_->log();
    caller_.wait(1500ms);
    caller_.press("7");
    ASSERT_TRUE(caller_.wait_said(5s));
    ASSERT_TRUE(caller_.wait_agent_quiet(800ms, 15s));
    caller_.hang_up();

    const StoredCall call = stored();
    const auto turns = call.turns("assistant");
    ASSERT_GE(turns.size(), 2u);
    EXPECT_EQ(turns.front()["agent"].text_or(""), "desk");
    EXPECT_EQ(turns.back()["agent"].text_or(""), "billing");
    EXPECT_TRUE(turns.back()["text"].text_or("").starts_with("You owe five dollars.")) << turns.back()["text"].text_or("");
}

TEST_F(HostTransfer, RecordsOnlyAfterConsentAndNoCardNumbers) {
    serve("", "[agents.desk.consent]\ntext = \"This call is recorded. Press one.\"\nrequire = \"keypress\"\n"
              "[agents.desk.recording]\nenabled = true\nafter_consent = true\npause_on_digits = true\n");
    ASSERT_TRUE(caller_.call(host_->sip_uri("desk")));
    ASSERT_TRUE(caller_.wait_agent_quiet(400ms, 15s)) << host_->log();
    caller_.say("before", sim::tone(700, 1000));
    ASSERT_TRUE(caller_.wait_said(5s));
    caller_.press("1");
    ASSERT_TRUE(host_->wait_log({"\"call.consent\"", "true"}, 5s)) << host_->log();
    ASSERT_TRUE(caller_.wait_agent_quiet(600ms, 15s));
    caller_.press("4");
    ASSERT_TRUE(caller_.wait_said(5s));
    ASSERT_TRUE(caller_.wait_agent_quiet(500ms, 15s));
    caller_.say("card", sim::tone(1100, 1000));
    ASSERT_TRUE(caller_.wait_said(5s));
    caller_.wait(2500ms);
    caller_.press("4321#");
    ASSERT_TRUE(caller_.wait_said(10s));
    ASSERT_TRUE(caller_.wait_agent_quiet(800ms, 15s));
    caller_.hang_up();

    const StoredCall call = stored();
    bool masked = false;
    for (const auto& turn : call.turns("user")) {
        EXPECT_EQ(turn["text"].text_or("").find("4321"), std::string::npos);
        masked = masked || turn["text"].text_or("").find("****") != std::string::npos;
    }
    EXPECT_TRUE(masked);
    EXPECT_EQ(call.turns("assistant").front()["rule"].text_or(""), "consent");
    EXPECT_EQ(host_->stop(), 0);
    const sim::Wav recording = sim::read_wav(call.text("recording"));
    EXPECT_EQ(tenths_with_tone(recording, 0, 700), 0);
    EXPECT_EQ(tenths_with_tone(recording, 0, 1100), 0);
    // The pause is silence, not a cut: the recording is as long as the call.
    EXPECT_NEAR(static_cast<double>(recording.samples.size()) / 2 / sim::rate_hz, caller_.report().talked_ms / 1000, 1.0);
}

}  // namespace
}  // namespace jackfield::test
