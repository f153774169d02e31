#pragma once

#include "config/host_config.hpp"

// From checked values to the structs of host_config.hpp, with the checks that look at one value at
// a time. Used by load_host.

namespace jackfield::config {

HostConfig read_host(const Value& checked, const std::filesystem::path& file, Problems& problems);
TenantConfig read_tenant(const Value& checked,
                         const std::filesystem::path& file,
                         Problems& problems);

/// References between sections and files: chains, answers, storage, and answers claimed twice.
void check_references(const HostConfig& host, const Value& checked_host, Problems& problems);

}  // namespace jackfield::config
