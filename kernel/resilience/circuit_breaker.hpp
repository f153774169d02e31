#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <mutex>
#include <optional>

#include "base/clock.hpp"

namespace jackfield::resilience {

/// Defaults from voice-behaviour.md: 5 failures in a row or half of at least 5 in 30 s open it for 10 s, then one probe decides.
struct BreakerOptions {
    int failures_in_a_row = 5;
    double failure_share = 0.5;
    int least_outcomes = 5;
    base::Milliseconds window{30000};
    base::Milliseconds open_for{10000};
};

/// Keeps callers away from a provider that fails. One for each provider, shared by all calls, so that a sick one is learned once and not
/// by every caller anew. Any thread; time comes from the caller. While it is closed neither asking nor reporting success takes a lock.
class CircuitBreaker {
  public:
    enum class State { closed, open, half_open };

    explicit CircuitBreaker(BreakerOptions options = {}) : options_(options) {}

    /// May this call use the provider? While half open it is true once: that one is the probe, and must report its outcome.
    bool allow(base::MonoTime now);
    void succeeded(base::MonoTime now);
    void failed(base::MonoTime now);
    State state(base::MonoTime now) const;

  private:
    /// Outcomes of one tenth of the window. Threads that meet on its first outcome may lose one.
    struct Slice {
        std::atomic<std::int64_t> number{-1};
        std::atomic<int> good{0};
        std::atomic<int> bad{0};
    };
    Slice& slice(base::MonoTime now);
    bool too_many(base::MonoTime now) const;

    BreakerOptions options_;
    std::array<Slice, 10> slices_{};
    std::atomic<int> in_a_row_{0};
    std::atomic<bool> tripped_{false}; ///< `opened_` is set; written under the lock
    mutable std::mutex mutex_;         ///< of what follows
    std::optional<base::MonoTime> opened_;
    std::optional<base::MonoTime> probe_since_;
};

}  // namespace jackfield::resilience
