#include "tenant/plugin_options.hpp"

#include <map>

#include "base/json.hpp"
#include "config/plugin_schema.hpp"

namespace jackfield::tenant {
namespace {

using config::Problems;
using plugin_host::Loader;
using plugin_host::PluginFile;

/// Files are read once, however many instances are made of them.
class Files {
  public:
    explicit Files(const Loader& loader) : loader_(loader) {}

    const PluginFile* get(const config::ProviderConfig& provider, Problems& problems) {
        const auto known = files_.find(provider.plugin);
        if (known != files_.end()) return known->second ? &*known->second : nullptr;
        auto& slot = files_[provider.plugin];
        const auto refuse = [&](const base::Error& error) {
            problems.push_back(config::problem_at(provider.plugin_at.file ? provider.plugin_at : provider.at, "plugin", error.text(), ""));
            return nullptr;
        };
        const auto path = loader_.find(provider.plugin);
        if (!path) return refuse(path.error());
        auto file = loader_.inspect_found(*path);
        if (!file) return refuse(file.error());
        slot = std::move(*file);
        return &*slot;
    }

  private:
    const Loader& loader_;
    std::map<std::string, std::optional<PluginFile>> files_;
};

/// What a stranger's plugin does wrong should cost its own thread and not a call's, unless the operator says otherwise. Not a question of trust: a file may
/// say what it likes of its vendor, and [host] trust is for that.
plugin_host::Placement placement_of(config::Placement wanted, const std::string& vendor) {
    const bool own_thread = wanted == config::Placement::own_thread || (wanted == config::Placement::by_vendor && vendor != "Jackfield");
    return own_thread ? plugin_host::Placement::thread : plugin_host::Placement::inline_;
}

std::optional<CheckedProvider> check(const config::ProviderConfig& provider, const std::string& tenant, Files& files,
                                     Problems& problems) {
    const PluginFile* file = files.get(provider, problems);
    if (!file) return std::nullopt;
    auto options = config::check_schema(file->descriptor.config_schema, provider.options);
    for (config::Problem& problem : options.problems) {
        if (problem.file.empty() && provider.at.file) {
            problem.file = *provider.at.file;
            problem.line = provider.at.line;
            problem.column = provider.at.column;
        }
        problems.push_back(std::move(problem));
    }
    CheckedProvider out;
    out.config = provider;
    out.config.options = options.value;
    out.spec.name = instance_name(tenant, provider.name);
    out.spec.tenant = tenant;
    out.spec.plugin = provider.plugin;
    out.spec.placement = placement_of(provider.placement, file->descriptor.vendor);
    out.spec.config_json = config::to_json(options.value);
    out.spec.config_pairs = config::flatten(options.value);
    return out;
}

/// `storage = "sqlite:path"` stands for a provider that nobody had to write down.
config::ProviderConfig storage_provider(const config::HostConfig& host, Problems& problems) {
    const auto named = host.providers.find(host.storage);
    if (named != host.providers.end()) return named->second;
    config::ProviderConfig out;
    out.name = "storage";
    out.at.file = std::make_shared<const std::string>(host.file.string());
    if (host.storage.starts_with("sqlite:")) {
        out.plugin = "storage/sqlite";
        out.options.set("path", config::Value(config::Value::Data(host.storage.substr(7))));
        return out;
    }
    problems.push_back({host.file.string(), 0, 0, "host.storage", "'" + host.storage.substr(0, host.storage.find(':')) + "' is no storage known here",
                        "write sqlite:<file>, or the name of a [providers.*] of kind storage"});
    return out;
}

void check_chain(const config::HostConfig& host, const config::TenantConfig& tenant, const std::vector<config::ProviderName>& chain,
                 const char* interface_id, Files& files, Problems& problems) {
    for (const config::ProviderName& name : chain) {
        const config::ProviderConfig* provider = config::find_provider(host, tenant, name);
        if (!provider) continue; // load_host has said so
        Problems once;
        const PluginFile* file = files.get(*provider, once);
        if (!file || file->descriptor.provides_interface(interface_id)) continue;
        problems.push_back(config::problem_at(name.at, name.text(), "its plugin '" + provider->plugin + "' does not provide " + interface_id,
                                              "name a provider whose plugin does"));
    }
}

/// A carrier that says of itself that it hands nobody on would leave each of these callers standing.
void check_transfers(const config::HostConfig& host, const config::TenantConfig& tenant, const config::AgentConfig& agent, Files& files, Problems& problems) {
    for (const auto& [name, target] : agent.transfer) {
        if (target.mode != config::TransferMode::refer) continue;
        for (const config::AnswerConfig& answer : agent.answers) {
            const config::ProviderConfig* provider = config::find_provider(host, tenant, answer.provider);
            if (!provider) continue; // load_host has said so
            Problems once;
            const PluginFile* file = files.get(*provider, once);
            const auto caps = file ? base::JsonDocument::parse(file->descriptor.capabilities) : base::Result<base::JsonDocument>(base::Error(base::ErrorCode::not_found, ""));
            if (!caps || caps->root()["telephony"]["refer"].boolean_or(true)) continue;
            problems.push_back(config::problem_at(target.mode_at, "agents." + agent.name + ".transfer." + name + ".mode",
                                                  "the carrier behind " + answer.provider.text() + ", " + provider->plugin + ", can't hand a caller on",
                                                  "write mode = \"bridge\", or leave mode out: then this host joins the two where the carrier can't"));
            break;
        }
    }
}

}  // namespace

std::string instance_name(const std::string& tenant, const std::string& name) {
    return tenant.empty() ? name : tenant + "/" + name;
}

CheckedHost check_providers(const config::HostConfig& host, const Loader& loader) {
    CheckedHost out;
    Files files(loader);
    const config::ProviderConfig storage = storage_provider(host, out.problems);
    if (!storage.plugin.empty())
        if (auto checked = check(storage, "", files, out.problems)) out.storage = std::move(*checked);
    for (const auto& [name, provider] : host.providers) {
        if (name == host.storage) continue;
        if (auto checked = check(provider, "", files, out.problems)) out.host.push_back(std::move(*checked));
    }
    for (const config::TenantConfig& tenant : host.tenants) {
        for (const auto& [name, provider] : tenant.providers)
            if (auto checked = check(provider, tenant.id, files, out.problems)) out.tenants.push_back(std::move(*checked));
        for (const auto& [name, service] : tenant.services)
            if (auto checked = check(service, tenant.id, files, out.problems)) out.tenants.push_back(std::move(*checked));
        check_chain(host, tenant, tenant.telemetry.providers, JF_TELEMETRY_V1, files, out.problems);
        for (const auto& [name, agent] : tenant.agents) {
            check_chain(host, tenant, agent.stt, JF_STT_V1, files, out.problems);
            check_chain(host, tenant, agent.llm, JF_LLM_V1, files, out.problems);
            check_chain(host, tenant, agent.tts, JF_TTS_V1, files, out.problems);
            check_transfers(host, tenant, agent, files, out.problems);
        }
    }
    config::sort_problems(out.problems);
    return out;
}

}  // namespace jackfield::tenant
