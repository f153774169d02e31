#include "media/dtmf.hpp"

#include "media/g711.hpp"
#include "media/level.hpp"
#include "speech_prompts.hpp"

#include <cmath>
#include <numbers>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace jackfield::media {
namespace {

using std::chrono::milliseconds;

std::vector<std::int16_t> dial(const std::string& digits, const DtmfTiming& timing = {}) {
    std::vector<std::int16_t> audio(400, 0);
    DtmfGenerator generator;
    for (const char digit : digits) {
        EXPECT_TRUE(generator.start(digit, timing));
        while (generator.busy()) {
            std::vector<std::int16_t> packet(160);
            packet.resize(generator.fill(packet));
            audio.insert(audio.end(), packet.begin(), packet.end());
        }
    }
    audio.insert(audio.end(), 400, 0);
    return audio;
}

std::string hear(const std::vector<std::int16_t>& audio) {
    DtmfDetector detector;
    std::string digits;
    for (std::size_t at = 0; at < audio.size(); at += 160) {
        const auto frame =
            std::span(audio).subspan(at, std::min<std::size_t>(160, audio.size() - at));
        if (auto digit = detector.feed(frame)) digits += *digit;
    }
    return digits;
}

TEST(Dtmf, HearsEveryDigitThatItPlays) {
    EXPECT_EQ(hear(dial("0123456789*#ABCD")), "0123456789*#ABCD");
}

TEST(Dtmf, HearsADoubledDigitTwiceAndALongOneOnce) {
    EXPECT_EQ(hear(dial("55", {.tone = milliseconds(50), .gap = milliseconds(50)})), "55");
    EXPECT_EQ(hear(dial("5", {.tone = milliseconds(3000)})), "5");
}

TEST(Dtmf, HearsQuietAndShortDigits) {
    EXPECT_EQ(hear(dial("1470",
                        {.tone = milliseconds(45), .gap = milliseconds(50), .level_dbov = -35.0F})),
              "1470");
}

TEST(Dtmf, HearsDigitsThroughG711AndNoise) {
    std::vector<std::int16_t> audio = dial("8642#");
    std::vector<std::int16_t> hiss(audio.size());
    ComfortNoise(-40.0F).fill(hiss);
    for (std::size_t i = 0; i < audio.size(); ++i) {
        const auto mixed = static_cast<std::int16_t>(audio[i] + hiss[i]);
        audio[i] = decode_sample(G711Law::mu, encode_sample(G711Law::mu, mixed));
    }

    EXPECT_EQ(hear(audio), "8642#");
}

TEST(Dtmf, HearsPairsOfUnequalStrengthThatAreALittleOutOfTune) {
    // What is spared the filters must be no key: the pairs at the corners of what a key may be.
    for (const char key : std::string("123A456B789C*0#D"))
        for (const double high_db : {-7.0, 0.0, 5.0})
            for (const double detune : {0.988, 1.012}) {
                const DtmfPair pair = *dtmf_pair(key);
                std::vector<std::int16_t> audio(37 + 8 * 60 + 400);
                ComfortNoise(-40.0F).fill(audio);
                for (std::size_t i = 0; i < 8 * 60; ++i) {
                    const double turn = 2 * std::numbers::pi * detune * static_cast<double>(i) / narrowband_hz;
                    const double both = std::sin(turn * pair.low_hz) + std::pow(10.0, high_db / 20) * std::sin(turn * pair.high_hz + 1);
                    std::int16_t& sample = audio[37 + i];
                    sample = decode_sample(G711Law::a, encode_sample(G711Law::a, static_cast<std::int16_t>(sample + 4000 * both)));
                }

                EXPECT_EQ(hear(audio), std::string(1, key)) << high_db << " dB, " << detune;
            }
}

TEST(Dtmf, TakesNoHumanVoiceForADigit) {
    std::string heard;
    for (const auto& sentence : human_sentences()) heard += hear(sentence);

    EXPECT_EQ(heard, "");
}

TEST(Dtmf, RefusesCharactersThatHaveNoTone) {
    DtmfGenerator generator;

    EXPECT_FALSE(generator.start('x'));
    EXPECT_FALSE(generator.busy());
    EXPECT_TRUE(dtmf_pair('a'));
    EXPECT_FALSE(dtmf_pair('\0'));
}

TEST(ComfortNoise, HasTheLevelThatWasAskedFor) {
    std::vector<std::int16_t> noise(8000);
    ComfortNoise(-60.0F, 3).fill(noise);

    EXPECT_NEAR(measure(noise).rms_dbov, -60.0F, 0.5F);
}

}  // namespace
}  // namespace jackfield::media
