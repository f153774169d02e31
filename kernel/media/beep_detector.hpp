#pragma once

#include <cstdint>
#include <optional>
#include <span>

namespace jackfield::media {

/// Hears the beep of an answering machine in 8 kHz audio: one steady tone of 300 to 2500 Hz, loud
/// enough and at least 160 ms long. Speech and music hold no such tone for so long, and DTMF has
/// two.
class BeepDetector {
  public:
    /// True when a beep has just ended. Frames of 20 ms.
    bool feed(std::span<const std::int16_t> frame);

  private:
    /// The one tone that nearly all of the frame is, in hertz.
    static std::optional<float> tone_of(std::span<const std::int16_t> frame);

    float hz_ = 0;
    int frames_ = 0;
};

}  // namespace jackfield::media
