#include "config/agent_tools.hpp"

#include "config/host_config.hpp"

#include <algorithm>

namespace jackfield::config {

const std::vector<std::string>& built_in_tools() {
    static const std::vector<std::string> names{
        "hang_up", "transfer", "pause_recording", "resume_recording", "send_digits"};
    return names;
}

void read_agent_tools(const Value& list, AgentConfig& agent) {
    const std::vector<std::string>& known = built_in_tools();
    for (const Value& element : list.array()) {
        const std::string& text = element.text();
        if (std::find(known.begin(), known.end(), text) != known.end()) {
            agent.tools.push_back(text);
            continue;
        }
        const std::size_t dot = text.find('.');
        agent.tool_choices.push_back(
            {text.substr(0, dot),
             dot == std::string::npos ? std::string() : text.substr(dot + 1),
             element.at});
    }
}

void check_tool_choices(const HostConfig& host,
                        const TenantConfig& tenant,
                        const AgentConfig& agent,
                        Problems& problems) {
    const std::string path = "agents." + agent.name + ".tools";
    for (const ToolChoice& choice : agent.tool_choices) {
        const bool of_host = choice.provider.starts_with("host:");
        const ProviderName name{
            of_host, of_host ? choice.provider.substr(5) : choice.provider, choice.at};
        const ProviderConfig* provider = find_provider(host, tenant, name);
        if (!provider) {
            std::vector<std::string> known = built_in_tools();
            for (const auto& [id, one] : tenant.providers)
                if (one.kind() == "tools") known.push_back(id);
            for (const auto& [id, one] : host.providers)
                if (one.kind() == "tools") known.push_back("host:" + id);
            const std::string meant = !of_host && host.providers.contains(name.name)
                                          ? "host:" + name.name
                                          : nearest(choice.provider, known);
            problems.push_back(
                problem_at(choice.at,
                           path,
                           "'" + choice.provider + "' is neither a tool of the host nor a provider",
                           meant.empty() ? "write one of " + one_of_text(known)
                                         : "did you mean '" + meant + "'?"));
        } else if (provider->kind() != "tools" && !provider->plugin.empty()) {
            problems.push_back(problem_at(
                choice.at,
                path,
                "'" + choice.provider + "' is " + provider->plugin + ", which offers no tools",
                "name a provider whose plugin is tools/..."));
        }
    }
}

}  // namespace jackfield::config
