#pragma once

#include <cstdint>

namespace jackfield::media {

/// A place on one leg's time line, in samples per channel since the stream opened. Signed, so that
/// differences are.
using SamplePos = std::int64_t;

inline constexpr int narrowband_hz = 8000;
inline constexpr int packet_ms = 20;
/// One packet of G.711 at 8 kHz: as many samples as bytes.
inline constexpr int packet_samples = narrowband_hz * packet_ms / 1000;

}  // namespace jackfield::media
