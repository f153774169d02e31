#include "call/decision_log.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace jackfield::call {
namespace {

constexpr base::MonoTime at(std::int64_t ms) { return {ms * 1'000'000}; }

std::vector<std::string> names(const std::string& json) {
    std::vector<std::string> out;
    const auto document = base::JsonDocument::parse(json);
    EXPECT_TRUE(document) << json;
    if (document)
        for (std::size_t i = 0; i < document->root().size(); ++i) out.push_back(document->root().at(i)["what"].text_or(""));
    return out;
}

TEST(DecisionLog, TellsWhatWasNotedWithItsNumbersUnderTheirNames) {
    DecisionLog log;

    log.note(at(1250), Decision::speech_start, 8120, -23);
    log.note(at(1400), Decision::partial, 2, 0, "opening hours");

    const std::string json = decisions_json(log, at(1000), at(2000), at(1000));
    EXPECT_EQ(json, R"([{"at_ms":250,"what":"speech_start","sample":8120,"level_db":-23},)"
                    R"({"at_ms":400,"what":"partial","words":2,"text":"opening hours"}])");
}

TEST(DecisionLog, PicksWhatBelongsToATurnByTime) {
    DecisionLog log;
    for (int i = 0; i < 5; ++i) log.note(at(100 * i), Decision::partial, i);

    EXPECT_EQ(decisions_json(log, at(100), at(200), at(0)),
              R"([{"at_ms":100,"what":"partial","words":1},{"at_ms":200,"what":"partial","words":2}])");
}

TEST(DecisionLog, CountsWhatRepeatsPerFrameInsteadOfKeepingIt) {
    DecisionLog log;

    for (int i = 0; i < 40; ++i) log.note(at(20 * i), Decision::held_back, 200 + 20 * i, 0, "greeting");

    ASSERT_EQ(log.size(), 1u);
    EXPECT_EQ(log[0].at, at(0));
    EXPECT_EQ(log[0].a, 980);
    EXPECT_EQ(log[0].times, 40);
}

TEST(DecisionLog, KeepsTheNewestAndSaysThatOlderOnesWereLost) {
    DecisionLog log;

    for (std::size_t i = 0; i < DecisionLog::capacity + 10; ++i) log.note(at(static_cast<std::int64_t>(i)), Decision::partial, static_cast<std::int64_t>(i));

    EXPECT_EQ(log.size(), DecisionLog::capacity);
    EXPECT_EQ(log[0].a, 10);
    EXPECT_EQ(names(decisions_json(log, at(5), at(10), at(0))), (std::vector<std::string>{"note", "partial"}));
    EXPECT_EQ(names(decisions_json(log, at(10), at(11), at(0))), (std::vector<std::string>{"partial", "partial"}));
}

TEST(DecisionLog, CutsTextBetweenCharacters) {
    DecisionLog log;
    std::string text(DecisionLog::text_bytes - 1, 'a');
    text += "\xc3\xa4 and more"; // the two bytes would stand across the end

    log.note(at(0), Decision::partial, 1, 0, text);

    EXPECT_EQ(log[0].text(), std::string(DecisionLog::text_bytes - 1, 'a'));
    EXPECT_TRUE(log[0].cut);
    const auto json = base::JsonDocument::parse(decisions_json(log, at(0), at(0), at(0)));
    ASSERT_TRUE(json);
    EXPECT_TRUE(json->root().at(0)["cut"].boolean_or(false));
    EXPECT_NE(describe_decision(json->root().at(0)).find("aaa...\""), std::string::npos);
}

TEST(DecisionLog, EveryCodeHasANameAndASentenceThatSaysItsNumbers) {
    for (int code = 0; name_of(static_cast<Decision>(code)) != "note"; ++code) {
        DecisionLog log;
        const auto decision = static_cast<Decision>(code);
        log.note(at(0), decision, 1, 2, "words");
        const auto json = base::JsonDocument::parse(decisions_json(log, at(0), at(0), at(0)));
        ASSERT_TRUE(json);

        EXPECT_EQ(decision_of(name_of(decision)), decision);
        const std::string sentence = describe_decision(json->root().at(0));
        EXPECT_FALSE(sentence.empty()) << name_of(decision);
        EXPECT_EQ(sentence.find('{'), std::string::npos) << sentence;
        EXPECT_EQ(sentence.find('?'), std::string::npos) << sentence;
    }
}

TEST(DecisionLog, DescribesWhatANewerHostStored) {
    const auto json = base::JsonDocument::parse(R"({"at_ms":1,"what":"clairvoyance","text":"it knew"})");

    EXPECT_EQ(describe_decision(json->root()), "it knew");
}

}  // namespace
}  // namespace jackfield::call
