#pragma once

#include <sys/types.h>

#include <filesystem>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace jackfield::plugin_kit {

/// The whole file; refused when it is no regular file or longer than `most`.
base::Result<std::string> read_file(const std::filesystem::path& path, std::size_t most);

/// Puts `bytes` at `path` at once: who looks finds the old file or the new one, also after a power failure.
base::Result<> replace_file(const std::filesystem::path& path, std::string_view bytes, mode_t mode = 0644);

/// Writes a file that must not exist yet.
base::Result<> create_file(const std::filesystem::path& path, std::string_view bytes, mode_t mode);

}  // namespace jackfield::plugin_kit
