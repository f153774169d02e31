#include "abi/guard/accepted.hpp"

#include <algorithm>
#include <sstream>

namespace jackfield::abi_guard {
namespace {

std::string trimmed(const std::string& text) {
    const std::size_t first = text.find_first_not_of(" \t");
    if (first == std::string::npos) return {};
    return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

/// One word explains nothing to who reads it in a year.
bool is_reason(const std::string& text) { return std::count(text.begin(), text.end(), ' ') >= 2; }

}  // namespace

std::vector<Accepted> read_accepted(const std::filesystem::path& file) {
    std::vector<Accepted> out;
    std::istringstream text(read_text(file));
    int number = 0;
    for (std::string line; std::getline(text, line);) {
        ++number;
        if (trimmed(line).empty() || line.front() == '#') continue;
        const std::size_t bar = line.find('|');
        out.push_back({trimmed(line.substr(0, bar)), bar == std::string::npos ? "" : trimmed(line.substr(bar + 1)), number});
    }
    return out;
}

std::vector<Finding> not_accepted(const std::vector<Finding>& findings, const std::vector<Accepted>& accepted, const std::string& file) {
    std::vector<Finding> out;
    for (const Finding& finding : findings)
        if (std::none_of(accepted.begin(), accepted.end(), [&](const Accepted& a) { return a.key == finding.key; })) out.push_back(finding);
    for (const Accepted& entry : accepted) {
        const std::string where = file + ":" + std::to_string(entry.line) + ": '" + entry.key + "'";
        if (!is_reason(entry.reason))
            out.push_back({entry.key, where + ": the entry has no reason; remedy: write behind a '|' why plugins that were built before may break"});
        if (std::none_of(findings.begin(), findings.end(), [&](const Finding& f) { return f.key == entry.key; }))
            out.push_back({entry.key, where + ": the entry covers no difference; remedy: remove it, or write it as the guard names the change"});
    }
    return out;
}

}  // namespace jackfield::abi_guard
