#include "media/resampler.hpp"

#include "media/level.hpp"
#include "media/tone.hpp"

#include <cmath>
#include <vector>

#include <gtest/gtest.h>

namespace jackfield::media {
namespace {

std::vector<std::int16_t> resample(Resampler& resampler,
                                   const std::vector<std::int16_t>& in,
                                   std::size_t step) {
    std::vector<std::int16_t> all;
    for (std::size_t at = 0; at < in.size(); at += step) {
        const auto part = std::span(in).subspan(at, std::min(step, in.size() - at));
        std::vector<std::int16_t> out(resampler.max_output(part.size()));
        const Resampler::Step done = resampler.process(part, out);
        EXPECT_EQ(done.consumed, part.size());
        all.insert(
            all.end(), out.begin(), out.begin() + static_cast<std::ptrdiff_t>(done.produced));
    }
    return all;
}

TEST(Resampler, KeepsPitchAndLevelOfATone) {
    auto up = Resampler::create({8000, 16000, 5});
    ASSERT_TRUE(up);
    std::vector<std::int16_t> tone(8000);
    ToneGenerator(1000, 0, -20.0F).fill(tone);

    const std::vector<std::int16_t> out = resample(**up, tone, 160);

    ASSERT_EQ(out.size(), 16000U);
    const auto steady = std::span(out).subspan(1600);
    EXPECT_NEAR(measure(steady).rms_dbov, -20.0F, 0.2F);
    int crossings = 0;
    for (std::size_t i = 1; i < steady.size(); ++i) {
        crossings += steady[i - 1] < 0 && steady[i] >= 0 ? 1 : 0;
    }
    EXPECT_NEAR(crossings, 900, 2);
}

TEST(Resampler, GivesTheSameInPiecesAsAtOnce) {
    auto whole = Resampler::create({16000, 8000, 5});
    auto pieces = Resampler::create({16000, 8000, 5});
    std::vector<std::int16_t> tone(4800);
    ToneGenerator(700, 1900, -16.0F, 16000).fill(tone);

    const auto at_once = resample(**whole, tone, tone.size());
    const auto in_pieces = resample(**pieces, tone, 97);

    EXPECT_EQ(at_once, in_pieces);
}

TEST(Resampler, RemovesWhatTheLowerRateCannotCarry) {
    auto down = Resampler::create({16000, 8000, 5});
    std::vector<std::int16_t> tone(16000);
    ToneGenerator(6000, 0, -10.0F, 16000).fill(tone);

    const auto out = resample(**down, tone, 320);

    EXPECT_LT(measure(std::span(out).subspan(800)).rms_dbov, -60.0F);
}

TEST(Resampler, ReportsADelayOfAFewMilliseconds) {
    auto up = Resampler::create({8000, 16000, 5});

    EXPECT_GT((*up)->delay_in_samples(), 0);
    EXPECT_LE((*up)->delay_in_samples(), 80);
    EXPECT_EQ((*up)->delay_out_samples(), 2 * (*up)->delay_in_samples());
}

TEST(Resampler, ForgetsTheOldStreamOnReset) {
    auto down = Resampler::create({22050, 8000, 5});
    std::vector<std::int16_t> loud(2205, 20000);
    (void)resample(**down, loud, 441);

    (*down)->reset();
    const auto out = resample(**down, std::vector<std::int16_t>(2205, 0), 441);

    EXPECT_EQ(measure(out).peak, 0);
}

TEST(Resampler, RefusesRatesThatNoAudioHas) {
    EXPECT_FALSE(Resampler::create({0, 8000, 5}));
    EXPECT_FALSE(Resampler::create({8000, 1'000'000, 5}));
    EXPECT_FALSE(Resampler::create({8000, 16000, 11}));
}

}  // namespace
}  // namespace jackfield::media
