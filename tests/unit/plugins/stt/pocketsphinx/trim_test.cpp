#include "plugins/stt/pocketsphinx/trim.hpp"

#include <gtest/gtest.h>

#include <cmath>

namespace jackfield::pocketsphinx {
namespace {

std::vector<std::int16_t> tone(std::size_t ms, double amplitude) {
    std::vector<std::int16_t> out;
    for (std::size_t i = 0; i < ms * 8; ++i)
        out.push_back(static_cast<std::int16_t>(amplitude * std::sin(static_cast<double>(i) * 0.9)));
    return out;
}

TEST(Utterance, FindsSpeechBetweenSilence) {
    Utterance utterance({});
    utterance.add(tone(500, 4), 0);
    utterance.add(tone(300, 8000), 4000);
    utterance.add(tone(400, 4), 6400);

    EXPECT_EQ(utterance.speech_ms(), 300u);
    EXPECT_EQ(utterance.pause_ms(), 400u);
    EXPECT_EQ(utterance.speech_end(), 6400u);
}

TEST(Utterance, KeepsATenthOfASecondAroundSpeechAndLeavesLongPausesOut) {
    Utterance utterance({});
    utterance.add(tone(500, 4), 0);
    utterance.add(tone(300, 8000), 4000);
    utterance.add(tone(1000, 4), 6400);
    utterance.add(tone(300, 8000), 14400);
    utterance.add(tone(500, 4), 16800);

    const Utterance::Speech speech = utterance.speech();

    EXPECT_EQ(speech.samples.size(), 2 * 500u * 8);
    EXPECT_EQ(speech.from, 3200u);
    EXPECT_EQ(speech.to, 16800u + 800);
    EXPECT_EQ(speech.position_of(0), 3200u);
    EXPECT_EQ(speech.position_of(3999), 7199u);
    EXPECT_EQ(speech.position_of(4000), 13600u);
}

TEST(Utterance, FollowsJumpsOfThePosition) {
    Utterance utterance({});
    utterance.add(tone(200, 8000), 1000);
    utterance.add(tone(200, 8000), 50000);

    const Utterance::Speech speech = utterance.speech();

    EXPECT_EQ(speech.position_of(10), 1010u);
    EXPECT_EQ(speech.position_of(1600), 50000u);
    EXPECT_EQ(speech.to, 51600u);
}

TEST(Utterance, HearsNothingInNoiseBelowTheLeastLevel) {
    Utterance utterance({});
    utterance.add(tone(3000, 20), 0);

    EXPECT_EQ(utterance.speech_ms(), 0u);
    EXPECT_EQ(utterance.pause_ms(), 0u);
    EXPECT_TRUE(utterance.speech().samples.empty());
}

TEST(Utterance, RaisesItsThresholdOnANoisyLine) {
    Utterance utterance({});
    utterance.add(tone(500, 300), 0);
    utterance.add(tone(400, 6000), 4000);
    utterance.add(tone(500, 300), 7200);

    EXPECT_EQ(utterance.speech_ms(), 400u);
}

TEST(Utterance, StaysBoundedHoweverLongTheAudio) {
    Utterance utterance({8000, 2000, -55, 30});
    for (std::uint64_t s = 0; s < 60; ++s) utterance.add(tone(1000, 8000), s * 8000);

    EXPECT_LE(utterance.speech_ms(), 2500u);
    EXPECT_EQ(utterance.speech().to, 480000u);
}

TEST(Utterance, TakesAudioInAnyPieces) {
    Utterance utterance({});
    const std::vector<std::int16_t> audio = tone(333, 8000);
    for (std::size_t at = 0; at < audio.size(); at += 7)
        utterance.add(std::span(audio).subspan(at, std::min<std::size_t>(7, audio.size() - at)), at);

    EXPECT_EQ(utterance.speech_ms(), 330u);
    EXPECT_EQ(utterance.speech().samples.size(), 2640u);
}

}  // namespace
}  // namespace jackfield::pocketsphinx
