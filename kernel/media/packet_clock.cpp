#include "media/packet_clock.hpp"

namespace jackfield::media {

void PacketClock::start(base::MonoTime first_due) {
    next_ = first_due;
}

PacketClock::Due PacketClock::due(base::MonoTime now) {
    if (now < next_) return {};
    const base::Nanoseconds interval = options_.interval;
    const auto behind = static_cast<std::uint64_t>((now - next_) / interval) + 1;
    // The grid stays: media time and clock time agree again once the skipped intervals are counted.
    next_ = next_ + interval * static_cast<std::int64_t>(behind);
    if (behind <= options_.most_at_once) return {static_cast<unsigned>(behind), 0};
    const std::uint64_t skipped = behind - options_.most_at_once;
    skipped_total_ += skipped;
    return {options_.most_at_once, skipped};
}

}  // namespace jackfield::media
