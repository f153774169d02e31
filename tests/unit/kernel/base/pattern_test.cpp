#include "base/pattern.hpp"

#include <gtest/gtest.h>

namespace jackfield::base {
namespace {

TEST(Pattern, IsFoundAnywhereUnlessItIsAnchored) {
    EXPECT_TRUE(Pattern("\\d{4}").found_in("in 2026"));
    EXPECT_FALSE(Pattern("^\\d{4}$").found_in("in 2026"));
    EXPECT_TRUE(Pattern("^(udp|tcp):").found_in("udp:127.0.0.1"));
}

TEST(Pattern, CountsCharactersAndNotBytes) { EXPECT_TRUE(Pattern("^.{2}$").found_in("äö")); }

TEST(Pattern, ThatDoesNotCompileIsNotValidAndMatchesNothing) {
    for (const char* wrong : {"(", "[", "a{100000}", "(?=ahead)", "\\1"}) {
        const Pattern pattern(wrong);
        EXPECT_FALSE(pattern.valid()) << wrong;
        EXPECT_FALSE(pattern.found_in(wrong));
    }
}

// What std::regex did not come back from.
TEST(Pattern, TakesNoLongerWhenItIsMeantTo) {
    EXPECT_FALSE(Pattern("0000000*(((((((((((((7+)+)+)+)+)+)+)+)+)+)+)+)+778").found_in("0000007777779"));
    EXPECT_FALSE(Pattern("^(a+)+$").found_in(std::string(100'000, 'a') + "b"));
    EXPECT_FALSE(Pattern("(x+x+)+y").found_in(std::string(100'000, 'x')));
}

TEST(Pattern, TakesTextThatIsNoUtf8) { EXPECT_FALSE(Pattern("^a$").found_in("\xff\xfe")); }

}  // namespace
}  // namespace jackfield::base
