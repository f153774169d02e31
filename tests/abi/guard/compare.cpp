#include "abi/guard/compare.hpp"

namespace jackfield::abi_guard {
namespace {

constexpr const char* keep = "published members keep name, place and type for ever; append a new member at the end of the struct, or publish a new interface id";

/// Collects what is found in one struct.
class Report {
  public:
    Report(const Struct& type, std::vector<Finding>& out) : type_(type), out_(out) {}

    void add(const std::string& member, const std::string& change, const std::string& what, const std::string& remedy) {
        const std::string name = member.empty() ? type_.name : type_.name + "." + member;
        out_.push_back({name + " " + change, "plugin-api/include/jackfield/" + type_.header + ": " + name + ": " + what + "; remedy: " + remedy});
    }

  private:
    const Struct& type_;
    std::vector<Finding>& out_;
};

std::string place_of(const Member& member) {
    return "at offset " + std::to_string(member.offset) + ", " + std::to_string(member.size) + " bytes, as '" + member.type + "'";
}

const Member* member_at(const Struct& type, std::uint64_t offset) {
    for (const Member& member : type.members)
        if (member.offset == offset) return &member;
    return nullptr;
}

void compare_gone(const Struct& published, const Struct& now, const Member& member, Report& report) {
    const Member* const instead = member_at(now, member.offset);
    if (instead && !published.find(instead->name))
        report.add(member.name, "reused: " + instead->name, "it was published " + place_of(member) + ", and its slot has become '" + instead->name + "'",
                   "a slot is never given another meaning: keep the old name, document it as unused, and append '" + instead->name + "'");
    else
        report.add(member.name, "removed", "it was published " + place_of(member) + " and is gone",
                   "a member that nobody needs any more stays, documented as unused");
}

void compare_member(const Member& was, const Member& is, Report& report) {
    if (is.offset != was.offset)
        report.add(was.name, "moved: " + std::to_string(was.offset) + " -> " + std::to_string(is.offset),
                   "it was published " + place_of(was) + " and has moved to offset " + std::to_string(is.offset), keep);
    if (is.type != was.type)
        report.add(was.name, "retyped: " + was.type + " -> " + is.type, "it was published " + place_of(was) + " and is now '" + is.type + "'", keep);
    else if (is.size != was.size)
        report.add(was.name, "resized: " + std::to_string(was.size) + " -> " + std::to_string(is.size),
                   "it was published " + place_of(was) + " and has now " + std::to_string(is.size) + " bytes",
                   "what it is made of may not grow: undo that");
    if (was.is_function() && is.thread != was.thread && !was.thread.empty() && !is.thread.empty())
        report.add(was.name, "thread: " + was.thread + " -> " + is.thread, "it was published with JF_ON(" + was.thread + ") and has JF_ON(" + is.thread + ") now",
                   "plugins rely on the thread class: keep it, and append another function where another class is needed");
}

void compare_new(const Struct& published, const Member& member, Report& report) {
    if (!published.grows)
        report.add(member.name, "grew", "the struct has no struct_size of its own or others hold it by value, so that it can't grow",
                   "put the member into a struct that grows");
    else if (member.offset < published.size)
        report.add(member.name, "inserted: " + std::to_string(member.offset),
                   "it stands before members that were published: the struct ended at offset " + std::to_string(published.size), "append it at the end");
}

/// Rules for every struct, also a new one.
void check_shape(const Struct& type, Report& report) {
    std::uint64_t end = 0;
    for (const Member& member : type.members) {
        if (member.offset != end)
            report.add(member.name, "padding: " + std::to_string(end), "the compiler left a hole before it, from offset " + std::to_string(end),
                       "fill it with a `reserved` member: holes carry whatever stood in memory");
        end = member.offset + member.size;
        if (member.is_function() && member.thread.empty())
            report.add(member.name, "without a thread class", "it has no JF_ON(...)", "say on which threads it may be called");
    }
    if (end != type.size)
        report.add("", "padding: " + std::to_string(end), "the compiler left a hole at its end, from offset " + std::to_string(end) + " to " + std::to_string(type.size),
                   "fill it with a `reserved` member");
}

void compare_struct(const Struct& published, const Struct& now, Report& report) {
    for (const Member& was : published.members) {
        if (const Member* is = now.find(was.name)) compare_member(was, *is, report);
        else compare_gone(published, now, was, report);
    }
    for (const Member& member : now.members)
        if (!published.find(member.name)) compare_new(published, member, report);
}

void compare_constants(const Surface& published, const Surface& now, std::vector<Finding>& out) {
    const auto add = [&](const Constant& constant, const std::string& change, const std::string& what, const std::string& remedy) {
        out.push_back({constant.name + " " + change, "plugin-api/include/jackfield/" + constant.header + ": " + constant.name + ": " + what + "; remedy: " + remedy});
    };
    for (const Constant& was : published.constants) {
        const Constant* const is = now.find_constant(was.name);
        if (!is) add(was, "removed", "it was published as " + was.value + " and is gone", "plugins that were built with it go on to use the value: keep it, documented as unused");
        else if (is->value != was.value)
            add(was, "renumbered: " + was.value + " -> " + is->value, "it was published as " + was.value + " and is " + is->value + " now",
                "values stay; give the new meaning a new name and a value that was never used");
    }
}

}  // namespace

std::vector<Finding> compare(const Surface& published, const Surface& now) {
    std::vector<Finding> out;
    for (const Struct& was : published.structs) {
        Report report(was, out);
        if (const Struct* is = now.find(was.name)) compare_struct(was, *is, report);
        else report.add("", "removed", "it was published with " + std::to_string(was.members.size()) + " members and is gone", "a struct that was published stays");
    }
    for (const Struct& type : now.structs) {
        Report report(type, out);
        check_shape(type, report);
    }
    compare_constants(published, now, out);
    return out;
}

std::vector<std::string> appended(const Surface& published, const Surface& now) {
    std::vector<std::string> out;
    for (const Struct& type : now.structs) {
        const Struct* const known = published.find(type.name);
        if (!known) out.push_back(type.name);
        for (const Member& member : type.members)
            if (known && !known->find(member.name)) out.push_back(type.name + "." + member.name);
    }
    for (const Constant& constant : now.constants)
        if (!published.find_constant(constant.name)) out.push_back(constant.name);
    return out;
}

}  // namespace jackfield::abi_guard
