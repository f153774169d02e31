#include "plugin_kit/install.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>

#include "plugin_kit/files.hpp"

namespace jackfield::plugin_kit {
namespace {

namespace fs = std::filesystem;
using base::Error;
using base::ErrorCode;
using base::Result;
using plugin_host::Signed;
using plugin_host::TrustPolicy;

constexpr std::size_t largest_plugin = std::size_t{512} << 20;
constexpr std::size_t largest_signature = 16384;

std::span<const std::byte> bytes_of(std::string_view text) { return std::as_bytes(std::span(text)); }

/// Who vouches for the package. Signatures that don't fit are refused under every policy: such a package has been changed since.
Result<std::string> signer_of(const Package& package, const TrustPolicy& trust) {
    const auto trusted = plugin_host::find_signer(package.manifest_signatures, Signed::package, package.manifest_text, trust.keys);
    if (trusted) return trusted->id();
    if (trust.mode == TrustPolicy::Mode::by_signature)
        return Error(ErrorCode::auth, package.manifest.id + ": " + trusted.error().text() +
                                          "; wanted: a package signed by a key of [host] trusted_keys; remedy: sign it with `jackfield plugin sign`, or add the signer's key if you trust it");
    const auto all = plugin_host::parse_signatures(package.manifest_signatures);
    if (!all) return all.error();
    std::string signer;
    for (const plugin_host::Signature& signature : *all) {
        if (!plugin_host::fits(signature, Signed::package, package.manifest_text))
            return Error(ErrorCode::auth, package.manifest.id + ": the signature by key " + signature.key.id() + " does not fit: the package has been changed since; get it again");
        if (signer.empty()) signer = signature.key.id();
    }
    return signer;
}

Result<const PackedFile*> file_for_this_machine(const Manifest& manifest) {
    const std::string wanted = plugin_host::machine_name(plugin_host::host_machine());
    if (const PackedFile* file = manifest.plugin_for(wanted)) return file;
    std::string offered;
    for (const PackedFile& file : manifest.plugins) offered += (offered.empty() ? "" : ", ") + file.arch;
    return Error(ErrorCode::unsupported, manifest.id + ": the package has no file for this machine; wanted: " + wanted + "; offered: " + offered +
                                             "; remedy: ask " + manifest.vendor + " for one, or build it with `jackfield plugin pack` from source");
}

/// The file itself decides, not what the manifest says of it.
Result<> check_plugin(const Package& package, const PackedFile& packed, const std::string& bytes, const TrustPolicy& trust) {
    plugin_host::HostAbi abi;
    abi.allow_drafts = trust.allow_drafts;
    const auto file = plugin_host::inspect_plugin(bytes_of(bytes), packed.path, abi);
    if (!file) return file.error();
    if (file->descriptor.id != package.manifest.id || file->descriptor.version != package.manifest.version)
        return Error(ErrorCode::invalid, packed.path + ": it is " + file->descriptor.id + " " + file->descriptor.version + ", and the manifest says " +
                                             package.manifest.id + " " + package.manifest.version);
    const std::string signatures = package.signatures_of(packed);
    const auto all = plugin_host::parse_signatures(signatures);
    if (!all) return all.error();
    for (const plugin_host::Signature& signature : *all)
        if (!plugin_host::fits(signature, Signed::plugin_file, file->sha256))
            return Error(ErrorCode::auth, packed.path + ": the signature by key " + signature.key.id() + " is of another file; get the package again");
    return plugin_host::check_trust(trust, packed.path, file->sha256, signatures);
}

/// One install at a time in a folder: file and signature belong together.
class FolderLock {
  public:
    explicit FolderLock(const fs::path& folder) : fd_(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)) {
        while (fd_ >= 0 && ::flock(fd_, LOCK_EX) != 0 && errno == EINTR) {}
    }
    ~FolderLock() {
        if (fd_ >= 0) ::close(fd_);
    }
    FolderLock(const FolderLock&) = delete;

