#pragma once

#include <condition_variable>
#include <deque>
#include <mutex>

#include <jackfield/host.h>
#include <jackfield/sdk/plugin.hpp>

#include "store.hpp"
#include "vectors_cache.hpp"

namespace jackfield::sqlite {

/// Brings vectors into memory and makes their graphs, on the host's worker threads. Everything that it makes can be made again from the rows.
///
/// One graph is built by one thread: hnswlib's own insertions from several threads race for its random levels and its entry point. Graphs of several
/// tenants are built at the same time.
class VectorBuilder : private sdk::OpUser {
  public:
    /// After a failure, or when there was no room: searches go on without, and ask again.
    static constexpr std::uint64_t pause_ns = 10'000'000'000;

    VectorBuilder(sdk::Host host, Store& store, VectorCache& cache, const VectorOptions& options);
    ~VectorBuilder() override;

    /// Looks after the entry soon: loads it, builds or extends its graph, or makes it anew when too much of it is dead. Never blocks.
    void look_after(const VectorCache::Entry& entry);
    /// Whether there is something to do for it.
    bool wants_work(const CachedVectors& entry) const;
    /// Ends what runs as soon as it can be left. False: it still ran after `budget`.
    bool stop(std::chrono::milliseconds budget);
    void resume();

  private:
    struct Stopped {};
    void start_jobs();
    void run_job();
    template <typename Work>
    void attend(CachedVectors& entry, Work work);
    void work_on(CachedVectors& entry);
    void load_what_waits();
    bool load(CachedVectors& entry);
    void build_graph(CachedVectors& entry, VectorSet& set);
    bool wants_graph(const VectorSet& set) const;
    bool too_dead(const VectorSet& set) const;
    bool fits(const CachedVectors& entry, std::size_t bytes);
    void check_stop() const {
        if (stopping_.load(std::memory_order_relaxed)) throw Stopped{};
    }
    void on_event(jf_op, const jf_event&) override {}
    void on_done(jf_op, jf_status, const jf_event*, const jf_error*) override {}

    sdk::Host host_;
    Store& store_;
    VectorCache& cache_;
    const VectorOptions& options_;
    const jf_host_worker_v1* worker_;
    std::atomic<bool> stopping_{false};
    std::mutex mutex_;
    std::condition_variable ended_;
    std::deque<VectorCache::Entry> queue_;
    std::size_t running_ = 0;
};

}  // namespace jackfield::sqlite
