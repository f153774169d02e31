#include "config/interpolate.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace jackfield::config {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

/// Variables A and EMPTY, files /etc/j/key and /abs.
Environment environment() {
    Environment out =
        Environment::with({{"A", "one"}, {"EMPTY", ""}, {"BAD", "\xff"}, {"REF", "${env:A}"}});
    out.read_file = [](const std::filesystem::path& path) -> base::Result<std::string> {
        if (path == "/etc/j/key") return std::string("from file\n");
        if (path == "/abs") return std::string("two\nlines\r\n");
        return base::Error(base::ErrorCode::not_found, "there is no file " + path.string());
    };
    return out;
}

Interpolated run(std::string_view text) {
    return interpolate(text, "/etc/j", environment());
}

TEST(Interpolate, PutsInVariablesAndRemembersThemAsSecrets) {
    const Interpolated out = run("x ${env:A}-${env:A}");

    EXPECT_EQ(out.text, "x one-one");
    EXPECT_THAT(out.secrets, ElementsAre("one", "one"));
    EXPECT_TRUE(out.replaced);
    EXPECT_THAT(out.faults, IsEmpty());
}

TEST(Interpolate, TakesTheDefaultForAMissingOrEmptyVariable) {
    EXPECT_EQ(run("${env:NONE:-sqlite:var/x.db}").text, "sqlite:var/x.db");
    EXPECT_EQ(run("${env:EMPTY:-d}").text, "d");
    EXPECT_EQ(run("${env:NONE:-}").text, "");
    EXPECT_EQ(run("${env:A:-d}").text, "one");
    EXPECT_THAT(run("${env:NONE:-d}").secrets, IsEmpty());
}

TEST(Interpolate, AnEmptyVariableWithoutADefaultIsEmpty) {
    EXPECT_EQ(run("<${env:EMPTY}>").text, "<>");
    EXPECT_THAT(run("${env:EMPTY}").faults, IsEmpty());
}

TEST(Interpolate, AMissingVariableIsNamed) {
    const Interpolated out = run("${env:ACME_KEY}");

    ASSERT_EQ(out.faults.size(), 1u);
    EXPECT_EQ(out.faults[0].what, "the environment variable ACME_KEY is not set");
}

TEST(Interpolate, PutsInAFileWithoutItsLastLineEnd) {
    EXPECT_EQ(run("${file:key}").text, "from file");
    EXPECT_EQ(run("${file:/abs}").text, "two\nlines");
    EXPECT_THAT(run("${file:key}").secrets, ElementsAre("from file"));
}

TEST(Interpolate, AMissingFileIsNamed) {
    EXPECT_EQ(run("${file:none}").faults.at(0).what, "there is no file /etc/j/none");
    EXPECT_EQ(run("${file:}").faults.size(), 1u);
}

TEST(Interpolate, DollarsStandForThemselvesWhenDoubledOrAlone) {
    EXPECT_EQ(run("$$ $${env:A} $5 $").text, "$ ${env:A} $5 $");
    EXPECT_FALSE(run("$$").replaced);
}

TEST(Interpolate, DoesNotLookAgainAtWhatItPutIn) {
    EXPECT_EQ(run("${env:REF}").text, "${env:A}");
}

TEST(Interpolate, ReportsEveryFault) {
    EXPECT_EQ(run("${env:X} ${env:1bad} ${vault:x} ${env:BAD} ${open").faults.size(), 5u);
}

TEST(Interpolate, KeepsWhatComesAfterAFault) {
    EXPECT_EQ(run("a${env:X}b").text, "ab");
}

}  // namespace
}  // namespace jackfield::config
