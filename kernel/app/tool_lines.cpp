#include "app/tool_lines.hpp"

namespace jackfield::app {
namespace {

constexpr std::size_t widest = 200;

/// JSON where it is, else text.
void member(base::JsonWriter& json, const char* name, const std::string& text) {
    if (text.empty()) return;
    if (const auto document = base::JsonDocument::parse(text)) json.key(name).raw(document->root().dump());
    else json.member(name, text);
}

std::string shortened(const std::string& text) {
    if (text.size() <= widest) return text;
    std::size_t end = widest;
    while (end > 0 && (text[end] & 0xc0) == 0x80) --end;
    return text.substr(0, end) + "...";
}

}  // namespace

void write_tool_calls(base::JsonWriter& json, const std::vector<store::ToolCallRow>& calls) {
    json.key("tool_calls").begin_array();
    for (const store::ToolCallRow& call : calls) {
        json.begin_object().member("turn", call.turn).member("index", call.index).member("key", call.key).member("name", call.name);
        json.member("state", call.state).member("attempts", call.attempts).member("began_ms", call.began_ms);
        json.member("began_us", call.began.us).member("ended_us", call.ended.us);
        member(json, "arguments", call.arguments);
        member(json, "result", call.result);
        json.end_object();
    }
    json.end_array();
}

std::string tool_line(const store::ToolCallRow& call) {
    std::string line = "  " + std::to_string(call.began_ms / 1000) + "." + std::to_string(call.began_ms % 1000 / 100) + " s  tool:   " +
                       call.name + " " + shortened(call.arguments) + " -> " + call.state;
    if (!call.result.empty()) line += " " + shortened(call.result);
    if (call.ended.us) line += "   [" + std::to_string((call.ended.us - call.began.us) / 1000) + " ms]";
    return line + "\n";
}

}  // namespace jackfield::app
