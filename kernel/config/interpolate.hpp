#pragma once

#include "config/environment.hpp"

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace jackfield::config {

struct Interpolated {
    std::string text;
    /// The pieces that the environment or a file supplied.
    std::vector<std::string> secrets;
    /// True when a reference was replaced, be it by its default.
    bool replaced = false;

    struct Fault {
        std::string what;
        std::string remedy;
    };
    std::vector<Fault> faults;
};

/// Replaces `${env:X}`, `${env:X:-default}` (also when X is empty), `${file:path}` (without its
/// last line end; a relative path starts at `directory`) and `$$`. What is put in is not looked at
/// again. A `$` before anything else stays.
Interpolated interpolate(std::string_view text,
                         const std::filesystem::path& directory,
                         const Environment& environment);

}  // namespace jackfield::config
