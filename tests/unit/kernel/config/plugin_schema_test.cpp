#include "config/plugin_schema.hpp"

#include "config_files.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace jackfield::config {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr const char* schema = R"({
    "type": "object",
    "properties": {
        "voice": {"type": "string", "default": "slt", "enum": ["slt", "kal16"], "description": "The voice"},
        "wait_ms": {"type": "integer", "default": 5, "minimum": 0, "maximum": 9, "unit": "ms"},
        "gain": {"type": "number", "minimum": -1.5, "maximum": 1.5},
        "loud": {"type": "boolean", "default": false},
        "listen": {"type": "array", "items": {"type": "string", "pattern": "^(udp|tcp):"}},
        "name": {"type": "string", "minLength": 2, "maxLength": 4},
        "api_key": {"type": "string", "secret": true},
        "pool": {"type": "object", "properties": {"size": {"type": "integer", "default": 4}}},
        "headers": {"type": "object"}
    },
    "required": ["name"]
})";

std::pair<Value, std::vector<std::string>> run(std::string_view text,
                                               std::string_view with = schema) {
    Outcome<Value> outcome = check_schema(with, toml(text));
    return {std::move(outcome.value), texts(outcome.problems)};
}

TEST(PluginSchema, FillsInDefaultsDownToMembersOfObjects) {
    const auto [value, problems] = run("name = 'abc'");

    EXPECT_THAT(problems, IsEmpty());
    EXPECT_EQ(to_json(value),
              R"({"name":"abc","voice":"slt","wait_ms":5,"loud":false,"pool":{"size":4}})");
}

TEST(PluginSchema, KeepsWhatIsGiven) {
    const auto [value, problems] =
        run("name='ab'\nwait_ms=9\ngain=1\nlisten=['udp:x']\nheaders={a='b',c=3}\npool={size=1}");

    EXPECT_THAT(problems, IsEmpty());
    EXPECT_EQ(value["gain"].integer(), 1);
    EXPECT_EQ(value["headers"]["c"].integer(), 3);
    EXPECT_EQ(value["pool"]["size"].integer(), 1);
}

TEST(PluginSchema, AnUnknownKeyIsRefusedWithASuggestion) {
    EXPECT_THAT(
        run("name='ab'\nvoise='slt'\npool={sized=2}").second,
        ElementsAre(
            "t.toml:2:1: voise: the plugin has no option of this name; did you mean 'voice'?",
            "t.toml:3:7: pool.sized: the plugin has no option of this name; did you mean 'size'?"));
}

TEST(PluginSchema, SaysWhatIsWrongWithAValue) {
    EXPECT_THAT(run("name='ab'\nwait_ms='abc'").second,
                ElementsAre("t.toml:2:9: wait_ms: a whole number of ms is wanted, 'abc' is a "
                            "string; change its type"));
    EXPECT_THAT(run("name='ab'\nwait_ms=1.5").second,
                ElementsAre(HasSubstr("1.5 is a number with a point")));
    EXPECT_THAT(run("name='ab'\nwait_ms=10").second,
                ElementsAre(HasSubstr("10 is above the most, 9 ms")));
    EXPECT_THAT(run("name='ab'\nwait_ms=-1").second,
                ElementsAre(HasSubstr("-1 is below the least, 0 ms")));
    EXPECT_THAT(run("name='ab'\ngain=1.6").second,
                ElementsAre(HasSubstr("1.6 is above the most, 1.5")));
    EXPECT_THAT(
        run("name='ab'\nvoice='stl'").second,
        ElementsAre("t.toml:2:7: voice: 'stl' is not one of slt or kal16; did you mean 'slt'?"));
    EXPECT_THAT(run("name='ab'\nlisten=['udp:a','sctp:b']").second,
                ElementsAre(HasSubstr("listen.1: 'sctp:b' does not match ^(udp|tcp):")));
    EXPECT_THAT(run("name='a'").second, ElementsAre(HasSubstr("'a' is too short")));
    EXPECT_THAT(run("name='abcde'").second,
                ElementsAre(HasSubstr("has 5 characters; write at most 4")));
}

