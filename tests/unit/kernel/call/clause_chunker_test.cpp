#include "call/clause_chunker.hpp"

#include <gtest/gtest.h>

namespace jackfield::call {
namespace {

using base::Milliseconds;
using base::MonoTime;
using Pieces = std::vector<std::string>;

void append(Pieces& to, Pieces from) {
    for (std::string& piece : from) to.push_back(std::move(piece));
}

/// Feeds a character at a time, as the slowest model would, and flushes.
Pieces by_characters(const std::string& text, const ClauseChunkerOptions& options = {}) {
    ClauseChunker chunker(options);
    Pieces pieces;
    for (const char c : text) append(pieces, chunker.feed(std::string(1, c), MonoTime{}));
    append(pieces, chunker.flush());
    return pieces;
}

/// The pieces of a text whose first piece has been given before.
Pieces sentences(const std::string& text) {
    ClauseChunker chunker({.first_chars = 1});
    EXPECT_EQ(chunker.feed("Go. ", MonoTime{}), Pieces{"Go. "});
    Pieces pieces = chunker.feed(text, MonoTime{});
    append(pieces, chunker.flush());
    return pieces;
}

TEST(ClauseChunker, GivesTheFirstClauseOnceItIsLongEnough) {
    ClauseChunker chunker;

    EXPECT_EQ(chunker.feed("Sure, I can help you with that booking,", MonoTime{}), Pieces{});
    EXPECT_EQ(chunker.feed(" no", MonoTime{}), Pieces{"Sure, I can help you with that booking, "});
    EXPECT_EQ(chunker.pending(), "no");
}

TEST(ClauseChunker, GivesWholeSentencesAfterTheFirst) {
    const Pieces pieces = by_characters(
        "Thank you for calling the clinic. We are open from nine, except on Sunday, when we rest. "
        "How can I help?");

    EXPECT_EQ(pieces,
              (Pieces{"Thank you for calling the clinic. ",
                      "We are open from nine, except on Sunday, when we rest. ",
                      "How can I help?"}));
}

TEST(ClauseChunker, SpeaksWhatIsThereWhenTheModelIsSlow) {
    ClauseChunker chunker;
    chunker.feed("Let me have a loo", MonoTime{});
    ASSERT_TRUE(chunker.next_deadline());
    EXPECT_EQ(*chunker.next_deadline(), MonoTime{} + Milliseconds(250));

    EXPECT_EQ(chunker.poll(MonoTime{} + Milliseconds(249)), Pieces{});
    EXPECT_EQ(chunker.poll(MonoTime{} + Milliseconds(250)), Pieces{"Let me have a "});

    EXPECT_FALSE(chunker.next_deadline());
    EXPECT_EQ(chunker.pending(), "loo");
}

TEST(ClauseChunker, TakesTheNextWordWhenNoneHadEndedInTime) {
    ClauseChunker chunker;
    chunker.feed("Abso", MonoTime{});

    EXPECT_EQ(chunker.poll(MonoTime{} + Milliseconds(300)), Pieces{});
    EXPECT_FALSE(chunker.next_deadline());
    EXPECT_EQ(chunker.feed("lutely we", MonoTime{} + Milliseconds(310)), Pieces{"Absolutely "});
}

TEST(ClauseChunker, PrefersAClauseOverAWordWhenTimeIsUp) {
    ClauseChunker chunker;
    chunker.feed("Well, yes of cour", MonoTime{});

    EXPECT_EQ(chunker.poll(MonoTime{} + Milliseconds(250)), Pieces{"Well, "});
}

TEST(ClauseChunker, DoesNotEndASentenceAtAnAbbreviation) {
    EXPECT_EQ(
        sentences("Dr. Miller sees you at 9 a.m. on Monday, e.g. for a check of St. Mary's vs. "
                  "ours. Fine?"),
        (Pieces{
            "Dr. Miller sees you at 9 a.m. on Monday, e.g. for a check of St. Mary's vs. ours. ",
            "Fine?"}));
    EXPECT_EQ(sentences("Ask J. Smith of Acme Inc. about it. Bye."),
              (Pieces{"Ask J. Smith of Acme Inc. about it. ", "Bye."}));
}

TEST(ClauseChunker, EndsASentenceAtAnAbbreviationThatACapitalFollows) {
    EXPECT_EQ(sentences("We open at 9 a.m. Come early."),
              (Pieces{"We open at 9 a.m. ", "Come early."}));
}

TEST(ClauseChunker, TellsNoFromNumber) {
    EXPECT_EQ(sentences("No. We are closed."), (Pieces{"No. ", "We are closed."}));
    EXPECT_EQ(sentences("Take bus No. 5 there."), Pieces{"Take bus No. 5 there."});
}

TEST(ClauseChunker, KeepsNumbersTimesAndAddressesWhole) {
    EXPECT_EQ(sentences("It costs 3.50 or 1,000.25 at 10:30 via www.example.com today. Good?"),
              (Pieces{"It costs 3.50 or 1,000.25 at 10:30 via www.example.com today. ", "Good?"}));
    EXPECT_EQ(sentences("There are 5. Two are free."), (Pieces{"There are 5. ", "Two are free."}));
    EXPECT_EQ(by_characters("The price of all this is 3.50 today."),
              Pieces{"The price of all this is 3.50 today."});
}

TEST(ClauseChunker, KeepsTheNumberOfAListWithItsItem) {
    EXPECT_EQ(sentences("Bring this:\n1. Your card.\n2. Some time."),
              (Pieces{"Bring this:\n", "1. Your card.\n", "2. Some time."}));
}

TEST(ClauseChunker, TakesAnEllipsisForAPauseUnlessACapitalFollows) {
    EXPECT_EQ(sentences("Well... let me see. Yes."), (Pieces{"Well... let me see. ", "Yes."}));
    EXPECT_EQ(sentences("Hm\u2026 That is odd."), (Pieces{"Hm\u2026 ", "That is odd."}));
}

TEST(ClauseChunker, LeavesClosingQuotesWithTheirSentence) {
    EXPECT_EQ(sentences("She said \"come in.\" Then (at last!) we left. \u201CReally?\u201D Yes."),
              (Pieces{"She said \"come in.\" ",
                      "Then (at last!) we left. ",
                      "\u201CReally?\u201D ",
                      "Yes."}));
}

TEST(ClauseChunker, NeverCutsACharacter) {
    ClauseChunker chunker({.first_chars = 1, .longest_chars = 10});
    std::string all;
    Pieces pieces;
    for (int i = 0; i < 40; ++i) all += "\u00E9\u20AC";
    for (const char c : all) append(pieces, chunker.feed(std::string(1, c), MonoTime{}));
    append(pieces, chunker.flush());

    std::string together;
    for (const std::string& piece : pieces) {
        EXPECT_NE(static_cast<unsigned char>(piece.front()) & 0xC0U, 0x80U);
        together += piece;
    }
    EXPECT_EQ(together, all);
    EXPECT_GT(pieces.size(), 5U);
}

TEST(ClauseChunker, CutsAtFullWidthStops) {
    EXPECT_EQ(sentences("\u4F60\u597D\u3002\u518D\u89C1\uFF01"),
              (Pieces{"\u4F60\u597D\u3002", "\u518D\u89C1\uFF01"}));
}

TEST(ClauseChunker, DropsHalfACharacterAtTheEnd) {
    ClauseChunker chunker;
    chunker.feed("caf\xC3", MonoTime{});

    EXPECT_EQ(chunker.flush(), Pieces{"caf"});
}

TEST(ClauseChunker, CutsASentenceThatNeverEnds) {
    std::string text;
    for (int i = 0; i < 200; ++i) text += "word" + std::string(i % 7 == 0 ? "," : "") + " ";

    const Pieces pieces = by_characters(text);

    std::string together;
    for (const std::string& piece : pieces) {
        EXPECT_LE(piece.size(), 302U);
        together += piece;
    }
    EXPECT_EQ(together, text);
}

TEST(ClauseChunker, PutTogetherThePiecesAreTheText) {
    const std::string text =
        "Hello there!  I'm Ana \u2014 your assistant.\n\nOptions:\n- visit us, e.g. at 9 a.m.\n- "
        "call No. 5.  OK?";

    std::string together;
    for (const std::string& piece : by_characters(text)) together += piece;

    EXPECT_EQ(together, text);
}

TEST(ClauseChunker, BeginsAnewAfterAFlush) {
    ClauseChunker chunker;
    chunker.feed("One moment.", MonoTime{});
    EXPECT_EQ(chunker.flush(), Pieces{"One moment."});
    EXPECT_EQ(chunker.flush(), Pieces{});

    chunker.feed("I found", MonoTime{} + Milliseconds(5000));

    EXPECT_EQ(*chunker.next_deadline(), MonoTime{} + Milliseconds(5250));
}

/// A text of that language, and the pieces that it is cut into when it comes all at once.
struct OfLanguage {
    const char* language;
    const char* text;
    Pieces pieces;
};

void PrintTo(const OfLanguage& given, std::ostream* out) { *out << given.language; }

class ClausesOfALanguage : public testing::TestWithParam<OfLanguage> {};

TEST_P(ClausesOfALanguage, EndWhereItsSentencesEnd) {
    ClauseChunkerOptions options;
    options.first_chars = 5;
    options.sentences = &language_of(GetParam().language).sentences;

    EXPECT_EQ(by_characters(GetParam().text, options), GetParam().pieces);
}

INSTANTIATE_TEST_SUITE_P(
    All,
    ClausesOfALanguage,
    testing::Values(
        OfLanguage{"de",
                   "Frau Dr. Huber hat am 3. Mai um 9 Uhr Zeit. Passt das?",
                   {"Frau Dr. Huber hat am 3. Mai um 9 Uhr Zeit. ", "Passt das?"}},
        OfLanguage{"fr", "Bonjour Mme. Dupont est absente. \u00C0 demain.", {"Bonjour Mme. Dupont est absente. ", "\u00C0 demain."}},
        OfLanguage{"es", "El Dr. Ruiz atiende en la av. Mayor. Venga a las nueve.", {"El Dr. Ruiz atiende en la av. Mayor. ", "Venga a las nueve."}},
        OfLanguage{"nl", "Dhr. De Vries belt u terug. Tot ziens.", {"Dhr. De Vries belt u terug. ", "Tot ziens."}},
        OfLanguage{"tr", "Randevunuz 3. katta Dr. Kaya ile. Tamam m\u0131?", {"Randevunuz 3. katta Dr. Kaya ile. ", "Tamam m\u0131?"}},
        OfLanguage{"ja", "\u306F\u3044\u3001\u627F\u77E5\u3057\u307E\u3057\u305F\u3002\u5C11\u3005\u304A\u5F85\u3061\u304F\u3060\u3055\u3044\u3002",
                   {"\u306F\u3044\u3001\u627F\u77E5\u3057\u307E\u3057\u305F\u3002", "\u5C11\u3005\u304A\u5F85\u3061\u304F\u3060\u3055\u3044\u3002"}}),
    [](const auto& given) { return std::string(given.param.language); });

}  // namespace
}  // namespace jackfield::call
