#include "config/toml.hpp"

#include "config_files.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace jackfield::config {
namespace {

using testing::ElementsAre;

std::vector<std::string> problems_of(std::string_view text) {
    return texts(parse_toml(text, "t.toml", Environment::with({})).problems);
}

TEST(Toml, KnowsWhereEachValueStands) {
    const Value value = toml("[a]\n  b = 'x'\n[a.c]\nlist = [1,\n   2]\n");

    EXPECT_EQ(value["a"]["b"].at.line, 2);
    EXPECT_EQ(value["a"]["b"].at.column, 7);
    EXPECT_EQ(*value["a"]["b"].at.file, "t.toml");
    EXPECT_EQ(value["a"].table()[0].at.column, 3);
    EXPECT_EQ(value["a"]["c"]["list"].array()[1].at.line, 5);
    EXPECT_EQ(value["a"]["c"]["list"].array()[1].path, "a.c.list.1");
}

TEST(Toml, ASyntaxErrorSaysWhereAndThatReadingEnded) {
    const auto problems = problems_of("a = 1\nb = = 2\n");

    ASSERT_EQ(problems.size(), 1u);
    EXPECT_THAT(problems[0], testing::StartsWith("t.toml:2:"));
    EXPECT_THAT(problems[0], testing::HasSubstr("this is not TOML"));
}

TEST(Toml, AKeyGivenTwiceIsASyntaxError) {
    EXPECT_THAT(problems_of("a = 1\na = 2\n"), ElementsAre(testing::StartsWith("t.toml:2:")));
}

TEST(Toml, ReportsEveryProblemOfItsValues) {
    EXPECT_THAT(
        problems_of("a = '${env:X}'\nb = nan\nc = 2024-01-01\nd = \"\\u0000\"\n"),
        ElementsAre("t.toml:1:5: a: the environment variable X is not set; set X, or write "
                    "${env:X:-default}",
                    "t.toml:2:5: b: a finite number is wanted; write the number in digits",
                    "t.toml:3:5: c: dates and times are not used here; put it in quotes, as text",
                    "t.toml:4:5: d: the text holds a zero byte; leave it out"));
}

TEST(Toml, RefusesWhatIsNotUtf8) {
    EXPECT_THAT(problems_of("a = '\xff'"), ElementsAre(testing::HasSubstr("not UTF-8")));
}

TEST(Toml, SurvivesDeepNesting) {
    const std::string deep(100'000, '[');

    EXPECT_EQ(problems_of("a = " + deep).size(), 1u);
}

TEST(Toml, AFileThatCannotBeReadIsAProblem) {
    const auto environment = Environment::with({});

    EXPECT_THAT(
        texts(load_toml("/nowhere/x.toml", environment).problems),
        ElementsAre(
            "/nowhere/x.toml: there is no file /nowhere/x.toml; name a readable TOML file"));
    EXPECT_THAT(texts(load_toml("/dev/null", environment).problems),
                ElementsAre(testing::HasSubstr("is not a regular file")));
}

TEST(Toml, RelativeFilesStartAtTheFoldersOwn) {
    const ConfigFolder folder;
    folder.write("key.txt", "k-1\n");
    folder.write("a.toml", "key = '${file:key.txt}'\n");

    const Outcome<Value> loaded = load_toml(folder.path() / "a.toml", Environment::with({}));

    ASSERT_TRUE(loaded.ok());
    EXPECT_EQ(loaded.value["key"].text(), "k-1");
}

}  // namespace
}  // namespace jackfield::config
