#pragma once

#include <string>
#include <vector>

#include "app/commands.hpp"

namespace jackfield::app {

struct LintCommand {
    std::string file;
    std::string glibc_floor = "2.36";
    bool strict = false; ///< warnings fail as well
};

struct VerifyCommand {
    std::string file;
    std::string kind;
    std::vector<std::string> only;
    std::vector<std::string> config; ///< key=value
    std::string config_file;
    std::string fixtures;
    std::string plugins;
    std::string dial;
    double patience_s = 10;
    bool list = false;
    bool no_lint = false;
};

/// Judges a plugin file without executing it: exit_ok when it has no error.
int run_plugin_lint(const CommonOptions& common, const LintCommand& command);
/// Becomes jackfield-verify, which stands beside this program or in libexec. Returns only when there is none.
int run_plugin_verify(const CommonOptions& common, const VerifyCommand& command);

}  // namespace jackfield::app
