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

const char* state_of(const plugin_host::Instance& instance) {
    if (instance.lost()) return "lost";
    return instance.serving() && instance.started() ? "serving" : "starting";
}

void write_provider(base::JsonWriter& json, const plugin_host::Instance& instance, base::MonoTime now) {
    const std::string& plugin = instance.spec().plugin;
    json.begin_object();
    json.member("name", instance.name()).member("plugin", plugin).member("kind", plugin.substr(0, plugin.find('/'))).member("tenant", instance.tenant());
    json.member("state", state_of(instance)).member("placement", instance.spec().placement == plugin_host::Placement::thread ? "thread" : "inline");
    if (stands_in_chains(instance)) {
        const ProviderHealth& health = instance.health();
        const auto latency = health.latency().summary(now);
        json.member("region", health.key().region).member("breaker", name_of(health.breaker().state(now)));
        json.member("samples", static_cast<std::int64_t>(latency.samples)).member("p50_ms", static_cast<std::int64_t>(latency.p50.count()));
        json.member("p95_ms", static_cast<std::int64_t>(latency.p95.count())).member("p99_ms", static_cast<std::int64_t>(latency.p99.count()));
    }
    json.end_object();
}

/// What the host has seen one provider do wrong. Instances are never freed: the gauges may read them as long as they like.
void register_conduct(observe::Metrics& metrics, const plugin_host::Instance& instance) {
    const observe::Labels labels = {{"provider", instance.name()}, {"tenant", instance.tenant()}};
    const plugin_host::InstanceCounters& counters = instance.counters();
    const auto read = [&](const char* name, const char* help, const std::atomic<std::uint64_t>& counter) {
        metrics.read_gauge(name, help, labels, [&counter] { return static_cast<double>(counter.load(std::memory_order_relaxed)); });
    };
    read("jackfield_plugin_host_exceptions", "Exceptions that the plugin threw across the boundary", counters.exceptions);
    read("jackfield_plugin_host_violations", "Rules that the plugin broke: no completion in time, hangs, tables that are none", counters.violations);
    read("jackfield_plugin_host_overruns", "Calls over their budget, the plugin's own doing", counters.overruns);
    read("jackfield_plugin_host_preempted", "Calls over their budget on a thread that had to wait for a processor", counters.preempted);
    read("jackfield_plugin_host_mailbox_full", "Calls that the plugin's own thread was too far behind to take", counters.mailbox_full);
    metrics.read_gauge("jackfield_plugin_host_lost", "1 while the provider is out of service because it hangs", labels,
                       [&instance] { return instance.serving() ? 0.0 : 1.0; });
}

}  // namespace

void register_provider_metrics(observe::Metrics& metrics, const tenant::Directory& directory, const base::Clock& clock) {
    constexpr std::array<std::pair<const char*, double>, 3> quantiles = {{{"0.5", 0.5}, {"0.95", 0.95}, {"0.99", 0.99}}};
    for (const auto& [name, instance] : directory.instances()) {
        register_conduct(metrics, *instance);
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

void write_providers(base::JsonWriter& json, const plugin_host::Instance* storage, const tenant::Directory& directory, base::MonoTime now) {
    json.key("providers").begin_array();
    for (const auto& [name, instance] : directory.instances()) write_provider(json, *instance, now);
    if (storage) write_provider(json, *storage, now);
    json.end_array();
}

}  // namespace jackfield::app
