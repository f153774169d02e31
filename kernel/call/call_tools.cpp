// The tools of a call: what its model is offered, and what providers carry out for it.

#include <algorithm>

#include "base/json.hpp"
#include "call/call.hpp"
#include "call/local_time.hpp"
#include "call/tool_builtins.hpp"

namespace jackfield::call {

ToolRunner::Context Call::tool_context() {
    ToolRunner::Context context;
    context.tenant = row_.tenant;
    context.call = row_.id;
    context.language = setup_.agent.language;
    context.now_local = [this] { return format_local(utc_now(), setup_.time_zone); };
    context.since_answer_ms = [this] { return std::chrono::duration_cast<base::Milliseconds>(now() - answered_at_).count(); };
    context.on_result = [this](std::uint64_t reply, std::uint32_t index, const std::string& content) {
        note_heard();
        run(machine_.on_tool_result(now(), reply, index, content));
    };
    context.on_progress = [this](std::uint64_t reply, std::uint32_t index, std::string_view text) {
        machine_.on_tool_progress(reply, index, text);
        update_timer();
    };
    context.on_recorded = [this](const store::ToolCallRow& row) {
        publish("call.tool", [&](base::JsonWriter& json) {
            json.member("name", row.name).member("state", row.state).member("key", row.key).member("attempts", row.attempts);
            json.member("began_ms", row.began_ms).member("took_ms", (row.ended.us - row.began.us) / 1000);
        });
    };
    context.on_idle = [this] { finish_when_quiet(); };
    return context;
}

/// The machine knows what its model may call; with a new agent that is something else.
void Call::offer_tools() {
    std::vector<std::string> names;
    for (const plugin_host::OfferedTool& tool : setup_.tools) names.push_back(tool.name);
    machine_.offer_tools(std::move(names));
    tool_runner_.set_language(setup_.agent.language);
}

void Call::run_tool(const act::RunTool& action) {
    const auto tool = std::find_if(setup_.tools.begin(), setup_.tools.end(), [&](const auto& one) { return one.name == action.name; });
    if (tool == setup_.tools.end()) return; // the machine asks for what was offered only
    log_.info("tool.called", {{"tool", tool->name}});
    tool_runner_.run(*tool, action.reply, action.index, action.arguments, setup_.agent.turn.tool_timeout);
}

/// Borrows from `texts` and from the setup.
std::vector<jf_tool> Call::tools_for_model(const std::vector<BuiltInTool>& texts) const {
    std::vector<jf_tool> out;
    const auto add = [&](const std::string& name, const std::string& description, const std::string& parameters, std::uint32_t flags) {
        jf_tool& tool = out.emplace_back();
        tool.struct_size = sizeof tool;
        tool.flags = flags;
        tool.name = sdk::str(name);
        tool.description = sdk::str(description);
        tool.parameters = sdk::str(parameters);
    };
    for (const BuiltInTool& tool : texts) add(tool.name, tool.description, tool.parameters, 0);
    for (const plugin_host::OfferedTool& tool : setup_.tools)
        add(tool.name, tool.function.description, tool.function.parameters, tool.function.flags);
    return out;
}

}  // namespace jackfield::call
