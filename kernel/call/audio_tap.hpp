#pragma once

#include <atomic>
#include <cstdint>
#include <span>

#include "media/g711.hpp"
#include "media/recording_ring.hpp"

namespace jackfield::call {

/// One listener's copy of what both sides of a call say. The call writes on its shard and never waits: what finds no room, since the listener is
/// slow or gone, is dropped and counted. The listener reads on a thread of its own.
class AudioTap {
  public:
    /// Four seconds of both sides.
    static constexpr std::size_t ring_bytes = 64 * 1024;

    explicit AudioTap(media::G711Law law) : law_(law), ring_(ring_bytes) {}

    media::G711Law law() const { return law_; }

    // The call's side.
    void write(media::RecordingSide side, media::SamplePos at, std::span<const std::uint8_t> codes) {
        const std::size_t taken = ring_.push(side, at, codes);
        if (taken < codes.size()) dropped_.fetch_add(codes.size() - taken, std::memory_order_relaxed);
    }
    void end() { ended_.store(true, std::memory_order_release); }
    bool abandoned() const { return abandoned_.load(std::memory_order_acquire); }

    // The listener's.
    bool read(media::RecordingChunk& chunk) { return ring_.pop(chunk); }
    /// The call is over: what can still be read is all there is.
    bool ended() const { return ended_.load(std::memory_order_acquire); }
    std::uint64_t dropped_samples() const { return dropped_.load(std::memory_order_relaxed); }
    void abandon() { abandoned_.store(true, std::memory_order_release); }

  private:
    media::G711Law law_;
    media::RecordingRing ring_;
    std::atomic<std::uint64_t> dropped_{0};
    std::atomic<bool> ended_{false};
    std::atomic<bool> abandoned_{false};
};

}  // namespace jackfield::call
