#include "plugins/stt/pocketsphinx/jsgf.hpp"

#include <gtest/gtest.h>

namespace jackfield::pocketsphinx {
namespace {

/// The tree in prefix form, to compare at a glance.
std::string show(const Expansion& e) {
    using Kind = Expansion::Kind;
    if (e.kind == Kind::word) return e.text;
    if (e.kind == Kind::rule) return "<" + e.text + ">";
    if (e.kind == Kind::null_) return "NULL";
    if (e.kind == Kind::void_) return "VOID";
    std::string out = e.kind == Kind::sequence       ? "(seq"
                      : e.kind == Kind::alternatives ? "(alt"
                      : e.kind == Kind::optional     ? "(opt"
                      : e.kind == Kind::any_number   ? "(any"
                                                     : "(some";
    for (const Expansion& item : e.items) out += " " + show(item);
    return out + ")";
}

std::string parse(std::string_view text) {
    Grammar grammar;
    std::string problem;
    if (!parse_jsgf(text, grammar, problem)) return "! " + problem;
    return show(grammar.rules.at(grammar.public_rules.front()));
}

TEST(Jsgf, ReadsSequencesAlternativesAndGroups) {
    EXPECT_EQ(parse("#JSGF V1.0 UTF-8 en;\ngrammar g;\npublic <a> = open the (door | big window) ;"),
              "(seq open the (alt door (seq big window)))");
}

TEST(Jsgf, ReadsOptionalPartsAndRepetition) {
    EXPECT_EQ(parse("public <a> = [please] <digit>+ (thank you)*;"), "(seq (opt please) (some <digit>) (any (seq thank you)))");
    EXPECT_EQ(parse("public <a> = a*+*;"), "(any a)");
}

TEST(Jsgf, DropsTagsAndComments) {
    EXPECT_EQ(parse("// one\npublic <a> = yes {ok \\} still} /* two */ | no { };"), "(alt yes no)");
}

TEST(Jsgf, SharesWeightsOut) {
    Grammar grammar;
    std::string problem;
    ASSERT_TRUE(parse_jsgf("public <a> = /3/ yes | /1/ no;", grammar, problem)) << problem;

    EXPECT_DOUBLE_EQ(grammar.rules.at("a").weights[0], 0.75);
    EXPECT_DOUBLE_EQ(grammar.rules.at("a").weights[1], 0.25);
}

TEST(Jsgf, KnowsQualifiedNamesAndTheTwoSpecialRules) {
    EXPECT_EQ(parse("grammar x.y; public <a> = <x.y.b> <NULL> <VOID>; <b> = c;"), "(seq <b> NULL VOID)");
}

TEST(Jsgf, ReadsQuotedWords) { EXPECT_EQ(parse("public <a> = \"new \\\"york;\" \"a.m.\";"), "(seq new \"york; a.m.)"); }

TEST(Jsgf, SaysWhatIsWrongAndWhere) {
    EXPECT_EQ(parse("public <a> = yes"), "! line 1: ';' expected");
    EXPECT_EQ(parse("<a> = yes;"), "! line 1: no rule is public");
    EXPECT_EQ(parse("public <a> = yes;\nimport <other.*>;\n"), "! line 2: imports are not supported: write the rules out");
    EXPECT_EQ(parse("public <a> = ;"), "! line 1: something to say expected; <NULL> says nothing");
    EXPECT_EQ(parse("public <a> = (b;"), "! line 1: ')' expected");
    EXPECT_EQ(parse("public <a> = b; <a> = c;"), "! line 1: a rule is defined twice");
    EXPECT_EQ(parse("public <a = b;"), "! line 1: '>' expected");
    EXPECT_EQ(parse("public <a> = b {"), "! line 1: a tag is not closed");
    EXPECT_EQ(parse("hello"), "! line 1: a rule expected");
}

TEST(Jsgf, RefusesWhatIsTooDeepOrTooLarge) {
    EXPECT_EQ(parse("public <a> = " + std::string(100000, '(')), "! line 1: nested too deeply");
    EXPECT_EQ(parse("public <a> = " + std::string(300000, 'a') + ";"), "! line 1: the grammar is larger than 256 kB");
}

TEST(Jsgf, ReadsManyOperatorsWithoutNesting) {
    const std::string text = "public <a> = a" + std::string(5000, '+') + ";";

    EXPECT_EQ(parse(text), "(some a)");
}

}  // namespace
}  // namespace jackfield::pocketsphinx
