#pragma once

#include <string>
#include <vector>

#include "config/host_config.hpp"

namespace jackfield::call {

/// A tool that the host carries out itself, as a model is told of it.
struct BuiltInTool {
    std::string name;
    std::string description;
    std::string parameters; ///< JSON Schema
};

/// Those that the agent may use. Where a name has to be one of the agent's (whom it may transfer to), the schema lists them.
std::vector<BuiltInTool> built_in_tools(const config::AgentConfig& agent);

}  // namespace jackfield::call
