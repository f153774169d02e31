#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "plugin_host/plugin_host.hpp"

namespace jackfield::plugin_host {

/// A function that an instance of kind tools offers.
struct ToolFunction {
    std::string name;
    std::string description;
    std::string parameters; ///< JSON Schema of an object
    std::uint32_t flags = 0; ///< JF_TOOL_*
};

/// A function as an agent's model sees it: `crm_lookup` stands for `lookup` of the provider `crm`.
struct OfferedTool {
    std::string name;
    ToolFunction function;
    std::shared_ptr<Instance> instance;
};

/// What models may call a function of a provider: letters, digits, `_` and `-`, as the strictest vendor takes them.
std::string offered_tool_name(std::string_view provider, std::string_view function);

/// Asks an instance that has started what it offers; on `shard`. `done` runs there, once. Functions that no model could call (their name or their
/// schema is no good) are left out; each is logged.
void list_tools(PluginHost& host, std::shared_ptr<Instance> instance, runtime::Shard& shard,
                std::function<void(base::Result<std::vector<ToolFunction>>)> done);

}  // namespace jackfield::plugin_host
