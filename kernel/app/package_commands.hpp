#pragma once

#include "app/commands.hpp"

namespace CLI {
class App;
}

namespace jackfield::app {

/// `jackfield plugin keygen|sign|pack|install`; `code` becomes the exit status of the one that runs.
void add_package_commands(CLI::App& plugin, CommonOptions& common, int& code);

/// What a package says of itself, and whose signatures it has.
int run_package_explain(const CommonOptions& common, const std::filesystem::path& package);

}  // namespace jackfield::app
