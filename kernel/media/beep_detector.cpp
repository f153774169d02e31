#include "media/beep_detector.hpp"

#include <cmath>
#include <numbers>

namespace jackfield::media {
namespace {

constexpr float rate = 8000;
constexpr float lowest = 300;
constexpr float highest = 2500;
constexpr int shortest_frames = 8;
/// 60 s of "beep" is a dead line's tone, not a machine's.
constexpr int longest_frames = 250;
constexpr float quietest_rms = 330;  // -40 dBov
/// Of the frame's energy, the part at the tone's frequency. G.711 leaves a clean tone above 0.98.
constexpr float purest = 0.85F;

/// Power of a sine of that frequency, 1 for a frame that is one.
float share_at(std::span<const std::int16_t> frame, float hz, float energy) {
    const float step = 2 * std::numbers::pi_v<float> * hz / rate;
    float re = 0, im = 0;
    for (std::size_t i = 0; i < frame.size(); ++i) {
        const float angle = step * static_cast<float>(i);
        re += static_cast<float>(frame[i]) * std::cos(angle);
        im += static_cast<float>(frame[i]) * std::sin(angle);
    }
    return 2 * (re * re + im * im) / (static_cast<float>(frame.size()) * energy);
}

}  // namespace

std::optional<float> BeepDetector::tone_of(std::span<const std::int16_t> frame) {
    float energy = 0;
    int crossings = 0;
    float first = 0, last = 0;
    for (std::size_t i = 0; i < frame.size(); ++i) {
        const auto sample = static_cast<float>(frame[i]);
        energy += sample * sample;
        if (i == 0 || !((frame[i - 1] < 0) != (frame[i] < 0))) continue;
        // Between the two samples, where the line through them crosses zero.
        const auto before = static_cast<float>(frame[i - 1]);
        const float at = static_cast<float>(i) - sample / (sample - before);
        if (crossings++ == 0) first = at;
        last = at;
    }
    const auto size = static_cast<float>(frame.size());
    if (crossings < 3 || energy < quietest_rms * quietest_rms * size) return std::nullopt;
    const float hz = rate * static_cast<float>(crossings - 1) / (2 * (last - first));
    if (hz < lowest || hz > highest || share_at(frame, hz, energy) < purest) return std::nullopt;
    return hz;
}

bool BeepDetector::feed(std::span<const std::int16_t> frame) {
    const auto hz = tone_of(frame);
    if (hz && frames_ > 0 && std::abs(*hz - hz_) < 0.03F * hz_) {
        ++frames_;
        return false;
    }
    const bool beep = frames_ >= shortest_frames && frames_ <= longest_frames;
    frames_ = hz ? 1 : 0;
    hz_ = hz.value_or(0);
    return beep;
}

}  // namespace jackfield::media
