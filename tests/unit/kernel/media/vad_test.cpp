#include "media/vad.hpp"

#include "media/level.hpp"
#include "speech_prompts.hpp"

#include <random>
#include <vector>

#include <gtest/gtest.h>

namespace jackfield::media {
namespace {

std::vector<std::int16_t> noise(std::size_t samples, float dbov) {
    std::mt19937 random(7);
    std::normal_distribution<float> normal(0.0F, std::sqrt(dbov_to_mean_square(dbov)));
    std::vector<std::int16_t> made(samples);
    for (std::int16_t& sample : made) sample = static_cast<std::int16_t>(normal(random));
    return made;
}

struct Score {
    int speech_frames = 0;
    int heard = 0;
    int quiet_frames = 0;
    int false_alarms = 0;

    double heard_share() const { return static_cast<double>(heard) / speech_frames; }
    double false_share() const { return static_cast<double>(false_alarms) / quiet_frames; }
};

/// Human sentences with a second between them, mixed with line noise. The truth comes from the
/// clean level: clearly loud frames are speech, frames at least 300 ms away from any sound are
/// quiet.
Score score(VadMode mode, float noise_dbov) {
    Score result;
    auto vad = Vad::create({.mode = mode});
    std::vector<std::int16_t> clean;
    for (const auto& sentence : human_sentences()) {
        if (clean.size() > 60 * 8000) break;
        clean.insert(clean.end(), sentence.begin(), sentence.end());
        clean.insert(clean.end(), 8000, 0);
    }
    std::vector<std::int16_t> mixed = noise(clean.size(), noise_dbov);
    for (std::size_t i = 0; i < clean.size(); ++i)
        mixed[i] = static_cast<std::int16_t>(mixed[i] + clean[i]);
    int since_sound = 0;
    for (std::size_t at = 0; at + 160 <= clean.size(); at += 160) {
        const float level = measure(std::span(clean).subspan(at, 160)).rms_dbov;
        const bool voiced = (*vad)->process(std::span(mixed).subspan(at, 160));
        since_sound = level > -60.0F ? 0 : since_sound + 1;
        if (level > -30.0F) {
            ++result.speech_frames;
            result.heard += voiced ? 1 : 0;
        } else if (since_sound > 15) {
            ++result.quiet_frames;
            result.false_alarms += voiced ? 1 : 0;
        }
    }
    return result;
}

TEST(Vad, HearsPeopleOnAQuietLineInEveryMode) {
    for (const VadMode mode : {VadMode::denoised, VadMode::plain, VadMode::energy}) {
        const Score s = score(mode, -70.0F);
        ASSERT_GT(s.speech_frames, 500);
        ASSERT_GT(s.quiet_frames, 500);
        EXPECT_GT(s.heard_share(), 0.95) << static_cast<int>(mode);
        EXPECT_LT(s.false_share(), 0.05) << static_cast<int>(mode);
    }
}

TEST(Vad, HearsPeopleThroughLineNoiseWhenDenoising) {
    const Score s = score(VadMode::denoised, -38.0F);

    EXPECT_GT(s.heard_share(), 0.90);
    EXPECT_LT(s.false_share(), 0.15);
}

TEST(Vad, HearsPeopleOverAnyUsualLineNoise) {
    for (const float noise_dbov : {-55.0F, -48.0F, -42.0F}) {
        const Score s = score(VadMode::denoised, noise_dbov);

        EXPECT_GT(s.heard_share(), 0.98) << noise_dbov;
        EXPECT_LT(s.false_share(), 0.03) << noise_dbov;
    }
}

TEST(Vad, RestsTheDenoiserWhereTheLineNoiseIsAlone) {
    auto vad = Vad::create({});
    const auto line = noise(10 * 8000, -45.0F);
    int heard = 0;

    for (std::size_t at = 0; at + 160 <= line.size(); at += 160) {
        const bool voiced = (*vad)->process(std::span(line).subspan(at, 160));
        heard += voiced && at > 8000 * 3 / 2 ? 1 : 0;
    }

    // The first second teaches the level; from then on it is one frame in eight, and those that stick out.
    EXPECT_LT((*vad)->denoised_frames(), 200U);
    EXPECT_GT((*vad)->denoised_frames(), 50U);
    EXPECT_LT(heard, 3);
}

TEST(Vad, APersonWithBreathIsNoLineNoise) {
    auto vad = Vad::create({});
    // Two seconds of one sound, much steadier than speech is, and louder than any line's noise.
    std::vector<std::int16_t> sound(2 * 8000);
    for (std::size_t i = 0; i < sound.size(); ++i)
        sound[i] = static_cast<std::int16_t>(6000 * std::sin(0.12 * static_cast<double>(i)) + 3000 * std::sin(0.36 * static_cast<double>(i)));

    for (std::size_t at = 0; at + 160 <= sound.size(); at += 160) (void)(*vad)->process(std::span(sound).subspan(at, 160));

    EXPECT_EQ((*vad)->denoised_frames(), sound.size() / 160);
}

TEST(Vad, EnergyModeLearnsTheLevelOfSteadyNoise) {
    const Score s = score(VadMode::energy, -45.0F);

    EXPECT_GT(s.heard_share(), 0.80);
    EXPECT_LT(s.false_share(), 0.10);
}

TEST(Vad, SilenceReachesNoLibrary) {
    auto vad = Vad::create({});
    const std::vector<std::int16_t> silence(160, 0);

    for (int i = 0; i < 50; ++i) EXPECT_FALSE((*vad)->process(silence));

    EXPECT_EQ((*vad)->skipped_frames(), 50U);
}

TEST(Vad, SkipsNothingWhenToldSo) {
    auto vad = Vad::create({.skip_below_dbov = -127.0F});
    const std::vector<std::int16_t> silence(160, 0);

    EXPECT_FALSE((*vad)->process(silence));

    EXPECT_EQ((*vad)->skipped_frames(), 0U);
}

TEST(Vad, SkippingSilenceChangesHardlyAnyDecision) {
    auto skipping = Vad::create({});
    auto full = Vad::create({.skip_below_dbov = -127.0F});
    int different = 0;
    int frames = 0;
    for (const std::string name : {"vm-goodbye", "cannot-complete-as-dialed", "agent-pass"}) {
        const auto speech = human_prompt(name);
        for (std::size_t at = 0; at + 160 <= speech.size(); at += 160, ++frames) {
            const auto frame = std::span(speech).subspan(at, 160);
            if (measure(frame).rms_dbov < -50.0F) {
                (void)(*skipping)->process(frame);
                (void)(*full)->process(frame);
                continue;
            }
            different += (*skipping)->process(frame) != (*full)->process(frame) ? 1 : 0;
        }
    }
    EXPECT_LE(different, frames / 20);
}

TEST(Vad, TakesTheFrameLengthsThatTheDetectorKnows) {
    for (const int ms : {10, 20, 30}) {
        auto vad = Vad::create({.frame_ms = ms});
        ASSERT_TRUE(vad);
        EXPECT_EQ((*vad)->frame_samples(), static_cast<std::size_t>(8 * ms));
        EXPECT_FALSE((*vad)->process(std::vector<std::int16_t>(7)));
    }
}

TEST(Vad, RefusesOptionsOutOfRange) {
    EXPECT_FALSE(Vad::create({.aggressiveness = 4}));
    EXPECT_FALSE(Vad::create({.aggressiveness = -1}));
    EXPECT_FALSE(Vad::create({.frame_ms = 25}));
    EXPECT_FALSE(Vad::create({.rate_hz = 11025}));
}

}  // namespace
}  // namespace jackfield::media
