#include "call/tool_arguments.hpp"

#include <algorithm>
#include <cstdint>

#include "base/json.hpp"
#include "base/pattern.hpp"

namespace jackfield::call {
namespace {

using base::JsonView;

/// So many sentences are enough to try again.
constexpr std::size_t most_problems = 8;
bool is_of(std::string_view type, JsonView value) {
    if (type == "string") return value.is_string();
    if (type == "integer") return value.is_integer();
    if (type == "number") return value.is_number();
    if (type == "boolean") return value.is_bool();
    if (type == "array") return value.is_array();
    if (type == "object") return value.is_object();
    if (type == "null") return value.is_null();
    return true;
}

std::string shown(JsonView value) {
    std::string text = value.dump();
    if (text.size() <= 60) return text;
    std::size_t end = 57;
    while (end > 0 && (text[end] & 0xc0) == 0x80) --end; // not in the middle of a character
    return text.substr(0, end) + "...";
}

class Checker {
  public:
    void check(JsonView schema, JsonView value, const std::string& where) {
        if (problems.size() >= most_problems || !schema.is_object()) return;
        if (!check_type(schema["type"], value, where)) return;
        check_choice(schema, value, where);
        if (value.is_number()) check_number(schema, value, where);
        if (value.is_string()) check_text(schema, value, where);
        if (value.is_array()) check_array(schema, value, where);
        if (value.is_object()) check_object(schema, value, where);
    }
    void report(const std::string& where, const std::string& what) {
        if (problems.size() < most_problems) problems.push_back((where.empty() ? "the arguments" : where) + ": " + what);
    }

    std::vector<std::string> problems;

  private:
    bool check_type(JsonView type, JsonView value, const std::string& where) {
        std::string wanted;
        if (type.is_string()) {
            wanted = type.text_or("");
            if (is_of(wanted, value)) return true;
        } else if (type.is_array()) {
            for (std::size_t i = 0; i < type.size(); ++i) {
                const std::string one = type.at(i).text_or("");
                if (is_of(one, value)) return true;
                wanted += (i ? " or " : "") + one;
            }
        } else {
            return true;
        }
        report(where, shown(value) + " is no " + wanted);
        return false;
    }

    void check_choice(JsonView schema, JsonView value, const std::string& where) {
        const std::string text = value.dump();
        if (const JsonView only = schema["const"]; !only.absent() && only.dump() != text) report(where, "must be " + shown(only));
        const JsonView choices = schema["enum"];
        if (!choices.is_array()) return;
        std::string known;
        for (std::size_t i = 0; i < choices.size(); ++i) {
            if (choices.at(i).dump() == text) return;
            known += (i ? ", " : "") + choices.at(i).dump();
        }
        report(where, shown(value) + " is not one of " + known);
    }

    void check_number(JsonView schema, JsonView value, const std::string& where) {
        const double number = value.real_or(0);
        if (const JsonView least = schema["minimum"]; least.is_number() && number < least.real_or(0))
            report(where, shown(value) + " is below the least, " + least.dump());
        if (const JsonView most = schema["maximum"]; most.is_number() && number > most.real_or(0))
            report(where, shown(value) + " is above the most, " + most.dump());
    }

    void check_text(JsonView schema, JsonView value, const std::string& where) {
        const std::string text = value.text_or("");
        const auto length = std::count_if(text.begin(), text.end(), [](char c) { return (c & 0xc0) != 0x80; });
        if (length < schema["minLength"].integer_or(0)) report(where, length == 0 ? "is empty" : shown(value) + " is too short");
        if (length > schema["maxLength"].integer_or(INT64_MAX)) report(where, "is longer than " + schema["maxLength"].dump() + " characters");
        if (!schema["pattern"].is_string()) return;
        const base::Pattern pattern(schema["pattern"].text_or(""));
        // One that doesn't compile is the tool's mistake; it gets the text and checks it itself.
        if (pattern.valid() && !pattern.found_in(text)) report(where, shown(value) + " does not match " + schema["pattern"].text_or(""));
    }

    void check_array(JsonView schema, JsonView value, const std::string& where) {
        const auto size = static_cast<std::int64_t>(value.size());
        if (size < schema["minItems"].integer_or(0)) report(where, "needs at least " + schema["minItems"].dump() + " elements");
        if (size > schema["maxItems"].integer_or(INT64_MAX)) report(where, "may have at most " + schema["maxItems"].dump() + " elements");
        for (std::size_t i = 0; i < value.size() && problems.size() < most_problems; ++i)
            check(schema["items"], value.at(i), where + "[" + std::to_string(i) + "]");
    }

    void check_object(JsonView schema, JsonView value, const std::string& where) {
        const JsonView properties = schema["properties"];
        const JsonView required = schema["required"];
        const std::string prefix = where.empty() ? "" : where + ".";
        for (std::size_t i = 0; i < required.size(); ++i)
            if (const std::string name = required.at(i).text_or(""); value[name].absent()) report(prefix + name, "is missing");
        const bool closed = !schema["additionalProperties"].boolean_or(true);
        for (const auto& [name, member] : value.members()) {
            if (const JsonView property = properties[name]; !property.absent()) check(property, member, prefix + std::string(name));
            else if (closed) report(prefix + std::string(name), "is not known");
        }
    }
};

}  // namespace

std::vector<std::string> argument_problems(std::string_view schema_json, std::string_view arguments_json) {
    Checker checker;
    const auto arguments = base::JsonDocument::parse(arguments_json, {64 * 1024, 32});
    if (!arguments) {
        checker.report("", "are not JSON: " + arguments.error().text());
    } else if (!arguments->root().is_object()) {
        checker.report("", "are no JSON object");
    } else if (const auto schema = base::JsonDocument::parse(schema_json)) {
        checker.check(schema->root(), arguments->root(), "");
    }
    return std::move(checker.problems);
}

}  // namespace jackfield::call
