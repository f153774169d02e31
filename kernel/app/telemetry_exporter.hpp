#pragma once

#include <array>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <jackfield/telemetry.h>

#include "call/telemetry_log.hpp"
#include "observe/log.hpp"
#include "observe/metrics.hpp"
#include "plugin_host/plugin_host.hpp"

namespace jackfield::app {

/// A span that owns what it points to.
struct OwnSpan {
    std::array<std::uint8_t, 16> trace{};
    std::array<std::uint8_t, 8> span{};
    std::array<std::uint8_t, 8> parent{};
    std::uint32_t status = JF_SPAN_OK;
    std::string name;
    base::UtcTime start;
    base::UtcTime end;
    std::vector<std::pair<std::string, std::string>> attributes;
};

/// A span with, of a generation, what is known of that.
struct TelemetryItem {
    OwnSpan span;
    bool generation = false;
    std::string session;
    std::string provider;
    std::string input;  ///< JSON
    std::string output; ///< JSON
    std::uint64_t tokens_in = 0;
    std::uint64_t tokens_out = 0;
    std::uint64_t tokens_cached = 0;
    base::UtcTime first_token{};
};

/// A call as spans: the call itself, and one below it for each op; generations of language models as such. Ids are made of the call's, so
/// that what is sent twice has the same ones.
std::vector<TelemetryItem> items_of(const call::CallTelemetry& call);

/// Sends what calls leave to the tenant's telemetry providers, on one shard, from a bounded queue each. A provider that does not take it costs
/// telemetry and nothing else: what the queue has no room for, and what failed too often, is dropped and counted.
class TelemetryExporter {
  public:
    static constexpr std::size_t most_queued = 4096;
    static constexpr unsigned most_attempts = 4;

    /// Where a tenant's traces go.
    struct Target {
        std::shared_ptr<plugin_host::Instance> instance;
        std::string environment;
    };
    using Targets = std::function<std::vector<Target>(const std::string& tenant)>;

    TelemetryExporter(plugin_host::PluginHost& plugins, Targets targets, runtime::Shard& shard, observe::Logger log, observe::Metrics& metrics);
    ~TelemetryExporter();

    /// Any thread.
    void add(call::CallTelemetry call);
    /// Sends what waits, for so long at most; then nothing any more. On the shard.
    void stop(base::Milliseconds budget, std::function<void()> done);

  private:
    class Outlet;
    struct Sending;

    void take(const call::CallTelemetry& call);
    bool idle() const;

    plugin_host::PluginHost& plugins_;
    const Targets targets_;
    runtime::Shard& shard_;
    observe::Logger log_;
    observe::Metrics& metrics_;
    std::map<std::pair<std::string, const plugin_host::Instance*>, std::shared_ptr<Outlet>> outlets_; ///< by tenant and provider
    std::shared_ptr<bool> running_ = std::make_shared<bool>(true);
};

}  // namespace jackfield::app
