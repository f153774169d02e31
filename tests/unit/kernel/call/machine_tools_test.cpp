// Tools that providers run: results, their place in the conversation, and the caller who waits meanwhile.

#include "talk.hpp"

namespace jackfield::call {
namespace {

using ::testing::HasSubstr;

/// A conversation in which the caller has asked for something and the model has called `names`, one after the other.
struct Asked {
    explicit Asked(std::vector<std::string> names, config::AgentConfig agent = patient()) : talk(std::move(agent)) {
        talk.machine.offer_tools({"crm_lookup", "crm_book"});
        talk.greet();
        talk.ask("book me in");
        reply = talk.machine.current_reply();
        talk.done();
        int id = 1;
        for (const std::string& name : names) talk.take(talk.machine.on_tool_call(talk.now(), reply, "t" + std::to_string(id++), name, "{}"));
    }
    /// The silence of the caller's turn is not what these tests are about.
    static config::AgentConfig patient() {
        config::AgentConfig agent = Talk::desk();
        agent.turn.dead_air = 6s;
        agent.turn.dead_air_words = 8s;
        return agent;
    }
    void result(std::uint32_t index, const std::string& content) {
        talk.take(talk.machine.on_tool_result(talk.now(), reply, index, content));
    }

    Talk talk;
    std::uint64_t reply = 0;
};

TEST(MachineToolCalls, AskTheModelAgainOnceTheResultIsThere) {
    Asked asked({"crm_book"});
    asked.talk.generated();
    EXPECT_THAT(asked.talk.done(), ElementsAre("run_tool crm_book"));

    asked.talk.advance(300ms);
    asked.result(0, R"({"code":7})");

    EXPECT_THAT(asked.talk.done(), ElementsAre("generate"));
    EXPECT_THAT(asked.talk.transcript(),
                ElementsAre("agent: Good day, this is the desk.", "user: book me in", "agent: [crm_book]", R"(tool: {"code":7})"));
}

TEST(MachineToolCalls, RunTogetherAndAnswerInTheOrderOfTheCalls) {
    Asked asked({"crm_lookup", "crm_book"});
    asked.talk.generated();
    EXPECT_THAT(asked.talk.done(), ElementsAre("run_tool crm_lookup", "run_tool crm_book"));

    asked.result(1, "second");
    EXPECT_THAT(asked.talk.done(), IsEmpty());
    asked.result(0, "first");

    EXPECT_THAT(asked.talk.done(), ElementsAre("generate"));
    const auto said = asked.talk.transcript();
    EXPECT_THAT(std::vector<std::string>(said.end() - 4, said.end()),
                ElementsAre("agent: [crm_lookup]", "tool: first", "agent: [crm_book]", "tool: second"));
}

TEST(MachineToolCalls, WaitForTheModelToFinishWhenTheResultIsFaster) {
    Asked asked({"crm_lookup"});
    asked.result(0, "{}");
    EXPECT_THAT(asked.talk.done(), ElementsAre("run_tool crm_lookup"));

    asked.talk.generated();

    EXPECT_THAT(asked.talk.done(), ElementsAre("generate"));
}

TEST(MachineToolCalls, TakeAResultOnce) {
    Asked asked({"crm_lookup"});
    asked.talk.generated();
    asked.result(0, "one");
    asked.talk.done();

    asked.result(0, "two");
    asked.result(5, "three");

    EXPECT_THAT(asked.talk.done(), IsEmpty());
    EXPECT_EQ(asked.talk.transcript().back(), "tool: one");
}

TEST(MachineToolCalls, AreTheModelsNoMoreThanWhatWasOffered) {
    Asked asked({"crm_delete"});
    asked.talk.generated();

    EXPECT_THAT(asked.talk.done(), ElementsAre("generate"));
    EXPECT_THAT(asked.talk.transcript().back(), HasSubstr("not available"));
}

TEST(MachineToolCalls, TellTheCallerWhoWaits) {
    Asked asked({"crm_lookup"});
    asked.talk.generated();
    asked.talk.done();

    asked.talk.advance(699ms);
    EXPECT_THAT(asked.talk.done(), IsEmpty());
    asked.talk.advance(1ms);

    EXPECT_THAT(asked.talk.done(), ElementsAre("speak One moment, please."));
}

TEST(MachineToolCalls, TellTheCallerAgainAtTheFillersPace) {
    Asked asked({"crm_lookup"});
    asked.talk.generated();
    asked.talk.advance(700ms);
    asked.talk.sent();
    asked.talk.advance(1000ms);
    asked.talk.take(asked.talk.machine.on_dry(asked.talk.now()));
    asked.talk.done();

    asked.talk.advance(3000ms);
    EXPECT_THAT(asked.talk.done(), Not(Contains(HasSubstr("speak"))));
    asked.talk.advance(1000ms);

    EXPECT_THAT(asked.talk.done(), Contains(HasSubstr("speak  I am still looking")));
}

TEST(MachineToolCalls, SayWhatTheToolItselfSaysOfItsProgress) {
    Asked asked({"crm_lookup"});
    asked.talk.generated();
    asked.talk.done();
    asked.talk.machine.on_tool_progress(asked.reply, 0, "I am asking the branch.");

    asked.talk.advance(700ms);

    EXPECT_THAT(asked.talk.done(), ElementsAre("speak I am asking the branch."));
}

TEST(MachineToolCalls, StayQuietWhileTheAgentStillSpeaks) {
    Asked asked({"crm_lookup"});
    asked.talk.token("Let me have a look at that for you, please. ");
    asked.talk.generated();
    asked.talk.sent();
    asked.talk.done();

    asked.talk.advance(2000ms);
    EXPECT_THAT(asked.talk.done(), Not(Contains(HasSubstr("speak"))));
    asked.talk.take(asked.talk.machine.on_dry(asked.talk.now()));
    asked.talk.advance(700ms);

    EXPECT_THAT(asked.talk.done(), Contains(HasSubstr("One moment, please.")));
}

TEST(MachineToolCalls, KeepOnlyTheFillersThatWereHeard) {
    Asked asked({"crm_lookup"});
    asked.talk.generated();
    asked.talk.advance(700ms);
    asked.talk.sent();
    asked.talk.advance(200ms);
    asked.talk.heard(4);
    asked.talk.done();

    asked.talk.voice(800ms);

    EXPECT_THAT(asked.talk.done(), Contains("commit agent: One"));
    EXPECT_EQ(asked.talk.last_turn().unheard, " moment, please.");
}

TEST(MachineToolCalls, OutliveTheReplyThatTheCallerInterrupts) {
    Asked asked({"crm_book"});
    asked.talk.token("I am booking that for you right now. ");
    asked.talk.generated();
    asked.talk.sent();
    asked.talk.heard(6);
    asked.talk.voice(800ms);
    asked.talk.advance(600ms);
    asked.talk.done();

    asked.talk.final_text("and a taxi");
    EXPECT_THAT(asked.talk.done(), Not(Contains("generate"))) << "the model must not be asked before it can be told what became of it";
    asked.result(0, R"({"code":7})");

    EXPECT_THAT(asked.talk.done(), ElementsAre("generate"));
    EXPECT_THAT(asked.talk.transcript(),
                ElementsAre("agent: Good day, this is the desk.", "user: book me in", "agent: I am", "agent: [crm_book]", R"(tool: {"code":7})",
                            "user: and a taxi"));
}

TEST(MachineToolCalls, EnterTheConversationWhileTheCallerInterrupts) {
    Asked asked({"crm_book"});
    asked.talk.generated();
    asked.talk.start_voice();
    asked.talk.done();

    asked.result(0, R"({"code":7})");

    EXPECT_THAT(asked.talk.done(), IsEmpty());
    EXPECT_EQ(asked.talk.transcript().back(), R"(tool: {"code":7})");
}

TEST(MachineToolCalls, AreAnsweredAlthoughTheCallerMadeANoise) {
    Asked asked({"crm_book"});
    asked.talk.generated();
    asked.talk.voice(200ms);
    asked.talk.advance(600ms);
    asked.talk.no_match();
    asked.talk.done();

    asked.result(0, R"({"code":7})");

    EXPECT_THAT(asked.talk.done(), ElementsAre("generate"));
    EXPECT_EQ(asked.talk.transcript().back(), R"(tool: {"code":7})");
}

TEST(MachineToolCalls, AreNotMadeTwiceWhenTheModelBreaksBehindThem) {
    Asked asked({"crm_book"});
    asked.talk.done();

    asked.talk.take(asked.talk.machine.on_generation_failed(asked.talk.now(), asked.reply));
    EXPECT_THAT(asked.talk.done(), ElementsAre("next_llm"));
    asked.result(0, R"({"code":7})");

    EXPECT_THAT(asked.talk.done(), ElementsAre("generate"));
    EXPECT_EQ(asked.talk.transcript().back(), R"(tool: {"code":7})");
}

TEST(MachineToolCalls, DoNotKeepTheCallerWhoHasBeenToldGoodbye) {
    Asked asked({"crm_book", "hang_up"});
    asked.talk.token("It is done. Goodbye. ");
    asked.talk.generated();

    EXPECT_THAT(asked.talk.done(), Contains("end_speech"));
}

TEST(MachineToolCalls, AreNotGivenUpOnForTheSilence) {
    config::AgentConfig agent = Talk::desk();
    agent.turn.fillers_most = 0;
    Asked asked({"crm_book"}, agent);
    asked.talk.generated();

    asked.talk.advance(20'000ms);

    EXPECT_THAT(asked.talk.done(), Not(Contains(HasSubstr("hang_up"))));
    asked.result(0, "{}");
    EXPECT_THAT(asked.talk.done(), Contains("generate"));
}

TEST(MachineToolCalls, OfADraftAreMadeWhenItIsTheAnswer) {
    config::AgentConfig agent = Talk::desk();
    Talk talk(agent);
    talk.machine.offer_tools({"crm_book"});
    talk.greet();
    talk.voice(500ms);
    talk.partial("book me in");
    talk.advance(100ms);
    ASSERT_NE(talk.draft(), 0U) << "nothing was begun on these words";
    talk.draft_tool("crm_book");
    talk.draft_done();
    EXPECT_THAT(talk.done(), Not(Contains("run_tool crm_book")));

    talk.advance(600ms);
    talk.final_text("book me in");

    EXPECT_THAT(talk.done(), Contains("run_tool crm_book"));
}

}  // namespace
}  // namespace jackfield::call
