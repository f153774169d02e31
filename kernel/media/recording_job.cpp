#include "media/recording_job.hpp"

#include "media/wav.hpp"

#include <algorithm>
#include <utility>

namespace jackfield::media {
namespace {

// Half a second a write: a few system calls a second for a call, and not much to lose.
constexpr SamplePos write_samples = narrowband_hz / 2;
constexpr SamplePos header_samples = narrowband_hz;

}  // namespace

RecordingJob::RecordingJob(std::shared_ptr<Recording> recording,
                           std::string path,
                           const RecordingOptions& options,
                           RecordingDone done)
    : recording_(std::move(recording)),
      path_(std::move(path)),
      options_(options),
      done_(std::move(done)),
      window_samples_(
          std::max<SamplePos>(options.window.count() * narrowband_hz / 1000, 2 * write_samples)),
      longest_samples_(std::chrono::seconds(options.longest).count() * narrowband_hz),
      window_(static_cast<std::size_t>(window_samples_) * channels, silence_byte(options.law)) {}

bool RecordingJob::drain(RecordingStorage& storage, bool finish_now) {
    // Read before the ring: what was written before finish() is then surely taken below.
    const bool complete = finish_now || recording_->finished_.load(std::memory_order_acquire);
    if (file_ == nullptr && !failed_) {
        base::Result<std::unique_ptr<RecordingFile>> created = storage.create(path_);
        if (created) {
            file_ = std::move(*created);
            // A full disk already here is noticed again by the first audio.
            (void)write_header();
        } else {
            failed_ = true;
            report_.outcome = created.error().with_context("recording");
        }
    }
    while (recording_->ring_.pop(chunk_)) take(chunk_);
    write_ready(complete);
    if (complete) close();
    return complete;
}

void RecordingJob::take(const RecordingChunk& chunk) {
    const std::uint8_t* codes = chunk.codes.data();
    SamplePos at = chunk.at;
    auto left = static_cast<SamplePos>(chunk.size);
    if (at < origin_) {
        const SamplePos late = std::min(origin_ - at, left);
        report_.late_samples += static_cast<std::uint64_t>(late);
        at += late;
        codes += late;
        left -= late;
    }
    if (left == 0) return;
    if (at > longest_samples_ - left) {
        report_.lost_frames += static_cast<std::uint64_t>(left);
        return;
    }
    const SamplePos window_end = origin_ + window_samples_;
    if (at + left > window_end)
        write_until(std::max(at + left - window_samples_, origin_ + write_samples));
    const auto place = at % window_samples_;
    const SamplePos first = std::min(left, window_samples_ - place);
    interleave(chunk.side, place, {codes, static_cast<std::size_t>(first)});
    interleave(chunk.side, 0, {codes + first, static_cast<std::size_t>(left - first)});
    const auto side = static_cast<std::size_t>(chunk.side);
    end_[side] = std::max(end_[side], at + left);
}

void RecordingJob::interleave(RecordingSide side, SamplePos place, std::span<const std::uint8_t> codes) {
    std::uint8_t* to = window_.data() + static_cast<std::size_t>(place) * channels + static_cast<std::size_t>(side);
    for (const std::uint8_t code : codes) {
        *to = code;
        to += channels;
    }
}

void RecordingJob::write_ready(bool all) {
    const SamplePos newest = std::max(end_[0], end_[1]);
    const SamplePos both = std::min(end_[0], end_[1]);
    if (all) {
        if (newest > origin_) write_until(newest);
    } else if (both - origin_ >= write_samples) {
        write_until(both);
    }
    if (file_ != nullptr && on_disk_ - header_says_ >= header_samples) {
        if (write_header()) header_says_ = on_disk_;
    }
}

void RecordingJob::write_until(SamplePos end) {
    while (origin_ < end) {
        const SamplePos place = origin_ % window_samples_;
        // What lies beyond the window was never written to and is silence; it is written a window
        // at a time.
        const SamplePos n = std::min(end - origin_, window_samples_ - place);
        const auto frames = std::span(window_).subspan(static_cast<std::size_t>(place) * channels,
                                                       static_cast<std::size_t>(n) * channels);
        if (!append(frames)) report_.lost_frames += static_cast<std::uint64_t>(n);
        fill_silence(options_.law, frames);
        origin_ += n;
    }
}

bool RecordingJob::append(std::span<const std::uint8_t> frames) {
    if (file_ == nullptr || !append_silence(origin_)) return false;
    const std::uint64_t offset =
        g711_wav_header_size + static_cast<std::uint64_t>(on_disk_) * channels;
    if (!file_->write_at(offset, frames)) return false;
    on_disk_ += static_cast<SamplePos>(frames.size() / channels);
    return true;
}

/// Stands in for what the disk refused earlier. The hole that a later write would leave reads as
/// zeros, which is the loudest code of mu-law.
bool RecordingJob::append_silence(SamplePos until) {
    std::array<std::uint8_t, 4096> silence;
    fill_silence(options_.law, silence);
    while (on_disk_ < until) {
        const auto bytes = static_cast<std::size_t>(until - on_disk_) * channels;
        const auto part = std::span(silence).first(std::min(bytes, silence.size()));
        const std::uint64_t offset =
            g711_wav_header_size + static_cast<std::uint64_t>(on_disk_) * channels;
        if (!file_->write_at(offset, part)) return false;
        on_disk_ += static_cast<SamplePos>(part.size() / channels);
    }
    return true;
}

base::Result<> RecordingJob::write_header() {
    return file_->write_at(
        0, g711_wav_header(options_.law, channels, static_cast<std::uint64_t>(on_disk_)));
}

void RecordingJob::close() {
    if (file_ != nullptr) {
        base::Result<> closed = write_header();
        if (closed) closed = file_->commit();
        if (!closed) report_.outcome = closed.error().with_context("recording");
        file_.reset();
    }
    report_.frames = static_cast<std::uint64_t>(on_disk_);
    report_.dropped_samples = recording_->dropped_samples();
    if (done_) done_(report_);
}

}  // namespace jackfield::media
