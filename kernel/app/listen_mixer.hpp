#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "media/recording_ring.hpp"

namespace jackfield::app {

/// Puts two sides that arrive in pieces, the caller's later and with holes, onto one line of time. The agent's side is its clock: it is written for
/// every 20 ms of the call.
class ListenMixer {
  public:
    explicit ListenMixer(bool stereo) : stereo_(stereo) {}

    void add(media::RecordingSide side, media::SamplePos at, std::span<const std::int16_t> samples);
    /// What is complete, interleaved when stereo (caller left): all up to `patience` before the agent's end, or everything once the call is over.
    std::vector<std::int16_t> take(bool over);

    static constexpr media::SamplePos patience = 800; ///< 100 ms: the caller's packets come through a reorder window
    int channels() const { return stereo_ ? 2 : 1; }

  private:
    bool stereo_;
    bool begun_ = false;
    media::SamplePos from_ = 0;      ///< position of the first samples below
    media::SamplePos agent_end_ = 0;
    std::vector<std::int16_t> sides_[2];
};

/// 16-bit WAV of unknown length: what a pipe begins with. `frames` 0: not known (yet).
std::vector<std::uint8_t> pcm_wav_header(int channels, std::uint64_t frames);

}  // namespace jackfield::app
