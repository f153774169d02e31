#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace jackfield::call {

/// What is wrong with a model's arguments for a tool, against the tool's JSON Schema: sentences that the model can act on ("party: 12 is
/// above the most, 8"). Empty: they may be passed on. Understands type (a name or several), enum, const, minimum, maximum, minLength,
/// maxLength, pattern, items, minItems, maxItems, properties, required and additionalProperties = false; what else a schema says is the
/// tool's to check.
std::vector<std::string> argument_problems(std::string_view schema_json, std::string_view arguments_json);

}  // namespace jackfield::call
