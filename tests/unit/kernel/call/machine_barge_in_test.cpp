// The caller speaks while the agent does.

#include "talk.hpp"

namespace jackfield::call {
namespace {

constexpr const char* hours = "We are open from eight to six, and on Saturday from nine to noon.";

/// The agent has been speaking for two seconds.
Talk speaking_agent(config::AgentConfig agent = Talk::desk()) {
    Talk talk(std::move(agent));
    talk.greet();
    talk.ask("when are you open");
    talk.reply(hours);
    talk.sent();
    talk.advance(2s);
    talk.heard(30);
    talk.done();
    return talk;
}

TEST(MachineBargeIn, DucksAfter200MsOfVoice) {
    Talk talk = speaking_agent();

    talk.start_voice();
    talk.advance(80ms);
    talk.take(talk.machine.on_voice(talk.now(), 180ms));
    EXPECT_THAT(talk.done(), IsEmpty());
    talk.take(talk.machine.on_voice(talk.now(), 200ms));

    EXPECT_THAT(talk.done(), ElementsAre("duck"));
}

TEST(MachineBargeIn, TakesMoreVoiceOnALineThatGivesTheAgentsOwnBack) {
    Talk talk = speaking_agent();
    talk.machine.on_echo();

    talk.start_voice();
    talk.advance(200ms);
    talk.take(talk.machine.on_voice(talk.now(), 300ms));
    EXPECT_THAT(talk.done(), IsEmpty());
    talk.take(talk.machine.on_voice(talk.now(), 320ms));

    EXPECT_THAT(talk.done(), ElementsAre("duck"));
}

TEST(MachineBargeIn, MistrustsWordsOfAMomentOnALineThatGivesTheAgentsOwnBack) {
    Talk talk = speaking_agent();
    talk.machine.on_echo();

    talk.start_voice();
    talk.partial("open from eight to six");
    EXPECT_THAT(talk.done(), IsEmpty());
    talk.advance(220ms);
    talk.take(talk.machine.on_voice(talk.now(), 320ms));
    talk.partial("open from eight to six really");

    EXPECT_THAT(talk.done(), Contains("stop_speech"));
}

TEST(MachineBargeIn, ResumesAfterACough) {
    Talk talk = speaking_agent();

    talk.voice(300ms);
    EXPECT_THAT(talk.done(), ElementsAre("duck"));
    talk.advance(399ms);
    EXPECT_THAT(talk.done(), IsEmpty());
    talk.advance(1ms); // 600 ms after the last voice

    EXPECT_THAT(talk.done(), ElementsAre("unduck", "discard"));
    EXPECT_TRUE(talk.machine.agent_speaking());
    talk.spoken();
    EXPECT_EQ(talk.last_turn().text, hours);
    EXPECT_FALSE(talk.last_turn().interrupted);
}

TEST(MachineBargeIn, DecidesAnewWhenVoiceComesBackBeforeTheAgentWentOn) {
    Talk talk = speaking_agent();
    talk.voice(300ms);
    talk.advance(100ms);
    talk.done();

    talk.voice(300ms);
    EXPECT_THAT(talk.done(), IsEmpty()); // paused already
    talk.advance(400ms);

    EXPECT_THAT(talk.done(), ElementsAre("unduck", "discard"));
}

TEST(MachineBargeIn, IsConfirmedByWordsThatComeWhileItIsQuietAgain) {
    Talk talk = speaking_agent();
    talk.voice(300ms);
    talk.done();

    talk.partial("no sunday");

    EXPECT_THAT(talk.done(), ElementsAre("stop_speech", "unduck", "commit agent: We are open from eight to six,"));
    talk.advance(400ms);
    EXPECT_THAT(talk.done(), ElementsAre("finalize"));
}

TEST(MachineBargeIn, LeavesTheFirstSecondOfAReplyToTheAgentUnlessItIsMeant) {
    Talk talk;
    talk.greet();
    talk.ask("when are you open");
    talk.reply(hours);
    talk.sent();
    talk.heard(5);
    talk.done();

    talk.voice(400ms); // "mhm", over at 400 ms of the reply
    EXPECT_THAT(talk.done(), ElementsAre("discard"));
    talk.start_voice();
    talk.take(talk.machine.on_voice(talk.now(), 500ms));

    EXPECT_THAT(talk.done(), Contains("stop_speech"));
}

TEST(MachineBargeIn, LeavesTheLastSecondToTheAgentToo) {
    Talk talk = speaking_agent();
    talk.machine.set_heard({60, false, 900ms});

    talk.start_voice();
    talk.take(talk.machine.on_voice(talk.now(), 300ms));

    EXPECT_THAT(talk.done(), IsEmpty());
}

TEST(MachineBargeIn, IsConfirmedBy500MsOfVoice) {
    Talk talk = speaking_agent();

    talk.voice(600ms);

    EXPECT_THAT(talk.done(), ElementsAre("duck", "stop_speech", "unduck", "commit agent: We are open from eight to six,"));
    EXPECT_EQ(talk.last_turn().rule, "barge_in_voice");
}

TEST(MachineBargeIn, IsConfirmedByTwoWordsThatMeanSomething) {
    Talk talk = speaking_agent();
    talk.start_voice();

    talk.partial("mhm yeah okay");
    talk.partial("yeah but");
    EXPECT_THAT(talk.done(), IsEmpty());
    talk.partial("yeah but sunday");

    EXPECT_THAT(talk.done(), ElementsAre("stop_speech", "unduck", "commit agent: We are open from eight to six,"));
    EXPECT_EQ(talk.last_turn().rule, "barge_in_words");
}

TEST(MachineBargeIn, IsConfirmedByAStopWordAtOnce) {
    Talk talk = speaking_agent();
    talk.start_voice();

    talk.partial("wait");

    EXPECT_EQ(talk.last_turn().rule, "barge_in_stop_word");
}

TEST(MachineBargeIn, KeepsWhatWasHeardAndWhatWasNot) {
    Talk talk = speaking_agent();

    talk.voice(600ms);

    EXPECT_EQ(talk.last_turn().text, "We are open from eight to six,");
    EXPECT_EQ(talk.last_turn().unheard, " and on Saturday from nine to noon.");
    EXPECT_TRUE(talk.last_turn().interrupted);
    EXPECT_EQ(talk.machine.messages().back().content, "We are open from eight to six,");
    EXPECT_EQ(talk.machine.messages().back().flags, JF_MESSAGE_INTERRUPTED);
}

TEST(MachineBargeIn, StopsAModelThatIsStillWriting) {
    Talk talk;
    talk.greet();
    talk.ask("tell me everything");
    talk.token("Gladly, there is a lot to be said. ");
    talk.sent();
    talk.advance(1s);
    talk.done();

    talk.voice(600ms);

    EXPECT_THAT(talk.done(), Contains("cancel_generation"));
}

TEST(MachineBargeIn, LeavesTheFirstHalfSecondOfTheGreetingAlone) {
    Talk talk;
    talk.answer();
    talk.sent();
    talk.done();

    talk.start_voice();
    talk.advance(300ms);
    talk.take(talk.machine.on_voice(talk.now(), 400ms));
    talk.partial("hello is anybody there");
    EXPECT_THAT(talk.done(), IsEmpty());
    talk.advance(100ms);
    talk.take(talk.machine.on_voice(talk.now(), 500ms));

    EXPECT_THAT(talk.done(), Contains("stop_speech"));
}

TEST(MachineBargeIn, AnswersTheInterruption) {
    Talk talk = speaking_agent();
    talk.voice(800ms);
    talk.advance(600ms);
    talk.done();

    talk.final_text("and on sunday");

    EXPECT_THAT(talk.done(), ElementsAre("generate"));
    EXPECT_THAT(talk.transcript(), ElementsAre("agent: Good day, this is the desk.", "user: when are you open",
                                               "agent: We are open from eight to six,", "user: and on sunday"));
}

TEST(MachineBargeIn, UnducksWhenTheReplyEndsBeforeItIsDecided) {
    Talk talk = speaking_agent();
    talk.start_voice();
    talk.advance(100ms);
    talk.take(talk.machine.on_voice(talk.now(), 200ms));
    talk.done();

    talk.spoken();

    EXPECT_THAT(talk.done(), ElementsAre("unduck", std::string("commit agent: ") + hours));
    EXPECT_TRUE(talk.machine.user_turn_open());
}

TEST(MachineBargeIn, AKeyInterruptsAtOnce) {
    Talk talk = speaking_agent();

    talk.keys("1");

    EXPECT_THAT(talk.done(), ElementsAre("stop_speech", "unduck", "commit agent: We are open from eight to six,", "generate"));
}

TEST(MachineBargeIn, LetsTheGoodbyeOut) {
    Talk talk;
    talk.greet();
    talk.ask("goodbye");
    talk.token("Goodbye, and thank you for your call.");
    talk.tool("hang_up");
    talk.generated();
    talk.sent();
    talk.done();

    talk.voice(900ms);
    EXPECT_THAT(talk.done(), IsEmpty());
    talk.keys("1"); // no choice any more, but on record
    EXPECT_THAT(talk.done(), ElementsAre("commit user: 1"));
    talk.spoken();

    EXPECT_THAT(talk.done(), ElementsAre("commit agent: Goodbye, and thank you for your call.", "hang_up hang_up"));
}

}  // namespace
}  // namespace jackfield::call