TEST(PluginSchema, CountsCharactersAndNotBytes) {
    EXPECT_THAT(run("name='äöüß'").second, IsEmpty());
}

TEST(PluginSchema, WhatIsRequiredIsMissed) {
    EXPECT_THAT(run("").second,
                ElementsAre(HasSubstr("name: the plugin wants this option; add name = ...")));
}

TEST(PluginSchema, SaysEverythingAtOnce) {
    EXPECT_EQ(run("wait_ms=true\nvoise=1\ngain='x'\nlisten=3").second.size(), 5u);
}

TEST(PluginSchema, ADeclaredSecretIsHidden) {
    const auto [value, problems] = run("name='ab'\napi_key='k-123'");

    EXPECT_THAT(dump_json(value), HasSubstr(R"("api_key":"***")"));
    EXPECT_THAT(to_json(value), HasSubstr("k-123"));
}

TEST(PluginSchema, AHiddenValueStaysOutOfProblems) {
    const Outcome<Value> given =
        parse_toml("name='ab'\nvoice='${env:K}'\n", "t.toml", Environment::with({{"K", "s3cret"}}));

    const Outcome<Value> checked = check_schema(schema, given.value);

    EXPECT_THAT(texts(checked.problems), ElementsAre(HasSubstr("'***' is not one of")));
}

TEST(PluginSchema, TextFromAReferenceMayStandForANumber) {
    const Outcome<Value> given =
        parse_toml("name='ab'\nwait_ms='${env:W:-7}'\n", "t.toml", Environment::with({}));

    const Outcome<Value> checked = check_schema(schema, given.value);

    EXPECT_THAT(texts(checked.problems), IsEmpty());
    EXPECT_EQ(checked.value["wait_ms"].integer(), 7);
}

TEST(PluginSchema, WholeNumbersAreComparedExactly) {
    constexpr const char* with =
        R"({"type":"object","properties":{"n":{"type":"integer","maximum":9007199254740992}}})";

    EXPECT_THAT(run("n = 9007199254740993", with).second, ElementsAre(HasSubstr("above the most")));
    EXPECT_THAT(run("n = 9007199254740992", with).second, IsEmpty());
}

TEST(PluginSchema, AFaultySchemaIsAProblemAndNotACrash) {
    EXPECT_THAT(run("", "{").second, ElementsAre(HasSubstr("the plugin's schema is not JSON")));
    EXPECT_THAT(
        run("a='x'", R"({"type":"object","properties":{"a":{"type":"string","pattern":"("}}})")
            .second,
        ElementsAre(HasSubstr("faulty pattern")));
    EXPECT_THAT(run("a='x'", R"({"type":"object","properties":{"a":7}})").second, IsEmpty());
    EXPECT_THAT(run("a='x'", R"({"type":"object","properties":3,"required":"a"})").second,
                IsEmpty());
}

TEST(PluginSchema, ALongTextIsMatchedLikeAnyOther) {
    const std::string rest = std::string(300'000, 'a') + "']\nname='ab'";

    EXPECT_THAT(run("listen = ['udp:" + rest).second, IsEmpty());
    EXPECT_THAT(run("listen = ['sctp:" + rest).second, ElementsAre(HasSubstr("does not match")));
}

TEST(PluginSchema, FaultsOfASchemaAreFound) {
    const auto document = base::JsonDocument::parse(R"({
        "type": "object", "oneOf": [],
        "properties": {
            "a": {"type": "strin"},
            "b": {"type": "string", "pattern": "["},
            "c": {"type": "integer", "default": "x"},
            "d": {"type": "array", "items": {"type": "string", "format": "uri"}}
        },
        "required": ["e"]})");

    EXPECT_THAT(schema_faults(document->root()),
                ElementsAre("the schema uses 'oneOf', which this host does not check",
                            HasSubstr("a has no type"),
                            "b has a pattern that does not compile",
                            HasSubstr("c has a default that it refuses itself"),
                            "d.items uses 'format', which this host does not check",
                            "the schema requires 'e', which it does not declare"));
    EXPECT_THAT(schema_faults(base::JsonDocument::parse(schema)->root()), IsEmpty());
}

}  // namespace
}  // namespace jackfield::config
