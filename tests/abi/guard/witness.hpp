#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "abi/guard/compare.hpp"

namespace jackfield::abi_guard {

/// C source with one exported function per struct: libabigail sees a type only where an exported function leads to it, and no table of
/// an interface is reached from the one symbol that plugins export.
std::string witness_source(const Surface& surface);

/// Compiles `source` against `include` to a shared library with debug information.
void build_library(const std::string& source, const std::filesystem::path& include, const Tools& tools, const std::filesystem::path& out);

/// The library's ABI as abidw describes it, without paths or line numbers of the machine that it was made on.
std::string describe_library(const std::filesystem::path& library, const Tools& tools);

/// What abidiff finds between a recorded description and a library, appended members set aside.
std::vector<Finding> compare_library(const std::filesystem::path& recorded, const std::filesystem::path& library, const Surface& published, const Tools& tools);

}  // namespace jackfield::abi_guard
