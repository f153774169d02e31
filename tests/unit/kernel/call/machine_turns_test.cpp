// Whose turn it is, and when it ends.

#include "talk.hpp"

namespace jackfield::call {
namespace {

TEST(Machine, GreetsWhenTheCallIsAnswered) {
    Talk talk;

    talk.answer();

    EXPECT_THAT(talk.done(), ElementsAre("open_stt", "prewarm", "speak Good day, this is the desk.", "end_speech"));
}

TEST(Machine, LetsTheModelBeginWhenThereIsNoGreeting) {
    Talk talk(Talk::without_greeting());

    talk.answer();

    EXPECT_THAT(talk.done(), ElementsAre("open_stt", "prewarm", "generate"));
}

TEST(Machine, PutsTheGreetingIntoTheConversationOnceItWasHeard) {
    Talk talk;
    talk.answer();
    EXPECT_THAT(talk.transcript(), IsEmpty());

    talk.sent();
    talk.spoken();

    EXPECT_THAT(talk.transcript(), ElementsAre("agent: Good day, this is the desk."));
    EXPECT_EQ(talk.last_turn().rule, "greeting");
    EXPECT_FALSE(talk.last_turn().interrupted);
}

TEST(Machine, EndsTheTurn600MsAfterTheLastVoice) {
    Talk talk;
    talk.greet();

    talk.voice(500ms); // its stop comes 200 ms after the last voiced sample
    talk.advance(399ms);
    EXPECT_THAT(talk.done(), IsEmpty());
    talk.advance(1ms);

    EXPECT_THAT(talk.done(), ElementsAre("finalize"));
}

TEST(Machine, WaitsLongerWhileDigitsAreDictated) {
    Talk talk;
    talk.greet();
    talk.machine.on_slot(JF_SLOT_DIGITS);

    talk.voice(500ms);
    talk.advance(1299ms);
    EXPECT_THAT(talk.done(), IsEmpty());
    talk.advance(1ms);

    EXPECT_THAT(talk.done(), ElementsAre("finalize"));
}

TEST(Machine, AnswersWhatWasUnderstood) {
    Talk talk;
    talk.greet();
    talk.ask("are you open");
    EXPECT_THAT(talk.done(), ElementsAre("finalize", "generate"));

    talk.reply("Yes, until six.");
    talk.sent();
    EXPECT_THAT(talk.done(), ElementsAre("speak Yes, until six.", "end_speech", "commit user: are you open"));
    talk.spoken();

    EXPECT_THAT(talk.done(), ElementsAre("commit agent: Yes, until six."));
    EXPECT_THAT(talk.transcript(),
                ElementsAre("agent: Good day, this is the desk.", "user: are you open", "agent: Yes, until six."));
}

TEST(Machine, MeasuresAReplyFromTheLastVoicedSampleInStagesThatAddUp) {
    Talk talk;
    talk.greet();
    talk.voice(500ms);
    const base::MonoTime quiet = talk.now() - 200ms;
    talk.advance(400ms);
    talk.advance(150ms);
    talk.final_text("are you open");
    talk.advance(70ms);
    talk.reply("Yes.");
    talk.advance(60ms);
    talk.machine.on_first_speech(talk.now(), talk.machine.current_reply());
    talk.advance(10ms);
    talk.sent();
    talk.spoken();

    const TurnTimes& t = talk.last_turn().times;
    EXPECT_EQ(t.user_ended, quiet);
    EXPECT_EQ(t.endpoint - t.user_ended, 600ms);
    EXPECT_EQ(t.final_text - t.endpoint, 150ms);
    EXPECT_EQ(t.first_token - t.final_text, 70ms);
    EXPECT_EQ(t.first_speech - t.first_token, 60ms);
    EXPECT_EQ(t.first_sent - t.first_speech, 10ms);
    EXPECT_EQ(t.first_sent - t.user_ended, 890ms);
}

TEST(Machine, JoinsWhatWasSaidBeforeAndAfterATurnThatWasClosedTooEarly) {
    Talk talk;
    talk.greet();
    talk.ask("i would like an");
    talk.done();

    talk.voice(400ms);
    EXPECT_THAT(talk.done(), ElementsAre("cancel_generation", "stop_speech", "unduck"));
    talk.advance(600ms);
    talk.final_text("appointment");
    talk.say("For which day?");

    EXPECT_THAT(talk.transcript(), ElementsAre("agent: Good day, this is the desk.", "user: i would like an appointment", "agent: For which day?"));
    ASSERT_EQ(talk.turns.size(), 3U);
    EXPECT_EQ(talk.turns[1].text, "i would like an appointment");
    EXPECT_LT(talk.turns[1].times.user_began, talk.turns[1].times.user_ended - 1s);
}

TEST(Machine, JoinsThemAlsoWhenTheReplyIsWrittenButNotHeardYet) {
    Talk talk;
    talk.greet();
    talk.ask("i would like an");
    talk.reply("Pardon?");
    talk.done();

    talk.voice(400ms);
    EXPECT_THAT(talk.done(), ElementsAre("stop_speech", "unduck"));
    talk.advance(600ms);
    talk.final_text("appointment");

    EXPECT_THAT(talk.transcript(), ElementsAre("agent: Good day, this is the desk.", "user: i would like an appointment"));
}

TEST(Machine, KeepsTheFirstWordsWhenTheRestIsNotUnderstood) {
    Talk talk;
    talk.greet();
    talk.ask("on monday");
    talk.voice(400ms);
    talk.advance(600ms);

    talk.no_match();

    EXPECT_EQ(talk.machine.messages().back().content, "on monday");
    EXPECT_EQ(talk.machine.messages().back().flags, 0U);
}

TEST(Machine, DoesNotJoinKeysAndWords) {
    Talk talk;
    talk.greet();
    talk.keys("2");
    talk.voice(400ms);
    talk.advance(600ms);

    talk.final_text("goodbye");

    EXPECT_THAT(talk.transcript(), ElementsAre("agent: Good day, this is the desk.", "user: 2", "user: goodbye"));
}

TEST(Machine, TellsTheModelThatNothingFitted) {
    Talk talk;
    talk.greet();
    talk.voice(500ms);
    talk.advance(600ms);

    talk.no_match("banana");

    EXPECT_EQ(talk.machine.messages().back().flags, JF_MESSAGE_NO_MATCH);
    EXPECT_EQ(talk.machine.messages().back().content, "banana");
    EXPECT_THAT(talk.done(), ElementsAre("finalize", "generate"));
}

TEST(Machine, JoinsTheAnswerToAnOlderFinalizeWithWhatFollowed) {
    Talk talk;
    talk.greet();
    talk.voice(500ms);
    talk.advance(450ms);
    talk.voice(300ms); // goes on while the recogniser is still thinking
    talk.final_text("half of");
    EXPECT_THAT(talk.transcript(), ElementsAre("agent: Good day, this is the desk."));

    talk.advance(600ms);
    talk.final_text("it"); // of what was said since then

    EXPECT_EQ(talk.machine.messages().back().content, "half of it");
}

TEST(Machine, TakesThePartialAndTheNextRecogniserWhenNoFinalComes) {
    Talk talk;
    talk.greet();
    talk.voice(500ms);
    talk.partial("are you open");

    talk.advance(400ms + 400ms); // and the next one is given the turn
    EXPECT_THAT(talk.done(), Contains("open_stt_fed"));
    talk.advance(400ms);

    EXPECT_THAT(talk.done(), Contains("open_stt"));
    EXPECT_EQ(talk.machine.messages().back().content, "are you open");
}

TEST(Machine, CountsTheWaitForAFinalThatNeverComesAsTheRecognisers) {
    Talk talk;
    talk.greet();
    talk.voice(500ms);
    talk.partial("are you open");
    talk.advance(400ms + 400ms + 400ms);

    talk.say("We are.");

    const TurnTimes& t = talk.last_turn().times;
    EXPECT_GE(t.final_text - t.endpoint, 800ms);
    EXPECT_EQ(t.first_token, t.final_text);
}

TEST(Machine, HasNoMatchWhenNeitherFinalNorPartialComes) {
    Talk talk;
    talk.greet();
    talk.voice(500ms);

    talk.advance(1200ms); // of either recogniser

    EXPECT_EQ(talk.machine.messages().back().flags, JF_MESSAGE_NO_MATCH);
}

TEST(Machine, AnswersATurnThatNoQuietEnds) {
    Talk talk;
    talk.greet();
    talk.start_voice();
    talk.partial("are you open");
    talk.done();

    talk.advance(4999ms);
    EXPECT_THAT(talk.done(), IsEmpty());
    talk.advance(1ms);
    EXPECT_THAT(talk.done(), ElementsAre("finalize"));
    talk.final_text("are you open");
    talk.reply("Yes.");
    talk.sent();

    EXPECT_EQ(talk.last_turn().rule, "stuck");
    talk.take(talk.machine.on_voice(talk.now(), 9s)); // the noise goes on
    EXPECT_THAT(talk.done(), Not(Contains("duck")));
    talk.spoken();
    EXPECT_THAT(talk.done(), ElementsAre("commit agent: Yes.", "listen"));
}

TEST(Machine, TakesWordsThatComeByThemselvesIntoTheTurn) {
    Talk talk;
    talk.greet();
    talk.start_voice();
    talk.take(talk.machine.on_final(talk.now(), 0, "first part", 0.8F));
    talk.advance(200ms);
    talk.stop_voice();
    talk.advance(400ms);

    talk.final_text("second part");

    EXPECT_EQ(talk.machine.messages().back().content, "first part second part");
}

TEST(Machine, NudgesOnceAfterTenSecondsAndHangsUpAfter25) {
    Talk talk;
    talk.greet();

    talk.advance(9999ms);
    EXPECT_THAT(talk.done(), IsEmpty());
    talk.advance(1ms);
    EXPECT_THAT(talk.done(), ElementsAre("generate"));
    EXPECT_EQ(talk.machine.messages().back().flags, JF_MESSAGE_SILENCE);
    talk.say("Are you still there?");
    talk.done();
    talk.advance(24999ms);
    EXPECT_THAT(talk.done(), IsEmpty());
    talk.advance(1ms);

    EXPECT_THAT(talk.done(), ElementsAre("hang_up silence"));
}

TEST(Machine, AsksForNothingMoreWhileTheCarrierHangsUp) {
    Talk talk;
    talk.greet();
    talk.advance(10s);
    talk.say("Are you still there?");
    talk.advance(25s);
    talk.done();

    EXPECT_FALSE(talk.machine.next_deadline().has_value());
    talk.voice(900ms);
    talk.keys("1");
    EXPECT_THAT(talk.done(), IsEmpty());
}

TEST(Machine, EndsACallThatIsTooLong) {
    Talk talk;
    talk.greet();
    for (int i = 0; i < 110; ++i) {
        talk.ask("go on");
        talk.say("All right.");
        talk.advance(4300ms);
    }

    EXPECT_THAT(talk.done(), Contains("hang_up max_call"));
}

TEST(Machine, TakesAKeyAsAChoice) {
    Talk talk;
    talk.greet();

    talk.keys("2");

    EXPECT_THAT(talk.done(), ElementsAre("generate"));
    EXPECT_EQ(talk.machine.messages().back().content, "2");
    EXPECT_EQ(talk.machine.messages().back().flags, JF_MESSAGE_DTMF);
}

TEST(Machine, GathersKeysOfANumberUntilThePoundKey) {
    Talk talk;
    talk.greet();
    talk.machine.on_slot(JF_SLOT_DIGITS);

    talk.keys("5551234");
    EXPECT_THAT(talk.done(), IsEmpty());
    talk.keys("#");

    EXPECT_EQ(talk.machine.messages().back().content, "5551234#");
}

TEST(Machine, GathersKeysOfANumberUntilAPause) {
    Talk talk;
    talk.greet();
    talk.machine.on_slot(JF_SLOT_DIGITS);

    talk.keys("555");
    talk.advance(2s);
    talk.voice(100ms); // a cough does not undo what was typed
    talk.keys("1234");
    talk.advance(2999ms);
    EXPECT_THAT(talk.transcript(), ElementsAre("agent: Good day, this is the desk."));
    talk.advance(1ms);

    EXPECT_EQ(talk.machine.messages().back().content, "5551234");
}

TEST(Machine, KeepsTheOrderWhenAKeyCutsTheProtectedGreeting) {
    Talk talk;
    talk.answer();
    talk.sent();
    talk.advance(200ms);
    talk.heard(8);

    talk.keys("1");

    EXPECT_THAT(talk.transcript(), ElementsAre("agent: Good", "user: 1"));
}

TEST(Machine, KeepsWhatWasBeingSaidWhenTheCallEnds) {
    Talk talk;
    talk.greet();
    talk.start_voice();
    talk.partial("please cancel my");

    talk.take(talk.machine.on_ended(talk.now()));

    EXPECT_EQ(talk.last_turn().text, "please cancel my");
    EXPECT_EQ(talk.last_turn().rule, "ended");
    EXPECT_FALSE(talk.machine.next_deadline().has_value());
}

TEST(Machine, KeepsKeysThatNoEntryWasMadeOfWhenTheCallEnds) {
    Talk talk;
    talk.greet();
    talk.machine.on_slot(JF_SLOT_DIGITS);
    talk.keys("630");

    talk.take(talk.machine.on_ended(talk.now()));

    EXPECT_EQ(talk.last_turn().text, "630");
    EXPECT_EQ(talk.last_turn().flags, JF_MESSAGE_DTMF);
    EXPECT_EQ(talk.last_turn().rule, "ended");
}

TEST(Machine, KeepsKeysThatStandBeforeWords) {
    Talk talk;
    talk.greet();
    talk.machine.on_slot(JF_SLOT_DIGITS);
    talk.keys("63");
    talk.voice(400ms);
    talk.advance(1500ms);

    talk.final_text("no wait");

    EXPECT_THAT(talk.transcript(), ElementsAre("agent: Good day, this is the desk.", "user: 63", "user: no wait"));
}

}  // namespace
}  // namespace jackfield::call
