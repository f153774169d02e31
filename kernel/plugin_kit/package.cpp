#include "plugin_kit/package.hpp"

#include <algorithm>

#include "plugin_host/descriptor.hpp"
#include "plugin_kit/files.hpp"

namespace jackfield::plugin_kit {
namespace {

using base::Error;
using base::ErrorCode;
using base::Result;
using plugin_host::Signed;

constexpr const char* manifest_path = "manifest.json";
constexpr const char* manifest_signature_path = "manifest.sig";
constexpr std::size_t largest_plugin = std::size_t{512} << 20;
constexpr std::size_t largest_document = std::size_t{4} << 20;
constexpr std::size_t largest_signature = 16384;

Error bad(std::string what) { return Error(ErrorCode::invalid, "the package " + std::move(what)); }

std::string sha256_of(std::string_view bytes) { return plugin_host::sha256_hex(std::as_bytes(std::span(bytes))); }

const Entry* find(const std::vector<Entry>& entries, std::string_view path) {
    const auto found = std::find_if(entries.begin(), entries.end(), [&](const Entry& entry) { return entry.path == path; });
    return found == entries.end() ? nullptr : &*found;
}

std::string signature_path(const PackedFile& file) { return file.path + std::string(plugin_host::signature_suffix); }

/// Moves a file that the manifest names from `entries` to the package, when it is what the manifest says.
Result<> take_file(const PackedFile& file, std::vector<Entry>& entries, Package& out) {
    const auto found = std::find_if(entries.begin(), entries.end(), [&](const Entry& entry) { return entry.path == file.path; });
    if (found == entries.end()) return bad("lacks '" + file.path + "', which its manifest names");
    if (found->bytes.size() != file.size || sha256_of(found->bytes) != file.sha256)
        return bad("holds another '" + file.path + "' than its manifest names (SHA-256 " + sha256_of(found->bytes) + "); get the package again");
    out.files.push_back(std::move(*found));
    entries.erase(found);
    return {};
}

Result<> take_signatures(std::vector<Entry>& entries, Package& out) {
    for (Entry& entry : entries) {
        const bool of_a_plugin = std::any_of(out.manifest.plugins.begin(), out.manifest.plugins.end(),
                                             [&](const PackedFile& file) { return entry.path == signature_path(file); });
        if (entry.path != manifest_signature_path && !of_a_plugin) return bad("holds '" + entry.path + "', which its manifest does not name");
        if (entry.bytes.size() > largest_signature) return bad("holds a signature file that is too long: '" + entry.path + "'");
        if (const auto parsed = plugin_host::parse_signatures(entry.bytes); !parsed) return parsed.error().with_context(entry.path);
        if (of_a_plugin) out.signatures.push_back(std::move(entry));
        else out.manifest_signatures = std::move(entry.bytes);
    }
    return {};
}

/// What a plugin file says of itself, for whichever machine it is.
struct Facts {
    plugin_host::Descriptor descriptor;
    jf_note note{};
    std::string arch;
};
Result<Facts> facts_of(const std::filesystem::path& path, std::string_view bytes) {
    const auto elf = plugin_host::read_elf(std::as_bytes(std::span(bytes)));
    if (!elf) return elf.error().with_context(path.string());
    if (!elf->note || !elf->descriptor)
        return Error(ErrorCode::invalid, path.string() + ": it has no Jackfield note and descriptor, so it is no plugin; build it with jackfield_add_plugin()");
    auto descriptor = plugin_host::parse_descriptor(std::string_view(*elf->descriptor).substr(0, elf->descriptor->find_last_not_of(std::string("\0 \n\r\t", 5)) + 1));
    if (!descriptor) return descriptor.error().with_context(path.string());
    return Facts{std::move(*descriptor), *elf->note, plugin_host::machine_name(elf->machine)};
}

Result<> add_plugin(const std::filesystem::path& path, Package& out) {
    auto bytes = read_file(path, largest_plugin);
    if (!bytes) return bytes.error();
    const auto facts = facts_of(path, *bytes);
    if (!facts) return facts.error();
    Manifest& manifest = out.manifest;
    const plugin_host::Descriptor& says = facts->descriptor;
    if (manifest.id.empty()) {
        manifest = {says.id, says.version, says.vendor, says.licence, says.summary, facts->note.abi_major, facts->note.abi_need_minor, {}, {}};
    } else if (manifest.id != says.id || manifest.version != says.version) {
        return Error(ErrorCode::invalid, path.string() + ": it is " + says.id + " " + says.version + ", and the package is of " + manifest.id + " " + manifest.version);
    }
    if (manifest.plugin_for(facts->arch)) return Error(ErrorCode::invalid, path.string() + ": a file for " + facts->arch + " is in the package already");
    manifest.abi_need_minor = std::max(manifest.abi_need_minor, facts->note.abi_need_minor);
    const PackedFile file{facts->arch + "/" + manifest.name() + ".so", facts->arch, bytes->size(), sha256_of(*bytes)};
    manifest.plugins.push_back(file);
    out.files.push_back({file.path, std::move(*bytes)});
    return {};
}

Result<> add_document(const std::filesystem::path& path, const char* name, Package& out) {
    auto bytes = read_file(path, largest_document);
    if (!bytes) return bytes.error();
    out.manifest.documents.push_back({name, "", bytes->size(), sha256_of(*bytes)});
    out.files.push_back({name, std::move(*bytes)});
    return {};
}

}  // namespace

const std::string* Package::bytes_of(const PackedFile& file) const {
    const Entry* const entry = find(files, file.path);
    return entry ? &entry->bytes : nullptr;
}

std::string Package::signatures_of(const PackedFile& file) const {
    const Entry* const entry = find(signatures, signature_path(file));
    return entry ? entry->bytes : std::string();
}

Result<Package> read_package(std::span<const std::byte> bytes, const ArchiveLimits& limits) {
    auto entries = read_archive(bytes, limits);
    if (!entries) return entries.error();
    if (entries->front().path != manifest_path) return bad("does not begin with manifest.json: it is some other archive");
    Package out;
    out.manifest_text = std::move(entries->front().bytes);
    entries->erase(entries->begin());
    auto manifest = parse_manifest(out.manifest_text);
    if (!manifest) return manifest.error();
    out.manifest = std::move(*manifest);
    for (const auto* files : {&out.manifest.plugins, &out.manifest.documents})
        for (const PackedFile& file : *files)
            if (auto taken = take_file(file, *entries, out); !taken) return taken.error();
    if (auto taken = take_signatures(*entries, out); !taken) return taken.error();
    return out;
}

Result<std::string> write_package(const Package& package) {
    std::vector<Entry> entries{{manifest_path, package.manifest_text}};
    if (!package.manifest_signatures.empty()) entries.push_back({manifest_signature_path, package.manifest_signatures});
    entries.insert(entries.end(), package.files.begin(), package.files.end());
    entries.insert(entries.end(), package.signatures.begin(), package.signatures.end());
    return write_archive(entries);
}

Result<std::string> add_signature(std::string_view signatures, const plugin_host::PrivateKey& key, Signed what, std::string_view message) {
    auto line = key.sign(what, message);
    if (!line) return line.error();
    const std::string own = key.public_key().text() + " ";
    std::string out;
    while (!signatures.empty()) {
        const std::size_t end = std::min(signatures.find('\n'), signatures.size());
        const std::string_view old = signatures.substr(0, end);
        if (!old.empty() && !old.starts_with(own)) out.append(old).append("\n");
        signatures.remove_prefix(std::min(end + 1, signatures.size()));
    }
    return out + *line;
}

Result<> sign_package(Package& package, const plugin_host::PrivateKey& key) {
    auto whole = add_signature(package.manifest_signatures, key, Signed::package, package.manifest_text);
    if (!whole) return whole.error();
    package.manifest_signatures = std::move(*whole);
    for (const PackedFile& file : package.manifest.plugins) {
        auto own = add_signature(package.signatures_of(file), key, Signed::plugin_file, file.sha256);
        if (!own) return own.error();
        std::erase_if(package.signatures, [&](const Entry& entry) { return entry.path == signature_path(file); });
        package.signatures.push_back({signature_path(file), std::move(*own)});
    }
    return {};
}

Result<Package> make_package(const PackOptions& options) {
    Package out;
    for (const auto& path : options.plugins)
        if (auto added = add_plugin(path, out); !added) return added.error();
    if (auto added = add_document(options.readme, "README.md", out); !added) return added.error();
    if (auto added = add_document(options.licence, "LICENSE", out); !added) return added.error();
    out.manifest_text = manifest_json(out.manifest);
    // What it says is read back by the reader that every host has: a package that none would take is not made.
    if (const auto again = parse_manifest(out.manifest_text); !again) return again.error();
    return out;
}

}  // namespace jackfield::plugin_kit
