#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace jackfield::scripted {

struct JsonMember {
    std::string name;
    std::string value;
    bool bare = false;  // a number or boolean, not text
};

/// A compact JSON object.
std::string json_object(const std::vector<JsonMember>& members);

/// What a tool answered. It failed when its content is an object with "error" or with "ok": false; text that is no JSON is a success
/// without members.
struct ToolResult {
    bool ok = true;
    std::map<std::string, std::string> members;  // scalars of the object, as text
};
ToolResult parse_tool_result(std::string_view content);

}  // namespace jackfield::scripted
