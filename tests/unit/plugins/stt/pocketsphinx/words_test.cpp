#include "plugins/stt/pocketsphinx/words.hpp"

#include <gtest/gtest.h>

#include <set>

namespace jackfield::pocketsphinx {
namespace {

std::string say(std::string_view phrase) {
    static const std::set<std::string, std::less<>> words{
        "i'd", "like", "an", "appointment", "jose", "nine", "thirty", "p", "m", "s", "x-ray", "well", "known", "two", "zero",
        "six", "a", "twenty", "one", "mother's", "doctor", "yes"};
    const Spoken spoken = spoken_words(phrase, [](std::string_view word) { return words.contains(word); });
    std::string out = spoken.complete ? "" : "? ";
    for (const std::string& word : spoken.words) out += (&word == &spoken.words.front() ? "" : " ") + word;
    return out;
}

TEST(SpokenWords, LowersCaseAndDropsPunctuation) {
    EXPECT_EQ(say("I'd like an APPOINTMENT, Doctor!"), "i'd like an appointment doctor");
    EXPECT_EQ(say("\"yes\"... (yes)"), "yes yes");
}

TEST(SpokenWords, SpellsNumbersOut) {
    EXPECT_EQ(say("9:30 p.m."), "nine thirty p m");
    EXPECT_EQ(say("21"), "twenty one");
    EXPECT_EQ(say("2026"), "two zero two six");
    EXPECT_EQ(say("06"), "zero six");
}

TEST(SpokenWords, FoldsAccentsAndTypographicMarks) {
    EXPECT_EQ(say("Jos\xc3\xa9"), "jose");
    EXPECT_EQ(say("I\xe2\x80\x99" "d like"), "i'd like");
}

TEST(SpokenWords, SplitsHyphensWhereTheWholeIsUnknown) {
    EXPECT_EQ(say("x-ray"), "x-ray");
    EXPECT_EQ(say("well-known"), "well known");
}

TEST(SpokenWords, SpellsCapitals) { EXPECT_EQ(say("SMS"), "s m s"); }

TEST(SpokenWords, SaysWhenAWordIsUnknown) {
    EXPECT_EQ(say("appointment with Dr. Xyzzyqf"), "? appointment");
}

TEST(SpokenWords, TakesAnyBytes) {
    EXPECT_EQ(say(""), "");
    EXPECT_EQ(say("\xff\xfe\xc3"), "");
    EXPECT_EQ(say("\xf0\x9f\x98\x80 yes \xe2\x80"), "yes");
    EXPECT_EQ(say("---...'''"), "");
}

}  // namespace
}  // namespace jackfield::pocketsphinx
