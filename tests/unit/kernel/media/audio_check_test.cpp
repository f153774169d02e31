#include "media/audio_check.hpp"

#include "media/level.hpp"
#include "media/tone.hpp"
#include "speech_prompts.hpp"

#include <algorithm>

#include <gtest/gtest.h>

namespace jackfield::media {
namespace {

TEST(AudioCheck, FindsAHoleInSpeech) {
    std::vector<std::int16_t> audio(8000);
    ToneGenerator(300, 0, -20.0F).fill(audio);
    std::fill(audio.begin() + 4000, audio.begin() + 4320, std::int16_t{0});

    const AudioDefects defects = check_audio(audio);

    ASSERT_EQ(defects.gaps.size(), 1U);
    EXPECT_NEAR(static_cast<double>(defects.gaps[0].from), 4000, 2);
    EXPECT_NEAR(static_cast<double>(defects.gaps[0].samples), 320, 4);
}

TEST(AudioCheck, LeavesPausesAlone) {
    std::vector<std::int16_t> audio(16000);
    ToneGenerator(300, 0, -20.0F).fill(audio);
    std::fill(audio.begin() + 4000, audio.begin() + 9000, std::int16_t{0});

    EXPECT_TRUE(check_audio(audio).gaps.empty());
}

TEST(AudioCheck, FindsAClick) {
    std::vector<std::int16_t> audio(4000);
    ToneGenerator(300, 0, -20.0F).fill(audio);
    // A piece cut out of the middle: the wave jumps.
    std::rotate(audio.begin() + 2000, audio.begin() + 2011, audio.end());

    const AudioDefects defects = check_audio(std::span(audio).first(3900));

    ASSERT_EQ(defects.clicks.size(), 1U);
    EXPECT_NEAR(static_cast<double>(defects.clicks[0]), 2000, 2);
}

TEST(AudioCheck, FindsFewDefectsInHumanSpeech) {
    std::size_t clicks = 0;
    std::size_t gaps = 0;
    std::size_t seconds = 0;
    for (const auto& sentence : human_sentences()) {
        const AudioDefects defects = check_audio(sentence);
        clicks += defects.clicks.size();
        gaps += defects.gaps.size();
        seconds += sentence.size() / 8000;
    }

    EXPECT_LE(clicks, seconds / 15);
    EXPECT_LE(gaps, seconds / 20);
}

}  // namespace
}  // namespace jackfield::media
