#include "tenant/directory.hpp"

#include <algorithm>

#include "base/json.hpp"

namespace jackfield::tenant {
namespace {

using plugin_host::Instance;

constexpr base::Milliseconds first_retry{1000};
constexpr base::Milliseconds slowest_retry{60000};

std::string kind_of(const Instance& instance) { return instance.spec().plugin.substr(0, instance.spec().plugin.find('/')); }

/// Providers first, then services that use them, telephony last: no call comes before there is somebody to answer it.
int start_rank(const Instance& instance) {
    const std::string kind = kind_of(instance);
    return kind == "telephony" ? 2 : kind == "service" ? 1 : 0;
}

std::string route_key(std::string_view instance, std::string_view key) {
    return std::string(instance) + "\n" + std::string(key);
}

}  // namespace

Directory::Directory(const config::HostConfig& config, plugin_host::PluginHost& plugins, observe::Logger log)
    : config_(config), plugins_(plugins), log_(std::move(log)) {
    index_routes();
}

void Directory::index_routes() {
    for (const config::TenantConfig& tenant : config_.tenants)
        for (const auto& [name, agent] : tenant.agents)
            for (const config::AnswerConfig& answer : agent.answers)
                routes_.emplace(route_key(instance_name(answer.provider.of_host ? "" : tenant.id, answer.provider.name), answer.key),
                                Answering{&tenant, &agent});
}

void Directory::start(runtime::Shard& shard, const CheckedHost& checked, std::function<void(base::Result<>)> done) {
    std::string failures;
    const auto make = [&](const CheckedProvider& provider) {
        auto made = plugins_.create(provider.spec);
        if (!made) {
            failures += (failures.empty() ? "" : "\n") + made.error().text();
            return;
        }
        instances_.emplace((*made)->name(), *made);
        in_order_.push_back(*made);
    };
    for (const CheckedProvider& provider : checked.host) make(provider);
    for (const CheckedProvider& provider : checked.tenants) make(provider);
    if (!failures.empty()) return done(base::Error(base::ErrorCode::invalid, failures));
    std::stable_sort(in_order_.begin(), in_order_.end(),
                     [](const auto& a, const auto& b) { return start_rank(*a) < start_rank(*b); });
    for (const auto& instance : in_order_) {
        if (kind_of(*instance) != "service") continue;
        Service service{instance, {}, base::Milliseconds(0)};
        if (const auto caps = base::JsonDocument::parse(instance->plugin().file.descriptor.capabilities)) {
            const base::JsonView wants = caps->root()["service"];
            for (std::size_t i = 0; i < wants["events"].size(); ++i) service.events.push_back(wants["events"].at(i).text_or(""));
            service.tick = base::Milliseconds(wants["tick_ms"].integer_or(0));
        }
        services_.push_back(std::move(service));
    }
    start_next(shard, 0, std::move(done));
}

void Directory::start_next(runtime::Shard& shard, std::size_t next, std::function<void(base::Result<>)> done) {
    if (next == in_order_.size()) return done(base::Result<>());
    const auto instance = in_order_[next];
    plugins_.start(instance, shard, [this, &shard, next, instance, done = std::move(done)](base::Result<> started) {
        if (!started) {
            log_.error("provider.start_failed", {{"provider", instance->name()}, {"error", started.error().text()}});
            if (start_rank(*instance) == 2) return done(started.error());
            retry(shard, instance, resilience::Backoff(first_retry, slowest_retry));
        } else if (kind_of(*instance) == "tools") {
            // Calls wait for it: an agent without its tools would tell callers that it can't help.
            return plugin_host::list_tools(plugins_, instance, shard, [this, &shard, next, instance, done](auto listed) {
                if (listed) remember_tools(*instance, std::move(*listed));
                else retry_list(shard, instance, resilience::Backoff(first_retry, slowest_retry), listed.error());
                start_next(shard, next + 1, done);
            });
        }
        start_next(shard, next + 1, std::move(done));
    });
}

void Directory::retry(runtime::Shard& shard, std::shared_ptr<Instance> instance, resilience::Backoff backoff) {
    const base::Milliseconds wait = backoff.next(plugins_.runtime().random());
    shard.start_timer(shard.now() + wait, [this, &shard, instance, backoff] {
        if (stopping_) return;
        plugins_.start(instance, shard, [this, &shard, instance, backoff](base::Result<> started) {
            if (started) {
                log_.info("provider.recovered", {{"provider", instance->name()}});
                if (kind_of(*instance) == "tools") list_tools(shard, instance, resilience::Backoff(first_retry, slowest_retry));
                return;
            }
            retry(shard, instance, backoff);
        });
    });
}

void Directory::list_tools(runtime::Shard& shard, std::shared_ptr<Instance> instance, resilience::Backoff backoff) {
    plugin_host::list_tools(plugins_, instance, shard, [this, &shard, instance, backoff](auto listed) {
        if (listed) remember_tools(*instance, std::move(*listed));
        else retry_list(shard, instance, backoff, listed.error());
    });
}

void Directory::retry_list(runtime::Shard& shard, std::shared_ptr<Instance> instance, resilience::Backoff backoff, const base::Error& error) {
    log_.error("tools.not_listed", {{"provider", instance->name()}, {"error", error.text()}});
    const base::Milliseconds wait = backoff.next(plugins_.runtime().random());
    shard.start_timer(shard.now() + wait, [this, &shard, instance, backoff] {
        if (!stopping_) list_tools(shard, instance, backoff);
    });
}

void Directory::remember_tools(const Instance& instance, std::vector<plugin_host::ToolFunction> functions) {
    log_.info("tools.listed", {{"provider", instance.name()}, {"functions", functions.size()}});
    const std::lock_guard lock(tools_mutex_);
    tools_[instance.name()] = std::move(functions);
}

/// By the agent's own choice, in its order; two of one name are one.
std::vector<plugin_host::OfferedTool> Directory::tools_of(const Route& route) const {
    std::vector<plugin_host::OfferedTool> out;
    const std::lock_guard lock(tools_mutex_);
    for (const config::ToolChoice& choice : route.agent->tool_choices) {
        const auto instance = find(route.tenant->id, choice.provider);
        const auto listed = instance ? tools_.find(instance->name()) : tools_.end();
        if (listed == tools_.end()) continue;
        bool found = false;
        for (const plugin_host::ToolFunction& function : listed->second) {
            if (!choice.function.empty() && choice.function != function.name) continue;
            found = true;
            std::string name = plugin_host::offered_tool_name(choice.provider, function.name);
            const bool there = std::any_of(out.begin(), out.end(), [&](const auto& tool) { return tool.name == name; });
            if (!there) out.push_back({std::move(name), function, instance});
        }
        if (!found && !choice.function.empty())
            log_.error("tool.unknown_function",
                       {{"agent", route.agent->name}, {"tool", choice.provider + "." + choice.function}, {"provider", instance->name()}});
    }
    return out;
}

void Directory::stop(runtime::Shard& shard, base::Milliseconds budget, std::function<void()> done) {
    stopping_ = true;
    if (in_order_.empty()) return done();
    const auto last = in_order_.back();
    in_order_.pop_back();
    plugins_.stop(last, shard, budget, [this, &shard, budget, done = std::move(done)] { stop(shard, budget, std::move(done)); });
}

std::shared_ptr<Instance> Directory::find(std::string_view tenant, std::string_view name) const {
    const bool of_host = name.starts_with("host:");
    const auto found = instances_.find(instance_name(of_host ? "" : std::string(tenant), std::string(of_host ? name.substr(5) : name)));
    return found == instances_.end() ? nullptr : found->second;
}

std::vector<std::shared_ptr<Instance>> Directory::chain(const config::TenantConfig& tenant,
                                                        const std::vector<config::ProviderName>& names) const {
    std::vector<std::shared_ptr<Instance>> out;
    for (const config::ProviderName& name : names)
        if (auto instance = find(tenant.id, name.text())) out.push_back(std::move(instance));
    return out;
}

void Directory::fill_chains(Route& route) const {
    route.stt = chain(*route.tenant, route.agent->stt);
    route.llm = chain(*route.tenant, route.agent->llm);
    route.tts = chain(*route.tenant, route.agent->tts);
    route.tools = tools_of(route);
}

std::optional<Route> Directory::route(const Instance& telephony, std::span<const std::string_view> keys) const {
    // Whatever no other agent answers, whether the carrier's plugin says so or not.
    std::vector<std::string_view> wanted(keys.begin(), keys.end());
    wanted.push_back("*");
    for (const std::string_view key : wanted) {
        const auto found = routes_.find(route_key(telephony.name(), key));
        if (found == routes_.end()) continue;
        Route route;
        route.tenant = found->second.tenant;
        route.agent = found->second.agent;
        route.telephony = instances_.find(telephony.name())->second;
        route.provider = telephony.tenant().empty() ? "host:" + telephony.name() : telephony.name().substr(telephony.tenant().size() + 1);
        fill_chains(route);
        return route;
    }
    return std::nullopt;
}

base::Result<Route> Directory::agent(std::string_view tenant, std::string_view agent, std::string_view provider) const {
    Route route;
    route.tenant = config_.tenant(tenant);
    if (!route.tenant) return base::Error(base::ErrorCode::not_found, "there is no tenant '" + std::string(tenant) + "'");
    const auto found = route.tenant->agents.find(std::string(agent));
    if (found == route.tenant->agents.end())
        return base::Error(base::ErrorCode::not_found, "tenant '" + std::string(tenant) + "' has no agent '" + std::string(agent) + "'");
    route.agent = &found->second;
    route.provider = provider;
    if (route.provider.empty()) {
        if (route.agent->answers.empty())
            return base::Error(base::ErrorCode::invalid, "the agent answers nothing, so say which provider is to call: --provider");
        route.provider = route.agent->answers.front().provider.text();
    }
    route.telephony = find(tenant, route.provider);
    if (!route.telephony)
        return base::Error(base::ErrorCode::not_found, "tenant '" + std::string(tenant) + "' has no provider '" + route.provider + "'");
    fill_chains(route);
    return route;
}

}  // namespace jackfield::tenant
