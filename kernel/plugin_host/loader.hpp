#pragma once

#include <jackfield/module.h>

#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "plugin_host/descriptor.hpp"
#include "plugin_host/signature.hpp"

namespace jackfield::plugin_host {

/// A plugin file that is mapped. It is never unmapped: code of it may stand on any stack, and its tables live for ever.
struct LoadedPlugin {
    std::filesystem::path path;
    PluginFile file;
    const jf_module_v1* module = nullptr;
    std::mutex mutex;
    std::set<const jf_instance*> instances{}; ///< that exist: one is nobody else's
};

/// Which files may be loaded.
struct TrustPolicy {
    enum class Mode { any, listed, by_signature } mode = Mode::any;
    std::vector<std::string> sha256; ///< lower-case hex, for `listed`
    std::vector<PublicKey> keys;     ///< for `by_signature`
    bool allow_drafts = false;
};

/// Whether the policy lets a file load. `signatures` is what stands in its .sig file, empty when it has none.
base::Result<> check_trust(const TrustPolicy& policy, const std::string& file_name, const std::string& sha256, std::string_view signatures);

/// Finds plugin files by id in the search path, checks them without executing anything, and maps a sealed copy.
class Loader {
  public:
    Loader(std::vector<std::filesystem::path> search_path, TrustPolicy trust);

    /// `<dir>/<kind>/<name>.so` in the first search directory that has it.
    base::Result<std::filesystem::path> find(std::string_view plugin_id) const;
    /// Reads and checks; executes nothing.
    base::Result<PluginFile> inspect(const std::filesystem::path& path) const;
    /// The same for a file of the search path, which must be the plugin that its place says.
    base::Result<PluginFile> inspect_found(const std::filesystem::path& path) const;
    /// Every plugin file of the search path, checked or refused.
    std::vector<std::pair<std::filesystem::path, base::Result<PluginFile>>> list() const;
    /// The same file (by hash) is mapped once. Control threads only: it runs the module's init.
    base::Result<std::shared_ptr<LoadedPlugin>> load(std::string_view plugin_id, const jf_host_v1& module_host);

    const std::vector<std::filesystem::path>& search_path() const { return search_path_; }

  private:
    base::Result<std::vector<std::byte>> read(const std::filesystem::path& path) const;
    base::Result<> trusted(const std::filesystem::path& path, const PluginFile& file) const;

    std::vector<std::filesystem::path> search_path_;
    TrustPolicy trust_;
    /// One that is being loaded, or was.
    struct Entry {
        std::mutex mutex; ///< held while the module's own code runs: one that hangs keeps nobody waiting but those who want the same file
        std::shared_ptr<LoadedPlugin> plugin;
    };
    std::mutex mutex_;
    std::map<std::string, std::shared_ptr<Entry>> loaded_; ///< by sha256
};

}  // namespace jackfield::plugin_host
