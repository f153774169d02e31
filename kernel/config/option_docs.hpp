#pragma once

#include "config/option_table.hpp"

#include <string>

namespace jackfield::config {

/// A JSON Schema (2020-12) of the options, indented, for editors and for configs/schema/.
std::string schema_json(const OptionTable& table, const std::string& title);

/// A TOML file that lists every option at its default with what it does. Options that must be
/// given, and tables with names of the writer's choosing, are commented out, so the listing itself
/// loads.
std::string toml_listing(const OptionTable& table);

}  // namespace jackfield::config
