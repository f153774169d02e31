#pragma once

#include "media/recording.hpp"

#include <array>
#include <memory>
#include <string>
#include <vector>

namespace jackfield::media {

/// The writing thread's end of one recording: interleaves both sides in a window and moves the
/// window along the file.
class RecordingJob {
  public:
    RecordingJob(std::shared_ptr<Recording> recording,
                 std::string path,
                 const RecordingOptions& options,
                 RecordingDone done);

    /// Writes what has come. True when the recording is complete and the report was given.
    bool drain(RecordingStorage& storage, bool finish_now);

  private:
    static constexpr std::size_t channels = 2;

    void take(const RecordingChunk& chunk);
    /// One side's samples into the window, from the frame `place` on; they fit before its end.
    void interleave(RecordingSide side, SamplePos place, std::span<const std::uint8_t> codes);
    void write_ready(bool all);
    /// Moves the window's begin to `end`, writing what it leaves behind.
    void write_until(SamplePos end);
    bool append(std::span<const std::uint8_t> frames);
    bool append_silence(SamplePos until);
    base::Result<> write_header();
    void close();

    std::shared_ptr<Recording> recording_;
    std::string path_;
    RecordingOptions options_;
    RecordingDone done_;
    RecordingReport report_;

    std::unique_ptr<RecordingFile> file_;
    bool failed_ = false;
    SamplePos window_samples_;
    SamplePos longest_samples_;
    std::vector<std::uint8_t> window_;
    SamplePos origin_ = 0;
    std::array<SamplePos, channels> end_{};
    // Frames that are in the file without a hole; behind origin_ after the disk refused some.
    SamplePos on_disk_ = 0;
    SamplePos header_says_ = 0;
    RecordingChunk chunk_;
};

}  // namespace jackfield::media
