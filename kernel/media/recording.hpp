#pragma once

#include "base/clock.hpp"
#include "base/result.hpp"
#include "media/g711.hpp"
#include "media/recording_ring.hpp"
#include "media/recording_storage.hpp"
#include "media/types.hpp"

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <thread>
#include <vector>

namespace jackfield::media {

/// What became of a recording.
struct RecordingReport {
    /// OK, or why the file is missing or was not finished.
    base::Result<> outcome;
    std::uint64_t frames = 0;
    /// Samples for which the ring had no room, since the disk was too slow.
    std::uint64_t dropped_samples = 0;
    /// Frames that the disk refused; silence stands in their place where later audio could be
    /// written.
    std::uint64_t lost_frames = 0;
    /// Samples that came after their place in the file had been written.
    std::uint64_t late_samples = 0;
};

/// The call's end of one recording: caller left, agent right, on one time line of sample positions.
/// write() copies and nothing else; whatever the disk does, it returns at once.
class Recording {
  public:
    explicit Recording(std::size_t ring_bytes) : ring_(ring_bytes) {}

    /// One thread at a time, as all of the call's audio. False: the writer is behind, what didn't
    /// fit is lost and counted.
    bool write(RecordingSide side, SamplePos at, std::span<const std::uint8_t> codes);
    /// Nothing follows. Letting go of the last pointer means the same.
    void finish() { finished_.store(true, std::memory_order_release); }

    std::uint64_t dropped_samples() const { return dropped_.load(std::memory_order_relaxed); }

  private:
    friend class RecordingJob;

    RecordingRing ring_;
    std::atomic<bool> finished_{false};
    std::atomic<std::uint64_t> dropped_{0};
};

struct RecordingOptions {
    G711Law law = G711Law::mu;
    /// How long the disk may stand still before audio is dropped.
    base::Milliseconds ring{3500};
    /// How far one side may lag behind the other and still find its place.
    base::Milliseconds window{2000};
    /// A position beyond this is a mistake and not a pause.
    std::chrono::hours longest{4};
};

using RecordingDone = std::function<void(const RecordingReport&)>;
class RecordingJob;

/// Writes all recordings, either on a thread of its own (start) or whenever drain() is called, for
/// instance from a pool or by a simulation. Files get a header that fits every second or so, so
/// that a crash leaves something playable.
class RecordingWriter {
  public:
    explicit RecordingWriter(std::shared_ptr<RecordingStorage> storage);
    ~RecordingWriter();
    RecordingWriter(const RecordingWriter&) = delete;
    RecordingWriter& operator=(const RecordingWriter&) = delete;

    /// Any thread; touches no file, the next drain() creates it. `done` is called once, on the
    /// draining thread. Shared, since the audio path lets go of it when the call ends and the
    /// writer when all is on disk.
    std::shared_ptr<Recording> open(std::string path,
                                    const RecordingOptions& options,
                                    RecordingDone done);

    /// Writes what is queued. One drain runs at a time; a second caller waits.
    void drain();
    /// Recordings that are not finished yet.
    std::size_t open_recordings() const;

    void start(base::Milliseconds interval = base::Milliseconds(200));
    /// Ends the thread, writes what is queued, and finishes every recording as it is.
    void stop();

  private:
    void run(base::Milliseconds interval);
    void drain_jobs(bool finish_all);

    std::shared_ptr<RecordingStorage> storage_;
    mutable std::mutex mutex_;  // guards new_jobs_, open_ and stopping_
    std::condition_variable wake_;
    std::vector<std::unique_ptr<RecordingJob>> new_jobs_;
    std::size_t open_ = 0;
    bool stopping_ = false;
    std::mutex draining_;  // guards jobs_
    std::vector<std::unique_ptr<RecordingJob>> jobs_;
    std::thread thread_;
};

}  // namespace jackfield::media
