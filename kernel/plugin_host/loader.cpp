#include "plugin_host/loader.hpp"

#include <dlfcn.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <boost/dll/shared_library.hpp>
#include <cerrno>
#include <cstring>

namespace jackfield::plugin_host {
namespace {

namespace fs = std::filesystem;

constexpr off_t largest_plugin = 512 << 20;

std::string system_error_text(int error) { return std::strerror(error); }

/// A copy that nobody can change any more: overwriting a mapped file kills the process that mapped it. The descriptor stays open, since
/// glibc knows libraries by their path, and a reused number would give another plugin this one's mapping.
base::Result<int> sealed_copy(std::span<const std::byte> bytes, const fs::path& path) {
    const int fd = memfd_create(path.filename().c_str(), MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (fd < 0) return base::Error(base::ErrorCode::quota, "memfd_create: " + system_error_text(errno));
    for (std::size_t done = 0; done < bytes.size();) {
        const ssize_t n = ::write(fd, bytes.data() + done, bytes.size() - done);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) {
            const int error = errno;
            ::close(fd);
            return base::Error(base::ErrorCode::quota, "copy " + path.string() + " to memory: " + system_error_text(error));
        }
        done += static_cast<std::size_t>(n);
    }
    if (fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL) != 0) {
        const int error = errno;
        ::close(fd);
        return base::Error(base::ErrorCode::internal, "seal the copy of " + path.string() + ": " + system_error_text(error));
    }
    return fd;
}

/// Never unloaded, by whichever Loader: code of it may stand on any stack.
boost::dll::shared_library* library_for_ever() {
    static std::mutex mutex;
    static auto& kept = *new std::vector<std::unique_ptr<boost::dll::shared_library>>;
    const std::lock_guard lock(mutex);
    return kept.emplace_back(std::make_unique<boost::dll::shared_library>()).get();
}

/// In the search path a plugin's id is its place, <kind>/<name>.so: a file in another one's place is a mistake or worse.
base::Result<> check_name(const fs::path& path, const PluginFile& file) {
    const std::string wanted = path.parent_path().filename().string() + "/" + path.stem().string();
    if (file.descriptor.id == wanted) return {};
    return base::Error(base::ErrorCode::invalid, path.string() + ": it is another plugin; wanted: '" + wanted + "'; offered: '" + file.descriptor.id +
                                                     "'; remedy: rename the file, or install the right one");
}

}  // namespace

Loader::Loader(std::vector<fs::path> search_path, TrustPolicy trust)
    : search_path_(std::move(search_path)), trust_(std::move(trust)) {}

base::Result<fs::path> Loader::find(std::string_view plugin_id) const {
    // An id is `kind/name`; anything that could climb out of the search path is not one.
    const bool plain = std::count(plugin_id.begin(), plugin_id.end(), '/') == 1 &&
                       std::all_of(plugin_id.begin(), plugin_id.end(), [](char c) {
                           return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '/';
                       });
    if (!plain)
        return base::Error(base::ErrorCode::invalid,
                           "'" + std::string(plugin_id) + "' is no plugin id: kind/name in lower case is wanted");
    std::string tried;
    for (const fs::path& dir : search_path_) {
        const fs::path path = dir / (std::string(plugin_id) + ".so");
        std::error_code ignored;
        if (fs::is_regular_file(path, ignored)) return path;
        tried += (tried.empty() ? "" : ", ") + path.string();
    }
    return base::Error(base::ErrorCode::not_found,
                       "plugin '" + std::string(plugin_id) + "' was not found; looked for " +
                           (tried.empty() ? "nothing: [host] plugins is empty" : tried) +
                           "; add its folder to [host] plugins or correct the id");
}

base::Result<> check_trust(const TrustPolicy& policy, const std::string& file_name, const std::string& sha256, std::string_view signatures) {
    if (policy.mode == TrustPolicy::Mode::listed && std::find(policy.sha256.begin(), policy.sha256.end(), sha256) == policy.sha256.end())
        return base::Error(base::ErrorCode::auth, file_name + ": its SHA-256 " + sha256 + " is not in [host] trusted; add it there if you trust this file");
    if (policy.mode != TrustPolicy::Mode::by_signature) return {};
    if (const auto signer = find_signer(signatures, Signed::plugin_file, sha256, policy.keys); !signer)
        return base::Error(base::ErrorCode::auth, file_name + ": " + signer.error().text() +
                                                      "; wanted: a signature of this file by a key of [host] trusted_keys, in " + file_name +
                                                      std::string(signature_suffix) + "; remedy: sign it with `jackfield plugin sign`, or add the signer's key if you trust it");
    return {};
}

base::Result<> Loader::trusted(const fs::path& path, const PluginFile& file) const {
    constexpr std::uintmax_t longest_signature_file = 16384;
    std::string signatures;
    if (trust_.mode == TrustPolicy::Mode::by_signature) {
        const fs::path beside = path.string() + std::string(signature_suffix);
        std::error_code none;
        if (fs::file_size(beside, none) <= longest_signature_file && !none)
            if (const auto bytes = read(beside)) signatures.assign(reinterpret_cast<const char*>(bytes->data()), bytes->size());
    }
    return check_trust(trust_, path.string(), file.sha256, signatures);
}

