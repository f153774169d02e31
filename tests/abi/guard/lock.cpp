#include "abi/guard/lock.hpp"

#include <algorithm>
#include <sstream>
#include <stdexcept>

namespace jackfield::abi_guard {
namespace {

constexpr const char* slots_head =
    "# Every struct, table and constant that plugins may rely on, at the place at which it was published. Made by\n"
    "# `cmake --build build/dev --target abi_accept`; lines are added, none is changed (CONTRIBUTING.md, \"The plugin ABI\").\n"
    "# The ordinary build compiles an assertion for each line against the headers.\n"
    "#   struct <name> <header> | member <struct> <name> <offset> <size> <type> | const <name> <header> <value>\n";
constexpr const char* threads_head =
    "# The thread class of every function that one side calls on the other (JF_ON in the headers). Made with slots.lock.\n";

Member* find(Struct& type, const std::string& name) {
    for (Member& member : type.members)
        if (member.name == name) return &member;
    return nullptr;
}

Struct* find(Surface& surface, const std::string& name) {
    for (Struct& type : surface.structs)
        if (type.name == name) return &type;
    return nullptr;
}

std::runtime_error bad_line(const std::filesystem::path& file, int number, const std::string& line) {
    return std::runtime_error(file.string() + ":" + std::to_string(number) + ": no line of a lock: '" + line +
                              "'. It is made by the target abi_accept; restore it from git rather than mend it by hand");
}

bool take_line(Surface& out, const std::string& line) {
    std::istringstream words(line);
    std::string kind;
    words >> kind;
    if (kind == "struct") {
        Struct type;
        if (!(words >> type.name >> type.header)) return false;
        out.structs.push_back(std::move(type));
        return true;
    }
    if (kind == "member") {
        std::string owner;
        Member member;
        if (!(words >> owner >> member.name >> member.offset >> member.size >> std::ws) || !std::getline(words, member.type)) return false;
        Struct* const type = find(out, owner);
        if (!type) return false;
        type->size = member.offset + member.size;
        type->members.push_back(std::move(member));
        return true;
    }
    Constant constant;
    if (kind != "const" || !(words >> constant.name >> constant.header >> std::ws) || !std::getline(words, constant.value)) return false;
    out.constants.push_back(std::move(constant));
    return true;
}

bool take_thread_class(Surface& out, const std::string& line) {
    const std::size_t dot = line.find('.');
    const std::size_t space = line.find(' ');
    if (dot == std::string::npos || space == std::string::npos || dot > space) return false;
    Struct* const type = find(out, line.substr(0, dot));
    Member* const member = type ? find(*type, line.substr(dot + 1, space - dot - 1)) : nullptr;
    if (!member) return false;
    member->thread = line.substr(space + 1);
    return true;
}

template <typename Take>
void each_line(const std::filesystem::path& file, Take take) {
    std::istringstream text(read_text(file));
    int number = 0;
    for (std::string line; std::getline(text, line);) {
        ++number;
        if (line.empty() || line.front() == '#') continue;
        if (!take(line)) throw bad_line(file, number, line);
    }
}

}  // namespace

std::string slots_text(const Surface& published) {
    std::string out = slots_head;
    for (const Struct& type : published.structs) {
        out += "struct " + type.name + " " + type.header + "\n";
        for (const Member& m : type.members)
            out += "member " + type.name + " " + m.name + " " + std::to_string(m.offset) + " " + std::to_string(m.size) + " " + m.type + "\n";
    }
    for (const Constant& constant : published.constants) out += "const " + constant.name + " " + constant.header + " " + constant.value + "\n";
    return out;
}

std::string thread_classes_text(const Surface& published) {
    std::string out = threads_head;
    for (const Struct& type : published.structs)
        for (const Member& member : type.members)
            if (!member.thread.empty()) out += type.name + "." + member.name + " " + member.thread + "\n";
    return out;
}

Surface read_lock(const std::filesystem::path& folder) {
    Surface out;
    each_line(folder / "slots.lock", [&](const std::string& line) { return take_line(out, line); });
    each_line(folder / "thread_classes.lock", [&](const std::string& line) { return take_thread_class(out, line); });
    find_those_that_grow(out);
    return out;
}

void write_lock(const std::filesystem::path& folder, const Surface& published) {
    write_text(folder / "slots.lock", slots_text(published));
    write_text(folder / "thread_classes.lock", thread_classes_text(published));
}

Surface with_appended(Surface published, const Surface& now) {
    for (const Struct& type : now.structs) {
        Struct* const known = find(published, type.name);
        if (!known) {
            published.structs.push_back(type);
            continue;
        }
        for (const Member& member : type.members)
            if (!known->find(member.name)) known->members.push_back(member);
    }
    for (const Constant& constant : now.constants)
        if (!published.find_constant(constant.name)) published.constants.push_back(constant);
    return published;
}

}  // namespace jackfield::abi_guard
