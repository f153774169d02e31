#include "plugins/llm/scripted/phrase.hpp"

#include <gtest/gtest.h>

namespace jackfield::scripted {
namespace {

double score(const char* pattern, const char* text) {
    const Phrase::Parsed parsed = Phrase::parse(pattern);
    EXPECT_TRUE(parsed.phrase) << parsed.problem;
    const Words words = words_of(text);
    return parsed.phrase->score(words, [&](const std::string&, std::size_t at) -> std::size_t { return words[at] == "monday"; });
}

TEST(Phrase, FitsItsOwnFormsWhole) {
    EXPECT_EQ(score("[i would like to] (book|make) an appointment", "I'd like to make an appointment, please"), 1.0);
    EXPECT_EQ(score("[i would like to] (book|make) an appointment", "book an appointment"), 1.0);
    EXPECT_EQ(score("an appointment on {day}", "an appointment on monday"), 1.0);
    EXPECT_GT(score("book *", "book something for my sister"), 0.95);
    EXPECT_LT(score("book *", "book something"), 1.0);
}

TEST(Phrase, IsNearWhenItsTellingWordsAreThere) {
    EXPECT_GT(score("i would like to book an appointment", "hello I am calling to book my next appointment"), 0.65);
    EXPECT_GT(score("what are your opening hours", "opening hours"), 0.65);
    EXPECT_LT(score("what are your opening hours", "what are your prices"), 0.65);
    EXPECT_LT(score("book", "I read a book"), 0.65);
    EXPECT_EQ(score("goodbye", "monday"), 0);
}

TEST(Phrase, RefusesWhatItCannotRead) {
    for (const char* bad : {"", "   ", "[", "(a|b", "a)", "{", "{}", "a | b", "[[[[[[deep]]]]]]",
                            "(a|b)(a|b)(a|b)(a|b)(a|b)(a|b)(a|b)"})
        EXPECT_FALSE(Phrase::parse(bad).phrase) << bad;
}

TEST(Phrase, BecomesAGrammarOfDictionaryWords) {
    EXPECT_EQ(Phrase::parse("[i would like to] (book|make) it *").phrase->jsgf(), "[ ( i would | i'd ) like to ] ( book | make ) it");
    EXPECT_EQ(Phrase::parse("at {time} o'clock").phrase->jsgf(), "at <slot_time> o'clock");
    EXPECT_EQ(Phrase::parse("*").phrase->jsgf(), "");
}

}  // namespace
}  // namespace jackfield::scripted
