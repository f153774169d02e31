// A call that leaves its agent: hold, transfer, another agent; and the consent before all.

#include "talk.hpp"

namespace jackfield::call {
namespace {

config::AgentConfig with_consent(config::ConsentBy by) {
    config::AgentConfig agent = Talk::desk();
    agent.consent.text = "This call is recorded.";
    agent.consent.require = by;
    agent.consent.accept_key = "1";
    agent.consent.accept_words = {"yes", "i agree"};
    return agent;
}

/// The agent has said that it puts the caller through, and does.
void ask_for_a_person(Talk& talk) {
    talk.greet();
    talk.ask("a person please");
    talk.token("One moment please.");
    talk.tool("transfer", R"({"to":"reception","summary":"wants to talk"})");
    talk.generated();
    talk.sent();
    talk.spoken();
}

TEST(MachineHold, StopsSpeakingAndListening) {
    Talk talk;
    talk.greet();
    talk.ask("what are your hours");
    talk.reply("We are open from nine to five every day.");
    talk.sent();
    talk.heard(11);
    talk.done();

    talk.take(talk.machine.on_hold(talk.now(), true));

    EXPECT_THAT(talk.done(), Contains("stop_speech"));
    EXPECT_TRUE(talk.machine.away());
    EXPECT_EQ(talk.last_turn().text, "We are open");
    EXPECT_EQ(talk.last_turn().rule, "hold");
    talk.voice(700ms);
    talk.keys("5");
    talk.advance(60s);
    EXPECT_THAT(talk.done(), IsEmpty());
}

TEST(MachineHold, CountsTheCallsGreatestLengthAllTheSame) {
    Talk talk;
    talk.greet();
    talk.take(talk.machine.on_hold(talk.now(), true));

    talk.advance(11min);

    EXPECT_THAT(talk.done(), ElementsAre("hang_up max_call"));
}

TEST(MachineHold, WaitsForTheCallerAfterwardsAndSaysNothingTwice) {
    Talk talk;
    talk.greet();
    talk.ask("what are your hours");
    talk.reply("We are open from nine to five every day.");
    talk.sent();
    talk.heard(11);
    talk.take(talk.machine.on_hold(talk.now(), true));
    talk.advance(20s);
    talk.done();

    talk.take(talk.machine.on_hold(talk.now(), false));

    EXPECT_THAT(talk.done(), IsEmpty());
    talk.advance(9s);
    EXPECT_THAT(talk.done(), IsEmpty());
    talk.ask("and on sundays");
    EXPECT_THAT(talk.done(), Contains("generate"));
}

TEST(MachineHold, SaysItsPhraseAfterwards) {
    config::AgentConfig agent = Talk::desk();
    agent.resume_phrase = "Thank you for waiting.";
    Talk talk(agent);
    talk.greet();
    talk.take(talk.machine.on_hold(talk.now(), true));
    talk.done();

    talk.take(talk.machine.on_hold(talk.now(), false));

    EXPECT_THAT(talk.done(), ElementsAre("speak Thank you for waiting.", "end_speech"));
}

TEST(MachineHold, MakesAnAnswerAnewOfWhichNothingWasHeard) {
    Talk talk;
    talk.greet();
    talk.ask("what are your hours");
    talk.take(talk.machine.on_hold(talk.now(), true));
    talk.done();

    talk.take(talk.machine.on_hold(talk.now(), false));

    EXPECT_THAT(talk.done(), ElementsAre("generate"));
}

TEST(MachineTransfer, LeavesTheCallerAloneUntilItIsDecided) {
    Talk talk;
    ask_for_a_person(talk);
    EXPECT_THAT(talk.done(), Contains("transfer reception"));

    talk.voice(700ms);
    talk.keys("1");
    talk.advance(120s);

    EXPECT_THAT(talk.done(), IsEmpty());
    EXPECT_TRUE(talk.machine.away());
    talk.advance(10min);
    EXPECT_THAT(talk.done(), ElementsAre("hang_up max_call"));
}

TEST(MachineTransfer, LetsThemTalkAsLongAsTheyLike) {
    Talk talk;
    ask_for_a_person(talk);
    talk.done();

    talk.machine.on_joined();
    talk.advance(30min);

    EXPECT_THAT(talk.done(), IsEmpty());
    EXPECT_FALSE(talk.machine.next_deadline());
}

TEST(MachineTransfer, GoesOnWithTheConversationWhenNobodyIsReached) {
    Talk talk;
    ask_for_a_person(talk);
    talk.advance(20s);
    talk.done();

    talk.take(talk.machine.on_transfer_failed(talk.now(), "busy"));

    EXPECT_THAT(talk.done(), ElementsAre("generate"));
    const auto transcript = talk.transcript();
    ASSERT_GE(transcript.size(), 3U);
    // As it happened: the words, the attempt, its outcome.
    EXPECT_EQ(transcript[transcript.size() - 3], "agent: One moment please.");
    EXPECT_EQ(transcript[transcript.size() - 2], "agent: [transfer]");
    EXPECT_EQ(transcript[transcript.size() - 1], R"(tool: {"error":"busy"})");
    talk.say("I am sorry, nobody is there.");
    talk.ask("then tell me your hours");
    EXPECT_THAT(talk.done(), Contains("generate"));
}

TEST(MachineTransfer, EndsTheCallWhenThePersonWasTheLastWayOut) {
    config::AgentConfig agent = Talk::desk();
    agent.on_failure = "reception";
    Talk talk(agent);
    talk.greet();
    talk.ask("hello");
    for (int i = 0; i < 3; ++i) talk.take(talk.machine.on_generation_failed(talk.now(), talk.machine.current_reply()));
    talk.sent();
    talk.spoken();
    ASSERT_THAT(talk.done(), Contains("transfer reception"));

    talk.take(talk.machine.on_transfer_failed(talk.now(), "no_answer"));

    EXPECT_THAT(talk.done(), ElementsAre("hang_up transfer_failed"));
}

TEST(MachineTransfer, ComesBackOnHoldWhenTheCallerHasHeldMeanwhile) {
    Talk talk;
    ask_for_a_person(talk);
    talk.take(talk.machine.on_hold(talk.now(), true));
    talk.done();

    talk.take(talk.machine.on_transfer_failed(talk.now(), "busy"));
    EXPECT_THAT(talk.done(), IsEmpty());
    talk.take(talk.machine.on_hold(talk.now(), false));

    EXPECT_THAT(talk.done(), ElementsAre("generate"));
}

TEST(MachineHandOff, LetsTheOtherAgentAnswerTheSameConversation) {
    config::AgentConfig agent = Talk::desk();
    agent.hand_off = {"billing"};
    Talk talk(agent);
    talk.greet();
    talk.ask("my bill please");
    talk.token("I hand you over.");
    talk.tool("hand_off", R"({"to":"billing"})");
    talk.generated();
    talk.sent();
    talk.spoken();
    ASSERT_THAT(talk.done(), Contains("hand_off billing"));

    config::AgentConfig billing = Talk::desk();
    billing.name = "billing";
    billing.tools = {};
    talk.take(talk.machine.take_over(talk.now(), billing, 400ms));

    EXPECT_THAT(talk.done(), ElementsAre("open_stt", "generate"));
    EXPECT_EQ(talk.transcript().back(), R"(tool: {"ok":true,"agent":"billing"})");
    // From here on its own tools count.
    talk.tool("transfer", R"({"to":"reception"})");
    EXPECT_EQ(talk.transcript().back(), R"(tool: {"error":"this tool is not available"})");
}

TEST(MachineHandOff, IsRefusedForAnAgentThatIsNotListed) {
    config::AgentConfig agent = Talk::desk();
    agent.hand_off = {"billing"};
    Talk talk(agent);
    talk.greet();
    talk.ask("hello");

    talk.tool("hand_off", R"({"to":"boss"})");

    EXPECT_THAT(talk.transcript().back(), ::testing::HasSubstr("error"));
}

TEST(MachineConsent, StandsBeforeTheGreetingAndNothingInterruptsIt) {
    Talk talk(with_consent(config::ConsentBy::nothing));
    talk.answer();
    EXPECT_THAT(talk.done(), ElementsAre("open_stt", "prewarm", "speak This call is recorded.", "end_speech"));
    talk.sent();

    talk.voice(1200ms);
    talk.partial("stop stop stop");
    talk.keys("5");
    EXPECT_THAT(talk.done(), Not(Contains("stop_speech")));
    talk.spoken();

    const auto done = talk.done();
    EXPECT_THAT(done, Contains("consent"));
    EXPECT_THAT(done, Contains("speak Good day, this is the desk."));
    EXPECT_EQ(talk.turns.front().rule, "consent");
}

TEST(MachineConsent, WaitsForTheKey) {
    Talk talk(with_consent(config::ConsentBy::keypress));
    talk.answer();
    talk.sent();
    talk.spoken();
    talk.done();

    talk.advance(5s);
    EXPECT_THAT(talk.done(), IsEmpty());
    talk.keys("1");

    EXPECT_THAT(talk.done(), ElementsAre("consent", "speak Good day, this is the desk.", "end_speech"));
}

TEST(MachineConsent, TakesAKeyThatCameDuringTheAnnouncementAtItsEnd) {
    Talk talk(with_consent(config::ConsentBy::keypress));
    talk.answer();
    talk.sent();
    talk.keys("1");
    EXPECT_THAT(talk.done(), Not(Contains("consent")));

    talk.spoken();

    EXPECT_THAT(talk.done(), Contains("consent"));
}

TEST(MachineConsent, TakesSilenceForARefusalAndGoesOn) {
    Talk talk(with_consent(config::ConsentBy::keypress));
    talk.answer();
    talk.sent();
    talk.spoken();
    talk.done();

    talk.advance(8s);

    EXPECT_THAT(talk.done(), ElementsAre("no_consent", "speak Good day, this is the desk.", "end_speech"));
}

TEST(MachineConsent, EndsTheCallOfWhoRefusesWhereItHasTo) {
    config::AgentConfig agent = with_consent(config::ConsentBy::keypress);
    agent.consent.refusal_ends_call = true;
    agent.consent.refused_text = "Then we cannot talk.";
    Talk talk(agent);
    talk.answer();
    talk.sent();
    talk.spoken();
    talk.done();

    talk.keys("2");
    EXPECT_THAT(talk.done(), ElementsAre("no_consent", "speak Then we cannot talk.", "end_speech"));
    talk.sent();
    talk.spoken();

    EXPECT_THAT(talk.done(), Contains("hang_up consent_refused"));
}

TEST(MachineConsent, TakesWords) {
    Talk talk(with_consent(config::ConsentBy::words));
    talk.answer();
    talk.sent();
    talk.spoken();
    talk.done();

    talk.ask("oh yes of course");

    EXPECT_THAT(talk.done(), Contains("consent"));
    // The model knows nothing of it: it was not asked.
    EXPECT_THAT(talk.transcript(), Not(Contains("user: oh yes of course")));
}

TEST(MachineConsent, TakesOtherWordsForARefusal) {
    Talk talk(with_consent(config::ConsentBy::words));
    talk.answer();
    talk.sent();
    talk.spoken();
    talk.done();

    talk.ask("certainly not");

    EXPECT_THAT(talk.done(), Contains("no_consent"));
}

TEST(MachineConsent, IsAskedAnewBehindAHold) {
    Talk talk(with_consent(config::ConsentBy::nothing));
    talk.answer();
    talk.sent();
    talk.heard(9);
    talk.take(talk.machine.on_hold(talk.now(), true));
    EXPECT_THAT(talk.done(), Not(Contains("consent")));

    talk.take(talk.machine.on_hold(talk.now(), false));

    EXPECT_THAT(talk.done(), ElementsAre("speak This call is recorded.", "end_speech"));
}

TEST(MachineRecording, IsPausedByATool) {
    config::AgentConfig agent = Talk::desk();
    agent.tools = {"pause_recording", "resume_recording"};
    Talk talk(agent);
    talk.greet();
    talk.ask("here is my card");

    talk.tool("pause_recording");
    EXPECT_TRUE(talk.machine.recording_paused());
    talk.tool("resume_recording");
    EXPECT_FALSE(talk.machine.recording_paused());
}

TEST(MachineRecording, IsPausedWhileDigitsAreAskedForAndTheKeysAreMasked) {
    config::AgentConfig agent = Talk::desk();
    agent.recording.pause_on_digits = true;
    Talk talk(agent);
    talk.greet();
    talk.ask("i want to pay");
    talk.machine.on_slot(JF_SLOT_DIGITS);
    talk.say("Your card number?");
    EXPECT_TRUE(talk.machine.recording_paused());

    talk.keys("4321#");
    talk.say("Thank you.");

    EXPECT_FALSE(talk.machine.recording_paused());
    const auto& turns = talk.turns;
    const auto keys = std::find_if(turns.begin(), turns.end(), [](const TurnRecord& turn) { return turn.flags & JF_MESSAGE_DTMF; });
    ASSERT_NE(keys, turns.end());
    EXPECT_TRUE(keys->masked);
    // The model needs them.
    EXPECT_THAT(talk.transcript(), Contains("user: 4321#"));
}

}  // namespace
}  // namespace jackfield::call
