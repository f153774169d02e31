#pragma once

#include "base/result.hpp"

#include <cstddef>
#include <span>

namespace jackfield::plugin_host {

/// The dynamic loader believes the program headers and the dynamic section, and crashes the process where they are wrong: it
/// jumps to what DT_INIT says and writes where relocations point. A linker says all of that a second time, in the section
/// headers, which nobody needs at run time. This compares the two, so that a file that was damaged or doctored in one of them
/// is refused before anything of it is mapped. For files that read_elf() accepts; nothing is executed.
base::Result<> check_loading(std::span<const std::byte> file);

}  // namespace jackfield::plugin_host
