#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <optional>

#include "base/clock.hpp"

namespace jackfield::resilience {

/// How long a provider takes, as it was lately: buckets a quarter of an octave apart (each 19 % above the last, 8 ms to 16 s), in time slices
/// of which an older one weighs less, half for every minute. Any thread, no lock: observing is one relaxed addition.
class LatencyHistogram {
  public:
    static constexpr base::Milliseconds half_life{60'000};
    static constexpr base::Milliseconds slice_length{30'000};
    static constexpr std::size_t slice_count = 12; ///< what is older than six minutes weighs a sixty-fourth, and is forgotten

    /// Time comes from the caller. Two that meet on the first sample of a slice may lose one of theirs: this is a statistic.
    void observe(base::MonoTime now, base::Nanoseconds latency);

    struct Summary {
        double samples = 0; ///< weighted
        base::Milliseconds p50{0};
        base::Milliseconds p95{0};
        base::Milliseconds p99{0};
    };
    Summary summary(base::MonoTime now) const;
    /// Nothing while fewer than `least` samples (weighted) are known.
    std::optional<base::Milliseconds> quantile(base::MonoTime now, double share, double least = 1) const;

  private:
    static constexpr std::size_t bucket_count = 46; ///< below 8 ms, 44 up to 16 s, above
    using Weights = std::array<double, bucket_count>;
    struct Slice {
        std::atomic<std::int64_t> number{-1};
        std::array<std::atomic<std::uint32_t>, bucket_count> counts{};
    };

    static std::size_t bucket_of(base::Nanoseconds latency);
    static double upper_ms(std::size_t bucket);
    Weights weigh(base::MonoTime now, double& total) const;
    static base::Milliseconds quantile_of(const Weights& weights, double total, double share);

    std::array<Slice, slice_count> slices_{};
};

}  // namespace jackfield::resilience
