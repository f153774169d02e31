#include "abi/guard/witness.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <regex>
#include <sstream>
#include <stdexcept>

#include "abi/guard/command.hpp"

namespace jackfield::abi_guard {
namespace {

namespace fs = std::filesystem;

/// abidiff's exit status is a set of bits.
constexpr int could_not_compare = 1 | 2;

std::string digest(const std::string& text) {
    std::uint32_t sum = 2166136261u;
    for (const unsigned char c : text) sum = (sum ^ c) * 16777619u;
    std::array<char, 9> out{};
    std::snprintf(out.data(), out.size(), "%08x", sum);
    return out.data();
}

/// The paragraphs of a report, each about one type: the first line names it, the others are indented.
std::vector<std::vector<std::string>> paragraphs(const std::string& report) {
    std::vector<std::vector<std::string>> out(1);
    std::istringstream lines(report);
    for (std::string line; std::getline(lines, line);) {
        if (line.find_first_not_of(" \t") == std::string::npos) out.emplace_back();
        else out.back().push_back(line);
    }
    std::erase_if(out, [](const auto& paragraph) { return paragraph.empty(); });
    return out;
}

/// True when nothing is said but that members stand behind what was the end.
bool is_append(const std::vector<std::string>& paragraph) {
    static const std::regex size(R"(^  type size changed from (\d+) to \d+ \(in bits\)$)");
    static const std::regex heading(R"(^  \d+ data member insertions?:$)");
    static const std::regex inserted(R"(^    '.*', at offset (\d+) \(in bits\)$)");
    unsigned long end = 0;
    std::smatch found;
    for (std::size_t i = 1; i < paragraph.size(); ++i) {
        if (std::regex_match(paragraph[i], found, size)) end = std::stoul(found[1]);
        else if (std::regex_match(paragraph[i], found, inserted) && end != 0 && std::stoul(found[1]) >= end) continue;
        else if (!std::regex_match(paragraph[i], heading)) return false;
    }
    return end != 0;
}

/// Types that are only named by others have no header of their own in the lock.
std::string header_of(const std::string& type, const Surface& published) {
    const Struct* const known = published.find(type);
    return known ? known->header : "?";
}

}  // namespace

std::string witness_source(const Surface& surface) {
    std::string includes;
    std::string functions;
    for (const Struct& type : surface.structs) {
        const std::string include = "#include <jackfield/" + type.header + ">\n";
        if (includes.find(include) == std::string::npos) includes += include;
        functions += "void jf_witness_" + type.name + "(const " + type.name + "* value);\n";
        functions += "void jf_witness_" + type.name + "(const " + type.name + "* value) { (void)value; }\n";
    }
    return "/* One function per public type. */\n" + includes + functions;
}

void build_library(const std::string& source, const fs::path& include, const Tools& tools, const fs::path& out) {
    const fs::path file = out.parent_path() / "witness.c";
    write_text(file, source);
    const Ran ran = run({tools.cc, "-std=c11", "-g", "-O0", "-fPIC", "-shared", "-fvisibility=default", "-I" + include.string(), file.string(), "-o", out.string()});
    if (ran.status != 0) throw std::runtime_error("the witness library does not compile:\n" + ran.out);
}

std::string describe_library(const fs::path& library, const Tools& tools) {
    const fs::path out = library.string() + ".abi";
    const Ran ran = run({tools.abidw, "--no-show-locs", "--no-corpus-path", "--no-comp-dir-path", "--no-elf-needed", "--out-file", out.string(), library.string()});
    if (ran.status != 0) throw std::runtime_error("abidw failed:\n" + ran.out);
    // It calls the source by its path all the same.
    static const std::regex path(R"( path='[^']*')");
    return std::regex_replace(read_text(out), path, "");
}

std::vector<Finding> compare_library(const fs::path& recorded, const fs::path& library, const Surface& published, const Tools& tools) {
    if (!fs::exists(recorded)) throw std::runtime_error(recorded.string() + " is missing: without it no table is compared; restore it from git");
    const Ran ran = run({tools.abidiff, "--leaf-changes-only", "--harmless", "--no-show-locs", recorded.string(), library.string()});
    if (ran.status & could_not_compare) throw std::runtime_error("abidiff failed:\n" + ran.out);
    static const std::regex about(R"(^'struct (jf_[a-z0-9_]+).*' changed:$)");
    static const std::regex removed(R"(^  \[D\] '(.*)'.*$)");
    std::vector<Finding> out;
    for (const auto& paragraph : paragraphs(ran.out)) {
        std::string text;
        for (const std::string& line : paragraph) text += line + "\n";
        std::smatch found;
        if (std::regex_match(paragraph.front(), found, about)) {
            if (is_append(paragraph)) continue;
            const std::string type = found[1];
            out.push_back({"witness " + type + " " + digest(text),
                           "plugin-api/include/jackfield/" + header_of(type, published) + ": " + type + ": the witness library's debug information differs from what was published; remedy: " +
                               "published members keep name, place and type for ever\n    " + std::regex_replace(text, std::regex("\n(.)"), "\n    $1")});
            if (out.back().message.ends_with('\n')) out.back().message.pop_back();
        }
        for (const std::string& line : paragraph)
            if (std::regex_match(line, found, removed))
                out.push_back({"witness removed " + digest(found[1]), "the witness library no longer has " + found[1].str() + ": a struct that was published is gone; remedy: it stays"});
    }
    return out;
}

}  // namespace jackfield::abi_guard
