#include "integration/simulation/in_memory_host.hpp"

#include <ctime>
#include <filesystem>

namespace jackfield::simulation {

namespace fs = std::filesystem;

config::Outcome<config::HostConfig> load_config(const std::map<std::string, std::string>& files,
                                                std::map<std::string, std::string> values) {
    values.emplace("PLUGINS", JACKFIELD_BINARY_DIR "/plugins");
    values.emplace("SOURCE", JACKFIELD_SOURCE_DIR);
    const auto filled = [&](std::string text) {
        for (const auto& [name, value] : values) {
            const std::string place = "${env:" + name + "}";
            for (std::size_t at; (at = text.find(place)) != std::string::npos;) text.replace(at, place.size(), value);
        }
        return text;
    };
    // The folder of tenants is a real one, since it is listed.
    const fs::path folder = fs::path(JACKFIELD_BINARY_DIR) / "simulation";
    fs::create_directories(folder / "tenants");
    if (std::FILE* listed = std::fopen((folder / "tenants" / "clinic.toml").c_str(), "a")) std::fclose(listed);
    config::Environment environment = config::Environment::with({});
    environment.read_file = [&](const fs::path& path) -> base::Result<std::string> { return filled(files.at(path.filename())); };
    return config::load_host(folder / "jackfield.toml", environment);
}

double cpu_now() {
    timespec t{};
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_nsec) * 1e-9;
}

}  // namespace jackfield::simulation
