#include "plugins/stt/pocketsphinx/audio.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <complex>
#include <numbers>
#include <vector>

namespace jackfield::pocketsphinx {
namespace {

/// Gain of the filter at a frequency, for output at 16 kHz; 1 where the level is kept (2 over the zeros between).
double gain_at(const BandImageUpsampler& upsampler, double hz) {
    std::complex<double> sum = 0;
    for (std::size_t i = 0; i < upsampler.coefficients().size(); ++i)
        sum += static_cast<double>(upsampler.coefficients()[i]) *
               std::polar(1.0, -2 * std::numbers::pi * hz / 16000 * static_cast<double>(i));
    return std::abs(sum) / 2;
}

double db(double gain) { return 20 * std::log10(gain); }

TEST(BandImageUpsampler, KeepsTheLevelOfSpeechAndOfAConstant) {
    const BandImageUpsampler upsampler(-9);

    for (const double hz : {0.0, 300.0, 1000.0, 3000.0, 3400.0}) EXPECT_NEAR(db(gain_at(upsampler, hz)), 0, 0.1) << hz;
}

TEST(BandImageUpsampler, LeavesTheImageAtTheLevelAskedFor) {
    for (const double image_db : {-6.0, -9.0, -12.0, -40.0}) {
        const BandImageUpsampler upsampler(image_db);
        for (const double hz : {4700.0, 5000.0, 6500.0, 8000.0})
            EXPECT_NEAR(db(gain_at(upsampler, hz)), image_db, 0.5) << image_db << " at " << hz;
    }
}

TEST(BandImageUpsampler, GivesTwoSamplesForOneWhateverTheCut) {
    std::vector<std::int16_t> in;
    for (int i = 0; i < 1000; ++i) in.push_back(static_cast<std::int16_t>(8000 * std::sin(i * 0.7)));
    BandImageUpsampler whole(-9);
    BandImageUpsampler parts(-9);
    std::vector<std::int16_t> at_once;
    std::vector<std::int16_t> in_parts;

    whole.process(in, at_once);
    for (std::size_t at = 0; at < in.size();) {
        const std::size_t n = std::min<std::size_t>(1 + at % 37, in.size() - at);
        parts.process(std::span(in).subspan(at, n), in_parts);
        at += n;
    }

    EXPECT_EQ(at_once.size(), 2000u);
    EXPECT_EQ(at_once, in_parts);
}

TEST(BandImageUpsampler, ClampsWhatOvershoots) {
    std::vector<std::int16_t> in;
    for (int i = 0; i < 400; ++i) in.push_back(i / 8 % 2 ? 32767 : -32768);
    BandImageUpsampler upsampler(-6);
    std::vector<std::int16_t> out;

    upsampler.process(in, out);

    EXPECT_EQ(*std::max_element(out.begin(), out.end()), 32767);
    EXPECT_EQ(*std::min_element(out.begin(), out.end()), -32768);
}

TEST(G711, DecodesTheValuesOfTheStandard) {
    EXPECT_EQ(decode_mu_law(0xff), 0);
    EXPECT_EQ(decode_mu_law(0x7f), 0);
    EXPECT_EQ(decode_mu_law(0x80), 32124);
    EXPECT_EQ(decode_mu_law(0x00), -32124);
    EXPECT_EQ(decode_a_law(0xd5), 8);
    EXPECT_EQ(decode_a_law(0x55), -8);
    EXPECT_EQ(decode_a_law(0xaa), 32256);
    EXPECT_EQ(decode_a_law(0x2a), -32256);
}

}  // namespace
}  // namespace jackfield::pocketsphinx