  private:
    int fd_;
};

Result<> make_folder(const fs::path& folder) {
    std::error_code failed;
    fs::create_directories(folder, failed);
    if (failed) return Error(ErrorCode::internal, folder.string() + ": can't make this folder: " + failed.message());
    return {};
}

/// What stands at the place now. A file that is no plugin has no version and yields only to force.
struct Standing {
    bool there = false;
    std::string sha256;
    std::string version;
};
Result<Standing> standing_at(const fs::path& path) {
    std::error_code none;
    Standing out;
    if (!fs::exists(fs::symlink_status(path, none))) return out;
    out.there = true;
    const auto bytes = read_file(path, largest_plugin);
    if (!bytes) return bytes.error();
    out.sha256 = plugin_host::sha256_hex(bytes_of(*bytes));
    plugin_host::HostAbi abi;
    abi.allow_drafts = true;
    if (const auto file = plugin_host::inspect_plugin(bytes_of(*bytes), path.string(), abi)) out.version = file->descriptor.version;
    return out;
}

Result<> may_replace(const Standing& standing, const Manifest& manifest, const PackedFile& packed, const fs::path& path) {
    if (!standing.there || standing.sha256 == packed.sha256) return {};
    const auto refuse = [&](const std::string& why) {
        return Error(ErrorCode::conflict, path.string() + ": " + why + "; offered: " + manifest.version + "; remedy: --force, if that is what you want");
    };
    if (standing.version.empty()) return refuse("a file stands there that is no plugin of this host's");
    const int order = compare_versions(manifest.version, standing.version);
    if (order < 0) return refuse("a later version stands there, " + standing.version);
    if (order == 0) return refuse("another file of the same version stands there");
    return {};
}

/// At each moment the file that stands there has its signature beside it: the new signature goes there before the file, with the old one.
Result<> put_in_place(const fs::path& path, const std::string& bytes, const std::string& signatures) {
    const fs::path beside = path.string() + std::string(plugin_host::signature_suffix);
    std::error_code none;
    std::string old;
    if (fs::exists(beside, none))
        if (const auto text = read_file(beside, largest_signature)) old = *text;
    if (!signatures.empty())
        if (auto done = replace_file(beside, signatures + old); !done) return done;
    if (auto done = replace_file(path, bytes); !done) return done;
    if (!signatures.empty()) return replace_file(beside, signatures);
    fs::remove(beside, none);
    return {};
}

Result<> put_documents(const fs::path& folder, const Package& package) {
    if (auto made = make_folder(folder); !made) return made;
    if (auto done = replace_file(folder / "manifest.json", package.manifest_text); !done) return done;
    for (const PackedFile& document : package.manifest.documents)
        if (auto done = replace_file(folder / fs::path(document.path).filename(), *package.bytes_of(document)); !done) return done;
    return {};
}

}  // namespace

Result<Installed> install(const Package& package, const InstallOptions& options) {
    const Manifest& manifest = package.manifest;
    const auto signer = signer_of(package, options.trust);
    if (!signer) return signer.error();
    const auto packed = file_for_this_machine(manifest);
    if (!packed) return packed.error();
    const std::string& bytes = *package.bytes_of(**packed);
    if (auto fit = check_plugin(package, **packed, bytes, options.trust); !fit) return fit.error();

    const fs::path place = options.folder / manifest.kind() / (manifest.name() + ".so");
    if (auto made = make_folder(place.parent_path()); !made) return made.error();
    const FolderLock lock(place.parent_path());
    const auto standing = standing_at(place);
    if (!standing) return standing.error();
    if (!options.force)
        if (auto may = may_replace(*standing, manifest, **packed, place); !may) return may.error();

    // Documents first: when the plugin stands there, everything of it does.
    if (auto done = put_documents(options.folder / manifest.kind() / manifest.name(), package); !done) return done.error();
    if (auto done = put_in_place(place, bytes, package.signatures_of(**packed)); !done) return done.error();
    return Installed{place, manifest.id, manifest.version, standing->version, *signer, standing->sha256 == (*packed)->sha256};
}

}  // namespace jackfield::plugin_kit
