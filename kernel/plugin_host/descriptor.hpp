#pragma once

#include "base/result.hpp"
#include "plugin_host/elf_file.hpp"

#include <jackfield/module.h>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace jackfield::plugin_host {

/// What a plugin says about itself in its section .jackfield.desc. Keys that the host does not know
/// are left alone: a later host may know them.
struct Descriptor {
    std::string id;    /// "stt/acme"
    std::string kind;  /// "stt"
    std::string name;  /// "acme"
    std::string version;
    std::string vendor;
    std::string licence;
    std::string summary;
    std::uint32_t need_minor = 0;
    bool drafts = false;
    std::vector<std::string> provides;  /// interface ids: "jf.stt/1"
    std::vector<std::string>
        needs;  /// "requires" in the file: facilities and interfaces without which it can't work
    std::string
        config_schema;  /// JSON text of an object schema; empty properties when the file has none
    std::string capabilities;  /// JSON text of an object, "{}" when the file has none
    std::string text;          /// the whole descriptor, compact

    bool provides_interface(std::string_view interface_id) const;
};

/// Parses and checks a descriptor. The error names the key and what it should be.
base::Result<Descriptor> parse_descriptor(std::string_view json);

/// The host's side of the comparison.
struct HostAbi {
    std::uint32_t major = JF_ABI_MAJOR;
    std::uint32_t minor = JF_ABI_MINOR;
    bool allow_drafts = false;  /// the operator opted in to interfaces that may still change
};

/// A plugin file that may be loaded.
struct PluginFile {
    std::string file_name;
    std::uint64_t size = 0;
    std::string sha256;  /// lower-case hex of the whole file
    ElfFacts elf;
    jf_note note{};
    Descriptor descriptor;
};

/// Decides from the bytes alone whether a file may be loaded as a plugin: nothing of it is executed
/// or mapped. A refusal names the file, what was wanted, what the file offers, and what to do.
/// Whether the file is trusted is another question, asked with its sha256.
base::Result<PluginFile> inspect_plugin(std::span<const std::byte> bytes,
                                        std::string file_name,
                                        const HostAbi& host = {});

/// For a person; ends with a newline.
std::string explain(const PluginFile& file);

/// The same as one JSON object.
std::string explain_json(const PluginFile& file);

/// Lower-case hex of the SHA-256 of `bytes`.
std::string sha256_hex(std::span<const std::byte> bytes);

}  // namespace jackfield::plugin_host
