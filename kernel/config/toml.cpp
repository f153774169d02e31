#include "config/toml.hpp"

#include "base/json.hpp"
#include "config/interpolate.hpp"

#include <algorithm>
#include <cmath>

#include <toml++/toml.h>

namespace jackfield::config {
namespace {

/// Carries what stays the same while one document is turned into Values.
class Reader {
  public:
    Reader(const std::filesystem::path& file, const Environment& environment)
        : file_(std::make_shared<const std::string>(file.string())),
          directory_(file.parent_path()),
          environment_(environment) {}

    Value read(const toml::node& node, std::string path);
    Position position(const toml::source_region& region) const {
        return {file_, static_cast<int>(region.begin.line), static_cast<int>(region.begin.column)};
    }
    void report(const Position& at, std::string key, std::string what, std::string remedy) {
        problems_.push_back(problem_at(at, std::move(key), std::move(what), std::move(remedy)));
    }
    Problems& problems() { return problems_; }

  private:
    Value read_text(const std::string& text, const Position& at, const std::string& path);
    Value read_table(const toml::table& table, const std::string& path);

    std::shared_ptr<const std::string> file_;
    std::filesystem::path directory_;
    const Environment& environment_;
    Problems problems_;
};

Value Reader::read(const toml::node& node, std::string path) {
    const Position at = position(node.source());
    Value value;
    if (const auto* table = node.as_table()) {
        value = read_table(*table, path);
    } else if (const auto* array = node.as_array()) {
        value = Value(Value::Array());
        for (std::size_t i = 0; i < array->size(); ++i)
            value.append(read((*array)[i], join_path(path, std::to_string(i))));
    } else if (const auto* text = node.as_string()) {
        value = read_text(text->get(), at, path);
    } else if (const auto* integer = node.as_integer()) {
        value = Value(integer->get());
    } else if (const auto* boolean = node.as_boolean()) {
        value = Value(boolean->get());
    } else if (const auto* real = node.as_floating_point()) {
        if (!std::isfinite(real->get()))
            report(at, path, "a finite number is wanted", "write the number in digits");
        else
            value = Value(real->get());
    } else {
        report(at, path, "dates and times are not used here", "put it in quotes, as text");
    }
    value.at = at;
    value.path = std::move(path);
    return value;
}

Value Reader::read_text(const std::string& text, const Position& at, const std::string& path) {
    if (text.find('\0') != std::string::npos)
        report(at, path, "the text holds a zero byte", "leave it out");
    Interpolated result = interpolate(text, directory_, environment_);
    for (Interpolated::Fault& fault : result.faults)
        report(at, path, std::move(fault.what), std::move(fault.remedy));
    Value value(std::move(result.text));
    value.secrets = std::move(result.secrets);
    value.from_reference = result.replaced;
    return value;
}

Value Reader::read_table(const toml::table& table, const std::string& path) {
    Value::Table members;
    for (const auto& [key, node] : table) {
        const std::string name(key.str());
        members.push_back({name, position(key.source()), read(node, join_path(path, name))});
    }
    // toml++ keeps keys by name; people read files from the top.
    std::sort(members.begin(), members.end(), [](const auto& a, const auto& b) {
        return std::tie(a.at.line, a.at.column) < std::tie(b.at.line, b.at.column);
    });
    return Value(std::move(members));
}

}  // namespace

Outcome<Value> parse_toml(std::string_view text,
                          const std::filesystem::path& file,
                          const Environment& environment) {
    Reader reader(file, environment);
    if (!base::is_valid_utf8(text)) {
        reader.report({std::make_shared<const std::string>(file.string()), 1, 1},
                      "",
                      "the file is not UTF-8 text",
                      "save it as UTF-8");
        return {Value(Value::Table()), std::move(reader.problems())};
    }
    try {
        const toml::table table = toml::parse(text, std::string_view(file.native()));
        Value value = reader.read(table, "");
        return {std::move(value), std::move(reader.problems())};
    } catch (const toml::parse_error& error) {
        reader.report(reader.position(error.source()),
                      "",
                      "this is not TOML: " + std::string(error.description()),
                      "correct the syntax here; what follows it has not been read");
        return {Value(Value::Table()), std::move(reader.problems())};
    }
}

Outcome<Value> load_toml(const std::filesystem::path& file, const Environment& environment) {
    const base::Result<std::string> text = environment.read_file(file);
    if (!text)
        return {Value(Value::Table()),
                {{file.string(), 0, 0, "", text.error().text(), "name a readable TOML file"}}};
    return parse_toml(*text, file, environment);
}

}  // namespace jackfield::config
