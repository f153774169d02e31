#include "config/option_table.hpp"

#include "config_files.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace jackfield::config {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

OptionTable table() {
    return {{
        Option::whole("wait_ms", 50, "How long.").in("milliseconds").between(10, 100),
        Option::flag("loud", false, "Whether."),
        Option::string("mode", "soft", "Which.").among({"soft", "hard"}),
        Option::strings("roles", {"api"}, "What.").among({"api", "jobs"}),
        Option::chain("stt", "The recogniser."),
        Option::string_map("targets", "Where to."),
        Option::table("inner", {{Option::whole("n", 3, "Count.")}}, "Inside."),
        Option::tables(
            "named", {{Option::string("plugin", "", "Id.").must_be_given()}, true}, "Many."),
    }};
}

std::pair<Value, std::vector<std::string>> run(std::string_view text) {
    Problems problems;
    Value value = check(table(), toml(text), problems);
    return {std::move(value), texts(problems)};
}

TEST(OptionTable, FillsInEveryDefault) {
    const auto [value, problems] = run("stt = 'ears'");

    EXPECT_THAT(problems, IsEmpty());
    EXPECT_EQ(value["wait_ms"].integer(), 50);
    EXPECT_EQ(value["mode"].text(), "soft");
    EXPECT_EQ(value["roles"].array()[0].text(), "api");
    EXPECT_EQ(value["inner"]["n"].integer(), 3);
    EXPECT_EQ(value["inner"]["n"].path, "inner.n");
    EXPECT_TRUE(value["named"].is_table());
}

TEST(OptionTable, AWrongTypeSaysWhatIsWantedAndWhatIsThere) {
    EXPECT_THAT(run("stt = 'x'\nwait_ms = 'abc'").second,
                ElementsAre("t.toml:2:11: wait_ms: a whole number of milliseconds is wanted, 'abc' "
                            "is a string; write "
                            "wait_ms = 50"));
    EXPECT_THAT(
        run("stt = 'x'\nloud = 1").second,
        ElementsAre(
            "t.toml:2:8: loud: true or false is wanted, 1 is a whole number; write loud = false"));
    EXPECT_THAT(run("stt = [1]").second,
                ElementsAre(testing::HasSubstr("a string or a list of strings is wanted")));
    EXPECT_THAT(run("stt = 'x'\ninner = 3").second,
                ElementsAre(testing::HasSubstr("a table is wanted")));
    EXPECT_THAT(run("stt = 'x'\nnamed = { a = 1 }").second,
                ElementsAre(testing::HasSubstr("[named.<name>]")));
    EXPECT_THAT(run("stt = 'x'\ntargets = { a = 1 }").second,
                ElementsAre(testing::HasSubstr("a table of strings")));
}

TEST(OptionTable, AWrongTypeLeavesTheDefault) {
    EXPECT_EQ(run("stt = 'x'\nwait_ms = 'abc'").first["wait_ms"].integer(), 50);
}

TEST(OptionTable, AnUnknownKeyComesWithASuggestion) {
    EXPECT_THAT(
        run("stt = 'x'\nwait_s = 3").second,
        ElementsAre(
            "t.toml:2:1: wait_s: there is no option of this name here; did you mean 'wait_ms'?"));
    EXPECT_THAT(
        run("stt = 'x'\ninner = { q = 3 }").second,
        ElementsAre(
            "t.toml:2:11: inner.q: there is no option of this name here; did you mean 'n'?"));
    EXPECT_THAT(run("stt = 'x'\ncompletely = 3").second,
                ElementsAre(testing::HasSubstr("the options are wait_ms, ")));
}

TEST(OptionTable, AnOpenTableKeepsKeysThatAreNotItsOwn) {
    const auto [value, problems] = run("stt = 'x'\n[named.a]\nplugin = 'p'\nlisten = ['u']");

    EXPECT_THAT(problems, IsEmpty());
    EXPECT_EQ(value["named"]["a"]["listen"].array().size(), 1u);
}

TEST(OptionTable, ChecksRangesAndWords) {
    EXPECT_THAT(run("stt = 'x'\nwait_ms = 101").second,
                ElementsAre("t.toml:2:11: wait_ms: 101 is above the most, 100 milliseconds; choose "
                            "10 to 100; the default "
                            "is 50"));
    EXPECT_THAT(run("stt = 'x'\nwait_ms = 9").second,
                ElementsAre(testing::HasSubstr("9 is below the least, 10")));
    EXPECT_THAT(run("stt = 'x'\nwait_ms = 10").second, IsEmpty());
    EXPECT_THAT(
        run("stt = 'x'\nmode = 'hrad'").second,
        ElementsAre("t.toml:2:8: mode: 'hrad' is not one of soft or hard; did you mean 'hard'?"));
    EXPECT_THAT(
        run("stt = 'x'\nroles = ['api', 'queen']").second,
        ElementsAre("t.toml:2:17: roles.1: 'queen' is not one of api or jobs; choose api or jobs"));
}

TEST(OptionTable, WhatMustBeGivenIsMissedAtItsTable) {
    EXPECT_THAT(
        run("[named.a]\nx = 1").second,
        ElementsAre(
            "t.toml:1:1: named.a.plugin: this option must be given: Id.; write plugin = \"...\"",
            testing::HasSubstr(": stt: this option must be given: The recogniser.")));
}

TEST(OptionTable, SaysEverythingAtOnce) {
    EXPECT_EQ(run("wait_ms = 'a'\nlodu = true\nmode = 'x'\nroles = 3").second.size(), 5u);
}

TEST(OptionTable, TextFromAReferenceMayStandForANumber) {
    const auto environment = Environment::with({{"WAIT", "70"}, {"LOUD", "true"}, {"BAD", "7 0"}});
    const Outcome<Value> given =
        parse_toml("stt='x'\nwait_ms='${env:WAIT}'\nloud='${env:LOUD}'\n", "t.toml", environment);
    const Outcome<Value> bad = parse_toml("stt='x'\nwait_ms='${env:BAD}'\n", "t.toml", environment);
    Problems problems;
    Problems of_bad;

    const Value value = check(table(), given.value, problems);
    static_cast<void>(check(table(), bad.value, of_bad));

    EXPECT_THAT(texts(problems), IsEmpty());
    EXPECT_EQ(value["wait_ms"].integer(), 70);
    EXPECT_TRUE(value["loud"].boolean());
    EXPECT_THAT(texts(of_bad), ElementsAre(testing::HasSubstr("'***' is a string")));
}

}  // namespace
}  // namespace jackfield::config
