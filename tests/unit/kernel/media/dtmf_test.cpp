#include "media/dtmf.hpp"

#include "media/g711.hpp"
#include "media/level.hpp"
#include "speech_prompts.hpp"

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
