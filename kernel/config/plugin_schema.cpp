#include "config/plugin_schema.hpp"

#include "base/pattern.hpp"
#include "config/option_table.hpp"

#include <algorithm>
#include <array>
#include <optional>

namespace jackfield::config {
namespace {

using base::JsonView;

constexpr std::array<std::string_view, 6> types{
    "string", "integer", "number", "boolean", "array", "object"};
constexpr std::array<std::string_view, 17> keywords{"type",
                                                    "enum",
                                                    "minimum",
                                                    "maximum",
                                                    "minLength",
                                                    "maxLength",
                                                    "pattern",
                                                    "items",
                                                    "required",
                                                    "default",
                                                    "description",
                                                    "secret",
                                                    "unit",
                                                    "title",
                                                    "$schema",
                                                    "properties",
                                                    "examples"};

bool matches_type(std::string_view type, const Value& value) {
    if (type == "string") return value.is_text();
    if (type == "integer") return value.is_integer();
    if (type == "number") return value.is_number();
    if (type == "boolean") return value.is_boolean();
    if (type == "array") return value.is_array();
    if (type == "object") return value.is_table();
    return true;
}

std::string wanted_text(JsonView schema) {
    const std::string type = schema["type"].text_or("");
    const std::string unit = schema["unit"].text_or("");
    const std::string of_unit = unit.empty() ? "" : " of " + unit;
    if (type == "string") return "a string is wanted";
    if (type == "integer") return "a whole number" + of_unit + " is wanted";
    if (type == "number") return "a number" + of_unit + " is wanted";
    if (type == "boolean") return "true or false is wanted";
    if (type == "array") return "a list is wanted";
    return "a table is wanted";
}

std::string remedy_from(JsonView schema, std::string otherwise) {
    const std::string doc = schema["description"].text_or("");
    return doc.empty() ? otherwise : doc;
}

/// Length in characters, as JSON Schema counts.
std::size_t characters(const std::string& text) {
    return static_cast<std::size_t>(
        std::count_if(text.begin(), text.end(), [](char c) { return (c & 0xc0) != 0x80; }));
}

std::string shown(const Value& value) {
    return value.secret_source() ? "'***'"
           : value.is_text()     ? "'" + value.text() + "'"
                                 : dump_json(value);
}

class Checker {
  public:
    Value check(JsonView schema, const Value& given);
    Problems problems;

