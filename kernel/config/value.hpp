#pragma once

#include "base/json.hpp"
#include "config/problem.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace jackfield::config {

/// An owning tree of configuration. Each node knows where it was written, its dotted key, and which
/// of its text came from the environment or a file: that text is a secret, and dumps and problems
/// show *** for it.
class Value {
  public:
    struct Member;
    using Array = std::vector<Value>;
    /// In the order of the file.
    using Table = std::vector<Member>;
    using Data =
        std::variant<std::monostate, bool, std::int64_t, double, std::string, Array, Table>;

    // In the source, where Member is complete: Clang instantiates what the table does with it
    // earlier than GCC.
    Value();
    explicit Value(Data data);
    Value(const Value&);
    Value(Value&&) noexcept;
    Value& operator=(const Value&);
    Value& operator=(Value&&) noexcept;
    ~Value();

    bool is_null() const { return is<std::monostate>(); }
    bool is_boolean() const { return is<bool>(); }
    bool is_integer() const { return is<std::int64_t>(); }
    /// A number with a point; `is_number` takes whole ones too.
    bool is_real() const { return is<double>(); }
    bool is_number() const { return is_integer() || is_real(); }
    bool is_text() const { return is<std::string>(); }
    bool is_array() const { return is<Array>(); }
    bool is_table() const { return is<Table>(); }

    /// Zero, false or empty when the value is of another type: the check comes before the reading.
    bool boolean() const;
    std::int64_t integer() const;
    double number() const;
    const std::string& text() const;
    const Array& array() const;
    const Table& table() const;

    /// The member, null when this is no table or has none of that name.
    const Value* find(std::string_view key) const;
    /// The member, or a null value.
    const Value& operator[](std::string_view key) const;
    /// Adds the member or replaces its value. This becomes a table when it was null.
    void set(std::string key, Value value);
    void append(Value value);

    /// `at` is the value's place, `path` its dotted key ("agents.desk.turn.endpoint_ms",
    /// "listen.0").
    Position at;
    std::string path;
    /// Each piece of the text that came from ${env:} or ${file:}, or that a schema declared secret.
    std::vector<std::string> secrets;
    /// Some of the text came from a reference, whether secret or a default: only then may text
    /// stand for a number.
    bool from_reference = false;

    bool secret_source() const { return !secrets.empty(); }

  private:
    template <typename T>
    bool is() const {
        return std::holds_alternative<T>(data_);
    }
    Data data_;
};

struct Value::Member {
    std::string key;
    Position at;
    Value value;
};

/// The whole value as compact JSON, secrets included: for the plugin that it configures.
std::string to_json(const Value& value);
/// As JSON for people and logs: each text with a secret in it is "***".
std::string dump_json(const Value& value);
/// Dotted keys and plain text, as jf_module_v1.create wants it: "listen.0" = "udp:0.0.0.0:5060".
/// Empty tables and lists have no entry.
std::vector<std::pair<std::string, std::string>> flatten(const Value& value);
/// Every secret in the tree, for the log's redaction.
std::vector<std::string> secrets_in(const Value& value);

/// The JSON value as a tree that takes `at` for its place and `path` for its key.
Value from_json(base::JsonView json, const Position& at, const std::string& path);

/// "'abc' is a string", for sentences about a wrong type.
std::string describe(const Value& value);
/// `parent.key`, or `key` at the root.
std::string join_path(std::string_view parent, std::string_view key);

}  // namespace jackfield::config
