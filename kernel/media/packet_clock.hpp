#pragma once

#include "base/clock.hpp"
#include "media/types.hpp"

#include <cstdint>

namespace jackfield::media {

struct PacketClockOptions {
    base::Milliseconds interval{packet_ms};
    /// A thread that was held up sends at most so many packets at once; the receiver's jitter
    /// buffer takes no more.
    unsigned most_at_once = 3;
};

/// When each packet of a stream is due, counted from the start and not from the packet before, so
/// that late wake-ups do not add up.
class PacketClock {
  public:
    explicit PacketClock(const PacketClockOptions& options = {}) : options_(options) {}

    /// The first packet is due at `first_due`.
    void start(base::MonoTime first_due);

    struct Due {
        unsigned packets = 0;
        /// Intervals that passed unserved and won't be made up for: the media time jumps over them.
        std::uint64_t skipped = 0;
    };
    /// How many packets to send at `now`. They count as sent.
    Due due(base::MonoTime now);
    base::MonoTime next_due() const { return next_; }
    std::uint64_t skipped_total() const { return skipped_total_; }

  private:
    PacketClockOptions options_;
    base::MonoTime next_;
    std::uint64_t skipped_total_ = 0;
};

}  // namespace jackfield::media
