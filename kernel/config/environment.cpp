#include "config/environment.hpp"

#include <cstdlib>
#include <fstream>
#include <iterator>

namespace jackfield::config {
namespace {

constexpr std::uintmax_t most_bytes = 4 * 1024 * 1024;

}  // namespace

base::Result<std::string> read_file(const std::filesystem::path& path) {
    using base::Error;
    using base::ErrorCode;
    std::error_code error;
    const auto status = std::filesystem::status(path, error);
    if (!std::filesystem::exists(status))
        return Error(ErrorCode::not_found, "there is no file " + path.string());
    // A fifo or a device could block the start for ever.
    if (!std::filesystem::is_regular_file(status))
        return Error(ErrorCode::invalid, path.string() + " is not a regular file");
    if (const auto size = std::filesystem::file_size(path, error); !error && size > most_bytes)
        return Error(ErrorCode::invalid, path.string() + " is larger than 4 MiB");
    std::ifstream file(path, std::ios::binary);
    std::string text{std::istreambuf_iterator<char>(file), {}};
    if (!file.is_open() || file.bad())
        return Error(ErrorCode::invalid, path.string() + " cannot be read");
    return text;
}

Environment Environment::system() {
    const auto variable = [](const std::string& name) -> std::optional<std::string> {
        const char* text = std::getenv(name.c_str());
        return text ? std::optional<std::string>(text) : std::nullopt;
    };
    return {variable, &config::read_file};
}

Environment Environment::with(std::map<std::string, std::string> variables) {
    const auto variable =
        [held = std::move(variables)](const std::string& name) -> std::optional<std::string> {
        const auto found = held.find(name);
        return found == held.end() ? std::nullopt : std::optional<std::string>(found->second);
    };
    return {variable, &config::read_file};
}

}  // namespace jackfield::config
