#pragma once

#include <jackfield/sdk/records.hpp>

#include <optional>
#include <string>
#include <string_view>

namespace example {

bool is_json(std::string_view text);
/// A field's value as JSON; not for bytes.
std::string json_of(const jackfield::sdk::Value& value);
/// `array` with one element more. Nothing when it is no JSON array.
std::optional<std::string> with_element(std::string_view array, std::string_view element);
/// Two arrays of numbers added up element by element; the longer one decides the length. Nothing when one is none, or a sum is not finite.
std::optional<std::string> added_up(std::string_view a, std::string_view b);
bool is_number_array(std::string_view text);

}  // namespace example