  private:
    void report(const Value& value, std::string what, std::string remedy) {
        problems.push_back(problem_at(value.at, value.path, std::move(what), std::move(remedy)));
    }
    Value check_object(JsonView schema, const Value& given);
    Value check_array(JsonView schema, const Value& given);
    void check_number(JsonView schema, const Value& value);
    void check_text(JsonView schema, const Value& value);
    void check_enum(JsonView schema, const Value& value);
    void fill_in(JsonView schema, const std::string& name, Value& object);
};

Value Checker::check(JsonView schema, const Value& given) {
    Value value = given;
    const std::string type = schema["type"].text_or("");
    if (!matches_type(type, value)) {
        Value spelled = spelled_out(value);
        if (spelled.is_null() || !matches_type(type, spelled)) {
            report(value,
                   wanted_text(schema) + ", " + describe(value),
                   remedy_from(schema, "change its type"));
            return value;
        }
        value = std::move(spelled);
    }
    if (schema["secret"].boolean_or(false) && value.is_text() && value.secrets.empty() &&
        !value.text().empty())
        value.secrets.push_back(value.text());
    if (!schema["enum"].absent()) check_enum(schema, value);
    if (value.is_number()) check_number(schema, value);
    if (value.is_text()) check_text(schema, value);
    if (value.is_array()) return check_array(schema, value);
    if (value.is_table()) return check_object(schema, value);
    return value;
}

void Checker::check_enum(JsonView schema, const Value& value) {
    const JsonView words = schema["enum"];
    std::vector<std::string> known;
    for (std::size_t i = 0; i < words.size(); ++i) {
        const Value allowed = from_json(words.at(i), value.at, value.path);
        if (allowed.is_number() && value.is_number() ? allowed.number() == value.number()
                                                     : to_json(allowed) == to_json(value))
            return;
        known.push_back(allowed.is_text() ? allowed.text() : to_json(allowed));
    }
    const std::string meant = value.is_text() ? nearest(value.text(), known) : "";
    report(value,
           shown(value) + " is not one of " + one_of_text(known),
           meant.empty() ? "choose " + one_of_text(known) : "did you mean '" + meant + "'?");
}

void Checker::check_number(JsonView schema, const Value& value) {
    const std::string unit = schema["unit"].text_or("");
    const auto limit = [&](const char* keyword, bool low) {
        const JsonView bound = schema[keyword];
        // Whole numbers are compared as such: a double has only 53 bits for them.
        const bool whole = bound.is_integer() && value.is_integer();
        if (!bound.is_number()) return;
        const double b = bound.real_or(0);
        const bool outside = whole ? (low ? value.integer() < bound.integer_or(0)
                                          : value.integer() > bound.integer_or(0))
                                   : (low ? value.number() < b : value.number() > b);
        if (!outside) return;
        report(
            value,
            shown(value) + (low ? " is below the least, " : " is above the most, ") + bound.dump() +
                (unit.empty() ? "" : " " + unit),
            remedy_from(schema,
                        std::string("choose ") + (low ? "at least " : "at most ") + bound.dump()));
    };
    limit("minimum", true);
    limit("maximum", false);
}

void Checker::check_text(JsonView schema, const Value& value) {
    const std::size_t length = characters(value.text());
    const std::int64_t least = schema["minLength"].integer_or(0);
    const std::int64_t most = schema["maxLength"].integer_or(INT64_MAX);
    if (static_cast<std::int64_t>(length) < least)
        report(value,
               length == 0 ? "the text is empty" : shown(value) + " is too short",
               remedy_from(schema, "write at least " + std::to_string(least) + " characters"));
    if (static_cast<std::int64_t>(length) > most)
        report(value,
               "the text has " + std::to_string(length) + " characters",
               remedy_from(schema, "write at most " + std::to_string(most)));
    if (!schema["pattern"].is_string()) return;
    const std::string pattern = schema["pattern"].text_or("");
    const base::Pattern compiled(pattern);
    if (!compiled.valid()) {
        report(value,
               "the plugin's schema has a faulty pattern, " + pattern,
               "this is the plugin's mistake: report it there");
    } else if (!compiled.found_in(value.text())) {
        report(value,
               shown(value) + " does not match " + pattern,
               remedy_from(schema, "write it as the pattern says"));
    }
}

Value Checker::check_array(JsonView schema, const Value& given) {
    if (!schema["items"].is_object()) return given;
    Value checked{Value::Array()};
    checked.at = given.at;
    checked.path = given.path;
    for (const Value& element : given.array()) checked.append(check(schema["items"], element));
    return checked;
}

/// A member that was not given: its default, or an object made of its members' defaults.
void Checker::fill_in(JsonView schema, const std::string& name, Value& object) {
    const std::string path = join_path(object.path, name);
    if (const JsonView fallback = schema["default"]; !fallback.absent()) {
        object.set(name, check(schema, from_json(fallback, object.at, path)));
    } else if (schema["type"].text_or("") == "object" && schema["properties"].size() > 0 &&
               schema["required"].size() == 0) {
        Value empty{Value::Table()};
        empty.at = object.at;
        empty.path = path;
        object.set(name, check_object(schema, empty));
    }
}

Value Checker::check_object(JsonView schema, const Value& given) {
    const JsonView properties = schema["properties"];
    // An object without declared members is a free map, for instance of HTTP headers.
    if (!properties.is_object()) return given;
    std::vector<std::string> known;
    for (const auto& [name, property] : properties.members()) known.emplace_back(name);

    Value checked{Value::Table()};
    checked.at = given.at;
    checked.path = given.path;
    for (const Value::Member& member : given.table()) {
        const JsonView property = properties[member.key];
        if (!property.absent()) {
            checked.set(member.key, check(property, member.value));
            continue;
        }
        const std::string meant = nearest(member.key, known);
        const std::string all =
            known.empty() ? "it has no options" : "the options are " + one_of_text(known);
        problems.push_back(problem_at(member.at,
                                      member.value.path,
                                      "the plugin has no option of this name",
                                      meant.empty() ? all : "did you mean '" + meant + "'?"));
    }
    const JsonView required = schema["required"];
    for (std::size_t i = 0; i < required.size(); ++i) {
        const std::string name = required.at(i).text_or("");
        if (given.find(name)) continue;
        problems.push_back(problem_at(given.at,
                                      join_path(given.path, name),
                                      "the plugin wants this option",
                                      remedy_from(properties[name], "add " + name + " = ...")));
    }
    for (const auto& [name, property] : properties.members())
        if (!checked.find(name)) fill_in(property, std::string(name), checked);
    return checked;
}

void find_faults(JsonView schema, const std::string& path, std::vector<std::string>& out) {
    const std::string where = path.empty() ? "the schema" : path;
    if (!schema.is_object()) {
        out.push_back(where + " is not an object");
        return;
    }
    for (const auto& [name, member] : schema.members())
        if (std::find(keywords.begin(), keywords.end(), name) == keywords.end())
            out.push_back(where + " uses '" + std::string(name) +
                          "', which this host does not check");
    const std::string type = schema["type"].text_or("");
    if (std::find(types.begin(), types.end(), type) == types.end())
        out.push_back(where +
                      " has no type out of string, integer, number, boolean, array and object");
    if (schema["pattern"].is_string() && !base::Pattern(schema["pattern"].text_or("")).valid())
        out.push_back(where + " has a pattern that does not compile");
    if (!schema["default"].absent()) {
        Checker checker;
        static_cast<void>(checker.check(schema, from_json(schema["default"], {}, path)));
        if (!checker.problems.empty())
            out.push_back(where +
                          " has a default that it refuses itself: " + checker.problems[0].what);
    }
    if (!schema["items"].absent()) find_faults(schema["items"], join_path(path, "items"), out);
    for (const auto& [name, member] : schema["properties"].members())
        find_faults(member, join_path(path, name), out);
    for (std::size_t i = 0; i < schema["required"].size(); ++i)
        if (schema["properties"][schema["required"].at(i).text_or("")].absent())
            out.push_back(where + " requires '" + schema["required"].at(i).text_or("") +
                          "', which it does not declare");
}

}  // namespace

Outcome<Value> check_schema(JsonView schema, const Value& given) {
    Checker checker;
    Value value = checker.check(schema, given);
    sort_problems(checker.problems);
    return {std::move(value), std::move(checker.problems)};
}

Outcome<Value> check_schema(std::string_view schema_json, const Value& given) {
    const base::Result<base::JsonDocument> schema = base::JsonDocument::parse(schema_json);
    if (!schema)
        return {given,
                {problem_at(given.at,
                            given.path,
                            "the plugin's schema is not JSON: " + schema.error().text(),
                            "this is the plugin's mistake: report it there")}};
    return check_schema(schema->root(), given);
}

std::vector<std::string> schema_faults(JsonView schema) {
    std::vector<std::string> out;
    find_faults(schema, "", out);
    return out;
}

}  // namespace jackfield::config
