#pragma once

#include "media/types.hpp"

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <span>

namespace jackfield::media {

enum class RecordingSide : std::uint8_t { caller, agent };  // left, right

struct RecordingChunk {
    static constexpr std::size_t most = 480;

    RecordingSide side = RecordingSide::caller;
    SamplePos at = 0;
    std::size_t size = 0;
    std::array<std::uint8_t, most> codes{};
};

/// Carries audio from a call's shard to the thread that writes files. One thread pushes, one pops;
/// neither waits.
class RecordingRing {
  public:
    /// `bytes` is rounded up to a power of two.
    explicit RecordingRing(std::size_t bytes);

    /// Returns how many samples found room.
    std::size_t push(RecordingSide side, SamplePos at, std::span<const std::uint8_t> codes);
    bool pop(RecordingChunk& chunk);

  private:
    struct Header {
        SamplePos at = 0;
        std::uint16_t size = 0;
        RecordingSide side = RecordingSide::caller;
    };

    void copy_in(std::size_t at, const void* from, std::size_t n);
    void copy_out(std::size_t at, void* to, std::size_t n) const;

    std::size_t capacity_;
    std::unique_ptr<std::uint8_t[]> bytes_;
    // On cache lines of their own: each is written by one side and read by the other.
    alignas(64) std::atomic<std::size_t> written_{0};
    alignas(64) std::atomic<std::size_t> read_{0};
};

}  // namespace jackfield::media
