#include "media/tone.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace jackfield::media {
namespace {

constexpr double full_scale = 32767.0;

double rms_of(float dbov) {
    return 32768.0 * std::pow(10.0, static_cast<double>(dbov) / 20.0);
}

std::int16_t to_sample(double value) {
    return static_cast<std::int16_t>(std::lround(std::clamp(value, -full_scale, full_scale)));
}

}  // namespace

ToneGenerator::Wave::Wave(float hz, float amplitude, int rate_hz) : re(amplitude), im(0.0) {
    const double step = 2.0 * std::numbers::pi * static_cast<double>(hz) / rate_hz;
    turn_re = std::cos(step);
    turn_im = std::sin(step);
    if (hz <= 0.0F) re = 0.0;
}

double ToneGenerator::Wave::next() {
    const double sample = im;
    const double turned = re * turn_re - im * turn_im;
    im = re * turn_im + im * turn_re;
    re = turned;
    return sample;
}

ToneGenerator::ToneGenerator(float first_hz, float second_hz, float level_dbov, int rate_hz)
    : first_(first_hz, static_cast<float>(rms_of(level_dbov) * std::numbers::sqrt2), rate_hz),
      second_(second_hz, static_cast<float>(rms_of(level_dbov) * std::numbers::sqrt2), rate_hz) {}

void ToneGenerator::fill(std::span<std::int16_t> out) {
    for (std::int16_t& sample : out) sample = to_sample(first_.next() + second_.next());
}

ComfortNoise::ComfortNoise(float level_dbov, std::uint32_t seed)
    : state_(seed == 0 ? 1 : seed),
      // Uniform noise of amplitude a has an RMS of a divided by the root of three.
      amplitude_(static_cast<float>(rms_of(level_dbov) * std::numbers::sqrt3)) {}

void ComfortNoise::fill(std::span<std::int16_t> out) {
    for (std::int16_t& sample : out) {
        state_ ^= state_ << 13;
        state_ ^= state_ >> 17;
        state_ ^= state_ << 5;
        const float unit = static_cast<float>(static_cast<std::int32_t>(state_)) / 2147483648.0F;
        sample = to_sample(static_cast<double>(unit * amplitude_));
    }
}

}  // namespace jackfield::media
