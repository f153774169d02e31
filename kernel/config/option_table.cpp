#include "config/option_table.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>

namespace jackfield::config {
namespace {

Option make(OptionType type, std::string key, Value fallback, std::string doc) {
    Option option;
    option.key = std::move(key);
    option.type = type;
    option.fallback = std::move(fallback);
    option.doc = std::move(doc);
    return option;
}

/// "a whole number of milliseconds is wanted, 'abc' is a string"
std::string wanted_text(const Option& option) {
    const std::string of_unit = option.unit.empty() ? "" : " of " + option.unit;
    switch (option.type) {
        case OptionType::boolean:
            return "true or false is wanted";
        case OptionType::integer:
            return "a whole number" + of_unit + " is wanted";
        case OptionType::text:
            return "a string is wanted";
        case OptionType::text_list:
            return "a list of strings is wanted";
        case OptionType::text_or_list:
            return "a string or a list of strings is wanted";
        case OptionType::text_map:
            return "a table of strings is wanted";
        case OptionType::table:
            return "a table is wanted";
        case OptionType::table_map:
            return "tables [" + option.key + ".<name>] are wanted";
        case OptionType::short_table_map:
            return "strings or tables [" + option.key + ".<name>] are wanted";
    }
    return {};
}

std::string example_text(const Option& option) {
    const auto shown = [&](const std::string& text) {
        return "write " + option.key + " = " + text;
    };
    switch (option.type) {
        case OptionType::boolean:
            return shown(option.fallback.boolean() ? "true" : "false");
        case OptionType::integer:
            return shown(std::to_string(option.fallback.integer()));
        case OptionType::text:
            return shown(option.required ? "\"...\"" : to_json(option.fallback));
        case OptionType::text_list:
            return shown("[\"...\"]");
        case OptionType::text_or_list:
            return shown("\"...\" or " + option.key + " = [\"...\", \"...\"]");
        case OptionType::text_map:
            return shown("{ name = \"...\" }");
        case OptionType::table:
        case OptionType::table_map:
            return "write it as a table";
        case OptionType::short_table_map:
            return shown("{ name = \"...\" }");
    }
    return {};
}

bool all_text(const Value& list) {
    return list.is_array() && std::all_of(list.array().begin(),
                                          list.array().end(),
                                          [](const Value& v) { return v.is_text(); });
}

bool has_type(const Option& option, const Value& value) {
    switch (option.type) {
        case OptionType::boolean:
            return value.is_boolean();
        case OptionType::integer:
            return value.is_integer();
        case OptionType::text:
            return value.is_text();
        case OptionType::text_list:
            return all_text(value);
        case OptionType::text_or_list:
            return value.is_text() || all_text(value);
        case OptionType::text_map:
            return value.is_table() && std::all_of(value.table().begin(),
                                                   value.table().end(),
                                                   [](const auto& m) { return m.value.is_text(); });
        case OptionType::table:
            return value.is_table();
        case OptionType::table_map:
            return value.is_table() &&
                   std::all_of(value.table().begin(), value.table().end(), [](const auto& m) {
                       return m.value.is_table();
                   });
        case OptionType::short_table_map:
            return value.is_table() &&
                   std::all_of(value.table().begin(), value.table().end(), [](const auto& m) {
                       return m.value.is_table() || m.value.is_text();
                   });
    }
    return false;
}

void check_range(const Option& option, const Value& value, Problems& problems) {
    const std::int64_t n = value.integer();
    if ((!option.min || n >= *option.min) && (!option.max || n <= *option.max)) return;
    const std::string unit = option.unit.empty() ? "" : " " + option.unit;
    const bool low = option.min && n < *option.min;
    problems.push_back(problem_at(
        value.at,
        value.path,
        std::to_string(n) + (low ? " is below the least, " : " is above the most, ") +
            std::to_string(low ? *option.min : *option.max) + unit,
        "choose " +
            (option.max
                 ? std::to_string(option.min.value_or(0)) + " to " + std::to_string(*option.max)
                 : "at least " + std::to_string(*option.min)) +
            "; the default is " + std::to_string(option.fallback.integer())));
}

void check_words(const Option& option, const Value& value, Problems& problems) {
    if (option.one_of.empty()) return;
    if (value.is_array()) {
        for (const Value& element : value.array()) check_words(option, element, problems);
        return;
    }
    const auto& words = option.one_of;
    if (std::find(words.begin(), words.end(), value.text()) != words.end()) return;
    const std::string meant = nearest(value.text(), words);
    problems.push_back(problem_at(
        value.at,
        value.path,
        (value.secret_source() ? "'***'" : "'" + value.text() + "'") + " is not one of " +
            one_of_text(words),
        meant.empty() ? "choose " + one_of_text(words) : "did you mean '" + meant + "'?"));
}

Value default_of(const Option& option, const Value& parent, Problems& problems) {
    Value value = option.fallback;
    if (option.type == OptionType::table) {
        Value empty{Value::Table()};
        empty.at = parent.at;
        empty.path = join_path(parent.path, option.key);
        value = check(*option.fields, empty, problems);
    }
    value.at = parent.at;
    value.path = join_path(parent.path, option.key);
    return value;
}

Value spelled_as_table(const Option& option, const Value& given) {
    if (given.is_table()) return given;
    Value table{Value::Table()};
    table.at = given.at;
    table.path = given.path;
    table.set(option.fields->options.front().key, given);
    return table;
}

Value check_option(const Option& option,
                   const Value& given,
                   const Value& parent,
                   Problems& problems) {
    Value value = given;
    if (!has_type(option, value)) {
        Value spelled = spelled_out(value);
        if (!has_type(option, spelled)) {
            problems.push_back(problem_at(value.at,
                                          value.path,
                                          wanted_text(option) + ", " + describe(value),
                                          example_text(option)));
            Problems of_the_default;  // The mistake has been said once.
            return default_of(option, parent, of_the_default);
        }
        value = std::move(spelled);
    }
    switch (option.type) {
        case OptionType::integer:
            check_range(option, value, problems);
            break;
        case OptionType::text:
        case OptionType::text_list:
            check_words(option, value, problems);
            break;
        case OptionType::table:
            return check(*option.fields, value, problems);
        case OptionType::table_map: {
            Value checked{Value::Table()};
            for (const Value::Member& member : value.table())
                checked.set(member.key, check(*option.fields, member.value, problems));
            checked.at = value.at;
            checked.path = value.path;
            return checked;
        }
        case OptionType::short_table_map: {
            Value checked{Value::Table()};
            for (const Value::Member& member : value.table())
                checked.set(member.key,
                            check(*option.fields, spelled_as_table(option, member.value), problems));
            checked.at = value.at;
            checked.path = value.path;
            return checked;
        }
        default:
            break;
    }
    return value;
}

void report_unknown(const OptionTable& table, const Value::Member& member, Problems& problems) {
    std::vector<std::string> keys;
    for (const Option& option : table.options) keys.push_back(option.key);
    const std::string meant = nearest(member.key, keys);
    problems.push_back(problem_at(
        member.at,
        member.value.path,
        "there is no option of this name here",
        meant.empty() ? "the options are " + one_of_text(keys) : "did you mean '" + meant + "'?"));
}

}  // namespace

Option Option::flag(std::string key, bool fallback, std::string doc) {
    return make(OptionType::boolean, std::move(key), Value(fallback), std::move(doc));
}
Option Option::whole(std::string key, std::int64_t fallback, std::string doc) {
    return make(OptionType::integer, std::move(key), Value(fallback), std::move(doc));
}
Option Option::string(std::string key, std::string fallback, std::string doc) {
    return make(OptionType::text, std::move(key), Value(std::move(fallback)), std::move(doc));
}
Option Option::strings(std::string key, std::vector<std::string> fallback, std::string doc) {
    Value list{Value::Array()};
    for (std::string& text : fallback) list.append(Value(std::move(text)));
    return make(OptionType::text_list, std::move(key), std::move(list), std::move(doc));
}
Option Option::chain(std::string key, std::string doc) {
    return make(OptionType::text_or_list, std::move(key), Value(), std::move(doc)).must_be_given();
}
Option Option::string_map(std::string key, std::string doc) {
    return make(OptionType::text_map, std::move(key), Value(Value::Table()), std::move(doc));
}
Option Option::table(std::string key, OptionTable fields, std::string doc) {
    Option option = make(OptionType::table, std::move(key), Value(Value::Table()), std::move(doc));
    option.fields = std::make_shared<const OptionTable>(std::move(fields));
    return option;
}
Option Option::tables(std::string key, OptionTable fields, std::string doc) {
    Option option = table(std::move(key), std::move(fields), std::move(doc));
    option.type = OptionType::table_map;
    return option;
}

Option Option::short_tables(std::string key, OptionTable fields, std::string doc) {
    Option option = table(std::move(key), std::move(fields), std::move(doc));
    option.type = OptionType::short_table_map;
    return option;
}

Option Option::in(std::string words) && {
    unit = std::move(words);
    return std::move(*this);
}
Option Option::between(std::int64_t least, std::int64_t most) && {
    min = least;
    max = most;
    return std::move(*this);
}
Option Option::among(std::vector<std::string> words) && {
    one_of = std::move(words);
    return std::move(*this);
}
Option Option::must_be_given() && {
    required = true;
    fallback = Value();
    return std::move(*this);
}

const Option* OptionTable::find(std::string_view key) const {
    for (const Option& option : options)
        if (option.key == key) return &option;
    return nullptr;
}

Value check(const OptionTable& table, const Value& given, Problems& problems) {
    Value checked{Value::Table()};
    checked.at = given.at;
    checked.path = given.path;
    for (const Value::Member& member : given.table()) {
        const Option* option = table.find(member.key);
        if (option)
            checked.set(member.key, check_option(*option, member.value, given, problems));
        else if (table.open)
            checked.set(member.key, member.value);
        else
            report_unknown(table, member, problems);
    }
    for (const Option& option : table.options) {
        if (checked.find(option.key)) continue;
        if (option.required)
            problems.push_back(problem_at(given.at,
                                          join_path(given.path, option.key),
                                          "this option must be given: " + option.doc,
                                          example_text(option)));
        checked.set(option.key, default_of(option, given, problems));
    }
    return checked;
}

Value spelled_out(const Value& text) {
    Value value;
    if (!text.is_text() || !text.from_reference) return value;
    const std::string& s = text.text();
    const char* end = s.data() + s.size();
    std::int64_t whole = 0;
    double real = 0;
    if (s == "true" || s == "false")
        value = Value(s == "true");
    else if (const auto r = std::from_chars(s.data(), end, whole);
             r.ec == std::errc() && r.ptr == end)
        value = Value(whole);
    else if (const auto f = std::from_chars(s.data(), end, real);
             f.ec == std::errc() && f.ptr == end && std::isfinite(real))
        value = Value(real);
    value.at = text.at;
    value.path = text.path;
    value.secrets = text.secrets;
    value.from_reference = true;
    return value;
}

}  // namespace jackfield::config
