#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

namespace jackfield::pocketsphinx {

/// ITU-T G.711.
std::int16_t decode_mu_law(std::uint8_t code);
std::int16_t decode_a_law(std::uint8_t code);

/// Doubles the rate of telephone audio and keeps its mirror image above the old Nyquist frequency, attenuated. The acoustic
/// model expects energy up to 6.8 kHz; with an ordinary low-pass the band above 4 kHz is emptier than any speech that it was trained
/// on. With the utterance's own mean taken off it matters less than it did with a running mean: see the README.
class BandImageUpsampler {
  public:
    static constexpr int taps = 63;

    explicit BandImageUpsampler(double image_db);

    /// Writes 2 * in.size() samples to the end of `out`. Keeps the last samples as history for the next call.
    void process(std::span<const std::int16_t> in, std::vector<std::int16_t>& out);
    void reset();

    /// Samples, at the doubled rate, by which the output lags.
    static constexpr int delay() { return (taps - 1) / 2; }
    const std::array<float, taps>& coefficients() const { return taps_; }

  private:
    static constexpr std::size_t kept = taps / 2;  // input samples that a filter phase looks back on
    std::array<float, taps> taps_{};
    std::array<float, kept> history_{};
};

}  // namespace jackfield::pocketsphinx
