#pragma once

#include "config/value.hpp"

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace jackfield::config {

struct OptionTable;

enum class OptionType {
    boolean,
    integer,
    text,
    text_list,
    text_or_list,  // one string, or a list: a chain
    text_map,      // any keys, each with a string
    table,         // the options of `fields`
    table_map,     // any names, each with the options of `fields`
    short_table_map,  // the same, where a string stands for a table with only its first option
};

/// One option of the kernel's own. Made by one of the functions below and completed by chaining:
/// `Option::whole("drain_seconds", 3600, "...").in("seconds").between(0, 86400)`.
struct Option {
    std::string key;
    OptionType type = OptionType::text;
    Value fallback;
    std::string doc;
    std::string unit;
    std::optional<std::int64_t> min;
    std::optional<std::int64_t> max;
    std::vector<std::string> one_of;
    bool required = false;
    std::shared_ptr<const OptionTable> fields;

    static Option flag(std::string key, bool fallback, std::string doc);
    static Option whole(std::string key, std::int64_t fallback, std::string doc);
    static Option string(std::string key, std::string fallback, std::string doc);
    static Option strings(std::string key, std::vector<std::string> fallback, std::string doc);
    /// One string or a list of them; required.
    static Option chain(std::string key, std::string doc);
    static Option string_map(std::string key, std::string doc);
    static Option table(std::string key, OptionTable fields, std::string doc);
    static Option tables(std::string key, OptionTable fields, std::string doc);
    /// Tables that may be written as a string: the value of the first of `fields`.
    static Option short_tables(std::string key, OptionTable fields, std::string doc);

    Option in(std::string words) &&;
    Option between(std::int64_t least, std::int64_t most) &&;
    Option among(std::vector<std::string> words) &&;
    Option must_be_given() &&;
};

/// The options of one table, declared beside the code that reads them.
struct OptionTable {
    std::vector<Option> options;
    /// Keys that are not listed belong to somebody else, who checks them: a plugin's own options.
    bool open = false;

    const Option* find(std::string_view key) const;
};

/// Checks `given` against the options and returns it with every default filled in, so that each
/// listed key is there and of its type (a required one that is missing is null). Reports unknown
/// keys with a suggestion, wrong types, ranges and words.
Value check(const OptionTable& table, const Value& given, Problems& problems);

/// The text of a wholly interpolated string as the number or boolean that it spells, for
/// "${env:PORT}"; null when it doesn't.
Value spelled_out(const Value& text);

}  // namespace jackfield::config
