#pragma once

#include <string>
#include <vector>

#include "config/host_config.hpp"
#include "plugin_host/plugin_host.hpp"

namespace jackfield::tenant {

/// A provider of the configuration with its options checked against the plugin's own schema: ready to be made.
struct CheckedProvider {
    config::ProviderConfig config;
    plugin_host::InstanceSpec spec;
};

struct CheckedHost {
    CheckedProvider storage;
    std::vector<CheckedProvider> host;    ///< host-scoped, by name
    std::vector<CheckedProvider> tenants; ///< tenants' providers and services; spec.tenant says whose
    config::Problems problems;
};

/// Finds every plugin that the configuration names, reads its descriptor without running it, and checks the options. Reports everything that
/// is wrong: unknown plugins, files that can't be loaded, options, chains whose provider lacks the interface.
CheckedHost check_providers(const config::HostConfig& host, const plugin_host::Loader& loader);

/// "name" for a host's provider, "tenant/name" for a tenant's: unique, what logs and metrics call it.
std::string instance_name(const std::string& tenant, const std::string& name);

}  // namespace jackfield::tenant
