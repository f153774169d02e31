#include "plugins/stt/pocketsphinx/hints.hpp"

#include <gtest/gtest.h>

#include <jackfield/sdk/plugin.hpp>

#include "sentences.hpp"

namespace jackfield::pocketsphinx {
namespace {

std::shared_ptr<const Lexicon> lexicon() {
    static const auto dictionary = std::make_shared<const Dictionary>(
        "yes Y EH S\nno N OW\nmonday M AH N D EY\nanna AE N AH\none W AH N\ntwo T UW\nzero Z IH R OW\nplease P L IY Z\n");
    return std::make_shared<const Lexicon>(dictionary, std::vector<std::string>{});
}

Options options() {
    Options out;
    out.default_phrases = {"yes", "no", "operator"};
    out.join_probability = 0;
    out.carrier_probability = 0;
    return out;
}

std::set<std::string> said(const Hints& hints, std::size_t longest = 3) {
    const Options how = options();
    VocabularyCache cache(how, lexicon());
    bool made = false;
    return sentences(cache.get(hints, made)->network, longest);
}

TEST(Hints, PreferTheGrammar) {
    Hints hints;
    hints.grammar = "#JSGF V1.0; grammar g; public <a> = monday;";
    hints.phrases = {"yes"};

    EXPECT_EQ(said(hints), std::set<std::string>{"monday"});
}

TEST(Hints, FallBackToPhrasesWhenTheGrammarIsUnusable) {
    Hints hints;
    hints.phrases = {"yes"};
    const Options how = options();
    VocabularyCache cache(how, lexicon());
    bool made = false;

    for (const char* grammar : {"public <a> = ", "public <a> = unheard;", "public <a> = b <a> c;"}) {
        hints.grammar = grammar;
        const auto vocabulary = cache.get(hints, made);
        EXPECT_EQ(sentences(vocabulary->network), std::set<std::string>{"yes"}) << grammar;
        EXPECT_FALSE(vocabulary->grammar_problem.empty());
    }
}

TEST(Hints, TakePhrasesAndKeywordsAndLeaveUnknownOnesOut) {
    Hints hints;
    hints.phrases = {"Monday!", "monday", "tuesday", "", "\"\\;<>|", "yes; no"};
    hints.keywords = {"Anna", "Xerxes"};
    const Options how = options();
    VocabularyCache cache(how, lexicon());
    bool made = false;

    const auto vocabulary = cache.get(hints, made);

    EXPECT_EQ(sentences(vocabulary->network), (std::set<std::string>{"monday", "yes no", "anna"}));
    EXPECT_EQ(vocabulary->unknown, 2u);
}

TEST(Hints, UseTheDefaultsWithoutAny) {
    EXPECT_EQ(said({}), (std::set<std::string>{"yes", "no"}));
    Hints unknown;
    unknown.phrases = {"xyzzy"};
    EXPECT_EQ(said(unknown), (std::set<std::string>{"yes", "no"}));
}

TEST(Hints, HearDigitsInADigitsSlot) {
    Hints hints;
    hints.slot = JF_SLOT_DIGITS;

    EXPECT_TRUE(said(hints).contains("one two zero"));
}

TEST(Hints, CopyShortStructsOfAnOlderHost) {
    jf_hints old = sdk::make<jf_hints>();
    old.struct_size = offsetof(jf_hints, phrases);
    old.slot = JF_SLOT_NAME;
    old.grammar = sdk::str("g");
    old.phrases = {reinterpret_cast<const void*>(1), 7, 16};

    const Hints copied = Hints::copy(&old);

    EXPECT_EQ(copied.slot, JF_SLOT_NAME);
    EXPECT_EQ(copied.grammar, "g");
    EXPECT_TRUE(copied.phrases.empty());
    EXPECT_TRUE(Hints::copy(nullptr).empty());
}

TEST(Hints, HaveAKeyThatDoesNotMixPartsUp) {
    Hints a;
    a.phrases = {"one", "two"};
    Hints b;
    b.phrases = {"one"};
    b.keywords = {"two"};
    Hints c;
    c.phrases = {"one3:two"};

    EXPECT_NE(a.key(), b.key());
    EXPECT_NE(a.key(), c.key());
    EXPECT_EQ(a.key(), Hints(a).key());
}

TEST(VocabularyCache, MakesEachOnceAndForgetsTheLeastUsed) {
    const Options how = options();
    VocabularyCache cache(how, lexicon(), 2);
    Hints one;
    one.phrases = {"one"};
    Hints two;
    two.phrases = {"two"};
    bool made = false;

    const std::uint64_t first = cache.get(one, made)->id;
    EXPECT_TRUE(made);
    cache.get(two, made);
    EXPECT_EQ(cache.get(one, made)->id, first);
    EXPECT_FALSE(made);
    cache.get({}, made);  // pushes `two` out
    cache.get(one, made);
    EXPECT_FALSE(made);
    cache.get(two, made);
    EXPECT_TRUE(made);
}

}  // namespace
}  // namespace jackfield::pocketsphinx
