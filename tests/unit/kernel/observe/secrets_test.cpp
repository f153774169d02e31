#include "observe/secrets.hpp"

#include <gtest/gtest.h>

namespace jackfield::observe {
namespace {

TEST(Secrets, AreReplacedWhereverTheyStand) {
    Secrets secrets;
    secrets.add("s3cret");

    EXPECT_EQ(secrets.redact("s3cret and xs3crety and s3crets3cret"), "*** and x***y and ******");
    EXPECT_EQ(secrets.redact("nothing here"), "nothing here");
}

TEST(Secrets, OfTwoNestedOnesNothingStays) {
    Secrets secrets;
    secrets.add("token");
    secrets.add("token-and-more");

    EXPECT_EQ(secrets.redact("a token-and-more b"), "a *** b");
}

TEST(Secrets, AreFoundInTheirJsonSpelling) {
    Secrets secrets;
    secrets.add("line\nbreak");

    EXPECT_EQ(secrets.redact(R"({"k":"line\nbreak"})"), R"({"k":"***"})");
}

TEST(Secrets, WhatIsTooShortToHideIsLeftAlone) {
    Secrets secrets;
    secrets.add("info");
    secrets.add("");

    EXPECT_EQ(secrets.redact("level info"), "level info");
}

}  // namespace
}  // namespace jackfield::observe
