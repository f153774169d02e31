#pragma once

#include "config/value.hpp"

#include <string>
#include <vector>

namespace jackfield::config {

struct AgentConfig;
struct HostConfig;
struct TenantConfig;

/// Functions of a provider of kind tools, as an agent's `tools` names them: `crm` (all that it
/// offers), `crm.lookup`, `host:crm.lookup`.
struct ToolChoice {
    std::string provider;  ///< "crm", "host:crm"
    std::string function;  ///< empty: all
    Position at;
};

/// The tools that the host carries out itself.
const std::vector<std::string>& built_in_tools();

/// Reads `tools`: built-in names go to agent.tools, the others to agent.tool_choices.
void read_agent_tools(const Value& list, AgentConfig& agent);

/// Reports choices whose provider does not exist or offers no tools.
void check_tool_choices(const HostConfig& host,
                        const TenantConfig& tenant,
                        const AgentConfig& agent,
                        Problems& problems);

}  // namespace jackfield::config
