// What a chain's next provider gets when one breaks in the middle of a turn.

#include "talk.hpp"

namespace jackfield::call {
namespace {

Talk half_spoken(const std::string& text) {
    Talk talk;
    talk.greet();
    talk.ask("hello");
    talk.reply(text);
    talk.sent();
    talk.done();
    return talk;
}

void break_voice(Talk& talk, std::uint64_t spoken) {
    talk.take(talk.machine.on_voice_failed(talk.now(), talk.machine.current_reply(), spoken));
}

TEST(MachineChains, GoesOnInMidSentenceWithTheNextVoice) {
    Talk talk = half_spoken("Good day, how are you?");

    break_voice(talk, 12); // in "how"
    EXPECT_THAT(talk.done(), ElementsAre("next_tts", "speak_on 9"));
    talk.spoken();

    EXPECT_EQ(talk.last_turn().text, "Good day, how are you?");
    EXPECT_FALSE(talk.last_turn().interrupted);
    EXPECT_EQ(talk.transcript().back(), "agent: Good day, how are you?");
}

TEST(MachineChains, NeverGoesBackBehindWhatWasHeard) {
    Talk talk = half_spoken("Good day, how are you?");
    talk.heard(13);

    break_voice(talk, 0); // nobody knows how far it came

    EXPECT_THAT(talk.done(), ElementsAre("next_tts", "speak_on 13"));
}

TEST(MachineChains, CanBeInterruptedWhileTheNextVoiceBegins) {
    Talk talk = half_spoken("Good day, how are you?");
    break_voice(talk, 13);
    talk.heard(13);
    talk.done();

    talk.voice(800ms);

    EXPECT_EQ(talk.last_turn().text, "Good day, how");
    EXPECT_EQ(talk.last_turn().unheard, " are you?");
}

TEST(MachineChains, KeepsWhatWasHeardWhenNoVoiceGoesOn) {
    Talk talk = half_spoken("Good day, how are you?");
    talk.heard(9);

    for (int i = 0; i < 3; ++i) break_voice(talk, 9);

    EXPECT_EQ(talk.last_turn().text, "Good day,");
    EXPECT_EQ(talk.last_turn().unheard, " how are you?");
    EXPECT_EQ(talk.last_turn().rule, "voice_failed");
    EXPECT_THAT(talk.done(), Contains("stop_speech"));
    talk.advance(10s);
    EXPECT_EQ(talk.machine.messages().back().flags, JF_MESSAGE_SILENCE);
}

TEST(MachineChains, GivesTheCallersTurnToTheNextRecogniser) {
    Talk talk;
    talk.greet();
    talk.voice(500ms);
    talk.partial("on monday");
    talk.advance(600ms);
    talk.done();

    talk.take(talk.machine.on_stt_failed(talk.now()));
    EXPECT_THAT(talk.done(), ElementsAre("next_stt", "open_stt_fed", "finalize"));
    talk.final_text("on monday at nine");

    EXPECT_EQ(talk.machine.messages().back().content, "on monday at nine");
}

TEST(MachineChains, GivesTheNextRecogniserTheTurnWhenOneStalls) {
    Talk talk;
    talk.greet();
    talk.voice(500ms);
    talk.advance(600ms);
    EXPECT_THAT(talk.done(), Contains("finalize"));

    talk.advance(400ms);
    EXPECT_THAT(talk.done(), ElementsAre("next_stt", "open_stt_fed", "finalize"));
    talk.final_text("on monday");

    EXPECT_EQ(talk.machine.messages().back().content, "on monday");
}

TEST(MachineChains, TakesThePartialWhenTheNextRecogniserIsLateToo) {
    Talk talk;
    talk.greet();
    talk.voice(500ms);
    talk.partial("on monday");
    talk.advance(600ms);
    talk.take(talk.machine.on_stt_failed(talk.now()));
    talk.done();

    talk.advance(400ms); // its wait, which the dead-air bound would have cut

    EXPECT_THAT(talk.done(), Contains("open_stt"));
    EXPECT_EQ(talk.machine.messages().back().content, "on monday");
}

TEST(MachineChains, GoesOnListeningWhenARecogniserBreaksInMidTurn) {
    Talk talk;
    talk.greet();
    talk.start_voice();
    talk.done();

    talk.take(talk.machine.on_stt_failed(talk.now()));
    EXPECT_THAT(talk.done(), ElementsAre("next_stt", "open_stt_fed"));
    talk.stop_voice();
    talk.advance(600ms);
    talk.final_text("on monday");

    EXPECT_EQ(talk.machine.messages().back().content, "on monday");
}

TEST(MachineChains, HearsTheSameWordsOnceFromARecogniserThatSaysThemTwice) {
    Talk talk;
    talk.greet();
    talk.ask("on monday");

    talk.final_text("on monday");

    const auto transcript = talk.transcript();
    EXPECT_EQ(std::count(transcript.begin(), transcript.end(), "user: on monday"), 1);
}

TEST(MachineChains, AsksTheNextModelWhenOneHasNothingToSay) {
    Talk talk;
    talk.greet();
    talk.ask("hello");
    talk.done();

    talk.generated();
    EXPECT_THAT(talk.done(), ElementsAre("next_llm", "generate"));
    talk.reply("Good day.");

    EXPECT_THAT(talk.done(), ElementsAre("speak Good day.", "end_speech"));
}

TEST(MachineChains, AsksTheCallerToSayItAgainWhenNoModelHasAnAnswer) {
    Talk talk;
    talk.greet();
    talk.ask("hello");
    talk.done();

    talk.generated();
    talk.token(" \n"); // nothing that a voice could speak
    talk.generated();

    EXPECT_THAT(talk.done(), ElementsAre("next_llm", "generate", "speak Sorry, I did not get that. Could you say it again, please?", "end_speech"));
    talk.sent();
    talk.spoken();
    EXPECT_EQ(talk.transcript().back(), "agent: Sorry, I did not get that. Could you say it again, please?");
}

TEST(MachineChains, GivesUpWhenNoModelHasAnAnswerTwiceInARow) {
    Talk talk;
    talk.greet();
    for (int turn = 0; turn < 2; ++turn) {
        talk.ask("hello");
        talk.generated();
        talk.generated();
        talk.sent();
        talk.spoken();
    }

    EXPECT_THAT(talk.done(), Contains("hang_up llm_failed"));
    EXPECT_THAT(talk.transcript().back(), ::testing::HasSubstr("something went wrong"));
}

TEST(MachineChains, ForgetsATurnWithoutAnAnswerWhenTheNextHasOne) {
    Talk talk;
    talk.greet();
    for (int turn = 0; turn < 3; ++turn) {
        talk.ask("hello");
        talk.generated();
        talk.generated();
        talk.sent();
        talk.spoken();
        talk.ask("hello");
        talk.say("Good day.");
    }

    EXPECT_THAT(talk.done(), Not(Contains("hang_up llm_failed")));
}

TEST(MachineChains, LeavesTheAnswerToKeysToTheModelEvenIfThereIsNone) {
    Talk talk;
    talk.greet();
    talk.keys("4");
    talk.done();

    talk.generated();

    EXPECT_THAT(talk.done(), Not(Contains("next_llm"))); // the first of several, perhaps
    EXPECT_EQ(talk.machine.current_reply(), 0U);
}

TEST(MachineChains, LetsAModelBeSilentWhenTheCallerSaidNothing) {
    Talk talk;
    talk.greet();
    talk.advance(10s);
    EXPECT_THAT(talk.done(), Contains("generate"));

    talk.generated();

    EXPECT_THAT(talk.done(), Not(Contains("next_llm")));
}

TEST(MachineChains, ForgetsWhatAModelHadBegunToSayWhenTheNextIsAsked) {
    Talk talk;
    talk.greet();
    talk.ask("hello");
    talk.token("Hel");
    talk.take(talk.machine.on_generation_failed(talk.now(), talk.machine.current_reply()));
    talk.done();

    talk.reply("Good day.");

    EXPECT_THAT(talk.done(), Contains("speak Good day."));
}

TEST(MachineChains, WaitsForAStandbyAsLongAsForTheFirst) {
    Talk talk;
    talk.greet();
    talk.ask("hello");
    talk.done();

    talk.advance(600ms);
    talk.machine.on_standby(talk.now(), talk.machine.current_reply());
    talk.advance(2500ms); // 3100 ms after the first was asked
    EXPECT_THAT(talk.done(), Not(Contains("cancel_generation")));
    talk.advance(500ms);

    EXPECT_THAT(talk.done(), Contains("cancel_generation"));
}

}  // namespace
}  // namespace jackfield::call
