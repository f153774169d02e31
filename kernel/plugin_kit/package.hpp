#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "plugin_host/signature.hpp"
#include "plugin_kit/archive.hpp"

namespace jackfield::plugin_kit {

/// A file of a package, as its manifest names it.
struct PackedFile {
    std::string path;   ///< in the archive: "x86-64/acme.so", "README.md"
    std::string arch;   ///< "x86-64", "AArch64"; empty for a document
    std::uint64_t size = 0;
    std::string sha256;
};

/// manifest.json, the first file of a package.
struct Manifest {
    std::string id; ///< "stt/acme"
    std::string version;
    std::string vendor;
    std::string licence;
    std::string summary;
    std::uint32_t abi_major = 0;
    std::uint32_t abi_need_minor = 0;
    std::vector<PackedFile> plugins; ///< one for each architecture
    std::vector<PackedFile> documents;

    std::string kind() const { return id.substr(0, id.find('/')); }
    std::string name() const { return id.substr(id.find('/') + 1); }
    const PackedFile* plugin_for(std::string_view arch) const;
};

std::string manifest_json(const Manifest& manifest);
base::Result<Manifest> parse_manifest(std::string_view json);

inline constexpr std::size_t largest_package = std::size_t{1} << 30;

/// A package that was read: everything in it is what its manifest says, and nothing else is in it. Who signed it is another question.
struct Package {
    Manifest manifest;
    std::string manifest_text;       ///< the bytes that are signed
    std::string manifest_signatures; ///< manifest.sig, empty without
    std::vector<Entry> files;        ///< those of the manifest

    const std::string* bytes_of(const PackedFile& file) const;
    /// The plugin file's own .sig, empty without.
    std::string signatures_of(const PackedFile& file) const;

    std::vector<Entry> signatures; ///< "x86-64/acme.so.sig"
};

base::Result<Package> read_package(std::span<const std::byte> bytes, const ArchiveLimits& limits = {});
base::Result<std::string> write_package(const Package& package);

/// Appends the key's signatures of the manifest and of each plugin file, in place of those that it made before.
base::Result<> sign_package(Package& package, const plugin_host::PrivateKey& key);
/// `signatures` with a fresh line of `key` in place of its old one.
base::Result<std::string> add_signature(std::string_view signatures, const plugin_host::PrivateKey& key, plugin_host::Signed what,
                                        std::string_view message);

struct PackOptions {
    std::vector<std::filesystem::path> plugins; ///< the same plugin for several architectures
    std::filesystem::path readme;
    std::filesystem::path licence;
};
/// A package of plugin files, which may be for machines other than this one.
base::Result<Package> make_package(const PackOptions& options);

/// Below, equal or above zero, as versions are ordered: 1.10 after 1.9, 1.0-rc1 before 1.0 (semver.org 2.0.0, 11).
int compare_versions(std::string_view a, std::string_view b);

}  // namespace jackfield::plugin_kit
