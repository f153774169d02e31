#include "config/host_reader.hpp"

#include <map>

namespace jackfield::config {
namespace {

std::vector<std::string> names_of(const std::map<std::string, ProviderConfig>& providers,
                                  const char* prefix) {
    std::vector<std::string> names;
    for (const auto& [name, provider] : providers) names.push_back(prefix + name);
    return names;
}

/// One agent's references, with what is needed to say where they stand.
struct AgentScope {
    const HostConfig& host;
    const TenantConfig& tenant;
    std::string path;
    Problems& problems;

    void check_agent(const std::string& name, const Position& at) const {
        if (tenant.agents.contains(name)) return;
        std::vector<std::string> known;
        for (const auto& [agent, config] : tenant.agents) known.push_back(agent);
        const std::string meant = nearest(name, known);
        problems.push_back(problem_at(at,
                                      join_path(path, "hand_off"),
                                      "this tenant has no agent '" + name + "'",
                                      meant.empty() ? "the agents are " + one_of_text(known)
                                                    : "did you mean '" + meant + "'?"));
    }

    void check(const ProviderName& name, const char* kind, const std::string& key) const {
        const ProviderConfig* provider = find_provider(host, tenant, name);
        if (!provider) {
            std::vector<std::string> known = names_of(tenant.providers, "");
            const std::vector<std::string> of_host = names_of(host.providers, "host:");
            known.insert(known.end(), of_host.begin(), of_host.end());
            std::string meant = nearest(name.text(), known);
            // The commonest slip: a provider of the host without its prefix.
            if (!name.of_host && host.providers.contains(name.name)) meant = "host:" + name.name;
            problems.push_back(problem_at(name.at,
                                          join_path(path, key),
                                          "there is no provider '" + name.text() + "'",
                                          !meant.empty() ? "did you mean '" + meant + "'?"
                                          : known.empty()
                                              ? "add [providers." + name.name + "]"
                                              : "the providers are " + one_of_text(known)));
        } else if (provider->kind() != kind && !provider->plugin.empty()) {
            problems.push_back(
                problem_at(name.at,
                           join_path(path, key),
                           "'" + name.text() + "' is " + provider->plugin + ", and " + key +
                               " wants a plugin of kind " + kind,
                           std::string("name a provider whose plugin is ") + kind + "/..."));
        }
    }
};

std::string place(const Position& at) {
    return (at.file ? *at.file : "") + ":" + std::to_string(at.line) + ":" +
           std::to_string(at.column);
}

/// Who claimed an answer first.
struct Claim {
    std::string by;
    Position at;
};

void check_claims(const HostConfig& host, Problems& problems) {
    std::map<std::string, Claim> claims;
    for (const TenantConfig& tenant : host.tenants) {
        for (const auto& [name, agent] : tenant.agents) {
            const std::string who = tenant.id + "." + name;
            for (const AnswerConfig& answer : agent.answers) {
                // Two tenants may both have a provider "trunk" of their own.
                const std::string scope = answer.provider.of_host ? "" : tenant.id + ":";
                const auto [it, fresh] =
                    claims.try_emplace(scope + answer.text(), Claim{who, answer.at});
                if (fresh) continue;
                problems.push_back(problem_at(answer.at,
                                              "agents." + name + ".answers",
                                              "'" + answer.text() + "' is already answered by " +
                                                  it->second.by + " at " + place(it->second.at),
                                              "leave it to one of the two"));
            }
        }
    }
}

void check_storage(const HostConfig& host, const Value& storage, Problems& problems) {
    const std::size_t colon = host.storage.find(':');
    if (colon != std::string::npos) {
        const std::string scheme = host.storage.substr(0, colon);
        if (scheme != "sqlite" && scheme != "postgres" && scheme != "postgresql")
            problems.push_back(
                problem_at(storage.at,
                           "host.storage",
                           "no storage is reached by '" + scheme + ":'",
                           "write sqlite:<file>, or the name of a provider of this file"));
        else if (colon + 1 == host.storage.size())
            problems.push_back(problem_at(storage.at,
                                          "host.storage",
                                          "'" + host.storage + "' does not say where",
                                          "write sqlite:var/jackfield.db"));
        return;
    }
    const auto found = host.providers.find(host.storage);
    if (found == host.providers.end())
        problems.push_back(
            problem_at(storage.at,
                       "host.storage",
                       "there is no provider '" + host.storage + "' in this file",
                       "write sqlite:<file>, or add [providers." + host.storage + "]"));
    else if (found->second.kind() != "storage")
        problems.push_back(problem_at(
            storage.at,
            "host.storage",
            "'" + host.storage + "' is " + found->second.plugin + ", which stores nothing",
            "name a provider whose plugin is storage/..."));
}

}  // namespace

const ProviderConfig* find_provider(const HostConfig& host,
                                    const TenantConfig& tenant,
                                    const ProviderName& name) {
    const auto& providers = name.of_host ? host.providers : tenant.providers;
    const auto found = providers.find(name.name);
    return found == providers.end() ? nullptr : &found->second;
}

void check_references(const HostConfig& host, const Value& checked_host, Problems& problems) {
    for (const TenantConfig& tenant : host.tenants) {
        for (const ProviderName& provider : tenant.telemetry.providers)
            AgentScope{host, tenant, "tenant.telemetry", problems}.check(provider, "telemetry", "providers");
        for (const auto& [name, agent] : tenant.agents) {
            const AgentScope scope{host, tenant, "agents." + name, problems};
            for (const AnswerConfig& answer : agent.answers)
                scope.check(answer.provider, "telephony", "answers");
            for (const ProviderName& provider : agent.stt) scope.check(provider, "stt", "stt");
            for (const ProviderName& provider : agent.llm) scope.check(provider, "llm", "llm");
            for (const ProviderName& provider : agent.tts) scope.check(provider, "tts", "tts");
            check_tool_choices(host, tenant, agent, problems);
            for (const auto& [to, target] : agent.transfer)
                if (!target.provider.empty()) {
                    const bool of_host = target.provider.starts_with("host:");
                    scope.check({of_host, target.provider.substr(of_host ? 5 : 0), target.at},
                                "telephony",
                                "transfer." + to + ".provider");
                }
            for (const std::string& other : agent.hand_off) scope.check_agent(other, agent.hand_off_at);
        }
    }
    check_claims(host, problems);
    check_storage(host, checked_host["host"]["storage"], problems);
}

}  // namespace jackfield::config
