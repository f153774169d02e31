#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "plugin_host/loader.hpp"
#include "plugin_kit/package.hpp"

namespace jackfield::plugin_kit {

struct InstallOptions {
    std::filesystem::path folder; ///< of the search path
    plugin_host::TrustPolicy trust;
    bool force = false; ///< an older version, or another file of the same version, may take the place
};

struct Installed {
    std::filesystem::path file; ///< <folder>/<kind>/<name>.so
    std::string id;
    std::string version;
    std::string replaced_version; ///< empty: there was none
    std::string signer;           ///< id of the key that vouches for it, empty: nobody
    bool unchanged = false;       ///< this very file stood there
};

/// Checks a package's signature, hashes, architecture and ABI, and puts its plugin file in place at once, with its signature and, in
/// <folder>/<kind>/<name>/, its manifest and documents. Nothing of the plugin is executed. A host that runs goes on with
/// what it has loaded. Whatever the error, what stood there before stands there still.
base::Result<Installed> install(const Package& package, const InstallOptions& options);

}  // namespace jackfield::plugin_kit
