#pragma once

#include "media/tone.hpp"
#include "media/types.hpp"

#include <array>
#include <chrono>
#include <cstdint>
#include <optional>
#include <span>

namespace jackfield::media {

struct DtmfPair {
    float low_hz = 0;
    float high_hz = 0;
};

/// The tones of 0-9, *, #, A-D (either case); nothing for other characters.
std::optional<DtmfPair> dtmf_pair(char digit);

struct DtmfTiming {
    std::chrono::milliseconds tone{100};
    std::chrono::milliseconds gap{80};
    /// RMS of each of the two tones.
    float level_dbov = -13.0F;
};

/// Plays one digit, then its gap.
class DtmfGenerator {
  public:
    /// False, and nothing plays, when there is no such digit.
    bool start(char digit, const DtmfTiming& timing = {});
    /// Fills with tone, gap and then silence; returns the samples that belong to the digit and its
    /// gap.
    std::size_t fill(std::span<std::int16_t> out);
    bool busy() const { return tone_left_ + gap_left_ > 0; }

  private:
    std::optional<ToneGenerator> tone_;
    std::size_t tone_left_ = 0;
    std::size_t gap_left_ = 0;
};

/// Hears digits in 8 kHz audio, for legs whose carrier does not send RFC 4733 events. A digit
/// counts from 40 ms on and is told once, when it has been there for two blocks of 12.75 ms.
class DtmfDetector {
  public:
    /// At most one digit begins within a frame of 30 ms.
    std::optional<char> feed(std::span<const std::int16_t> frame);
    /// The digit that sounds now, for muting it towards the recogniser; 0 when none.
    char sounding() const { return sounding_; }

  private:
    static constexpr int block = 102;

    char judge() const;
    std::optional<char> end_block();

    std::array<std::int16_t, block> samples_{};
    int filled_ = 0;
    int begin_ = 0; ///< of what is loud enough
    char last_block_ = 0;
    char sounding_ = 0;
};

}  // namespace jackfield::media
