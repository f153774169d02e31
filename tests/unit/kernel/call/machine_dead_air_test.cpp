// A caller who has finished is not left in silence.

#include "talk.hpp"

namespace jackfield::call {
namespace {

/// The caller asked and was understood 800 ms after their last word; the model is at work.
Talk asked(config::AgentConfig agent = Talk::desk()) {
    Talk talk(std::move(agent));
    talk.greet();
    talk.ask("when are you open");
    talk.done();
    return talk;
}

TEST(MachineDeadAir, SaysAFillerEarlyEnoughToBeHeardWithinTheBound) {
    Talk talk = asked();

    talk.advance(199ms); // 999 ms since the caller's last word
    EXPECT_THAT(talk.done(), IsEmpty());
    talk.advance(1ms);

    EXPECT_THAT(talk.done(), ElementsAre("speak One moment, please."));
}

TEST(MachineDeadAir, PutsTheFillerIntoTheTranscriptBecauseItWasHeard) {
    Talk talk = asked();
    talk.advance(400ms);
    talk.sent();
    talk.advance(1s);

    talk.reply("From eight to six.");
    talk.spoken();

    EXPECT_EQ(talk.last_turn().text, "One moment, please. From eight to six.");
}

TEST(MachineDeadAir, PlaysAToneWhenNothingCanBeHeardInTime) {
    Talk talk = asked();
    talk.advance(200ms);
    talk.done();

    talk.advance(499ms);
    EXPECT_THAT(talk.done(), IsEmpty());
    talk.advance(1ms);
    EXPECT_THAT(talk.done(), ElementsAre("tone")); // 1500 ms: the voice has not given the filler

    talk.sent();
    EXPECT_THAT(talk.done(), ElementsAre("tone_off", "commit user: when are you open"));
}

TEST(MachineDeadAir, PlaysAToneWhileTheRecogniserThinks) {
    config::AgentConfig agent = Talk::desk();
    agent.turn.final_wait = 3000ms;
    Talk talk(agent);
    talk.greet();
    talk.voice(500ms);
    talk.advance(1300ms);

    EXPECT_THAT(talk.done(), ElementsAre("finalize", "tone"));
    talk.final_text("hello");
    EXPECT_THAT(talk.done(), Contains("speak One moment, please.").Times(0));
    talk.advance(1ms);
    EXPECT_THAT(talk.done(), Contains("speak One moment, please."));
}

TEST(MachineDeadAir, EndsTheToneWhenTheCallerSpeaks) {
    Talk talk = asked();
    talk.advance(900ms);
    talk.done();

    talk.start_voice();

    EXPECT_THAT(talk.done(), Contains("tone_off"));
}

TEST(MachineDeadAir, CountsAgainWhenTheFillerWasHeardAndNothingFollows) {
    config::AgentConfig agent = Talk::desk();
    agent.turn.llm_timeout = 60s;
    Talk talk = asked(agent);
    talk.advance(400ms);
    talk.sent();
    talk.advance(1s);
    talk.take(talk.machine.on_dry(talk.now()));
    talk.done();

    talk.advance(1500ms);
    EXPECT_THAT(talk.done(), ElementsAre("tone"));
    talk.advance(2s);
    EXPECT_THAT(talk.done(), ElementsAre("speak  I am still looking into it."));
}

TEST(MachineDeadAir, GivesUpWithAnApologyWhenAllFillersAreSaid) {
    config::AgentConfig agent = Talk::desk();
    agent.turn.llm_timeout = 60s;
    agent.turn.fillers_most = 1;
    Talk talk = asked(agent);
    talk.advance(400ms);
    talk.sent();
    talk.advance(1s);
    talk.take(talk.machine.on_dry(talk.now()));
    talk.done();

    talk.advance(3500ms);

    EXPECT_THAT(talk.done(), ElementsAre("tone", "cancel_generation",
                                         "speak  I am sorry, something went wrong on my side. Please call again.", "end_speech"));
    talk.sent();
    talk.spoken();
    EXPECT_THAT(talk.done(), Contains("hang_up dead_air"));
}

TEST(MachineDeadAir, HandsTheCallerToAPersonWhenTheAgentSaysSo) {
    config::AgentConfig agent = Talk::desk();
    agent.turn.llm_timeout = 60s;
    agent.turn.fillers_most = 1;
    agent.on_failure = "reception";
    Talk talk = asked(agent);
    talk.advance(400ms);
    talk.sent();
    talk.advance(1s);
    talk.take(talk.machine.on_dry(talk.now()));
    talk.advance(3500ms);
    talk.sent();
    talk.done();

    talk.spoken();

    EXPECT_THAT(talk.done(), Contains("transfer reception"));
}

TEST(MachineDeadAir, GivesUpAVoiceThatLetsNoWordsBeHeard) {
    Talk talk = asked();
    talk.reply("From eight to six.");
    talk.done();

    talk.advance(3200ms); // 4 s since the caller's last word

    EXPECT_THAT(talk.done(), Contains("next_tts"));
}

TEST(MachineDeadAir, EndsTheCallWhenEvenTheApologyIsNotHeard) {
    config::AgentConfig agent = Talk::desk();
    agent.turn.llm_timeout = 60s;
    agent.turn.fillers_most = 0;
    Talk talk = asked(agent);

    talk.advance(60s);

    EXPECT_THAT(talk.done(), Contains(::testing::StartsWith("hang_up")));
}

TEST(MachineDeadAir, HasNothingToSayWhenTheAnswerIsInTime) {
    Talk talk = asked();
    talk.say("From eight to six.");
    talk.done();

    talk.advance(9s);

    EXPECT_THAT(talk.done(), IsEmpty());
}

TEST(MachineDeadAir, TriesTheNextModelThoughAFillerWasHeard) {
    Talk talk = asked();
    talk.advance(400ms);
    talk.sent();
    talk.done();

    talk.advance(2600ms); // llm_timeout_ms

    EXPECT_THAT(talk.done(), ElementsAre("cancel_generation", "next_llm", "generate"));
}

}  // namespace
}  // namespace jackfield::call
