#pragma once

#include <memory>

#include "plugin_host/adapters/ports.hpp"

namespace jackfield::plugin_host {

/// For OpTable::open of a list: it names functions.
std::unique_ptr<OutputCheck> check_tool_list();
/// For OpTable::open of a call: progress that can be said, then a result of the size that tools.h allows.
std::unique_ptr<OutputCheck> check_tool_call();

}  // namespace jackfield::plugin_host
