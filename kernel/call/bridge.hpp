#pragma once

#include <array>
#include <cstdint>
#include <span>

#include "base/clock.hpp"
#include "media/g711.hpp"
#include "media/jitter_buffer.hpp"
#include "media/types.hpp"

namespace jackfield::call {

/// The sound of two legs that talk to each other: each hears the other, through a jitter buffer and in its own law. Needs nothing of either
/// leg's provider, so that any two can be joined.
class Bridge {
  public:
    enum class Side : std::uint8_t { caller, other };

    /// A packet that came from `side`. Packets of any length; only 8 kHz mono.
    void push(Side from, media::SamplePos pts, media::G711Law law, std::span<const std::uint8_t> codes, base::MonoTime now);
    /// The next packet for `side`, once per 20 ms. False: the other side has never sent anything, and `codes` is silence.
    bool pop(Side to, media::G711Law law, std::span<std::uint8_t, media::packet_samples> codes);

    const media::JitterCounters& heard_from(Side side) const { return buffers_[index(side)].counters(); }

  private:
    static std::size_t index(Side side) { return side == Side::caller ? 0 : 1; }
    std::array<media::JitterBuffer, 2> buffers_; ///< by whom they come from
};

}  // namespace jackfield::call
