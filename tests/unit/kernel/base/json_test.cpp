#include "base/json.hpp"

#include <string>

#include <gtest/gtest.h>

namespace jackfield::base {
namespace {

JsonDocument parse(std::string_view text) {
    Result<JsonDocument> document = JsonDocument::parse(text);
    EXPECT_TRUE(document.has_value()) << text;
    return std::move(*document);
}

std::string refusal(std::string_view text, JsonLimits limits = {}) {
    const Result<JsonDocument> document = JsonDocument::parse(text, limits);
    return document ? "accepted" : document.error().text();
}

std::string nested(std::size_t depth, char open, char close) {
    return std::string(depth, open) + std::string(depth, close);
}

TEST(Json, ReadsEachType) {
    const JsonDocument document =
        parse(R"({"text":"hé","whole":-7,"real":0.5,"yes":true,"none":null,"list":[1,"two"]})");
    const JsonView root = document.root();

    EXPECT_EQ(*root["text"].text(), "hé");
    EXPECT_EQ(*root["whole"].integer(), -7);
    EXPECT_EQ(*root["real"].real(), 0.5);
    EXPECT_TRUE(*root["yes"].boolean());
    EXPECT_TRUE(root["none"].is_null());
    EXPECT_EQ(*root["list"].at(1).text(), "two");
    EXPECT_EQ(root.size(), 6u);
    EXPECT_EQ(root["list"].size(), 2u);
}

TEST(Json, AWrongTypeIsAnErrorAndNotAnAbort) {
    const JsonDocument document = parse(R"({"n":1,"s":"x"})");
    const JsonView root = document.root();

    EXPECT_EQ(root["n"].text().error().text(), "not a string");
    EXPECT_EQ(root["s"].integer().error().text(), "not a whole number");
    EXPECT_EQ(root["s"].boolean().error().code(), ErrorCode::invalid);
    EXPECT_EQ(root["s"].real().error().code(), ErrorCode::invalid);
    EXPECT_TRUE(root["s"]["deeper"].absent());
    EXPECT_TRUE(root["s"].at(3).absent());
    EXPECT_EQ(root["s"].size(), 0u);
    EXPECT_TRUE(root["s"].members().empty());
}

TEST(Json, WhatIsMissingIsAbsentAllTheWayDown) {
    const JsonDocument document = parse("{}");
    const JsonView missing = document.root()["a"]["b"].at(0)["c"];

    EXPECT_TRUE(missing.absent());
    EXPECT_EQ(missing.text().error().code(), ErrorCode::not_found);
    EXPECT_EQ(missing.text_or("otherwise"), "otherwise");
    EXPECT_EQ(missing.integer_or(4), 4);
    EXPECT_EQ(missing.real_or(0.25), 0.25);
    EXPECT_TRUE(missing.boolean_or(true));
    EXPECT_EQ(missing.dump(), "null");
}

TEST(Json, ADefaultViewIsAbsent) {
    EXPECT_TRUE(JsonView()["x"].absent());
}

TEST(Json, KeepsWholeNumbersOf64Bits) {
    const JsonDocument document = parse("[9223372036854775807,-9223372036854775808]");

    EXPECT_EQ(*document.root().at(0).integer(), INT64_MAX);
    EXPECT_EQ(*document.root().at(1).integer(), INT64_MIN);
}

TEST(Json, ANumberBeyond64BitsIsNotWhole) {
    const JsonDocument document = parse("[18446744073709551616,1.0]");

    EXPECT_FALSE(document.root().at(0).is_integer());
    EXPECT_TRUE(document.root().at(0).is_number());
    EXPECT_FALSE(document.root().at(1).is_integer());
}

TEST(Json, DecodesEscapesAndSurrogatePairs) {
    const JsonDocument document = parse(R"(["\u00e9\n\ud83d\ude00\u0000end"])");

    EXPECT_EQ(*document.root().at(0).text(), std::string_view("é\n😀\0end", 11));
}

TEST(Json, RefusesWhatIsNotJson) {
    for (const char* text : {"",
                             " ",
                             "{",
                             "[1,]",
                             "{\"a\":}",
                             "{'a':1}",
                             "nul",
                             "01",
                             "1 2",
                             "\"\\ud83d\"",
                             "\"\\x\"",
                             "[1}",
                             "+1",
                             "NaN",
                             "\"line\nbreak\"",
                             "{\"a\" 1}"})
        EXPECT_NE(refusal(text), "accepted") << text;
}

TEST(Json, RefusesBytesThatAreNotUtf8) {
    EXPECT_NE(refusal("\"\xff\""), "accepted");
    EXPECT_NE(refusal("\"\xc0\xaf\""), "accepted");
    EXPECT_NE(refusal("\"\xed\xa0\x80\""), "accepted");
    EXPECT_NE(refusal("\"\xe2\x82\""), "accepted");
}

// Found by json_fuzzer: RapidJSON looks for the second half of a pair, never for the first.
TEST(Json, RefusesHalfASurrogatePair) {
    EXPECT_NE(refusal(R"(["\ud83d"])"), "accepted");
    EXPECT_NE(refusal(R"(["\udc00"])"), "accepted");
    EXPECT_NE(refusal(R"({"\udc00":1})"), "accepted");
    EXPECT_EQ(refusal(R"(["\ud83d\ude00"])"), "accepted");
}

// Found by json_fuzzer: RapidJSON's exact mode reads this as infinity, which its writer then
// refuses in mid-document.
TEST(Json, RefusesANumberBeyondADouble) {
    EXPECT_NE(refusal("[2e308]"), "accepted");
    EXPECT_NE(refusal("{\"a\":-9e999}"), "accepted");
    EXPECT_EQ(refusal("[1e308,1e-999]"), "accepted");
}

TEST(Json, RefusesAMemberTwice) {
    EXPECT_EQ(refusal(R"({"a":{"id":1,"id":2}})"), "JSON has the member 'id' twice");
    EXPECT_EQ(refusal(R"([{"id":1},{"id":2}])"), "accepted");
    // The same name in another spelling.
    EXPECT_NE(refusal(R"({"a":1,"\u0061":2})"), "accepted");
}

TEST(Json, BoundsDepthBeforeItParses) {
    EXPECT_EQ(refusal(nested(64, '[', ']')), "accepted");
    EXPECT_EQ(refusal(nested(65, '[', ']')), "JSON nested deeper than 64");
    EXPECT_EQ(refusal(std::string(3'000'000, '[')), "JSON nested deeper than 64");
}

TEST(Json, BracketsInsideTextAreNotDepth) {
    EXPECT_EQ(refusal("\"" + std::string(1000, '[') + "\""), "accepted");
    EXPECT_EQ(refusal("\"\\\"" + std::string(1000, '{') + "\""), "accepted");
}

TEST(Json, BoundsSize) {
    EXPECT_EQ(refusal("[1,2,3]", {.bytes = 6}), "JSON of 7 bytes, at most 6 are accepted");
    EXPECT_EQ(refusal("[1,2,3]", {.bytes = 7}), "accepted");
}

TEST(Json, ManyMembersAreNotQuadratic) {
    std::string text = "{";
    for (int i = 0; i < 100'000; ++i) text += "\"k" + std::to_string(i) + "\":0,";
    text.back() = '}';

    EXPECT_EQ(refusal(text), "accepted");
}

TEST(Json, DumpsAsItRead) {
    const std::string text = R"({"a":[1,0.5,true,null,"x\"y"],"b":{}})";

    EXPECT_EQ(parse(text).root().dump(), text);
}

TEST(Json, AMovedDocumentKeepsItsViews) {
    JsonDocument first = parse(R"({"a":1})");
    const JsonDocument second = std::move(first);

    EXPECT_EQ(*second.root()["a"].integer(), 1);
}

}  // namespace
}  // namespace jackfield::base
