#include "app/provider_status.hpp"

#include <array>
#include <utility>

namespace jackfield::app {
namespace {

using resilience::CircuitBreaker;
using resilience::ProviderHealth;

bool stands_in_chains(const plugin_host::Instance& instance) {
    const std::string_view plugin = instance.spec().plugin;
    return plugin.starts_with("stt/") || plugin.starts_with("llm/") || plugin.starts_with("tts/");
}

const char* name_of(CircuitBreaker::State state) {
    switch (state) {
        case CircuitBreaker::State::closed: return "closed";
        case CircuitBreaker::State::half_open: return "half_open";
        case CircuitBreaker::State::open: return "open";
    }
    return "closed";
}

}  // namespace

void register_provider_metrics(observe::Metrics& metrics, const tenant::Directory& directory, const base::Clock& clock) {
    constexpr std::array<std::pair<const char*, double>, 3> quantiles = {{{"0.5", 0.5}, {"0.95", 0.95}, {"0.99", 0.99}}};
    for (const auto& [name, instance] : directory.instances()) {
        if (!stands_in_chains(*instance)) continue;
        // The health is shared with the gauges: it may outlive the host.
        const std::shared_ptr<ProviderHealth> health = instance->shared_health();
        const observe::Labels labels = {{"provider", name}, {"tenant", instance->tenant()}};
        for (const auto& [text, share] : quantiles) {
            observe::Labels with = labels;
            with.push_back({"quantile", text});
            metrics.read_gauge("jackfield_resilience_first_output_seconds",
                               "From the request to final words, first token or first audio, of late; 0 when nothing is known", std::move(with),
                               [health, &clock, share = share] {
                                   const auto found = health->latency().quantile(clock.now(), share);
                                   return found ? static_cast<double>(found->count()) / 1000.0 : 0.0;
                               });
        }
        metrics.read_gauge("jackfield_resilience_breaker_open", "1 while calls are kept away from the provider, 0.5 while one of them probes it", labels,
                           [health, &clock] {
                               const CircuitBreaker::State state = health->breaker().state(clock.now());
                               return state == CircuitBreaker::State::open ? 1.0 : state == CircuitBreaker::State::half_open ? 0.5 : 0.0;
                           });
    }
}

void write_providers(base::JsonWriter& json, const tenant::Directory& directory, base::MonoTime now) {
    json.key("providers").begin_array();
    for (const auto& [name, instance] : directory.instances()) {
        if (!stands_in_chains(*instance)) continue;
        const ProviderHealth& health = instance->health();
        const auto latency = health.latency().summary(now);
        json.begin_object();
        json.member("name", name).member("plugin", instance->spec().plugin).member("tenant", instance->tenant());
        json.member("region", health.key().region).member("breaker", name_of(health.breaker().state(now)));
        json.member("samples", static_cast<std::int64_t>(latency.samples)).member("p50_ms", static_cast<std::int64_t>(latency.p50.count()));
        json.member("p95_ms", static_cast<std::int64_t>(latency.p95.count())).member("p99_ms", static_cast<std::int64_t>(latency.p99.count()));
        json.end_object();
    }
    json.end_array();
}

}  // namespace jackfield::app
