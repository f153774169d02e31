#include "resilience/circuit_breaker.hpp"

namespace jackfield::resilience {

bool CircuitBreaker::allow(base::MonoTime now) {
    if (!tripped_.load(std::memory_order_acquire)) return true;
    const std::lock_guard lock(mutex_);
    if (!opened_) return true;
    if (now - *opened_ < options_.open_for) return false;
    // A probe that never reported (its call ended) does not keep the door shut for ever.
    if (probe_since_ && now - *probe_since_ < options_.open_for) return false;
    probe_since_ = now;
    return true;
}

void CircuitBreaker::succeeded(base::MonoTime now) {
    if (in_a_row_.load(std::memory_order_relaxed) != 0) in_a_row_.store(0, std::memory_order_relaxed);
    if (tripped_.load(std::memory_order_acquire)) {
        const std::lock_guard lock(mutex_);
        if (opened_) {
            if (now - *opened_ < options_.open_for) return; // began before it opened: says nothing of now
            opened_.reset();
            probe_since_.reset();
            for (Slice& s : slices_) s.number.store(-1, std::memory_order_relaxed);
            tripped_.store(false, std::memory_order_release);
        }
    }
    slice(now).good.fetch_add(1, std::memory_order_relaxed);
}

void CircuitBreaker::failed(base::MonoTime now) {
    const std::lock_guard lock(mutex_);
    const int in_a_row = in_a_row_.fetch_add(1, std::memory_order_relaxed) + 1;
    slice(now).bad.fetch_add(1, std::memory_order_relaxed);
    if (opened_) {
        if (probe_since_) opened_ = now; // the probe failed: another round
        probe_since_.reset();
        return;
    }
    if (in_a_row < options_.failures_in_a_row && !too_many(now)) return;
    opened_ = now;
    tripped_.store(true, std::memory_order_release);
}

CircuitBreaker::State CircuitBreaker::state(base::MonoTime now) const {
    const std::lock_guard lock(mutex_);
    if (!opened_) return State::closed;
    return now - *opened_ < options_.open_for ? State::open : State::half_open;
}

CircuitBreaker::Slice& CircuitBreaker::slice(base::MonoTime now) {
    const std::int64_t length = base::Nanoseconds(options_.window).count() / static_cast<std::int64_t>(slices_.size());
    const std::int64_t number = now.ns / length;
    Slice& found = slices_[static_cast<std::size_t>(number) % slices_.size()];
    std::int64_t before = found.number.load(std::memory_order_acquire);
    if (before != number && found.number.compare_exchange_strong(before, number)) {
        found.good.store(0, std::memory_order_relaxed);
        found.bad.store(0, std::memory_order_relaxed);
    }
    return found;
}

bool CircuitBreaker::too_many(base::MonoTime now) const {
    const std::int64_t length = base::Nanoseconds(options_.window).count() / static_cast<std::int64_t>(slices_.size());
    const std::int64_t oldest = now.ns / length - static_cast<std::int64_t>(slices_.size()) + 1;
    int good = 0;
    int bad = 0;
    for (const Slice& s : slices_) {
        if (s.number.load(std::memory_order_acquire) < oldest) continue;
        good += s.good.load(std::memory_order_relaxed);
        bad += s.bad.load(std::memory_order_relaxed);
    }
    return good + bad >= options_.least_outcomes && bad >= options_.failure_share * (good + bad);
}

}  // namespace jackfield::resilience
