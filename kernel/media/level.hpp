#pragma once

#include "media/g711.hpp"

#include <cstdint>
#include <span>

namespace jackfield::media {

/// How loud one frame is.
struct Level {
    /// RMS relative to overload, as in RFC 6464: 0 is a full-scale square wave, -127 is digital
    /// silence.
    float rms_dbov = -127.0F;
    std::int32_t peak = 0;
    /// Samples at the end of the scale, where speech has been cut off.
    std::uint32_t clipped = 0;
};

Level measure(std::span<const std::int16_t> frame);
/// The same from companded bytes, without decoding them first.
Level measure(G711Law law, std::span<const std::uint8_t> frame);

/// Mean of the squared samples; 0 for an empty frame. What per-frame decisions compare, since it
/// needs no logarithm.
float mean_square(std::span<const std::int16_t> frame);
float mean_square(G711Law law, std::span<const std::uint8_t> frame);

float mean_square_to_dbov(float mean_square);
float dbov_to_mean_square(float dbov);

}  // namespace jackfield::media
