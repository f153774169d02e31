#include "call_facts.hpp"

#include <gtest/gtest.h>

namespace jackfield::call_log {
namespace {

TEST(CallFacts, AreReadFromACallEndedEvent) {
    const auto facts = read_call_ended(R"({"event":"call.ended","call":"c1","agent":"reception","direction":"inbound","from":"+15550100",
        "to":"+15550199","cause":"normal","turns":3,"started_us":1000000,"answered_us":2000000,"ended_us":77500000,
        "transcript":[{"role":"assistant","text":"Good morning."},{"role":"user","text":"A table\nfor two."}]})");

    ASSERT_TRUE(facts);
    EXPECT_EQ(facts->call, "c1");
    EXPECT_EQ(facts->agent, "reception");
    EXPECT_EQ(facts->caller, "+15550100");
    EXPECT_EQ(facts->cause, "normal");
    EXPECT_EQ(facts->seconds, 75);
    EXPECT_EQ(facts->turns, 3);
    EXPECT_EQ(facts->transcript, "Agent: Good morning.\nCaller: A table for two.\n");
    EXPECT_EQ(facts->first_words, "A table for two.");
}

TEST(CallFacts, NameTheCalledPartyOfAnOutgoingCall) {
    const auto facts = read_call_ended(R"({"direction":"outbound","from":"+15550199","to":"+15550100"})");

    ASSERT_TRUE(facts);
    EXPECT_EQ(facts->caller, "+15550100");
}

TEST(CallFacts, TakeMissingAndStrangeMembersAsEmpty) {
    const auto facts = read_call_ended(R"({"call":7,"turns":"many","answered_us":5,"ended_us":3,"transcript":[1,{"role":2},{"text":"x"}],"new":{}})");

    ASSERT_TRUE(facts);
    EXPECT_EQ(facts->call, "");
    EXPECT_EQ(facts->turns, 0);
    EXPECT_EQ(facts->seconds, 0);
    EXPECT_EQ(facts->transcript, "Agent: x\n");
}

TEST(CallFacts, AreNothingWhenTheEventIsNoObject) {
    EXPECT_FALSE(read_call_ended(""));
    EXPECT_FALSE(read_call_ended("[]"));
    EXPECT_FALSE(read_call_ended(R"({"call":"c1")"));
    EXPECT_FALSE(read_call_ended("{\"call\":\"\xff\"}"));
}

TEST(SummaryByRule, IsOneLineOfWhatIsKnown) {
    CallFacts facts;
    facts.caller = "+15550100";
    facts.agent = "reception";
    facts.cause = "normal";
    facts.seconds = 75;
    facts.turns = 1;
    facts.first_words = "A table for two.";

    EXPECT_EQ(summary_by_rule(facts),
              "Call with +15550100 for reception: 1 min 15 s, 1 turn, ended: normal. The caller began: \"A table for two.\"");
    EXPECT_EQ(summary_by_rule(CallFacts{}), "Call with an unknown number: 0 s, 0 turns.");
}

TEST(SummaryByRule, CutsALongQuoteBetweenCharacters) {
    CallFacts facts;
    for (int i = 0; i < 100; ++i) facts.first_words += "\u00e9";
    facts.first_words.insert(0, "x");

    const std::string line = summary_by_rule(facts);

    EXPECT_NE(line.find("\u00e9...\""), std::string::npos) << line;
}

TEST(Shortened, KeepsBeginningAndEnd) {
    const std::string text = std::string(500, 'a') + std::string(500, 'b');

    const std::string shorter = shortened(text, 200);

    EXPECT_LE(shorter.size(), 200u);
    EXPECT_TRUE(shorter.starts_with("aaa"));
    EXPECT_TRUE(shorter.ends_with("bbb"));
    EXPECT_NE(shorter.find("[...]"), std::string::npos);
    EXPECT_EQ(shortened("short", 200), "short");
}

TEST(Tidied, MakesAReplyOneLine) { EXPECT_EQ(tidied("  Booked\n\n a table. \n"), "Booked a table."); }

}  // namespace
}  // namespace jackfield::call_log
