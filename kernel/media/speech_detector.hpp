#pragma once

#include "media/types.hpp"

#include <chrono>
#include <optional>

namespace jackfield::media {

struct SpeechDetectorOptions {
    int rate_hz = narrowband_hz;
    /// So much voice, little else between it, is a person who starts to speak.
    std::chrono::milliseconds start{100};
    /// So much quiet is a person who stopped.
    std::chrono::milliseconds stop{200};
};

enum class SpeechEdge { start, stop };

struct SpeechEvent {
    SpeechEdge edge = SpeechEdge::start;
    /// Where speech began or ended: the first voiced sample, or the one after the last.
    SamplePos at = 0;
    /// Where the detector stood when it was sure, later than `at` by the start or stop time.
    SamplePos decided_at = 0;
    /// Voiced samples between begin and now, pauses not counted.
    SamplePos voiced_samples = 0;
};

/// Turns the voice detector's flicker into speech that starts and stops. A pure state machine.
class SpeechDetector {
  public:
    explicit SpeechDetector(const SpeechDetectorOptions& options = {});

    /// The next frame: `samples` long, beginning at `pts`. Samples missing before it count as
    /// quiet; a frame from the past moves the detector there and is counted as it comes.
    std::optional<SpeechEvent> feed(SamplePos pts, int samples, bool voiced);
    void reset();

    bool speaking() const { return speaking_; }
    /// Voice gathered so far, also before it is enough to be speech: what barge-in watches.
    std::chrono::milliseconds voiced() const;
    /// Quiet since the last voiced frame, as far as fed.
    std::chrono::milliseconds quiet() const;
    /// The first voiced sample of the speech, or of the candidate.
    SamplePos began_at() const { return began_at_; }
    SamplePos last_voiced_end() const { return last_voiced_end_; }

  private:
    void gather(SamplePos pts, int samples);
    std::optional<SpeechEvent> feed_voiced(SamplePos pts, int samples);
    std::optional<SpeechEvent> feed_quiet(SamplePos samples);

    SpeechDetectorOptions options_;
    SamplePos start_samples_;
    SamplePos stop_samples_;
    bool speaking_ = false;
    bool fed_ = false;
    SamplePos position_ = 0;
    SamplePos began_at_ = 0;
    SamplePos last_voiced_end_ = 0;
    SamplePos voiced_samples_ = 0;
    // Before speech is sure: voice minus the quiet between it, so that a click an hour ago counts
    // for nothing and the short closures inside a word do not start the count again.
    SamplePos candidate_ = 0;
};

}  // namespace jackfield::media
