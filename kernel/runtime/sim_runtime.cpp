#include <vector>

#include "base/assert.hpp"
#include "runtime/runtime.hpp"
#include "runtime/timer_queue.hpp"

namespace jackfield::runtime {
namespace {

class SimClock final : public base::Clock {
  public:
    base::MonoTime now() const override { return now_; }
    /// Simulated days begin at 2026-01-05T09:00:00Z, a Monday morning.
    base::UtcTime utc_now() const override { return {1767603600000000 + now_.ns / 1000}; }
    void move_to(base::MonoTime t) { now_ = std::max(now_, t); }

  private:
    base::MonoTime now_;
};

class SimShard final : public Shard {
  public:
    SimShard(unsigned index, TimerQueue& queue, SimClock& clock) : Shard(index), queue_(queue), clock_(clock) {}

    void post(base::Task task) override {
        queue_.add(clock_.now(), [this, task = std::move(task)]() mutable { enter(task); });
    }
    TimerId start_timer(base::MonoTime at, base::Task task) override {
        return queue_.add(std::max(at, clock_.now()), [this, task = std::move(task)]() mutable { enter(task); });
    }
    void cancel_timer(TimerId timer) override { queue_.cancel(timer); }
    base::MonoTime now() const override { return clock_.now(); }

  private:
    TimerQueue& queue_;
    SimClock& clock_;
};

class SimPool final : public Pool {
  public:
    SimPool(TimerQueue& queue, SimClock& clock) : queue_(queue), clock_(clock) {}
    bool submit(base::Task task) override {
        queue_.add(clock_.now() + latency, std::move(task));
        return true;
    }
    base::Nanoseconds latency{0};

  private:
    TimerQueue& queue_;
    SimClock& clock_;
};

}  // namespace

struct SimRuntime::Impl {
    Impl(std::uint64_t seed, unsigned count)
        : random(seed), pool(queue, clock), control(queue, clock) {
        for (unsigned i = 0; i < count; ++i) shards.push_back(std::make_unique<SimShard>(i, queue, clock));
    }

    SimClock clock;
    TimerQueue queue;
    base::SeededRandom random;
    std::vector<std::unique_ptr<SimShard>> shards;
    SimPool pool;
    SimPool control;
    std::uint64_t steps = 0;
};

SimRuntime::SimRuntime(std::uint64_t seed, unsigned shards) : impl_(std::make_unique<Impl>(seed, shards)) {}
SimRuntime::~SimRuntime() = default;

void SimRuntime::run_until(base::MonoTime until) {
    run_until_idle(until);
    impl_->clock.move_to(until);
}

void SimRuntime::run_for(base::Nanoseconds duration) { run_until(impl_->clock.now() + duration); }

bool SimRuntime::run_until_idle(base::MonoTime limit) {
    while (!impl_->queue.empty() && impl_->queue.next() <= limit) {
        impl_->clock.move_to(impl_->queue.next());
        base::Task task = impl_->queue.take_due(impl_->clock.now());
        ++impl_->steps;
        task();
    }
    return impl_->queue.empty();
}

std::uint64_t SimRuntime::steps() const { return impl_->steps; }
std::size_t SimRuntime::pending() const { return impl_->queue.size(); }
void SimRuntime::set_pool_latency(base::Nanoseconds latency) { impl_->pool.latency = latency; }
unsigned SimRuntime::shard_count() const { return static_cast<unsigned>(impl_->shards.size()); }
Shard& SimRuntime::shard(unsigned index) {
    JF_ASSERT(index < impl_->shards.size(), "shard indices come from shard_count()");
    return *impl_->shards[index];
}
Pool& SimRuntime::pool() { return impl_->pool; }
Pool& SimRuntime::control_pool() { return impl_->control; }
const base::Clock& SimRuntime::clock() const { return impl_->clock; }
base::Random& SimRuntime::random() { return impl_->random; }

}  // namespace jackfield::runtime
