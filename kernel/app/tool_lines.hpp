#pragma once

#include <string>
#include <vector>

#include "base/json.hpp"
#include "store/tool_call_store.hpp"

namespace jackfield::app {

/// The member "tool_calls" of a call's JSON.
void write_tool_calls(base::JsonWriter& json, const std::vector<store::ToolCallRow>& calls);

/// One line, as `calls show` prints it between the turns: "  4.2 s  tool:   desk_book {...} -> done {...}".
std::string tool_line(const store::ToolCallRow& call);

}  // namespace jackfield::app
