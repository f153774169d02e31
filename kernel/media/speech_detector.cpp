#include "media/speech_detector.hpp"

#include <algorithm>

namespace jackfield::media {
namespace {

SamplePos to_samples(std::chrono::milliseconds duration, int rate_hz) {
    return duration.count() * rate_hz / 1000;
}

}  // namespace

SpeechDetector::SpeechDetector(const SpeechDetectorOptions& options)
    : options_(options),
      start_samples_(to_samples(options.start, options.rate_hz)),
      stop_samples_(to_samples(options.stop, options.rate_hz)) {}

std::optional<SpeechEvent> SpeechDetector::feed(SamplePos pts, int samples, bool voiced) {
    std::optional<SpeechEvent> event;
    if (fed_ && pts > position_) event = feed_quiet(pts - position_);
    fed_ = true;
    position_ = pts;
    last_voiced_end_ = std::min(last_voiced_end_, pts);
    if (!event) return voiced ? feed_voiced(pts, samples) : feed_quiet(samples);
    // The hole itself ended speech. One call reports one event, so a voiced frame behind it only
    // opens the next candidate.
    if (voiced) gather(pts, samples);
    return event;
}

void SpeechDetector::gather(SamplePos pts, int samples) {
    if (!speaking_ && candidate_ == 0) {
        began_at_ = pts;
        voiced_samples_ = 0;
    }
    position_ = pts + samples;
    voiced_samples_ += samples;
    last_voiced_end_ = position_;
    if (!speaking_) candidate_ += samples;
}

std::optional<SpeechEvent> SpeechDetector::feed_voiced(SamplePos pts, int samples) {
    gather(pts, samples);
    if (speaking_ || candidate_ < start_samples_) return std::nullopt;
    speaking_ = true;
    candidate_ = 0;
    return SpeechEvent{SpeechEdge::start, began_at_, position_, voiced_samples_};
}

std::optional<SpeechEvent> SpeechDetector::feed_quiet(SamplePos samples) {
    position_ += samples;
    if (!speaking_) {
        candidate_ = std::max<SamplePos>(0, candidate_ - samples);
        if (candidate_ == 0) voiced_samples_ = 0;
        return std::nullopt;
    }
    if (position_ - last_voiced_end_ < stop_samples_) return std::nullopt;
    speaking_ = false;
    const SpeechEvent event{SpeechEdge::stop, last_voiced_end_, position_, voiced_samples_};
    voiced_samples_ = 0;
    return event;
}

void SpeechDetector::reset() {
    *this = SpeechDetector(options_);
}

std::chrono::milliseconds SpeechDetector::voiced() const {
    return std::chrono::milliseconds(voiced_samples_ * 1000 / options_.rate_hz);
}

std::chrono::milliseconds SpeechDetector::quiet() const {
    const SamplePos samples = std::max<SamplePos>(0, position_ - last_voiced_end_);
    return std::chrono::milliseconds(fed_ ? samples * 1000 / options_.rate_hz : 0);
}

}  // namespace jackfield::media
