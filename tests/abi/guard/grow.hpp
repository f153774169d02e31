#pragma once

#include <filesystem>

#include "abi/guard/surface.hpp"

namespace jackfield::abi_guard {

/// Writes a copy of the headers to `to` in which every struct that grows has a member more, `jf_later`, and every table a function more,
/// `jf_later_function`: the headers of some later 1.x.
void write_grown_headers(const std::filesystem::path& include, const std::filesystem::path& to, const Tools& tools);

}  // namespace jackfield::abi_guard
