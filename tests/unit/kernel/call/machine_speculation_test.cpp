// The model begins before it is sure that the caller has finished.

#include "talk.hpp"

namespace jackfield::call {
namespace {

/// The caller has been quiet for 200 ms and the recogniser knows what they said.
Talk said(const std::string& words) {
    Talk talk;
    talk.greet();
    talk.start_voice();
    talk.partial(words);
    talk.advance(200ms);
    talk.stop_voice();
    return talk;
}

TEST(MachineSpeculation, BeginsWhenTheCallerFallsQuiet) {
    Talk talk = said("are you open");

    EXPECT_THAT(talk.done(), ElementsAre("generate are you open"));
    EXPECT_THAT(talk.transcript(), ElementsAre("agent: Good day, this is the desk."));
}

TEST(MachineSpeculation, SaysNothingBeforeTheTurnIsOverAndThenAllAtOnce) {
    Talk talk = said("are you open");
    talk.draft_token("Yes, until six, ");
    talk.draft_token("as every day.");
    talk.draft_done();
    talk.done();

    talk.advance(400ms);
    EXPECT_THAT(talk.done(), ElementsAre("finalize"));
    talk.final_text("Are you open?");

    EXPECT_THAT(talk.done(), ElementsAre("adopt", "speak Yes, until six, as every day.", "end_speech"));
    EXPECT_THAT(talk.transcript(), ElementsAre("agent: Good day, this is the desk.", "user: Are you open?"));
}

TEST(MachineSpeculation, GoesOnWritingWhenTheTurnIsOver) {
    Talk talk = said("are you open");
    talk.draft_token("Yes, ");
    talk.advance(400ms);
    talk.final_text("are you open");
    talk.done();

    talk.reply("until six.");

    EXPECT_THAT(talk.done(), ElementsAre("speak Yes, until six.", "end_speech"));
}

TEST(MachineSpeculation, IsThrownAwayWhenTheCallerWasUnderstoodDifferently) {
    Talk talk = said("are you open");
    talk.draft_token("Yes.");
    talk.draft_done();
    talk.advance(400ms);
    talk.done();

    talk.final_text("are you open on sunday");

    EXPECT_THAT(talk.done(), ElementsAre("cancel_generation", "generate"));
}

TEST(MachineSpeculation, IsThrownAwayWhenTheCallerGoesOn) {
    Talk talk = said("are you open");
    talk.done();

    talk.start_voice();

    EXPECT_THAT(talk.done(), ElementsAre("cancel_generation"));
    EXPECT_FALSE(talk.machine.agent_speaking());
}

TEST(MachineSpeculation, MakesNoToolCallBeforeTheTurnIsOver) {
    Talk talk = said("goodbye");
    talk.draft_tool("hang_up");
    talk.draft_token("Goodbye.");
    talk.draft_done();
    talk.start_voice();
    talk.stop_voice();
    talk.done();

    talk.advance(400ms);
    talk.final_text("goodbye no wait");
    talk.say("Yes?");

    EXPECT_THAT(talk.done(), Not(Contains("hang_up hang_up")));
}

TEST(MachineSpeculation, MakesTheToolCallOfADraftThatWasRight) {
    Talk talk = said("goodbye");
    talk.draft_tool("hang_up");
    talk.draft_token("Goodbye.");
    talk.draft_done();
    talk.advance(400ms);
    talk.final_text("goodbye");
    talk.sent();
    talk.spoken();

    EXPECT_THAT(talk.done(), Contains("hang_up hang_up"));
}

TEST(MachineSpeculation, BeginsAgainWithNewWordsButNotForEver) {
    Talk talk = said("on monday");
    talk.partial("on monday at");
    talk.partial("on monday at ten");
    talk.partial("on monday at ten sharp");

    EXPECT_THAT(talk.done(), ElementsAre("generate on monday", "cancel_generation", "generate on monday at", "cancel_generation",
                                         "generate on monday at ten"));
}

TEST(MachineSpeculation, LeavesALongSpeechAlone) {
    Talk talk;
    talk.greet();
    talk.start_voice();
    talk.partial("it all began");
    talk.advance(11s);
    talk.take(talk.machine.on_voice(talk.now() - 200ms, 10s));
    talk.stop_voice();

    EXPECT_THAT(talk.done(), Not(Contains(::testing::StartsWith("generate "))));
}

TEST(MachineSpeculation, AFailureOfADraftCostsNothing) {
    Talk talk = said("are you open");
    talk.take(talk.machine.on_generation_failed(talk.now(), talk.draft()));
    talk.advance(400ms);
    talk.done();

    talk.final_text("are you open");

    EXPECT_THAT(talk.done(), ElementsAre("generate"));
}

TEST(MachineSpeculation, IsOffWhenTheAgentSaysSo) {
    config::AgentConfig agent = Talk::desk();
    agent.turn.speculate = false;
    Talk talk(agent);
    talk.greet();
    talk.start_voice();
    talk.partial("are you open");
    talk.advance(200ms);
    talk.stop_voice();

    EXPECT_THAT(talk.done(), IsEmpty());
}

TEST(MachineTurnEnd, OfTheRecogniserClosesTheTurnAtOnce) {
    Talk talk;
    talk.machine.set_provider_detects_turns(true);
    talk.greet();
    talk.start_voice();
    talk.stop_voice();
    talk.advance(2s); // quiet alone ends nothing
    EXPECT_THAT(talk.done(), IsEmpty());

    talk.take(talk.machine.on_turn_end(talk.now(), "are you open", 0.9F));

    EXPECT_THAT(talk.done(), ElementsAre("generate"));
    talk.say("Yes.");
    EXPECT_EQ(talk.turns[1].text, "are you open");
    EXPECT_EQ(talk.turns[1].rule, "turn_end");
}

TEST(MachineTurnEnd, ThatIsOnlyProbableBeginsAnAnswerAndItsResumptionDropsIt) {
    Talk talk;
    talk.machine.set_provider_detects_turns(true);
    talk.greet();
    talk.start_voice();

    talk.take(talk.machine.on_eager_turn_end(talk.now(), "are you"));
    EXPECT_THAT(talk.done(), ElementsAre("generate are you"));
    talk.take(talk.machine.on_turn_resumed(talk.now()));

    EXPECT_THAT(talk.done(), ElementsAre("cancel_generation"));
}

}  // namespace
}  // namespace jackfield::call
