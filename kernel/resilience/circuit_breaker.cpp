#include "resilience/circuit_breaker.hpp"

namespace jackfield::resilience {

bool CircuitBreaker::allow(base::MonoTime now) {
    const std::lock_guard lock(mutex_);
    if (!opened_) return true;
    if (now - *opened_ < options_.open_for) return false;
    // A probe that never reported (its call ended) does not keep the door shut for ever.
    if (probe_since_ && now - *probe_since_ < options_.open_for) return false;
    probe_since_ = now;
    return true;
}

void CircuitBreaker::succeeded(base::MonoTime now) {
    const std::lock_guard lock(mutex_);
    in_a_row_ = 0;
    if (opened_) {
        if (now - *opened_ < options_.open_for) return; // began before it opened: says nothing of now
        opened_.reset();
        probe_since_.reset();
        slices_ = {};
    }
    ++slice(now).good;
}

void CircuitBreaker::failed(base::MonoTime now) {
    const std::lock_guard lock(mutex_);
    ++in_a_row_;
    ++slice(now).bad;
    if (opened_) {
        if (probe_since_) opened_ = now; // the probe failed: another round
        probe_since_.reset();
        return;
    }
    if (in_a_row_ >= options_.failures_in_a_row || too_many(now)) opened_ = now;
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
    if (found.number != number) found = Slice{number, 0, 0};
    return found;
}

bool CircuitBreaker::too_many(base::MonoTime now) const {
    const std::int64_t length = base::Nanoseconds(options_.window).count() / static_cast<std::int64_t>(slices_.size());
    const std::int64_t oldest = now.ns / length - static_cast<std::int64_t>(slices_.size()) + 1;
    int good = 0;
    int bad = 0;
    for (const Slice& s : slices_) {
        if (s.number < oldest) continue;
        good += s.good;
        bad += s.bad;
    }
    return good + bad >= options_.least_outcomes && bad >= options_.failure_share * (good + bad);
}

}  // namespace jackfield::resilience
