#include "audio.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace jackfield::pocketsphinx {

std::int16_t decode_mu_law(std::uint8_t code) {
    const unsigned inverted = static_cast<std::uint8_t>(~code);
    const int magnitude = static_cast<int>((((inverted & 0x0f) << 3) + 0x84) << ((inverted >> 4) & 7)) - 0x84;
    return static_cast<std::int16_t>(inverted & 0x80 ? -magnitude : magnitude);
}

std::int16_t decode_a_law(std::uint8_t code) {
    const unsigned toggled = code ^ 0x55u;
    const unsigned segment = (toggled >> 4) & 7;
    int magnitude = static_cast<int>((toggled & 0x0f) << 4) + 8;
    if (segment > 0) magnitude = (magnitude + 0x100) << (segment - 1);
    return static_cast<std::int16_t>(toggled & 0x80 ? magnitude : -magnitude);
}

BandImageUpsampler::BandImageUpsampler(double image_db) {
    // A windowed half-band low-pass of gain g_low = 1 joined with its complement of gain `image`: h = (1 - image) * low + image *
    // delta. Doubled, since stuffing zeros halves the level.
    const double image = std::pow(10.0, image_db / 20.0);
    constexpr int middle = delay();
    for (int i = 0; i < taps; ++i) {
        const double n = i - middle;
        const double window = 0.42 + 0.5 * std::cos(std::numbers::pi * n / (middle + 0.5)) +
                              0.08 * std::cos(2 * std::numbers::pi * n / (middle + 0.5));
        const double ideal = i == middle ? 0.5 : std::sin(std::numbers::pi * n / 2) / (std::numbers::pi * n);
        const double delta = i == middle ? 1.0 : 0.0;
        taps_[static_cast<std::size_t>(i)] = static_cast<float>(2 * ((1 - image) * ideal * window + image * delta));
    }
}

void BandImageUpsampler::process(std::span<const std::int16_t> in, std::vector<std::int16_t>& out) {
    // The zeros between the input samples are not multiplied: even outputs take the even taps, odd outputs the odd ones.
    const auto sample = [&](std::ptrdiff_t i) {
        return i >= 0 ? static_cast<float>(in[static_cast<std::size_t>(i)])
                      : history_[static_cast<std::size_t>(i + static_cast<std::ptrdiff_t>(kept))];
    };
    out.reserve(out.size() + 2 * in.size());
    for (std::ptrdiff_t i = 0; i < static_cast<std::ptrdiff_t>(in.size()); ++i) {
        float even = 0;
        float odd = 0;
        for (std::size_t k = 0; 2 * k < taps; ++k) even += taps_[2 * k] * sample(i - static_cast<std::ptrdiff_t>(k));
        for (std::size_t k = 0; 2 * k + 1 < taps; ++k) odd += taps_[2 * k + 1] * sample(i - static_cast<std::ptrdiff_t>(k));
        for (const float value : {even, odd})
            out.push_back(static_cast<std::int16_t>(std::lrint(std::clamp(value, -32768.0f, 32767.0f))));
    }
    std::array<float, kept> next{};
    for (std::size_t i = 0; i < kept; ++i)
        next[i] = sample(static_cast<std::ptrdiff_t>(in.size()) - static_cast<std::ptrdiff_t>(kept - i));
    history_ = next;
}

void BandImageUpsampler::reset() { history_.fill(0); }

}  // namespace jackfield::pocketsphinx
