#pragma once

#include <string_view>
#include <vector>

namespace jackfield::app {

/// A file of the example plugins, as the build embedded it.
struct PluginTemplateFile {
    std::string_view path; ///< in the source tree: "plugins/tts/example_c/plugin.c", "packaging/templates/plugin_test.cpp"
    std::string_view text;
};

const std::vector<PluginTemplateFile>& plugin_template_files();

}  // namespace jackfield::app
