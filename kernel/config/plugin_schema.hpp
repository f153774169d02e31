#pragma once

#include "base/json.hpp"
#include "config/value.hpp"

#include <string_view>
#include <vector>

namespace jackfield::config {

/// Checks a plugin's options against the JSON Schema of its descriptor and returns them with
/// defaults filled in. The subset: type, enum, minimum, maximum, minLength, maxLength, pattern,
/// items, properties, required, default, description, and our own `secret` and `unit`. A key that
/// the schema does not name is refused.
Outcome<Value> check_schema(base::JsonView schema, const Value& given);
/// As above from the schema's text; a schema that is not JSON is a problem too.
Outcome<Value> check_schema(std::string_view schema_json, const Value& given);

/// What is wrong with a schema itself: keywords outside the subset (which would be silently without
/// effect), unknown types, a pattern that does not compile, a default that its own schema refuses.
/// Sentences for the plugin's author.
std::vector<std::string> schema_faults(base::JsonView schema);

}  // namespace jackfield::config
