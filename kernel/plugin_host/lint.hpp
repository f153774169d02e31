#pragma once

#include "plugin_host/descriptor.hpp"

#include <cstddef>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace jackfield::plugin_host {

/// An error is what a host refuses or what harms it; a warning is what harms some hosts, some day.
enum class Severity { warning, error };

/// One thing wrong with a plugin file, for its author.
struct LintFinding {
    std::string code;  ///< stable: scripts compare it
    Severity severity = Severity::error;
    std::string what;
    std::string why;
    std::string remedy;
};

struct LintOptions {
    /// The oldest glibc that the plugin shall load with.
    std::string glibc_floor = "2.36";
    /// The bytes of the library of that name, as the dynamic loader would find it; nothing when there is none.
    std::function<std::optional<std::vector<std::byte>>(std::string_view)> library;
};

struct LintReport {
    std::string file;
    std::string sha256;
    std::string id;                      ///< from the descriptor, empty when it can't be read
    std::string glibc;                   ///< the newest version wanted: "2.34", empty: none
    std::string libstdcxx;               ///< likewise: "3.4.30"
    std::vector<std::string> libraries;  ///< what the file says it needs
    std::vector<LintFinding> findings;   ///< errors first

    std::size_t count(Severity severity) const;
};

/// Judges a plugin file from its bytes. Nothing of it is executed or mapped.
LintReport lint_plugin(std::span<const std::byte> bytes,
                       std::string file_name,
                       const LintOptions& options);

/// Searches the loader's usual folders, $LD_LIBRARY_PATH and /etc/ld.so.conf.d, and reads.
std::optional<std::vector<std::byte>> read_system_library(std::string_view name);

/// For a person; ends with a newline.
std::string lint_text(const LintReport& report);
/// One JSON object.
std::string lint_json(const LintReport& report);

/// What is wrong with the descriptor alone.
void lint_descriptor(const Descriptor& descriptor, std::vector<LintFinding>& findings);

}  // namespace jackfield::plugin_host
