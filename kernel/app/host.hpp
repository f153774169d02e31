#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <string>

#include "app/call_router.hpp"
#include "app/service_runner.hpp"
#include "app/telemetry_exporter.hpp"
#include "call/call.hpp"
#include "media/recording.hpp"
#include "net/network.hpp"
#include "observe/log.hpp"
#include "observe/metrics.hpp"
#include "plugin_host/plugin_host.hpp"
#include "runtime/runtime.hpp"
#include "store/calendar.hpp"
#include "store/call_store.hpp"
#include "tenant/directory.hpp"

namespace jackfield::app {

/// What a host stands on. Real in production, simulated in tests; outlives the host.
struct HostParts {
    runtime::Runtime& runtime;
    net::Network& network;
    plugin_host::Loader& loader;
    media::RecordingWriter& recordings;
    observe::Logger log;
    observe::Metrics& metrics;
};

/// A whole host: plugins, tenants, calls, services. Its last shard is for services and control, the others carry calls.
class Host {
  public:
    Host(HostParts parts, config::HostConfig config);
    ~Host();

    /// Opens storage, closes what a crash left behind, starts every provider, then takes calls. `done` runs on the control shard.
    void start(std::function<void(base::Result<>)> done);
    /// New calls are refused at once; live ones go on until they end or `drain` is over. `done` runs on the control shard.
    void stop(base::Milliseconds drain, std::function<void()> done);

    CallRouter& calls() { return *router_; }
    plugin_host::PluginHost& plugins() { return plugins_; }
    store::CallStore& store() { return *store_; }
    const config::HostConfig& config() const { return config_; }
    const tenant::Directory& directory() const { return directory_; }
    runtime::Shard& control_shard() { return control_; }

    /// Every call event goes to `listener` until the number that this answers is given to unsubscribe(). Any thread; the listener
    /// runs on a call's shard and must not block.
    using Listener = std::function<void(const call::CallEvent&)>;
    std::uint64_t subscribe(Listener listener);
    void unsubscribe(std::uint64_t subscription);

  private:
    void open_storage(const tenant::CheckedHost& checked, std::function<void(base::Result<>)> done);
    void find_left_behind(std::size_t tenant, std::function<void()> done);
    void reap();
    void reap_call(const store::CallRow& call);
    void tell_of_reaped(const store::CallRow& call);
    void reap_over();
    void finish_stop(std::function<void()> done);
    void publish(const call::CallEvent& event);
    std::vector<TelemetryExporter::Target> telemetry_of(const std::string& tenant) const;
    plugin_host::PluginHostHooks hooks();
    call::CallMetrics call_metrics();

    HostParts parts_;
    config::HostConfig config_;
    runtime::Shard& control_;
    plugin_host::PluginHost plugins_;
    store::Calendar calendar_;
    tenant::CheckedHost checked_;
    tenant::Directory directory_;
    std::shared_ptr<plugin_host::Instance> storage_;
    std::unique_ptr<store::RecordsClient> records_;
    std::unique_ptr<store::CallStore> store_;
    std::vector<std::unique_ptr<call::MediaClock>> media_clocks_;
    std::unique_ptr<call::CallEnvironment> environment_;
    std::unique_ptr<CallRouter> router_;
    ServiceRunner services_;
    TelemetryExporter telemetry_;
    std::vector<store::CallRow> left_behind_; ///< open in the store since before this process
    std::size_t reaping_ = 0;                 ///< of these, under way
    std::function<void()> when_reaped_;
    bool stopping_ = false;

    std::mutex listeners_mutex_;
    std::shared_ptr<const std::map<std::uint64_t, Listener>> listeners_ =
        std::make_shared<const std::map<std::uint64_t, Listener>>();
    std::uint64_t next_listener_ = 1;
};

/// Which plugin files a configuration trusts.
plugin_host::TrustPolicy trust_policy(const config::HostConfig& config);
/// The loader for a configuration: search path and trust.
plugin_host::Loader make_loader(const config::HostConfig& config);

}  // namespace jackfield::app
