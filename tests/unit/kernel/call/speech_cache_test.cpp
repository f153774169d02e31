#include "call/speech_cache.hpp"

#include <gtest/gtest.h>

namespace jackfield::call {
namespace {

SpokenAudio audio_of(std::size_t samples) { return {std::vector<std::uint8_t>(samples, 0x55), {{samples, 5}}}; }
SpeechCache::Key key(std::string text, media::G711Law law = media::G711Law::mu) { return {std::move(text), "en-US", law}; }
SpeechCache::Voice voice() { return std::make_shared<int>(1); }

TEST(SpeechCache, GivesWhatTheSameVoiceSpoke) {
    SpeechCache cache;
    const auto one = voice();

    cache.keep(one, key("Hello."), audio_of(800));

    const auto found = cache.find(one, key("Hello."));
    ASSERT_TRUE(found);
    EXPECT_EQ(found->codes.size(), 800U);
    EXPECT_EQ(found->tags.front().second, 5U);
}

TEST(SpeechCache, KeepsVoicesTextsLanguagesAndLawsApart) {
    SpeechCache cache;
    const auto one = voice();
    cache.keep(one, key("Hello."), audio_of(800));

    EXPECT_FALSE(cache.find(voice(), key("Hello.")));
    EXPECT_FALSE(cache.find(one, key("Good day.")));
    EXPECT_FALSE(cache.find(one, key("Hello.", media::G711Law::a)));
    EXPECT_FALSE(cache.find(one, {"Hello.", "de-DE", media::G711Law::mu}));
}

TEST(SpeechCache, ForgetsAVoiceThatIsGone) {
    SpeechCache cache;
    auto one = voice();
    cache.keep(one, key("Hello."), audio_of(800));

    one.reset();
    cache.keep(voice(), key("Hello."), audio_of(100));

    EXPECT_EQ(cache.entries(), 1U);
    EXPECT_LT(cache.bytes(), 800U);
}

TEST(SpeechCache, DropsTheLeastRecentlyUsedWhenItIsFull) {
    SpeechCache cache(4000);
    const auto one = voice();
    for (const char* text : {"a", "b", "c", "d"}) cache.keep(one, key(text), audio_of(700));

    ASSERT_TRUE(cache.find(one, key("a")));
    cache.keep(one, key("e"), audio_of(700));

    EXPECT_TRUE(cache.find(one, key("a")));
    EXPECT_FALSE(cache.find(one, key("b")));
    EXPECT_TRUE(cache.find(one, key("e")));
    EXPECT_LE(cache.bytes(), 4000U);
}

TEST(SpeechCache, DoesNotGiveItselfUpToOneLongText) {
    SpeechCache cache(4000);
    const auto one = voice();
    cache.keep(one, key("short"), audio_of(200));

    cache.keep(one, key("long"), audio_of(3000));

    EXPECT_FALSE(cache.find(one, key("long")));
    EXPECT_TRUE(cache.find(one, key("short")));
}

TEST(SpeechCache, LetsACallPlayOnWhatWasDroppedMeanwhile) {
    SpeechCache cache(4000);
    const auto one = voice();
    cache.keep(one, key("a"), audio_of(700));

    const auto playing = cache.find(one, key("a"));
    for (const char* text : {"b", "c", "d", "e", "f"}) cache.keep(one, key(text), audio_of(700));

    EXPECT_FALSE(cache.find(one, key("a")));
    EXPECT_EQ(playing->codes.size(), 700U);
}

}  // namespace
}  // namespace jackfield::call
