#pragma once

#include "base/result.hpp"

#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <string>

namespace jackfield::config {

/// What a configuration may look at outside its own text. Tests and simulation bring their own.
struct Environment {
    std::function<std::optional<std::string>(const std::string& name)> variable;
    std::function<base::Result<std::string>(const std::filesystem::path& path)> read_file;

    /// The process's variables and files.
    static Environment system();
    /// These variables and no others; the machine's files.
    static Environment with(std::map<std::string, std::string> variables);
};

/// A regular file of at most 4 MiB.
base::Result<std::string> read_file(const std::filesystem::path& path);

}  // namespace jackfield::config
