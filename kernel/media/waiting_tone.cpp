#include "media/waiting_tone.hpp"

#include <algorithm>
#include <array>

namespace jackfield::media {
namespace {

constexpr SamplePos note = 180 * narrowband_hz / 1000;
constexpr SamplePos period = 2 * narrowband_hz;
constexpr SamplePos edge = 20 * narrowband_hz / 1000; // rises and falls that slowly: no click

/// Of a note at this sample, 0 to 1.
float envelope(SamplePos at) {
    const SamplePos nearest = std::min(at, note - 1 - at);
    return nearest >= edge ? 1.0F : static_cast<float>(nearest + 1) / static_cast<float>(edge + 1);
}

}  // namespace

void WaitingTone::set(bool on) {
    on_ = on;
    position_ = 0;
}

bool WaitingTone::fill(G711Law law, std::span<std::uint8_t, packet_samples> codes) {
    if (!on_) return false;
    std::array<std::int16_t, packet_samples> low;
    std::array<std::int16_t, packet_samples> high;
    low_.fill(low);
    high_.fill(high);
    for (std::size_t i = 0; i < codes.size(); ++i) {
        const SamplePos at = (position_ + static_cast<SamplePos>(i)) % period;
        if (at >= 2 * note) continue;
        const auto sample = static_cast<float>(at < note ? low[i] : high[i]) * envelope(at % note);
        codes[i] = encode_sample(law, static_cast<std::int16_t>(sample));
    }
    position_ = (position_ + packet_samples) % period;
    return true;
}

}  // namespace jackfield::media
