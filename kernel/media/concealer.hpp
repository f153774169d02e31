#pragma once

#include "media/tone.hpp"
#include "media/types.hpp"

#include <array>
#include <cstdint>
#include <span>

namespace jackfield::media {

/// Continues a voice of which the next piece is missing: its last pitch period again and again, fading to nothing within 60 ms, in the
/// style of ITU-T G.711 Appendix I; then noise as loud as the line was between the words. Nothing it gives clicks, neither where the
/// voice broke off nor where it comes back.
///
/// An own one rather than spandsp's: that brings libtiff along, and the pitch search is needed for the jitter buffer's own stretching too.
class Concealer {
  public:
    /// The shortest and the longest pitch period: 200 Hz and 66 Hz.
    static constexpr int least_period = 40;
    static constexpr int most_period = 120;
    static constexpr int blend_samples = 5 * narrowband_hz / 1000;

    /// Audio that was given out as it came. The first of it after a gap is changed: it is blended with what stood in the gap.
    void pass(std::span<std::int16_t> audio);
    /// The gap's next samples.
    void fill(std::span<std::int16_t> out);
    /// What is passed next doesn't continue what was passed before: blend the two.
    void cut();

    bool filling() const { return filled_ > 0; }
    /// Only noise is left of the voice.
    bool faded() const { return filled_ >= fade_samples; }
    /// What was given out last, the newest sample at the end.
    std::span<const std::int16_t> history() const { return history_; }
    float noise_dbov() const { return noise_dbov_; }

    /// By how many samples the last `window` ones of `audio` resemble what was before them most.
    static int pitch_period(std::span<const std::int16_t> audio, int window = packet_samples);

  private:
    static constexpr int history_samples = 390;
    static constexpr int level_samples = 10 * narrowband_hz / 1000;  // full level for so long
    static constexpr int fade_samples = 60 * narrowband_hz / 1000;

    void begin();
    std::int16_t next();
    void remember(std::span<const std::int16_t> audio);
    void listen(std::span<const std::int16_t> audio);

    std::array<std::int16_t, history_samples> history_{};
    std::array<std::int16_t, most_period> period_{};
    int period_size_ = least_period;
    int at_ = 0;
    int filled_ = 0;
    int seam_ = 0;
    bool heard_ = false;
    float noise_dbov_ = -66.0F;
    ComfortNoise noise_;
    std::uint32_t noise_seed_ = 1;
};

}  // namespace jackfield::media