base::Result<std::vector<std::byte>> Loader::read(const fs::path& path) const {
    const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (fd < 0) return base::Error(base::ErrorCode::not_found, path.string() + ": " + system_error_text(errno));
    struct stat info{};
    if (fstat(fd, &info) != 0 || !S_ISREG(info.st_mode) || info.st_size > largest_plugin) {
        ::close(fd);
        return base::Error(base::ErrorCode::invalid, path.string() + ": not a regular file of at most 512 MiB");
    }
    std::vector<std::byte> bytes(static_cast<std::size_t>(info.st_size));
    std::size_t done = 0;
    while (done < bytes.size()) {
        const ssize_t n = ::read(fd, bytes.data() + done, bytes.size() - done);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) break;
        done += static_cast<std::size_t>(n);
    }
    ::close(fd);
    bytes.resize(done);
    return bytes;
}

base::Result<PluginFile> Loader::inspect(const fs::path& path) const {
    auto bytes = read(path);
    if (!bytes) return bytes.error();
    HostAbi abi;
    abi.allow_drafts = trust_.allow_drafts;
    return inspect_plugin(*bytes, path.string(), abi);
}

base::Result<PluginFile> Loader::inspect_found(const fs::path& path) const {
    auto file = inspect(path);
    if (!file) return file;
    if (auto named = check_name(path, *file); !named) return named.error();
    if (auto may = trusted(path, *file); !may) return may.error();
    return file;
}

std::vector<std::pair<fs::path, base::Result<PluginFile>>> Loader::list() const {
    std::vector<std::pair<fs::path, base::Result<PluginFile>>> out;
    for (const fs::path& dir : search_path_) {
        std::vector<fs::path> files;
        std::error_code error;
        for (fs::recursive_directory_iterator it(dir, error), end; !error && it != end; it.increment(error))
            if (it.depth() == 1 && it->path().extension() == ".so") files.push_back(it->path());
        std::sort(files.begin(), files.end());
        for (const fs::path& file : files) out.emplace_back(file, inspect_found(file));
    }
    return out;
}

base::Result<std::shared_ptr<LoadedPlugin>> Loader::load(std::string_view plugin_id, const jf_host_v1& module_host) {
    auto path = find(plugin_id);
    if (!path) return path.error();
    auto bytes = read(*path);
    if (!bytes) return bytes.error();
    HostAbi abi;
    abi.allow_drafts = trust_.allow_drafts;
    auto file = inspect_plugin(*bytes, path->string(), abi);
    if (!file) return file.error();
    if (auto named = check_name(*path, *file); !named) return named.error();
    if (auto may = trusted(*path, *file); !may) return may.error();

    std::shared_ptr<Entry> entry_of;
    {
        const std::lock_guard lock(mutex_);
        auto& known = loaded_[file->sha256];
        if (!known) known = std::make_shared<Entry>();
        entry_of = known;
    }
    const std::lock_guard lock(entry_of->mutex);
    if (entry_of->plugin) return entry_of->plugin;

    auto fd = sealed_copy(*bytes, *path);
    if (!fd) return fd.error();
    auto loaded = std::make_shared<LoadedPlugin>();
    loaded->path = *path;
    loaded->file = std::move(*file);
    boost::dll::fs::error_code error;
    boost::dll::shared_library* const library = library_for_ever();
    library->load(boost::dll::fs::path("/proc/self/fd/" + std::to_string(*fd)), error,
                  boost::dll::load_mode::rtld_now | boost::dll::load_mode::rtld_local);
    if (error) {
        ::close(*fd);
        return base::Error(base::ErrorCode::invalid,
                           path->string() + ": the dynamic loader refuses it: " + error.message() +
                               "; `ldd` on the file shows which library is missing");
    }
    try {
        const auto entry = library->get<const jf_module_v1*()>("jf_module_entry_v1");
        loaded->module = entry();
        if (!JF_HAS(loaded->module, jf_module_v1, create) || !loaded->module->create || loaded->module->abi_major != JF_ABI_MAJOR)
            return base::Error(base::ErrorCode::invalid, path->string() + ": its entry point answers no usable table");
        jf_error failure{};
        failure.struct_size = sizeof failure;
        if (loaded->module->init && loaded->module->init(&module_host, &failure) != JF_OK) {
            failure.text[sizeof failure.text - 1] = 0;
            return base::Error(base::ErrorCode::internal, path->string() + ": its start-up failed: " + failure.text);
        }
    } catch (...) {
        return base::Error(base::ErrorCode::internal, path->string() + ": its start-up threw an exception across the C boundary");
    }
    entry_of->plugin = loaded;
    return loaded;
}

}  // namespace jackfield::plugin_host
