#pragma once

#include "base/result.hpp"

#include <cstdint>
#include <limits>
#include <memory>
#include <span>

namespace jackfield::media {

enum class VadMode : std::uint8_t {
    denoised,  ///< speexdsp's noise suppression, then WebRTC's detector: holds in line noise, about
               ///< 10 us a frame that is neither clear of the noise nor lost in it, as plain for others
    plain,     ///< WebRTC's detector alone: about 1 us, says "speech" to steady noise
    energy,    ///< level above a floor that adapts: a tenth of a microsecond, for many calls on a
               ///< small machine
};

struct VadOptions {
    VadMode mode = VadMode::denoised;
    /// 0 hears everything, 3 wants clear speech.
    int aggressiveness = 2;
    int frame_ms = 20;
    int rate_hz = 8000;
    /// A frame quieter than this is silence and reaches neither library. -127 sends every frame
    /// through.
    float skip_below_dbov = -65.0F;
};

/// Says of each frame whether a person speaks in it. One instance per direction of a call;
/// allocates only when created.
class Vad {
  public:
    /// INVALID: an aggressiveness outside 0..3, or a frame or rate that the detector does not know
    /// (10, 20 or 30 ms at 8, 16, 32 or 48 kHz).
    static base::Result<std::unique_ptr<Vad>> create(const VadOptions& options);
    ~Vad();
    Vad(const Vad&) = delete;
    Vad& operator=(const Vad&) = delete;

    /// `frame` has frame_samples() samples; a frame of another size counts as silence.
    bool process(std::span<const std::int16_t> frame);

    std::size_t frame_samples() const { return frame_samples_; }
    /// Frames that the fast path for silence answered.
    std::uint64_t skipped_frames() const { return skipped_frames_; }
    /// Frames that went through noise suppression, the dearest step.
    std::uint64_t denoised_frames() const { return denoised_frames_; }

  private:
    struct Engines;
    Vad(const VadOptions& options, std::size_t frame_samples, std::unique_ptr<Engines> engines);
    /// Where a frame stands above the line's noise, which is what decides whether it needs noise suppression.
    enum class Standing : std::uint8_t { clear, doubtful, in_the_noise };
    void note_noise(float mean_square);
    Standing standing_of(float mean_square) const;
    bool in_a_pause(Standing standing);
    bool louder_than_floor(float mean_square);

    VadOptions options_;
    std::size_t frame_samples_;
    float skip_below_;
    float floor_;
    float floor_rise_;
    int frames_a_second_;
    float margin_;
    int frames_of_second_ = 0;
    int noise_row_ = 0;
    int noise_frames_ = 0;
    // Of the second that runs and of the one before. Until the first quiet frame the line counts as noisy.
    float quietest_now_ = std::numeric_limits<float>::max();
    float quietest_before_ = std::numeric_limits<float>::max();
    std::uint64_t skipped_frames_ = 0;
    std::uint64_t denoised_frames_ = 0;
    std::unique_ptr<Engines> engines_;
};

}  // namespace jackfield::media
