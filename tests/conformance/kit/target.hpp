#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/json.hpp"
#include "base/result.hpp"
#include "plugin_host/descriptor.hpp"

namespace jackfield::conformance {

struct TargetOptions {
    std::filesystem::path file;
    std::vector<std::string> config;    ///< key=value, after the file's
    std::filesystem::path config_file;  ///< TOML
    std::filesystem::path fixtures;     ///< empty: beside the file
    std::filesystem::path plugins;      ///< empty: the folder above the file's
    std::string dial;                   ///< an address that answers, instead of "verify.dial"
};

/// The plugin under test with the options that it shall have: those of "verify" in its descriptor, then the file's, then single ones.
struct Target {
    std::filesystem::path file;
    plugin_host::PluginFile facts;
    std::string config_json;
    std::vector<std::pair<std::string, std::string>> config_pairs;
    std::vector<std::string> secrets;  ///< values that must not show in its log
    std::filesystem::path fixtures;
    std::filesystem::path plugins;
    std::string dial;
    std::shared_ptr<const base::JsonDocument> descriptor;

    const std::string& id() const { return facts.descriptor.id; }
    /// Of the descriptor's "verify".
    base::JsonView verify(std::string_view key) const { return descriptor->root()["verify"][key]; }
    /// Of the descriptor's "capabilities".
    base::JsonView capability(std::string_view interface_word, std::string_view key) const {
        return descriptor->root()["capabilities"][interface_word][key];
    }
    /// The same with another value of one option, which no schema has looked at.
    Target with(std::string option, std::int64_t value) const;
    /// That of "verify", else the first that the interface declares, else en-US.
    std::string language(std::string_view interface_word) const;
};

/// An error when the file can't be loaded at all, or when the options don't fit its schema.
base::Result<Target> load_target(const TargetOptions& options);

}  // namespace jackfield::conformance
