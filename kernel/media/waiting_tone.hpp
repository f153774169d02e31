#pragma once

#include "media/g711.hpp"
#include "media/tone.hpp"
#include "media/types.hpp"

#include <cstdint>
#include <span>

namespace jackfield::media {

/// Two soft notes every other second: somebody is still there, and busy. Made here and not by a voice, because it is heard when no
/// provider answers.
class WaitingTone {
  public:
    /// Starts with a note at once, or falls silent at the end of the packet.
    void set(bool on);
    bool on() const { return on_; }
    /// Puts a packet of it over `codes`, which hold silence; false while it is off and nothing was changed.
    bool fill(G711Law law, std::span<std::uint8_t, packet_samples> codes);

  private:
    bool on_ = false;
    SamplePos position_ = 0; ///< in the pattern
    ToneGenerator low_{392.0F, 0.0F, -31.0F};
    ToneGenerator high_{523.25F, 0.0F, -31.0F};
};

}  // namespace jackfield::media
