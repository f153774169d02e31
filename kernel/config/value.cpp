#include "config/value.hpp"

#include <charconv>
#include <cmath>

namespace jackfield::config {
namespace {

const Value null_value;

template <typename T>
std::string decimal(T number) {
    // The longest double without an exponent has 309 digits before its point.
    char text[400];
    std::to_chars_result end{};
    if constexpr (std::is_floating_point_v<T>)
        end = std::to_chars(text, text + sizeof text, number, std::chars_format::fixed);
    else
        end = std::to_chars(text, text + sizeof text, number);
    return {text, end.ptr};
}

void write(base::JsonWriter& json, const Value& value, bool hide) {
    if (value.is_null()) {
        json.null();
    } else if (value.is_boolean()) {
        json.value(value.boolean());
    } else if (hide && value.secret_source()) {
        json.value("***");
    } else if (value.is_integer()) {
        json.value(value.integer());
    } else if (value.is_real()) {
        json.value(value.number());
    } else if (value.is_text()) {
        json.value(value.text());
    } else if (value.is_array()) {
        json.begin_array();
        for (const Value& element : value.array()) write(json, element, hide);
        json.end_array();
    } else {
        json.begin_object();
        for (const Value::Member& member : value.table()) {
            json.key(member.key);
            write(json, member.value, hide);
        }
        json.end_object();
    }
}

void flatten_into(std::vector<std::pair<std::string, std::string>>& out,
                  const Value& value,
                  const std::string& path) {
    if (value.is_boolean()) out.emplace_back(path, value.boolean() ? "true" : "false");
    if (value.is_integer()) out.emplace_back(path, decimal(value.integer()));
    if (value.is_real()) out.emplace_back(path, decimal(value.number()));
    if (value.is_text()) out.emplace_back(path, value.text());
    for (std::size_t i = 0; i < value.array().size(); ++i)
        flatten_into(out, value.array()[i], join_path(path, std::to_string(i)));
    for (const Value::Member& member : value.table())
        flatten_into(out, member.value, join_path(path, member.key));
}

void collect_secrets(std::vector<std::string>& out, const Value& value) {
    out.insert(out.end(), value.secrets.begin(), value.secrets.end());
    for (const Value& element : value.array()) collect_secrets(out, element);
    for (const Value::Member& member : value.table()) collect_secrets(out, member.value);
}

}  // namespace

Value::Value() = default;
Value::Value(Data data) : data_(std::move(data)) {}
Value::Value(const Value&) = default;
Value::Value(Value&&) noexcept = default;
Value& Value::operator=(const Value&) = default;
Value& Value::operator=(Value&&) noexcept = default;
Value::~Value() = default;

bool Value::boolean() const {
    const auto* held = std::get_if<bool>(&data_);
    return held && *held;
}

std::int64_t Value::integer() const {
    const auto* held = std::get_if<std::int64_t>(&data_);
    return held ? *held : 0;
}

double Value::number() const {
    const auto* held = std::get_if<double>(&data_);
    return held ? *held : static_cast<double>(integer());
}

const std::string& Value::text() const {
    static const std::string none;
    const auto* held = std::get_if<std::string>(&data_);
    return held ? *held : none;
}

const Value::Array& Value::array() const {
    static const Array none;
    const auto* held = std::get_if<Array>(&data_);
    return held ? *held : none;
}

const Value::Table& Value::table() const {
    static const Table none;
    const auto* held = std::get_if<Table>(&data_);
    return held ? *held : none;
}

const Value* Value::find(std::string_view key) const {
    for (const Member& member : table())
        if (member.key == key) return &member.value;
    return nullptr;
}

const Value& Value::operator[](std::string_view key) const {
    const Value* found = find(key);
    return found ? *found : null_value;
}

void Value::set(std::string key, Value value) {
    if (!is_table()) data_ = Table();
    Table& members = std::get<Table>(data_);
    for (Member& member : members) {
        if (member.key != key) continue;
        member.value = std::move(value);
        return;
    }
    Position place = value.at;
    members.push_back({std::move(key), std::move(place), std::move(value)});
}

void Value::append(Value value) {
    if (!is_array()) data_ = Array();
    std::get<Array>(data_).push_back(std::move(value));
}

std::string to_json(const Value& value) {
    base::JsonWriter json;
    write(json, value, false);
    return json.take();
}

std::string dump_json(const Value& value) {
    base::JsonWriter json;
    write(json, value, true);
    return json.take();
}

std::vector<std::pair<std::string, std::string>> flatten(const Value& value) {
    std::vector<std::pair<std::string, std::string>> out;
    flatten_into(out, value, "");
    return out;
}

std::vector<std::string> secrets_in(const Value& value) {
    std::vector<std::string> out;
    collect_secrets(out, value);
    return out;
}

Value from_json(base::JsonView json, const Position& at, const std::string& path) {
    Value value;
    if (json.is_bool())
        value = Value(*json.boolean());
    else if (json.is_integer())
        value = Value(*json.integer());
    else if (json.is_number())
        value = Value(*json.real());
    else if (json.is_string())
        value = Value(std::string(*json.text()));
    else if (json.is_array())
        value = Value(Value::Array());
    else if (json.is_object())
        value = Value(Value::Table());
    value.at = at;
    value.path = path;
    for (std::size_t i = 0; json.is_array() && i < json.size(); ++i)
        value.append(from_json(json.at(i), at, join_path(path, std::to_string(i))));
    for (const auto& [name, member] : json.members())
        value.set(std::string(name), from_json(member, at, join_path(path, name)));
    return value;
}

std::string describe(const Value& value) {
    if (value.is_null()) return "nothing is given";
    if (value.is_array()) return "this is a list";
    if (value.is_table()) return "this is a table";
    const char* type = value.is_boolean()   ? "a boolean"
                       : value.is_integer() ? "a whole number"
                       : value.is_real()    ? "a number with a point"
                                            : "a string";
    if (value.secret_source()) return std::string("'***' is ") + type;
    if (!value.is_text()) return dump_json(value) + " is " + type;
    constexpr std::size_t shown = 60;
    const std::string& text = value.text();
    return "'" + (text.size() > shown ? text.substr(0, shown) + "..." : text) + "' is " + type;
}

std::string join_path(std::string_view parent, std::string_view key) {
    if (parent.empty()) return std::string(key);
    return std::string(parent) + "." + std::string(key);
}

}  // namespace jackfield::config
