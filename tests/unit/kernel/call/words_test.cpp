#include "call/words.hpp"

#include <gtest/gtest.h>

namespace jackfield::call {
namespace {

TEST(Words, KnowsWhatMeansStop) {
    EXPECT_TRUE(is_stop_phrase("stop"));
    EXPECT_TRUE(is_stop_phrase("Wait!"));
    EXPECT_TRUE(is_stop_phrase("hold on a second"));
    EXPECT_FALSE(is_stop_phrase("stopwatch"));
    EXPECT_FALSE(is_stop_phrase("the bus stop"));
    EXPECT_FALSE(is_stop_phrase(""));
}

TEST(Words, DoesNotCountBackchannels) {
    EXPECT_EQ(count_meaningful_words("mhm, yeah. okay"), 0);
    EXPECT_EQ(count_meaningful_words("Uh-huh"), 0);
    EXPECT_EQ(count_meaningful_words("yes but Sunday"), 2);
    EXPECT_EQ(count_meaningful_words("don't"), 1);
    EXPECT_EQ(count_meaningful_words(""), 0);
}

TEST(Words, CutsBehindTheLastWholeWord) {
    const std::string_view text = "Good day, how are you?";

    EXPECT_EQ(text.substr(0, cut_at_word(text, 9)), "Good day,");
    EXPECT_EQ(text.substr(0, cut_at_word(text, 12)), "Good day,");
    EXPECT_EQ(text.substr(0, cut_at_word(text, 13)), "Good day, how");
    EXPECT_EQ(text.substr(0, cut_at_word(text, 3)), "");
    EXPECT_EQ(text.substr(0, cut_at_word(text, 0)), "");
    EXPECT_EQ(text.substr(0, cut_at_word(text, 99)), text);
}

TEST(Words, NeverCutsInsideACharacter) {
    const std::string_view text = "caf\xc3\xa9 cr\xc3\xa8me";

    for (std::uint64_t at = 0; at <= text.size(); ++at) {
        const std::string_view cut = text.substr(0, cut_at_word(text, at));
        EXPECT_TRUE(cut.empty() || cut == "caf\xc3\xa9" || cut == text) << at;
    }
}

TEST(Words, ReadsWhereToTransfer) {
    EXPECT_EQ(transfer_target(R"({"to":"reception"})"), "reception");
    EXPECT_EQ(transfer_target(R"({"to":7})"), "");
    EXPECT_EQ(transfer_target("{}"), "");
    EXPECT_EQ(transfer_target("nonsense"), "");
}

}  // namespace
}  // namespace jackfield::call
