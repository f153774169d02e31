#pragma once

#include <jackfield/module.h>

#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "plugin_host/descriptor.hpp"

namespace jackfield::plugin_host {

/// A plugin file that is mapped. It is never unmapped: code of it may stand on any stack, and its tables live for ever.
struct LoadedPlugin {
    std::filesystem::path path;
    PluginFile file;
    const jf_module_v1* module = nullptr;
};

/// Which files may be loaded.
struct TrustPolicy {
    enum class Mode { any, listed } mode = Mode::any;
    std::vector<std::string> sha256; ///< lower-case hex, for `listed`
    bool allow_drafts = false;
};

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

    std::vector<std::filesystem::path> search_path_;
    TrustPolicy trust_;
    std::mutex mutex_;
    std::map<std::string, std::shared_ptr<LoadedPlugin>> loaded_; ///< by sha256
};

}  // namespace jackfield::plugin_host
