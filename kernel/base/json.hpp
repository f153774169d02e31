#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace jackfield::base {

/// Bounds on untrusted JSON.
struct JsonLimits {
    std::size_t bytes = 4 * 1024 * 1024;
    std::size_t depth = 64;
};

/// A look into a parsed document. A default one, and what is missing, is `absent`; reading a wrong type is an Error, never an
/// assert. Valid as long as its JsonDocument.
class JsonView {
  public:
    JsonView() = default;

    bool absent() const { return value_ == nullptr; }
    bool is_null() const;
    bool is_object() const;
    bool is_array() const;
    bool is_string() const;
    bool is_bool() const;
    bool is_number() const;
    bool is_integer() const;

    /// The member, absent when this is no object or has none of that name.
    JsonView operator[](std::string_view name) const;
    /// The element, absent when this is no array or it is too short.
    JsonView at(std::size_t index) const;
    /// Elements of an array, members of an object, else 0.
    std::size_t size() const;
    std::vector<std::pair<std::string_view, JsonView>> members() const;

    Result<std::string_view> text() const;
    Result<std::int64_t> integer() const;
    Result<double> real() const;
    Result<bool> boolean() const;

    std::string text_or(std::string_view otherwise) const;
    std::int64_t integer_or(std::int64_t otherwise) const;
    double real_or(double otherwise) const;
    bool boolean_or(bool otherwise) const;

    /// This value as compact JSON.
    std::string dump() const;

  private:
    friend class JsonDocument;
    explicit JsonView(const void* value) : value_(value) {}
    const void* value_ = nullptr;
};

/// The one JSON reader: iterative, bounded in size and depth, UTF-8 checked, duplicate member names refused.
class JsonDocument {
  public:
    static Result<JsonDocument> parse(std::string_view text, JsonLimits limits = {});

    JsonDocument(JsonDocument&&) noexcept;
    JsonDocument& operator=(JsonDocument&&) noexcept;
    ~JsonDocument();

    JsonView root() const;

  private:
    struct Impl;
    explicit JsonDocument(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> impl_;
};

/// Writes compact JSON by appending; the caller keeps the nesting right (checked in debug builds). Invalid UTF-8 is replaced by U+FFFD.
class JsonWriter {
  public:
    JsonWriter& begin_object();
    JsonWriter& end_object();
    JsonWriter& begin_array();
    JsonWriter& end_array();
    JsonWriter& key(std::string_view name);
    JsonWriter& value(std::string_view text);
    JsonWriter& value(const char* text) { return value(std::string_view(text)); }
    JsonWriter& value(const std::string& text) { return value(std::string_view(text)); }
    JsonWriter& value(std::int64_t number);
    JsonWriter& value(int number) { return value(static_cast<std::int64_t>(number)); }
    JsonWriter& value(std::uint64_t number);
    JsonWriter& value(std::uint32_t number) { return value(static_cast<std::uint64_t>(number)); }
    /// NaN and infinities become null.
    JsonWriter& value(double number);
    JsonWriter& value(bool truth);
    JsonWriter& null();
    /// Text that is JSON already.
    JsonWriter& raw(std::string_view json);

    template <typename T>
    JsonWriter& member(std::string_view name, const T& v) {
        key(name);
        return value(v);
    }

    const std::string& str() const { return out_; }
    std::string take() { return std::move(out_); }

  private:
    void separate();
    std::string out_;
    bool need_comma_ = false;
};

/// Appends `text` as a JSON string with quotes, replacing invalid UTF-8.
void append_json_string(std::string& out, std::string_view text);

/// True when every byte belongs to well-formed UTF-8 (no overlong forms, no surrogates).
bool is_valid_utf8(std::string_view text);

/// `text` with each byte that belongs to no well-formed UTF-8 replaced by U+FFFD.
std::string to_valid_utf8(std::string text);

}  // namespace jackfield::base
