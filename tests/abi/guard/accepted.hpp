#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "abi/guard/compare.hpp"

namespace jackfield::abi_guard {

/// A change that was made on purpose: `<key> | <reason>` on a line of plugin-api/abi/accepted-changes.
struct Accepted {
    std::string key;
    std::string reason;
    int line = 0;
};

std::vector<Accepted> read_accepted(const std::filesystem::path& file);

/// The findings that no entry covers, and one more for each entry that has no reason or covers nothing.
std::vector<Finding> not_accepted(const std::vector<Finding>& findings, const std::vector<Accepted>& accepted, const std::string& file);

}  // namespace jackfield::abi_guard
