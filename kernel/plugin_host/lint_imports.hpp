#pragma once

#include "plugin_host/lint.hpp"

namespace jackfield::plugin_host {

/// What a plugin takes from other libraries: functions that belong to the host's process and not to a guest, names that no needed library
/// has, libraries that are not there.
void lint_imports(const ElfFacts& elf,
                  const std::function<std::optional<std::vector<std::byte>>(std::string_view)>& library,
                  std::vector<LintFinding>& findings);

}  // namespace jackfield::plugin_host
