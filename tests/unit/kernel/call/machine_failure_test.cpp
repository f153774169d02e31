// Providers that fail, tools that are used, and how a call ends.

#include "talk.hpp"

namespace jackfield::call {
namespace {

TEST(MachineFailure, AsksTheNextModelWhenOneFails) {
    Talk talk;
    talk.greet();
    talk.ask("hello");
    talk.done();

    talk.take(talk.machine.on_generation_failed(talk.now(), talk.machine.current_reply()));

    EXPECT_THAT(talk.done(), ElementsAre("next_llm", "generate"));
}

TEST(MachineFailure, AsksTheNextModelWhenNoTokenComes) {
    Talk talk;
    talk.greet();
    talk.ask("hello");
    talk.done();

    talk.advance(2999ms);
    EXPECT_THAT(talk.done(), Not(Contains("next_llm")));
    talk.advance(1ms);

    EXPECT_THAT(talk.done(), ElementsAre("cancel_generation", "next_llm", "generate"));
}

TEST(MachineFailure, ApologisesAndHangsUpWhenNoModelAnswers) {
    Talk talk;
    talk.greet();
    talk.ask("hello");
    talk.done();

    for (int i = 0; i < 3; ++i) talk.take(talk.machine.on_generation_failed(talk.now(), talk.machine.current_reply()));
    EXPECT_THAT(talk.done(), ElementsAre("next_llm", "generate", "next_llm", "generate",
                                         "speak I am sorry, something went wrong on my side. Please call again.", "end_speech"));
    talk.sent();
    talk.spoken();

    EXPECT_THAT(talk.done(), Contains("hang_up llm_failed"));
}

TEST(MachineFailure, LetsAnotherModelGoOnBehindWhatWasSaidWhenOneBreaksOff) {
    Talk talk;
    talk.greet();
    talk.ask("hello");
    talk.token("Hello, and welcome to the clinic. We are ");
    talk.done();

    talk.take(talk.machine.on_generation_failed(talk.now(), talk.machine.current_reply()));
    EXPECT_THAT(talk.done(), ElementsAre("next_llm", "generate behind Hello, and welcome to the clinic. "));
    talk.reply("How can I help?");
    talk.sent();
    talk.spoken();

    EXPECT_EQ(talk.transcript().back(), "agent: Hello, and welcome to the clinic. How can I help?");
}

TEST(MachineFailure, LetsAWholeSentenceStandWhenTheModelBreaksBehindIt) {
    Talk talk;
    talk.greet();
    talk.ask("hello");
    talk.token("Hello, and welcome to the clinic. ");
    talk.done();

    talk.take(talk.machine.on_generation_failed(talk.now(), talk.machine.current_reply()));

    EXPECT_THAT(talk.done(), ElementsAre("end_speech"));
}

TEST(MachineFailure, EndsWithAWholeSentenceWhenNoModelGoesOn) {
    Talk talk;
    talk.greet();
    talk.ask("hello");
    talk.token("Hello, and welcome to the clinic. We are ");
    talk.sent();
    talk.done();

    for (int i = 0; i < 3; ++i) talk.take(talk.machine.on_generation_failed(talk.now(), talk.machine.current_reply()));

    const std::string behind = "generate behind Hello, and welcome to the clinic. ";
    EXPECT_THAT(talk.done(), ElementsAre("next_llm", behind, "next_llm", behind, "end_speech"));
}

TEST(MachineFailure, ApologisesBehindASentenceThatNoModelEnds) {
    Talk talk;
    talk.greet();
    talk.ask("hello");
    talk.token("Your appointment with the doctor, ");
    talk.sent();
    ASSERT_THAT(talk.done(), Contains("speak Your appointment with the doctor, "));

    for (int i = 0; i < 3; ++i) talk.take(talk.machine.on_generation_failed(talk.now(), talk.machine.current_reply()));

    EXPECT_THAT(talk.done(), Contains("speak I am sorry, something went wrong on my side. Please call again."));
    talk.spoken();
    EXPECT_THAT(talk.done(), Contains("hang_up llm_failed"));
}

TEST(MachineFailure, DoesNotWaitForeverForAModelThatStallsInMidSentence) {
    Talk talk;
    talk.greet();
    talk.ask("hello");
    talk.token("Hello, and welcome to the clinic. We are ");
    talk.sent();
    talk.done();

    talk.advance(3s);

    EXPECT_THAT(talk.done(), ElementsAre("cancel_generation", "next_llm", "generate behind Hello, and welcome to the clinic. "));
}

TEST(MachineFailure, ForgetsFailuresOnceAModelAnswers) {
    Talk talk;
    talk.greet();
    for (int turn = 0; turn < 4; ++turn) {
        talk.ask("hello");
        talk.take(talk.machine.on_generation_failed(talk.now(), talk.machine.current_reply()));
        talk.say("Hello.");
    }

    EXPECT_THAT(talk.done(), Not(Contains(::testing::StartsWith("hang_up"))));
}

TEST(MachineFailure, RepeatsTheTextWithTheNextVoice) {
    Talk talk;
    talk.greet();
    talk.ask("hello");
    talk.reply("Good day.");
    talk.done();

    talk.take(talk.machine.on_voice_failed(talk.now(), talk.machine.current_reply()));

    EXPECT_THAT(talk.done(), ElementsAre("next_tts", "stop_speech", "speak Good day.", "end_speech"));
}

TEST(MachineFailure, HangsUpWhenNoVoiceSpeaks) {
    Talk talk;
    talk.answer();
    talk.done();

    for (int i = 0; i < 3; ++i) talk.take(talk.machine.on_voice_failed(talk.now(), talk.machine.current_reply()));

    EXPECT_THAT(talk.done(), Contains("hang_up tts_failed"));
}

TEST(MachineTools, HangsUpAfterTheLastWord) {
    Talk talk;
    talk.greet();
    talk.ask("that is all");
    talk.token("Goodbye.");
    talk.tool("hang_up");
    talk.generated();
    talk.sent();
    EXPECT_THAT(talk.done(), Not(Contains("hang_up hang_up")));

    talk.spoken();

    EXPECT_THAT(talk.done(), ElementsAre("commit agent: Goodbye.", "hang_up hang_up"));
}

TEST(MachineTools, HangsUpWithoutAWord) {
    Talk talk;
    talk.greet();
    talk.ask("that is all");
    talk.tool("hang_up");

    talk.generated();

    EXPECT_THAT(talk.done(), Contains("hang_up hang_up"));
}

TEST(MachineTools, TransfersToANameThatTheAgentKnows) {
    Talk talk;
    talk.greet();
    talk.ask("a person please");
    talk.token("One moment.");
    talk.tool("transfer", R"({"to":"reception"})");
    talk.generated();
    talk.sent();

    talk.spoken();

    EXPECT_THAT(talk.done(), Contains("transfer reception"));
}

TEST(MachineTools, RefusesATransferToAnybodyElse) {
    Talk talk;
    talk.greet();
    talk.ask("a person please");
    talk.tool("transfer", R"({"to":"+19005550100"})");

    talk.generated();

    EXPECT_THAT(talk.done(), ElementsAre("finalize", "generate", "generate"));
    EXPECT_THAT(talk.transcript().back(), ::testing::HasSubstr("nobody of that name"));
}

TEST(MachineTools, RefusesAToolThatTheAgentMayNotUse) {
    config::AgentConfig agent = Talk::desk();
    agent.tools = {};
    Talk talk(agent);
    talk.greet();
    talk.ask("bye");
    talk.tool("hang_up");

    talk.generated();

    EXPECT_THAT(talk.done(), Not(Contains("hang_up hang_up")));
    EXPECT_THAT(talk.transcript().back(), ::testing::HasSubstr("not available"));
}

TEST(MachineTools, EndsAConversationOfAModelWithItsTools) {
    config::AgentConfig agent = Talk::desk();
    agent.tools = {};
    Talk talk(agent);
    talk.greet();
    talk.ask("bye");

    for (int i = 0; i < 4; ++i) {
        talk.tool("hang_up");
        talk.generated();
    }

    EXPECT_EQ(talk.machine.current_reply(), 0U);
}

}  // namespace
}  // namespace jackfield::call
