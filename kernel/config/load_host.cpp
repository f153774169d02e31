#include "config/host_config.hpp"
#include "config/host_reader.hpp"
#include "config/toml.hpp"

#include <algorithm>

namespace jackfield::config {
namespace {

namespace fs = std::filesystem;

void take(Problems& all, Problems some) {
    all.insert(
        all.end(), std::make_move_iterator(some.begin()), std::make_move_iterator(some.end()));
}

/// `*.toml` in the order of their names; hidden files (an editor's) are passed over.
std::vector<fs::path> tenant_files(const fs::path& folder, std::error_code& error) {
    std::vector<fs::path> files;
    for (fs::directory_iterator it(folder, error), end; !error && it != end; it.increment(error)) {
        const fs::path& path = it->path();
        if (path.extension() == ".toml" && !path.filename().string().starts_with("."))
            files.push_back(path);
    }
    std::sort(files.begin(), files.end());
    return files;
}

TenantConfig load_tenant(const fs::path& file,
                         const Environment& environment,
                         std::vector<std::string>& secrets,
                         Problems& problems) {
    Outcome<Value> loaded = load_toml(file, environment);
    const bool readable = loaded.ok() || !loaded.value.table().empty();
    if (!loaded.value.at.file)
        loaded.value.at = {std::make_shared<const std::string>(file.string()), 1, 1};
    take(problems, std::move(loaded.problems));
    // Of a file that is not TOML, what it lacks is not known.
    Problems unheard;
    Problems& heard = readable ? problems : unheard;
    const Value checked = check(tenant_option_table(), loaded.value, heard);
    std::vector<std::string> found = secrets_in(loaded.value);
    secrets.insert(secrets.end(), found.begin(), found.end());
    return read_tenant(checked, file, heard);
}

}  // namespace

const TenantConfig* HostConfig::tenant(std::string_view id) const {
    for (const TenantConfig& tenant : tenants)
        if (tenant.id == id) return &tenant;
    return nullptr;
}

Outcome<HostConfig> load_host(const fs::path& file, const Environment& environment) {
    Problems problems;
    Outcome<Value> loaded = load_toml(file, environment);
    take(problems, std::move(loaded.problems));
    const Value checked = check(host_option_table(), loaded.value, problems);
    HostConfig host = read_host(checked, file, problems);
    host.secrets = secrets_in(loaded.value);

    std::error_code error;
    for (const fs::path& path : tenant_files(host.tenants_dir, error))
        host.tenants.push_back(load_tenant(path, environment, host.secrets, problems));
    const Value& tenants = checked["host"]["tenants"];
    if (error)
        problems.push_back(problem_at(
            tenants.at,
            "host.tenants",
            "the folder " + host.tenants_dir.string() + " cannot be read: " + error.message(),
            "make it, with one file per tenant"));

    check_references(host, checked, problems);
    sort_problems(problems);
    return {std::move(host), std::move(problems)};
}

}  // namespace jackfield::config
