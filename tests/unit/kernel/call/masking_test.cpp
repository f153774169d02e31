#include "call/masking.hpp"

#include <gtest/gtest.h>

namespace jackfield::call {
namespace {

Masking card() {
    Masking masking;
    masking.keep("4111 1111 1111 1234#", "en-US");
    return masking;
}

TEST(Masking, HidesTheDigitsThatTheAgentReadsBack) {
    const Masking masking = card();

    EXPECT_EQ(masking.masked("Your card 4111 1111 1111 1234, is that right?", "en-US"), "Your card **** **** **** ****, is that right?");
    EXPECT_EQ(masking.masked("It ends in 1 2 3 4.", "en-US"), "It ends in * * * *.");
    EXPECT_EQ(masking.masked("One, two, three, four?", "en-US"), "***, ***, *****, ****?");
}

TEST(Masking, LeavesOtherNumbersAlone) {
    const Masking masking = card();

    for (const char* text : {"We open at 9 on May 11.", "Call 212 555 0100.", "That is 123 dollars.", "One moment, please.", ""})
        EXPECT_EQ(masking.masked(text, "en-US"), text);
}

TEST(Masking, HidesAShortCodeWhenAllOfItIsSaid) {
    Masking masking;
    masking.keep("7 3 9", "en-US");

    EXPECT_EQ(masking.masked("Seven three nine.", "en-US"), "***** ***** ****.");
    EXPECT_EQ(masking.masked("Seven three.", "en-US"), "Seven three.");
}

TEST(Masking, KnowsWhatWasSpokenInWords) {
    Masking masking;
    masking.keep("vier eins zwo drei", "de-DE");

    EXPECT_EQ(masking.masked("Also 4123?", "de-DE"), "Also ****?");
}

TEST(Masking, ThinksNothingOfOneOrTwoDigits) {
    Masking masking;
    masking.keep("1", "en-US");
    masking.keep("no", "en-US");

    EXPECT_EQ(masking.masked("Press 1 or one.", "en-US"), "Press 1 or one.");
}

}  // namespace
}  // namespace jackfield::call
