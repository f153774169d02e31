#include "media/recording.hpp"

#include "media/recording_job.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

namespace jackfield::media {
namespace {

// Two sides, fifty packets a second each, a header for each packet.
constexpr std::size_t ring_bytes_per_second = 2 * 50 * (packet_samples + 16);

}  // namespace

bool Recording::write(RecordingSide side, SamplePos at, std::span<const std::uint8_t> codes) {
    const std::size_t taken = ring_.push(side, at, codes);
    if (taken == codes.size()) return true;
    dropped_.fetch_add(codes.size() - taken, std::memory_order_relaxed);
    return false;
}

RecordingWriter::RecordingWriter(std::shared_ptr<RecordingStorage> storage)
    : storage_(std::move(storage)) {}

RecordingWriter::~RecordingWriter() {
    stop();
}

std::shared_ptr<Recording> RecordingWriter::open(std::string path,
                                                 const RecordingOptions& options,
                                                 RecordingDone done) {
    const auto ms = static_cast<std::size_t>(std::max<std::int64_t>(0, options.ring.count()));
    auto recording = std::make_shared<Recording>(ring_bytes_per_second * ms / 1000);
    auto job = std::make_unique<RecordingJob>(recording, std::move(path), options, std::move(done));
    const std::lock_guard lock(mutex_);
    new_jobs_.push_back(std::move(job));
    ++open_;
    // The caller's pointer has a count of its own, so that letting go of it is seen as the end.
    Recording* const shared = recording.get();
    return {shared, [keep = std::move(recording)](Recording* ended) { ended->finish(); }};
}

void RecordingWriter::drain() {
    drain_jobs(false);
}

void RecordingWriter::drain_jobs(bool finish_all) {
    const std::lock_guard only_one(draining_);
    {
        const std::lock_guard lock(mutex_);
        std::move(new_jobs_.begin(), new_jobs_.end(), std::back_inserter(jobs_));
        new_jobs_.clear();
    }
    const std::size_t finished =
        std::erase_if(jobs_, [&](const std::unique_ptr<RecordingJob>& job) {
            return job->drain(*storage_, finish_all);
        });
    const std::lock_guard lock(mutex_);
    open_ -= finished;
}

std::size_t RecordingWriter::open_recordings() const {
    const std::lock_guard lock(mutex_);
    return open_;
}

void RecordingWriter::start(base::Milliseconds interval) {
    if (thread_.joinable()) return;
    thread_ = std::thread([this, interval] { run(interval); });
}

void RecordingWriter::run(base::Milliseconds interval) {
    std::unique_lock lock(mutex_);
    while (!stopping_) {
        wake_.wait_for(lock, interval, [this] { return stopping_; });
        lock.unlock();
        drain();
        lock.lock();
    }
}

void RecordingWriter::stop() {
    {
        const std::lock_guard lock(mutex_);
        stopping_ = true;
    }
    wake_.notify_all();
    if (thread_.joinable()) thread_.join();
    drain_jobs(true);
}

}  // namespace jackfield::media
