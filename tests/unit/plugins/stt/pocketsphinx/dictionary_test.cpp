#include "plugins/stt/pocketsphinx/dictionary.hpp"

#include <gtest/gtest.h>

#include <jackfield/sdk/plugin.hpp>

namespace jackfield::pocketsphinx {
namespace {

TEST(Dictionary, FindsAWordWithItsVariants) {
    const Dictionary dictionary("tomato T AH M EY T OW\r\nthe DH AH\nthe(2) DH IY\nthe(3) DH AH0\nthem DH EH M\n");

    EXPECT_EQ(dictionary.variants("the"), (std::vector<std::string>{"DH AH", "DH IY", "DH AH0"}));
    EXPECT_EQ(dictionary.variants("tomato"), std::vector<std::string>{"T AH M EY T OW"});
    EXPECT_TRUE(dictionary.has("them"));
}

TEST(Dictionary, LacksWhatItLacks) {
    const Dictionary dictionary("b B IY\n");

    for (const char* word : {"", "a", "bb", "b(2)", "B", "zz"}) EXPECT_FALSE(dictionary.has(word)) << word;
    EXPECT_FALSE(Dictionary("").has("a"));
}

TEST(Dictionary, SkipsCommentsAndLinesWithoutPhones) {
    const Dictionary dictionary(";;; a comment\n\nlonely\n   \n  indented X\nword W ER D");

    EXPECT_EQ(dictionary.size(), 1u);
    EXPECT_TRUE(dictionary.has("word"));
}

TEST(Dictionary, NamesTheMissingFileAndThePackage) {
    try {
        Dictionary::open("/nowhere/at/all.dict");
        FAIL();
    } catch (const sdk::Failure& failure) {
        EXPECT_EQ(failure.code(), JF_E_NOT_FOUND);
        EXPECT_NE(std::string(failure.what()).find("/nowhere/at/all.dict"), std::string::npos);
        EXPECT_NE(std::string(failure.what()).find("apt install pocketsphinx-en-us"), std::string::npos);
    }
}

TEST(Lexicon, PrefersTheInstancesOwnWords) {
    const auto dictionary = std::make_shared<const Dictionary>("data D EY T AH\nyes Y EH S\n");
    const Lexicon lexicon(dictionary, {"data D AE T AH", "jackfield JH AE K F IY L D", "jackfield JH AE K F AH L D"});

    EXPECT_EQ(lexicon.variants("data"), std::vector<std::string>{"D AE T AH"});
    EXPECT_EQ(lexicon.variants("jackfield").size(), 2u);
    EXPECT_TRUE(lexicon.has("yes"));
    EXPECT_FALSE(lexicon.has("no"));
}

TEST(Lexicon, RefusesWhatIsNoPronunciation) {
    const auto dictionary = std::make_shared<const Dictionary>("yes Y EH S\n");

    for (const char* line : {"", "word", "word QQ", "Word W ER D", "wo rd W ER D", "w(2) W"})
        EXPECT_THROW(Lexicon(dictionary, {line}), sdk::Failure) << line;
}

}  // namespace
}  // namespace jackfield::pocketsphinx
