#pragma once

#include "config/environment.hpp"
#include "config/value.hpp"

#include <filesystem>
#include <string_view>

namespace jackfield::config {

/// The text as a tree with its references replaced. A mistake of syntax ends the reading of this
/// text (TOML has no point to resume from); every other problem is reported and reading goes on.
/// `file` is what problems name; relative ${file:} paths start at its folder.
Outcome<Value> parse_toml(std::string_view text,
                          const std::filesystem::path& file,
                          const Environment& environment);

Outcome<Value> load_toml(const std::filesystem::path& file, const Environment& environment);

}  // namespace jackfield::config
