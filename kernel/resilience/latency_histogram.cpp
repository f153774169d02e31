#include "resilience/latency_histogram.hpp"

#include <algorithm>
#include <cmath>

namespace jackfield::resilience {
namespace {

constexpr double lowest_ms = 8;
constexpr double buckets_per_octave = 4;
constexpr std::int64_t being_cleared = -2;
constexpr std::int64_t slice_ns = base::Nanoseconds(LatencyHistogram::slice_length).count();

}  // namespace

std::size_t LatencyHistogram::bucket_of(base::Nanoseconds latency) {
    const double ms = static_cast<double>(latency.count()) / 1e6;
    if (ms <= lowest_ms) return 0;
    return std::min(static_cast<std::size_t>(std::ceil(std::log2(ms / lowest_ms) * buckets_per_octave)), bucket_count - 1);
}

double LatencyHistogram::upper_ms(std::size_t bucket) { return lowest_ms * std::exp2(static_cast<double>(bucket) / buckets_per_octave); }

void LatencyHistogram::observe(base::MonoTime now, base::Nanoseconds latency) {
    const std::int64_t number = now.ns / slice_ns;
    Slice& slice = slices_[static_cast<std::size_t>(number) % slice_count];
    std::int64_t found = slice.number.load(std::memory_order_acquire);
    if (found == being_cleared || found > number) return;
    if (found != number) {
        if (!slice.number.compare_exchange_strong(found, being_cleared)) return;
        for (auto& count : slice.counts) count.store(0, std::memory_order_relaxed);
        slice.number.store(number, std::memory_order_release);
    }
    slice.counts[bucket_of(latency)].fetch_add(1, std::memory_order_relaxed);
}

LatencyHistogram::Weights LatencyHistogram::weigh(base::MonoTime now, double& total) const {
    Weights weights{};
    total = 0;
    const std::int64_t current = now.ns / slice_ns;
    for (const Slice& slice : slices_) {
        const std::int64_t number = slice.number.load(std::memory_order_acquire);
        if (number < 0 || number > current || current - number >= static_cast<std::int64_t>(slice_count)) continue;
        const double age_ms = static_cast<double>(current - number) * static_cast<double>(slice_length.count());
        const double weight = std::exp2(-age_ms / static_cast<double>(half_life.count()));
        for (std::size_t i = 0; i < bucket_count; ++i) {
            const double counted = weight * slice.counts[i].load(std::memory_order_relaxed);
            weights[i] += counted;
            total += counted;
        }
    }
    return weights;
}

base::Milliseconds LatencyHistogram::quantile_of(const Weights& weights, double total, double share) {
    const double wanted = share * total;
    double below = 0;
    for (std::size_t i = 0; i < bucket_count; ++i) {
        if (weights[i] <= 0 || below + weights[i] < wanted) {
            below += weights[i];
            continue;
        }
        const double from = i == 0 ? 0 : upper_ms(i - 1);
        const double part = (wanted - below) / weights[i];
        return base::Milliseconds(static_cast<std::int64_t>(std::lround(from + (upper_ms(i) - from) * part)));
    }
    return base::Milliseconds(static_cast<std::int64_t>(upper_ms(bucket_count - 1)));
}

LatencyHistogram::Summary LatencyHistogram::summary(base::MonoTime now) const {
    Summary out;
    const Weights weights = weigh(now, out.samples);
    if (out.samples <= 0) return out;
    out.p50 = quantile_of(weights, out.samples, 0.50);
    out.p95 = quantile_of(weights, out.samples, 0.95);
    out.p99 = quantile_of(weights, out.samples, 0.99);
    return out;
}

std::optional<base::Milliseconds> LatencyHistogram::quantile(base::MonoTime now, double share, double least) const {
    double total = 0;
    const Weights weights = weigh(now, total);
    if (total < least || total <= 0) return std::nullopt;
    return quantile_of(weights, total, share);
}

}  // namespace jackfield::resilience
