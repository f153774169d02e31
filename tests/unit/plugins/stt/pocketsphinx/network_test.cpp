#include "plugins/stt/pocketsphinx/network.hpp"

#include <gtest/gtest.h>

#include <stdexcept>

#include "sentences.hpp"

namespace jackfield::pocketsphinx {
namespace {

using Sentences = std::set<std::string>;

/// Says words as they are; those with an X are unknown.
Spoken speak(std::string_view text) {
    return spoken_words(text, [](std::string_view word) { return word.find('x') == word.npos; });
}

Network compiled(std::string_view text, std::size_t* unknown = nullptr) {
    Grammar grammar;
    std::string problem;
    if (!parse_jsgf(text, grammar, problem)) throw std::runtime_error(problem);
    std::size_t left_out = 0;
    Network network = compile(grammar, speak, left_out);
    if (unknown) *unknown = left_out;
    return network;
}

TEST(Network, SaysWhatTheGrammarSays) {
    EXPECT_EQ(sentences(compiled("public <a> = [please] (yes | no way);")),
              (Sentences{"yes", "no way", "please yes", "please no way"}));
}

TEST(Network, RepeatsAndCanStop) {
    EXPECT_EQ(sentences(compiled("public <a> = go+;"), 3), (Sentences{"go", "go go", "go go go"}));
    EXPECT_EQ(sentences(compiled("public <a> = a b* c;"), 4), (Sentences{"a c", "a b c", "a b b c"}));
    EXPECT_EQ(sentences(compiled("public <a> = (a* b*)* end;"), 2), (Sentences{"end", "a end", "b end"}));
}

TEST(Network, JoinsAllPublicRules) {
    EXPECT_EQ(sentences(compiled("public <a> = one; public <b> = two; <c> = three;")), (Sentences{"one", "two"}));
}

TEST(Network, FollowsARuleThatEndsInItself) {
    EXPECT_EQ(sentences(compiled("public <digits> = one | one <digits>;"), 3), (Sentences{"one", "one one", "one one one"}));
}

TEST(Network, RefusesARuleThatContainsItself) {
    EXPECT_THROW(compiled("public <a> = b <a> c | d;"), std::invalid_argument);
    EXPECT_THROW(compiled("public <a> = b <nowhere>;"), std::invalid_argument);
}

TEST(Network, LeavesOutWhatHoldsAnUnknownWord) {
    std::size_t unknown = 0;
    const Network network = compiled("public <a> = call (anna | xerxes the great) [xylophone] now;", &unknown);

    EXPECT_EQ(sentences(network), Sentences{"call anna now"});
    EXPECT_EQ(unknown, 2u);
    EXPECT_EQ(network.words.size(), 3u);
}

TEST(Network, IsEmptyWhenNothingCanBeSaid) {
    EXPECT_TRUE(compiled("public <a> = xerxes;").empty());
    EXPECT_TRUE(compiled("public <a> = b <VOID>;").empty());
    EXPECT_TRUE(compiled("public <a> = <NULL>;").empty());
}

TEST(Network, NeverEndsWithoutAWord) {
    EXPECT_EQ(sentences(compiled("public <a> = [yes];")), Sentences{"yes"});
}

TEST(Network, RefusesAGrammarThatGrowsWithoutBound) {
    std::string text = "public <r0> = a;";
    for (int i = 1; i < 60; ++i) {
        const std::string name = "r" + std::to_string(i);
        const std::string before = "<r" + std::to_string(i - 1) + ">";
        text += "public <" + name + "> = " + before + " b " + before + ";";
    }
    EXPECT_THROW(compiled(text), std::length_error);
}

TEST(Network, HasNoArcsWithoutWordsButIntoTheEnd) {
    const Network network = compiled("public <a> = [[a] [b]] c* [d | e+] f;");

    for (const Network::Arc& arc : network.arcs) {
        EXPECT_LE(arc.log_probability, 0);
        if (arc.word == Network::no_word) {
            EXPECT_EQ(arc.to, network.final);
            EXPECT_NE(arc.from, network.start);
        }
    }
}

TEST(PhraseNetwork, SaysThePhrasesAndSharesTheirBeginnings) {
    const Network network = compile({{{"book", "it"}}, {{"book", "a", "table"}}, {{"book"}}}, {});

    EXPECT_EQ(sentences(network), (Sentences{"book", "book it", "book a table"}));
    EXPECT_EQ(network.words.size(), 4u);
}

TEST(PhraseNetwork, JoinsPhrasesWhereThatIsAllowed) {
    PhraseOptions options;
    options.join_probability = 0.1;

    EXPECT_EQ(sentences(compile({{{"monday"}}, {{"at", "nine"}}}, options), 3),
              (Sentences{"monday", "at nine", "monday at nine", "at nine monday", "monday monday", "monday monday monday"}));
}

TEST(PhraseNetwork, PutsCarriersAround) {
    PhraseOptions options;
    options.carrier_probability = 0.1;
    options.carriers = {{"um"}, {"thank", "you"}};

    EXPECT_EQ(sentences(compile({{{"yes"}}}, options), 4),
              (Sentences{"yes", "um yes", "thank you yes", "yes um", "yes thank you", "um yes um", "um yes thank you",
                         "thank you yes um"}));
}

TEST(PhraseNetwork, IsEmptyWithoutPhrases) {
    EXPECT_TRUE(compile(std::vector<Phrase>{}, {}).empty());
    EXPECT_TRUE(compile({{{}}}, {}).empty());
}

}  // namespace
}  // namespace jackfield::pocketsphinx
