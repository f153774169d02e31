#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/result.hpp"

namespace jackfield::plugin_kit {

/// One file of an archive.
struct Entry {
    std::string path;
    std::string bytes;
};

struct ArchiveLimits {
    std::size_t entries = 64;
    std::size_t entry_bytes = std::size_t{512} << 20; ///< what the loader takes
    std::size_t total_bytes = std::size_t{1} << 30;
};

/// "x86-64/acme.so": relative, of letters, digits, '.', '_', '-' and '/', and nowhere above where it starts.
bool is_plain_path(std::string_view path);

/// The files of a gzipped tar archive, in their order. Links, devices, folders' tricks, names that are no plain path, doubles and
/// whatever is beyond the limits are refused; nothing is written anywhere.
base::Result<std::vector<Entry>> read_archive(std::span<const std::byte> bytes, const ArchiveLimits& limits = {});

/// The same bytes for the same entries: no times, users or machines in it.
base::Result<std::string> write_archive(const std::vector<Entry>& entries);

}  // namespace jackfield::plugin_kit
