#pragma once

#include <filesystem>
#include <map>
#include <string>

#include "app/commands.hpp"
#include "base/result.hpp"

namespace jackfield::app {

struct NewPlugin {
    std::string id;              ///< "tts/acme"
    std::string language = "c++"; ///< c++, c, rust
    std::filesystem::path to;    ///< empty: a folder named after the plugin
    std::string vendor = "Your company";
    std::string licence = "Proprietary";
};

/// The files of a new plugin by their names: the kind's example in that language, under the new id. Builds against the installed package.
base::Result<std::map<std::string, std::string>> new_plugin_files(const NewPlugin& wanted);

/// Which kinds can be begun in which language, for the help text.
std::string languages_text();

/// Writes them. Refuses a folder that has something in it.
int run_plugin_new(const CommonOptions& common, const NewPlugin& wanted);

}  // namespace jackfield::app
