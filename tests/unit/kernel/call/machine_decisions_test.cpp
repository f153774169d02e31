// What the rules write down of what they decide.

#include "talk.hpp"

namespace jackfield::call {
namespace {

std::vector<std::string> names(const std::string& json) {
    std::vector<std::string> out;
    const auto document = base::JsonDocument::parse(json);
    EXPECT_TRUE(document) << json;
    if (document)
        for (std::size_t i = 0; i < document->root().size(); ++i) out.push_back(document->root().at(i)["what"].text_or(""));
    return out;
}

std::vector<std::string> decided(Talk& talk) { return names(decisions_json(talk.machine.decisions(), {}, talk.now(), {})); }

TEST(MachineDecisions, OfATurnHoldsTheWaitThatWasInForceAndTheRuleThatClosedIt) {
    Talk talk(Talk::without_greeting());
    talk.answer();
    talk.say("Good day.");

    talk.ask("what are your opening hours");

    const auto json = base::JsonDocument::parse(decisions_json(talk.machine.decisions(), {}, talk.now(), {}));
    ASSERT_TRUE(json);
    std::vector<std::string> seen;
    for (std::size_t i = 0; i < json->root().size(); ++i) {
        const base::JsonView entry = json->root().at(i);
        seen.push_back(entry["what"].text_or(""));
        if (seen.back() == "endpoint") {
            EXPECT_EQ(entry["text"].text_or(""), "endpoint") << entry.dump();
        }
        if (seen.back() == "endpoint_wait") {
            EXPECT_GT(entry["wait_ms"].integer_or(0), 0) << entry.dump();
        }
        if (seen.back() == "final_text") {
            EXPECT_EQ(entry["confidence_milli"].integer_or(0), 900) << entry.dump();
        }
    }
    for (const char* what : {"endpoint_wait", "endpoint", "final_text", "reply_begun"}) EXPECT_THAT(seen, Contains(what));
}

TEST(MachineDecisions, OfACoughHoldsDuckAndResume) {
    Talk talk;
    talk.answer();
    talk.sent();
    talk.advance(2000ms);

    talk.voice(300ms);
    talk.advance(400ms);

    EXPECT_THAT(decided(talk), Contains("duck"));
    EXPECT_THAT(decided(talk), Contains("barge_in_resume"));
    EXPECT_THAT(decided(talk), Not(Contains("barge_in")));
}

TEST(MachineDecisions, OfAnInterruptionHoldsItsRuleAndWhatWasHeard) {
    Talk talk;
    talk.answer();
    talk.sent();
    talk.advance(2000ms);
    talk.heard(9);

    talk.voice(900ms);

    EXPECT_THAT(decided(talk), Contains("barge_in"));
    EXPECT_THAT(decided(talk), Contains("reply_cut"));
}

TEST(MachineDecisions, OfAProtectedGreetingHoldsWhatKeptItGoing) {
    Talk talk;
    talk.answer();
    talk.sent();

    talk.voice(400ms);

    EXPECT_THAT(decided(talk), Contains("held_back"));
}

}  // namespace
}  // namespace jackfield::call
