#pragma once

#include <cstdint>
#include <memory>

#include "base/clock.hpp"
#include "base/random.hpp"
#include "base/unique_function.hpp"

namespace jackfield::runtime {

/// A timer of one shard; 0 is none.
using TimerId = std::uint64_t;

/// One thread's worth of the host. A live call stays on one shard, so that its state needs no lock. Tasks run one after the other;
/// after each of them the after-task hooks run, which is where plugin events are delivered (never from inside a task).
class Shard {
  public:
    virtual ~Shard() = default;

    unsigned index() const { return index_; }
    /// The shard whose task the calling thread runs, null on other threads.
    static Shard* current();
    bool is_current() const { return current() == this; }

    /// Runs `task` on the shard, after what was posted before. Any thread.
    virtual void post(base::Task task) = 0;
    /// Runs `task` once `at` has come. On the shard only.
    virtual TimerId start_timer(base::MonoTime at, base::Task task) = 0;
    /// The task won't run any more. Harmless for a timer that has fired. On the shard only.
    virtual void cancel_timer(TimerId timer) = 0;
    virtual base::MonoTime now() const = 0;

    /// Runs after every task, timer and socket callback of this shard. Set before the runtime starts.
    void set_after_task(base::Task hook) { after_task_ = std::move(hook); }
    /// Runs `task` as the shard would, hook included. For whoever brings callbacks to the shard's thread (net).
    void enter(base::UniqueFunction<void()>& task);

  protected:
    explicit Shard(unsigned index) : index_(index) {}

  private:
    unsigned index_;
    base::Task after_task_;
};

/// Threads of lower priority for what may block: files, databases, decoders.
class Pool {
  public:
    virtual ~Pool() = default;
    /// False when the queue is full: the task was not taken.
    virtual bool submit(base::Task task) = 0;
    /// One of its threads stands in a task that may never return: another one takes its place, as long as there are not too many of these.
    virtual void replace_stuck_thread() {}
};

/// Everything that a host needs of the machine. Real in production; simulated, single-threaded and seeded in tests.
class Runtime {
  public:
    virtual ~Runtime() = default;
    virtual unsigned shard_count() const = 0;
    virtual Shard& shard(unsigned index) = 0;
    /// For plugins' own blocking work: decoders, files.
    virtual Pool& pool() = 0;
    /// For requests to stores. Not the one before: a commit may stand in a slow disk for seconds, and behind four of them every recogniser of the host
    /// would stand too, with callers waiting for an answer.
    virtual Pool& storage_pool() { return pool(); }
    /// For control calls (start, quiesce), which may block for seconds and must not starve storage.
    virtual Pool& control_pool() = 0;
    virtual const base::Clock& clock() const = 0;
    virtual base::Random& random() = 0;
    /// True in simulation: nothing may start threads or block.
    virtual bool simulated() const { return false; }
};

struct RuntimeOptions {
    unsigned shards = 0;          ///< 0: one per core
    unsigned pool_threads = 4;    ///< of each of the pools for plugins and for stores
    std::size_t pool_queue = 4096;
};

/// One thread and one io_context per shard. stop() joins them; destroying stops.
class RealRuntime : public Runtime {
  public:
    explicit RealRuntime(RuntimeOptions options = {});
    ~RealRuntime() override;

    void start();
    /// Lets posted tasks that are due run, then joins. Idempotent. Not from a shard. False: a thread did not end within `limit` (it stands in
    /// a plugin), and goes on with what it may touch of this runtime, which is therefore never freed. The process should end without destroying
    /// what else that thread may touch.
    bool stop(base::Milliseconds limit = base::Milliseconds(30'000));

    unsigned shard_count() const override;
    Shard& shard(unsigned index) override;
    Pool& pool() override;
    Pool& storage_pool() override;
    Pool& control_pool() override;
    const base::Clock& clock() const override;
    base::Random& random() override;
    /// The shard's io_context, for net: boost::asio::io_context*.
    static void* io_context_of(Shard& shard);

  private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

/// A whole host in one thread: shards and pools are queues ordered by simulated time, then by order of arrival. Time moves only when nothing
/// is due. Two runs from one seed do the same things in the same order.
class SimRuntime : public Runtime {
  public:
    explicit SimRuntime(std::uint64_t seed, unsigned shards = 1);
    ~SimRuntime() override;

    /// Runs what is due until `until` (simulated), then stands there.
    void run_until(base::MonoTime until);
    void run_for(base::Nanoseconds duration);
    /// Runs until nothing is due before `limit`; true when the queue ran dry.
    bool run_until_idle(base::MonoTime limit);
    std::uint64_t steps() const;
    /// Tasks and timers that have not run.
    std::size_t pending() const;
    /// How long pool work takes in simulated time.
    void set_pool_latency(base::Nanoseconds latency);

    unsigned shard_count() const override;
    Shard& shard(unsigned index) override;
    Pool& pool() override;
    Pool& control_pool() override;
    const base::Clock& clock() const override;
    base::Random& random() override;
    bool simulated() const override { return true; }

  private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace jackfield::runtime
