#pragma once

#include <compare>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.hpp"
#include "resilience/circuit_breaker.hpp"
#include "resilience/latency_histogram.hpp"

namespace jackfield::resilience {

/// Which provider it is that is well or sick. Two configured instances with one key are the same thing to the world: what one learned the other
/// need not learn again.
struct ProviderKey {
    std::string plugin;  ///< "stt/acme"
    std::string region;  ///< as far as the options say: `region`, or the host of a URL
    std::string account; ///< a digest of the credentials, never these
    std::string tenant;  ///< empty: the host's own instance, whoever uses it
    /// A digest of all options. Two models, two voices or two local engines of one account fail apart, and a chain is often made of these: sharing
    /// by account alone would take the standby down with the primary.
    std::string options;

    friend auto operator<=>(const ProviderKey&, const ProviderKey&) = default;
};

/// From an instance's flattened options.
ProviderKey provider_key(std::string plugin, std::string tenant, const std::vector<std::pair<std::string, std::string>>& options);

/// What is known of one provider, shared by all calls on all shards.
class ProviderHealth {
  public:
    /// Fewer answers than this (weighted) say nothing about a tail.
    static constexpr double least_samples = 20;

    explicit ProviderHealth(ProviderKey key, BreakerOptions options = {}) : key_(std::move(key)), breaker_(options) {}

    const ProviderKey& key() const { return key_; }
    CircuitBreaker& breaker() { return breaker_; }
    const CircuitBreaker& breaker() const { return breaker_; }
    /// From the request to the first of what it is there for: final words, first token, first audio.
    LatencyHistogram& latency() { return latency_; }
    const LatencyHistogram& latency() const { return latency_; }

    /// It gave its first output after so long.
    void answered(base::MonoTime now, base::Nanoseconds latency) {
        latency_.observe(now, latency);
        breaker_.succeeded(now);
    }
    /// When a standby shall be started beside it: its own 95th percentile, never before `floor`. While little is known, `floor`.
    base::Milliseconds hedge_after(base::MonoTime now, base::Milliseconds floor) const;

  private:
    ProviderKey key_;
    CircuitBreaker breaker_;
    LatencyHistogram latency_;
};

/// All of a host. Health outlives its instances, so that a reload forgets nothing.
class ProviderHealthRegistry {
  public:
    /// The same object for the same key. Any thread; for start and reload, since it takes a lock.
    std::shared_ptr<ProviderHealth> of(const ProviderKey& key);
    std::size_t size() const;

  private:
    /// Beyond this the health of providers that no instance is left of is forgotten.
    static constexpr std::size_t most_unused = 1024;

    mutable std::mutex mutex_;
    std::map<ProviderKey, std::shared_ptr<ProviderHealth>> known_;
};

}  // namespace jackfield::resilience
