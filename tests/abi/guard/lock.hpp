#pragma once

#include "abi/guard/surface.hpp"

namespace jackfield::abi_guard {

/// The published surface as `slots.lock` and `thread_classes.lock` hold it: a line per struct, member and constant.
std::string slots_text(const Surface& published);
std::string thread_classes_text(const Surface& published);

/// Reads both. Throws std::runtime_error naming the line that is none.
Surface read_lock(const std::filesystem::path& folder);
void write_lock(const std::filesystem::path& folder, const Surface& published);

/// What `published` becomes when what `now` has appended is published as well. Nothing that was published goes or moves.
Surface with_appended(Surface published, const Surface& now);

}  // namespace jackfield::abi_guard
