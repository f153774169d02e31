#pragma once

#include "media/types.hpp"

#include <cstdint>
#include <span>

namespace jackfield::media {

/// One or two sine waves, continuous from call to call.
class ToneGenerator {
  public:
    /// `level_dbov` is the RMS of each wave; 0 Hz leaves a wave out.
    ToneGenerator(float first_hz, float second_hz, float level_dbov, int rate_hz = narrowband_hz);
    void fill(std::span<std::int16_t> out);

  private:
    // A rotating phasor per wave: four multiplications a sample instead of a sine.
    struct Wave {
        Wave(float hz, float amplitude, int rate_hz);
        double next();
        double re;
        double im;
        double turn_re;
        double turn_im;
    };
    Wave first_;
    Wave second_;
};

/// Quiet noise, for when the far end stops sending and silence would sound like a dead line.
class ComfortNoise {
  public:
    explicit ComfortNoise(float level_dbov = -62.0F, std::uint32_t seed = 1);
    void fill(std::span<std::int16_t> out);

  private:
    std::uint32_t state_;
    float amplitude_;
};

}  // namespace jackfield::media
