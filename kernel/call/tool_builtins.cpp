#include "call/tool_builtins.hpp"

#include "base/json.hpp"

namespace jackfield::call {
namespace {

constexpr const char* nothing = R"({"type":"object","properties":{}})";

/// An object with a `to` out of `names` and, where a person takes over, what the call was about.
std::string parameters_to(const std::vector<std::string>& names, bool with_summary) {
    base::JsonWriter json;
    json.begin_object().member("type", "object").key("properties").begin_object();
    json.key("to").begin_object().member("type", "string");
    if (!names.empty()) {
        json.key("enum").begin_array();
        for (const std::string& name : names) json.value(name);
        json.end_array();
    }
    json.end_object();
    if (with_summary)
        json.key("summary").begin_object().member("type", "string").member("description", "What the caller wants, for the person.").end_object();
    json.end_object().key("required").begin_array().value("to").end_array().end_object();
    return json.take();
}

BuiltInTool describe(const std::string& name, const config::AgentConfig& agent) {
    if (name == "hang_up") return {name, "Ends the call after what was said.", nothing};
    if (name == "transfer") {
        std::vector<std::string> names;
        for (const auto& [to, target] : agent.transfer) names.push_back(to);
        return {name, "Hands the caller to a person.", parameters_to(names, true)};
    }
    if (name == "pause_recording") return {name, "Stops the recording while the caller says something confidential, a card number for example.", nothing};
    if (name == "resume_recording") return {name, "Goes on recording.", nothing};
    return {name, "Presses keys on the line, for the menu of another telephone system.",
            R"json({"type":"object","properties":{"digits":{"type":"string","minLength":1,"maxLength":64,"pattern":"^[0-9A-D*#w]+$","description":"0-9 * # A-D; w waits half a second"}},"required":["digits"]})json"};
}

}  // namespace

std::vector<BuiltInTool> built_in_tools(const config::AgentConfig& agent) {
    std::vector<BuiltInTool> out;
    for (const std::string& name : agent.tools) out.push_back(describe(name, agent));
    if (!agent.hand_off.empty()) out.push_back({"hand_off", "Lets another agent go on with the call.", parameters_to(agent.hand_off, false)});
    return out;
}

}  // namespace jackfield::call
