#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "net/network.hpp"
#include "plugin_host/instance.hpp"
#include "plugin_host/loader.hpp"
#include "plugin_host/op_table.hpp"
#include "runtime/runtime.hpp"

namespace jackfield::plugin_host {

/// What plugins log, as the kernel's logger gets it.
struct PluginLog {
    std::uint32_t level;
    const Instance* instance; ///< null for a module that has none yet
    jf_op op;
    std::string event;
    std::vector<std::pair<std::string, std::string>> fields;
};

struct PluginHostHooks {
    /// Any thread.
    std::function<void(const PluginLog&)> log;
    std::function<void(const Instance&, std::string_view name, std::uint64_t n)> count;
    std::function<void(const Instance&, std::string_view name, double value)> gauge;
};

class NetFacility;

/// How long a call may stay in a plugin before the host stops believing in its return. Budgets (base.h) are what is expected; these are what is borne.
struct CallLimits {
    base::Milliseconds stream{5'000};     ///< stream, media, any
    base::Milliseconds control{30'000};   ///< create, start, quiesce, destroy: a model may be read
    base::Milliseconds blocking{120'000};
    base::Milliseconds start{15'000};     ///< from start() to the completion of its op
    base::Milliseconds probe{1'000};      ///< after a loss; doubled after each probe that failed, up to a minute
};

/// Loads plugins, makes instances, and offers them the host's facilities. Facilities beyond timer, worker, net and metrics are
/// registered by the rooms that own them.
class PluginHost {
  public:
    PluginHost(runtime::Runtime& runtime, net::Network& network, Loader& loader, PluginHostHooks hooks);
    ~PluginHost();

    OpTable& ops() { return ops_; }
    resilience::ProviderHealthRegistry& provider_health() { return provider_health_; }
    runtime::Runtime& runtime() { return runtime_; }
    Loader& loader() { return loader_; }
    const PluginHostHooks& hooks() const { return hooks_; }
    /// jf.host.net/1.
    NetFacility& net();

    /// Makes a facility known. Before any instance is made; the table lives as long as the process.
    void add_facility(std::string id, const void* table);
    const void* facility(std::string_view id) const;

    /// Loads the plugin if need be and creates the instance, without starting it. Control threads: it runs plugin code.
    base::Result<std::shared_ptr<Instance>> create(InstanceSpec spec);
    /// Starts it; `done` runs on `shard` when it serves or has failed.
    void start(std::shared_ptr<Instance> instance, runtime::Shard& shard, std::function<void(base::Result<>)> done);
    /// Quiesces, waits for its ops, destroys. `done` runs on `shard`. What a plugin does not finish within `budget` is abandoned.
    void stop(std::shared_ptr<Instance> instance, runtime::Shard& shard, base::Milliseconds budget,
              std::function<void()> done);

    /// Finds what an instance may call `name`; null when it may not or there is none. Set before instances start.
    using ProviderResolver = std::function<Instance*(Instance& consumer, std::string_view name)>;
    void set_provider_resolver(ProviderResolver resolver) { resolver_ = std::move(resolver); }
    Instance* resolve_provider(Instance& consumer, std::string_view name) const {
        return resolver_ ? resolver_(consumer, name) : nullptr;
    }
    /// The record store behind jf.host.records/1.
    void set_records(Instance* records) { records_ = records; }
    Instance* records() const { return records_; }

    /// Instances made from now on do what belongs to no call on this shard.
    void set_home_shard(unsigned shard) { home_shard_ = shard; }

    /// Before instances are made.
    void set_limits(const CallLimits& limits) { limits_ = limits; }
    const CallLimits& limits() const { return limits_; }
    /// How long one stream call may keep a plugin's own thread before the instance is given up. Before instances are made.
    void set_hang_limit(base::Milliseconds limit) { limits_.stream = limit; }
    base::Milliseconds hang_limit() const { return limits_.stream; }

    /// Calls into plugins of this host that have lasted so long: whom the end of the process would wait for.
    std::vector<StandingCall> standing(base::Milliseconds at_least) const;
    /// A plugin holds one of the shards: what runs there neither goes on nor ends.
    bool shard_stands() const;

    /// While draining, plugins are told to refuse new calls.
    void set_draining(bool draining) { draining_ = draining; }
    bool draining() const { return draining_.load(std::memory_order_relaxed); }

    /// The table for ctx-less uses: a module's init.
    const jf_host_v1& module_host() const { return module_host_; }
    void log(const PluginLog& entry) const;

  private:
    friend class Instance;
    struct Facilities;

    using Started = std::function<void(base::Result<>)>;
    base::Result<std::shared_ptr<Instance>> create_here(InstanceSpec spec);
    void start_watch();
    void watch(const std::shared_ptr<Instance>& instance);
    void run_watch();
    base::Milliseconds limit_of(ThreadClass thread_class) const;
    void look_for_hangs();
    void tell_overruns();
    void hangs(const StandingCall& call);
    void look_after_lost();
    bool may_probe(Instance& instance) const;
    void probe(const std::shared_ptr<Instance>& instance);
    void start_now(std::shared_ptr<Instance> instance, runtime::Shard& shard, bool again, Started done);
    void give_up(Instance& instance, std::function<void()> then);
    void stopped(Instance& instance);
    void leave(std::shared_ptr<Instance> instance, runtime::Shard& shard);
    void quiesce(std::shared_ptr<Instance> instance, runtime::Shard& shard, base::Milliseconds budget, std::function<void()> then);
    void when_idle(std::shared_ptr<Instance> instance, runtime::Shard& shard, base::Milliseconds budget, std::function<void()> then);
    void destroy(std::shared_ptr<Instance> instance, runtime::Shard& shard);

    runtime::Runtime& runtime_;
    Loader& loader_;
    PluginHostHooks hooks_;
    OpTable ops_;
    resilience::ProviderHealthRegistry provider_health_;
    std::map<std::string, const void*, std::less<>> facilities_;
    std::unique_ptr<Facilities> built_in_;
    jf_host_v1 module_host_{};
    unsigned home_shard_ = 0;
    std::atomic<bool> draining_{false};
    ProviderResolver resolver_;
    std::atomic<Instance*> records_{nullptr};
    CallLimits limits_;

    // The watch: a thread of its own, since what it watches may hold any other.
    std::mutex watch_mutex_;
    std::condition_variable watch_wake_;
    bool watch_ends_ = false;
    std::vector<std::weak_ptr<Instance>> watched_;
    std::map<const ThreadRecord*, std::uint64_t> seen_; ///< calls that have been dealt with; of the watch alone
    std::thread watch_;
};

/// Fills the functions that every instance's host table shares.
void fill_host_table(jf_host_v1& table, jf_host_ctx* ctx);

base::Error error_from(jf_status status, const jf_error* error);

}  // namespace jackfield::plugin_host
