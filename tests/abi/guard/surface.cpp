#include "abi/guard/surface.hpp"

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <regex>
#include <sstream>
#include <stdexcept>

#include "abi/guard/command.hpp"

namespace jackfield::abi_guard {
namespace {

namespace fs = std::filesystem;

/// Grows as the ABI does, or says how a compiler shall read the headers: nothing that a plugin may rely on.
bool is_private_macro(const std::string& name) {
    return name == "JF_ABI_MINOR" || name == "JF_EXPORT" || name == "JF_ON";
}

std::string all_includes(const fs::path& include) {
    std::string out;
    for (const std::string& header : header_names(include)) out += "#include <jackfield/" + header + ">\n";
    return out;
}

std::string clang_output(const fs::path& include, const Tools& tools, const fs::path& source, std::vector<std::string> options) {
    std::vector<std::string> command{tools.clang, "-std=c11", "-fno-color-diagnostics", "-I" + include.string()};
    command.insert(command.end(), options.begin(), options.end());
    command.push_back(source.string());
    Ran ran = run(command);
    if (ran.status != 0) throw std::runtime_error("the headers in " + include.string() + " don't compile:\n" + ran.out);
    return std::move(ran.out);
}

/// Where each struct and each constant stands: the compiler knows, but says it differently for every kind of node.
std::map<std::string, std::string> homes(const fs::path& include) {
    static const std::regex home(R"(^\} (jf_[a-z0-9_]+);|^#define (JF_[A-Z0-9_]+)\b)");
    std::map<std::string, std::string> out;
    for (const std::string& header : header_names(include)) {
        std::istringstream text(read_text(include / "jackfield" / header));
        std::smatch found;
        for (std::string line; std::getline(text, line);)
            if (std::regex_search(line, found, home)) out.emplace(found[1].matched ? found[1] : found[2], header);
    }
    return out;
}

/// The text form of clang's tree: a line per node, indented by two characters per level.
std::vector<Struct> read_structs(const std::string& tree, const std::map<std::string, std::string>& homes) {
    static const std::regex record(R"(^[|`]-RecordDecl .* struct (jf_[a-z0-9_]+) definition$)");
    static const std::regex field(R"(^[| ] [|`]-FieldDecl .* ([A-Za-z0-9_]+) '([^']*)'(:'[^']*')?$)");
    static const std::regex note(R"re(^[| ] [| ] [|`]-AnnotateAttr .* "jf_on:([a-z]+)"$)re");
    std::vector<Struct> out;
    bool inside = false;
    std::smatch found;
    std::istringstream lines(tree);
    for (std::string line; std::getline(lines, line);) {
        if (line.starts_with("|-") || line.starts_with("`-")) {
            inside = std::regex_match(line, found, record) && homes.contains(found[1]);
            if (inside) out.push_back({found[1], homes.at(found[1]), 0, false, {}});
        } else if (inside && line.find("-FieldDecl ") != std::string::npos) {
            if (!std::regex_match(line, found, field)) throw std::runtime_error("a member that this guard can't read: " + line);
            out.back().members.push_back({found[1], found[2], "", 0, 0});
        } else if (inside && std::regex_match(line, found, note) && !out.back().members.empty()) {
            out.back().members.back().thread = found[1];
        }
    }
    return out;
}

std::vector<Constant> read_constants(const std::string& macros, const std::map<std::string, std::string>& homes) {
    static const std::regex define(R"(^#define (JF_[A-Z0-9_]+) (.+)$)");
    std::vector<Constant> out;
    std::smatch found;
    std::istringstream lines(macros);
    for (std::string line; std::getline(lines, line);)
        if (std::regex_match(line, found, define) && homes.contains(found[1]) && !is_private_macro(found[1]))
            out.push_back({found[1], homes.at(found[1]), found[2]});
    return out;
}

/// One array of numbers, filled by the compiler: offsets and sizes of members, sizes of structs, values of constants.
std::string numbers_source(const std::string& includes, const Surface& surface) {
    std::string out = includes + "const long long jf_numbers[] = {1, 2,\n";
    for (const Struct& type : surface.structs) {
        out += "sizeof(" + type.name + "),\n";
        for (const Member& member : type.members)
            out += "offsetof(" + type.name + ", " + member.name + "), sizeof(((" + type.name + "*)0)->" + member.name + "),\n";
    }
    for (const Constant& constant : surface.constants)
        if (!constant.value.starts_with('"')) out += "(long long)(" + constant.name + "),\n";
    return out + "};\n";
}

void take_numbers(const std::string& assembly, Surface& surface) {
    static const std::regex array(R"(@jf_numbers = .*\[i64 1, i64 2([^\]]*)\])");
    static const std::regex number(R"(i64 (-?\d+))");
    std::smatch found;
    if (!std::regex_search(assembly, found, array)) throw std::runtime_error("the compiler gave no numbers");
    const std::string list = found[1];
    std::sregex_iterator next(list.begin(), list.end(), number);
    const auto take = [&] { return std::stoll((*next++)[1]); };
    for (Struct& type : surface.structs) {
        type.size = static_cast<std::uint64_t>(take());
        for (Member& member : type.members) {
            member.offset = static_cast<std::uint64_t>(take());
            member.size = static_cast<std::uint64_t>(take());
        }
    }
    for (Constant& constant : surface.constants)
        if (!constant.value.starts_with('"')) constant.value = std::to_string(take());
}

}  // namespace

bool Struct::is_table() const {
    return std::any_of(members.begin(), members.end(), [](const Member& member) { return member.is_function(); });
}

const Member* Struct::find(const std::string& member) const {
    const auto found = std::find_if(members.begin(), members.end(), [&](const Member& m) { return m.name == member; });
    return found == members.end() ? nullptr : &*found;
}

const Struct* Surface::find(const std::string& name) const {
    const auto found = std::find_if(structs.begin(), structs.end(), [&](const Struct& s) { return s.name == name; });
    return found == structs.end() ? nullptr : &*found;
}

const Constant* Surface::find_constant(const std::string& name) const {
    const auto found = std::find_if(constants.begin(), constants.end(), [&](const Constant& c) { return c.name == name; });
    return found == constants.end() ? nullptr : &*found;
}

/// A struct that another holds by value can't grow: what stands behind it there would move.
void find_those_that_grow(Surface& surface) {
    for (Struct& type : surface.structs) type.grows = !type.members.empty() && type.members.front().name == "struct_size";
    for (const Struct& outer : surface.structs)
        for (const Member& member : outer.members)
            for (Struct& inner : surface.structs)
                if (member.type == inner.name || member.type.starts_with(inner.name + "[")) inner.grows = false;
}

std::vector<std::string> header_names(const fs::path& include) {
    std::vector<std::string> out;
    for (const auto& entry : fs::directory_iterator(include / "jackfield"))
        if (entry.path().extension() == ".h") out.push_back(entry.path().filename());
    std::sort(out.begin(), out.end(), [](const std::string& a, const std::string& b) { return std::pair(a != "base.h", a) < std::pair(b != "base.h", b); });
    return out;
}

Surface read_headers(const fs::path& include, const Tools& tools) {
    const ScratchFolder scratch;
    const auto where = homes(include);
    const std::string includes = all_includes(include);
    const fs::path source = scratch.path() / "headers.c";
    write_text(source, includes);
    Surface out;
    out.structs = read_structs(clang_output(include, tools, source, {"-fsyntax-only", "-Xclang", "-ast-dump"}), where);
    out.constants = read_constants(clang_output(include, tools, source, {"-dM", "-E"}), where);
    write_text(source, numbers_source(includes, out));
    take_numbers(clang_output(include, tools, source, {"-S", "-emit-llvm", "-o", "-"}), out);
    find_those_that_grow(out);
    return out;
}

std::string read_text(const fs::path& file) {
    std::ifstream in(file, std::ios::binary);
    if (!in) throw std::runtime_error(file.string() + " can't be read");
    return {std::istreambuf_iterator<char>(in), {}};
}

void write_text(const fs::path& file, const std::string& text) {
    std::ofstream out(file, std::ios::binary);
    out << text;
    if (!out.flush()) throw std::runtime_error(file.string() + " can't be written");
}

ScratchFolder::ScratchFolder() {
    std::string pattern = (fs::temp_directory_path() / "jackfield-abi-XXXXXX").string();
    if (!::mkdtemp(pattern.data())) throw std::runtime_error("no folder for intermediate files in " + fs::temp_directory_path().string());
    path_ = pattern;
}

ScratchFolder::~ScratchFolder() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
}

}  // namespace jackfield::abi_guard
