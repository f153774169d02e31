#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "config/host_config.hpp"
#include "observe/log.hpp"
#include "plugin_host/plugin_host.hpp"
#include "plugin_host/tool_list.hpp"
#include "resilience/backoff.hpp"
#include "tenant/plugin_options.hpp"

namespace jackfield::tenant {

/// Who answers a call, and with what.
struct Route {
    const config::TenantConfig* tenant = nullptr;
    const config::AgentConfig* agent = nullptr;
    std::shared_ptr<plugin_host::Instance> telephony;
    std::string provider; ///< as the agent's file names it: "host:trunk"
    std::vector<std::shared_ptr<plugin_host::Instance>> stt;
    std::vector<std::shared_ptr<plugin_host::Instance>> llm;
    std::vector<std::shared_ptr<plugin_host::Instance>> tts;
    /// What the agent's model may call besides the host's own tools, as far as their providers have said what they offer.
    std::vector<plugin_host::OfferedTool> tools;
};

/// A service of a tenant, with what its descriptor asks for.
struct Service {
    std::shared_ptr<plugin_host::Instance> instance;
    std::vector<std::string> events;
    base::Milliseconds tick{0};
};

/// The wiring of all tenants: which instance stands behind which name, and which agent answers what. Immutable once started.
class Directory {
  public:
    Directory(const config::HostConfig& config, plugin_host::PluginHost& plugins, observe::Logger log);

    /// Makes every instance, then starts them, telephony last. `done` runs on `shard`. A provider that does not come up is tried
    /// again with back-off while the others serve; a telephony instance that does not is a failure of the whole.
    void start(runtime::Shard& shard, const CheckedHost& checked, std::function<void(base::Result<>)> done);
    /// Stops them in the opposite order.
    void stop(runtime::Shard& shard, base::Milliseconds budget, std::function<void()> done);

    /// By the routing keys of an incoming call, most specific first. Any thread.
    std::optional<Route> route(const plugin_host::Instance& telephony, std::span<const std::string_view> keys) const;
    /// By name, for calls that start here. `provider` empty: the first that the agent answers on. Any thread.
    base::Result<Route> agent(std::string_view tenant, std::string_view agent, std::string_view provider) const;
    /// What "ears" or "host:trunk" is for that tenant; null when there is none.
    std::shared_ptr<plugin_host::Instance> find(std::string_view tenant, std::string_view name) const;

    const std::vector<Service>& services() const { return services_; }
    const std::map<std::string, std::shared_ptr<plugin_host::Instance>, std::less<>>& instances() const { return instances_; }
    const config::HostConfig& config() const { return config_; }

  private:
    struct Answering {
        const config::TenantConfig* tenant;
        const config::AgentConfig* agent;
    };
    void index_routes();
    void start_next(runtime::Shard& shard, std::size_t next, std::function<void(base::Result<>)> done);
    void retry(runtime::Shard& shard, std::shared_ptr<plugin_host::Instance> instance, resilience::Backoff backoff);
    void fill_chains(Route& route) const;
    void list_tools(runtime::Shard& shard, std::shared_ptr<plugin_host::Instance> instance, resilience::Backoff backoff);
    void retry_list(runtime::Shard& shard, std::shared_ptr<plugin_host::Instance> instance, resilience::Backoff backoff,
                    const base::Error& error);
    void remember_tools(const plugin_host::Instance& instance, std::vector<plugin_host::ToolFunction> functions);
    std::vector<plugin_host::OfferedTool> tools_of(const Route& route) const;
    std::vector<std::shared_ptr<plugin_host::Instance>> chain(const config::TenantConfig& tenant,
                                                              const std::vector<config::ProviderName>& names) const;

    const config::HostConfig& config_;
    plugin_host::PluginHost& plugins_;
    observe::Logger log_;
    std::map<std::string, std::shared_ptr<plugin_host::Instance>, std::less<>> instances_; ///< by instance_name()
    std::vector<std::shared_ptr<plugin_host::Instance>> in_order_;
    std::map<std::string, Answering, std::less<>> routes_; ///< "<instance name>\n<key>"
    std::vector<Service> services_;
    mutable std::mutex tools_mutex_;
    std::map<std::string, std::vector<plugin_host::ToolFunction>, std::less<>> tools_; ///< by the instance's name, once it was asked
    bool stopping_ = false;
};

}  // namespace jackfield::tenant
