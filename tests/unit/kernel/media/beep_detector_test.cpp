#include "media/beep_detector.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "media/dtmf.hpp"
#include "media/g711.hpp"
#include "media/tone.hpp"
#include "speech_prompts.hpp"

namespace jackfield::media {
namespace {

/// Beeps that end within the audio, with a second of silence behind it.
int beeps_in(std::vector<std::int16_t> audio) {
    audio.resize(audio.size() + 8000);
    BeepDetector detector;
    int beeps = 0;
    for (std::size_t at = 0; at + 160 <= audio.size(); at += 160) beeps += detector.feed(std::span(audio).subspan(at, 160));
    return beeps;
}

std::vector<std::int16_t> tone(float hz, float second_hz, int ms, float level = -15) {
    std::vector<std::int16_t> out(static_cast<std::size_t>(ms) * 8);
    ToneGenerator generator(hz, second_hz, level, 8000);
    generator.fill(out);
    return out;
}

std::vector<std::int16_t> through_g711(const std::vector<std::int16_t>& audio) {
    std::vector<std::uint8_t> codes(audio.size());
    encode(G711Law::mu, audio, codes);
    std::vector<std::int16_t> out(audio.size());
    decode(G711Law::mu, codes, out);
    return out;
}

TEST(BeepDetector, HearsSteadyTonesOfMachines) {
    for (const float hz : {440.0F, 800.0F, 1000.0F, 1400.0F, 2000.0F})
        for (const int ms : {200, 500, 1200}) EXPECT_EQ(beeps_in(through_g711(tone(hz, 0, ms))), 1) << hz << " Hz, " << ms << " ms";
}

TEST(BeepDetector, TellsABeepWhenItEnds) {
    const auto audio = tone(1000, 0, 400);
    BeepDetector detector;
    for (std::size_t at = 0; at + 160 <= audio.size(); at += 160) EXPECT_FALSE(detector.feed(std::span(audio).subspan(at, 160)));
    EXPECT_TRUE(detector.feed(std::vector<std::int16_t>(160)));
    EXPECT_FALSE(detector.feed(std::vector<std::int16_t>(160)));
}

TEST(BeepDetector, TakesNoShortFaintOrEndlessToneForOne) {
    EXPECT_EQ(beeps_in(tone(1000, 0, 120)), 0);
    EXPECT_EQ(beeps_in(tone(1000, 0, 500, -55)), 0);
    EXPECT_EQ(beeps_in(tone(425, 0, 20'000)), 0);
    EXPECT_EQ(beeps_in(tone(100, 0, 500)), 0);
}

TEST(BeepDetector, TakesNoKeysAndNoRingingForOne) {
    EXPECT_EQ(beeps_in(tone(770, 1336, 500)), 0);
    EXPECT_EQ(beeps_in(tone(440, 480, 2000)), 0);
}

TEST(BeepDetector, TakesNoSpeechForOne) {
    for (const auto& sentence : human_sentences()) EXPECT_EQ(beeps_in(sentence), 0);
}

}  // namespace
}  // namespace jackfield::media
