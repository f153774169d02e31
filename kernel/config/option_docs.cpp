#include "config/option_docs.hpp"

#include "base/json.hpp"

namespace jackfield::config {
namespace {

using base::JsonWriter;

void write_fields(JsonWriter& json, const OptionTable& table);

void write_one_of(JsonWriter& json, const Option& option) {
    if (option.one_of.empty()) return;
    json.key("enum").begin_array();
    for (const std::string& word : option.one_of) json.value(word);
    json.end_array();
}

void write_text_items(JsonWriter& json, const Option& option) {
    json.key("items").begin_object().member("type", "string");
    write_one_of(json, option);
    json.end_object();
}

void write_default(JsonWriter& json, const Option& option) {
    if (!option.required) json.key("default").raw(to_json(option.fallback));
}

void write_option(JsonWriter& json, const Option& option) {
    json.begin_object().member("description", option.doc);
    if (!option.unit.empty()) json.member("unit", option.unit);
    switch (option.type) {
        case OptionType::boolean:
            json.member("type", "boolean");
            break;
        case OptionType::integer:
            json.member("type", "integer");
            break;
        case OptionType::text:
            json.member("type", "string");
            write_one_of(json, option);
            break;
        case OptionType::text_list:
            json.member("type", "array");
            write_text_items(json, option);
            break;
        case OptionType::text_or_list:
            json.key("type").begin_array().value("string").value("array").end_array();
            write_text_items(json, option);
            break;
        case OptionType::text_map:
            json.member("type", "object");
            json.key("additionalProperties").begin_object().member("type", "string").end_object();
            break;
        case OptionType::table:
            write_fields(json, *option.fields);
            break;
        case OptionType::table_map:
            json.member("type", "object").key("additionalProperties").begin_object();
            write_fields(json, *option.fields);
            json.end_object();
            break;
        case OptionType::short_table_map:
            json.member("type", "object").key("additionalProperties").begin_object();
            json.key("anyOf").begin_array();
            json.begin_object().member("type", "string").end_object();
            json.begin_object();
            write_fields(json, *option.fields);
            json.end_object().end_array().end_object();
            break;
    }
    if (option.min) json.member("minimum", *option.min);
    if (option.max) json.member("maximum", *option.max);
    if (!option.fields && option.type != OptionType::text_map) write_default(json, option);
    json.end_object();
}

void write_fields(JsonWriter& json, const OptionTable& table) {
    json.member("type", "object").key("properties").begin_object();
    for (const Option& option : table.options) {
        json.key(option.key);
        write_option(json, option);
    }
    json.end_object().key("required").begin_array();
    for (const Option& option : table.options)
        if (option.required) json.value(option.key);
    json.end_array().member("additionalProperties", table.open);
}

/// The same JSON with a line per member. Empty brackets stay together.
std::string indented(std::string_view compact) {
    std::string out;
    std::size_t depth = 0;
    bool in_string = false;
    const auto new_line = [&] { out += "\n" + std::string(depth * 2, ' '); };
    for (std::size_t i = 0; i < compact.size(); ++i) {
        const char c = compact[i];
        if (in_string) {
            out += c;
            if (c == '\\')
                out += compact[++i];
            else if (c == '"')
                in_string = false;
        } else if ((c == '{' || c == '[') && (compact[i + 1] == '}' || compact[i + 1] == ']')) {
            out += c;
            out += compact[++i];
        } else if (c == '{' || c == '[') {
            out += c;
            ++depth;
            new_line();
        } else if (c == '}' || c == ']') {
            --depth;
            new_line();
            out += c;
        } else if (c == ',') {
            out += c;
            new_line();
        } else {
            out += c == ':' ? std::string(": ") : std::string(1, c);
            in_string = c == '"';
        }
    }
    return out + "\n";
}

/// `# ` before each line, wrapped at 100 columns.
std::string comment(const std::string& text) {
    std::string out = "#";
    std::size_t column = 1;
    for (std::size_t at = 0; at < text.size();) {
        std::size_t end = text.find(' ', at);
        if (end == text.npos) end = text.size();
        const std::string word = text.substr(at, end - at);
        if (column + 1 + word.size() > 100) {
            out += "\n#";
            column = 1;
        }
        out += " " + word;
        column += 1 + word.size();
        at = end + 1;
    }
    return out + "\n";
}

std::string facts(const Option& option) {
    std::string out = option.doc;
    if (!option.unit.empty()) out += " In " + option.unit + ".";
    if (option.min && option.max)
        out += " " + std::to_string(*option.min) + " to " + std::to_string(*option.max) + ".";
    if (!option.one_of.empty())
        out += (option.type == OptionType::text_list ? " Any of: " : " One of: ") +
               one_of_text(option.one_of) + ".";
    if (option.required) out += " Must be given.";
    return out;
}

/// `prefix` is "# " inside a table whose name the writer chooses, where every line is commented
/// out.
void list(std::string& out,
          const OptionTable& table,
          const std::string& path,
          const std::string& prefix) {
    for (const Option& option : table.options) {
        if (option.fields) continue;
        out += comment(facts(option));
        if (option.required)
            out += "# " + option.key + " = \"...\"\n";
        else if (option.type == OptionType::text_map)
            out += prefix + option.key + " = {}\n";
        else
            out += prefix + option.key + " = " + to_json(option.fallback) + "\n";
    }
    for (const Option& option : table.options) {
        if (!option.fields) continue;
        const bool named = option.type == OptionType::table_map ||
                           option.type == OptionType::short_table_map;
        const std::string inner = join_path(path, option.key) + (named ? ".name" : "");
        const std::string mark = named ? "# " : prefix;
        out += "\n" + comment(option.doc) + mark + "[" + inner + "]\n";
        list(out, *option.fields, inner, mark);
        if (option.fields->open) out += "# Every other key is the plugin's own option.\n";
    }
}

}  // namespace

std::string schema_json(const OptionTable& table, const std::string& title) {
    JsonWriter json;
    json.begin_object()
        .member("$schema", "https://json-schema.org/draft/2020-12/schema")
        .member("title", title);
    write_fields(json, table);
    json.end_object();
    return indented(json.str());
}

std::string toml_listing(const OptionTable& table) {
    std::string out;
    list(out, table, "", "");
    return out;
}

}  // namespace jackfield::config
