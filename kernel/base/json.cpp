#include "base/json.hpp"

// A wrong type is an Error here before RapidJSON could assert on it; should one slip through, abort with a place.
#include "base/assert.hpp"
#define RAPIDJSON_ASSERT(x) JF_ASSERT(x, "JsonView checks types first")
#include <rapidjson/document.h>
#include <rapidjson/error/en.h>
#include <rapidjson/memorystream.h>
#include <rapidjson/reader.h>
#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>

#include <charconv>
#include <cmath>
#include <cstdlib>
#include <unordered_set>

namespace jackfield::base {
namespace {

using Value = rapidjson::Value;

const Value& as_value(const void* p) { return *static_cast<const Value*>(p); }

/// Bounds the depth before a document of it exists: counts brackets outside strings.
bool deeper_than(std::string_view text, std::size_t limit) {
    std::size_t depth = 0;
    bool in_string = false;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const char c = text[i];
        if (in_string) {
            if (c == '\\') ++i;
            else if (c == '"') in_string = false;
        } else if (c == '"') {
            in_string = true;
        } else if (c == '{' || c == '[') {
            if (++depth > limit) return true;
        } else if ((c == '}' || c == ']') && depth > 0) {
            --depth;
        }
    }
    return false;
}

/// Builds the document while RapidJSON reads, converting numbers itself: RapidJSON's exact mode reads beyond a table for
/// some long numbers, and takes what is beyond a double for infinity, at which its writer then cuts a document off.
struct ExactNumbers : rapidjson::BaseReaderHandler<rapidjson::UTF8<>, ExactNumbers> {
    explicit ExactNumbers(rapidjson::Document& d) : document(d) {}

    bool Null() { return document.Null(); }
    bool Bool(bool truth) { return document.Bool(truth); }
    bool String(const char* text, rapidjson::SizeType n, bool copy) { return document.String(text, n, copy); }
    bool Key(const char* text, rapidjson::SizeType n, bool copy) { return document.Key(text, n, copy); }
    bool StartObject() { return document.StartObject(); }
    bool EndObject(rapidjson::SizeType n) { return document.EndObject(n); }
    bool StartArray() { return document.StartArray(); }
    bool EndArray(rapidjson::SizeType n) { return document.EndArray(n); }

    bool RawNumber(const char* text, rapidjson::SizeType n, bool) {
        const char* end = text + n;
        std::int64_t whole = 0;
        if (const auto r = std::from_chars(text, end, whole); r.ec == std::errc() && r.ptr == end)
            return document.Int64(whole);
        double real = 0;
        const auto r = std::from_chars(text, end, real);
        // What is closer to zero than any double is zero; what is beyond the largest has no value.
        if (r.ec == std::errc::result_out_of_range) real = std::strtod(std::string(text, n).c_str(), nullptr);
        return r.ptr == end && std::isfinite(real) && document.Double(real);
    }

    rapidjson::Document& document;
};

/// Two members of one name mean different things to different readers, which is how signatures get bypassed.
const Value* find_duplicate(const Value& root) {
    std::vector<const Value*> pending{&root};
    while (!pending.empty()) {
        const Value* value = pending.back();
        pending.pop_back();
        if (value->IsArray()) {
            for (const auto& element : value->GetArray()) pending.push_back(&element);
        } else if (value->IsObject()) {
            std::unordered_set<std::string_view> names;
            for (const auto& member : value->GetObject()) {
                if (!names.insert({member.name.GetString(), member.name.GetStringLength()}).second)
                    return &member.name;
                pending.push_back(&member.value);
            }
        }
    }
    return nullptr;
}

/// RapidJSON takes the escape of a lone low surrogate (\udc00), which decodes to bytes that are no UTF-8.
bool has_lone_surrogate(const Value& root) {
    std::vector<const Value*> pending{&root};
    while (!pending.empty()) {
        const Value* value = pending.back();
        pending.pop_back();
        if (value->IsString() && !is_valid_utf8({value->GetString(), value->GetStringLength()})) return true;
        if (value->IsArray())
            for (const auto& element : value->GetArray()) pending.push_back(&element);
        if (!value->IsObject()) continue;
        for (const auto& member : value->GetObject()) {
            pending.push_back(&member.name);
            pending.push_back(&member.value);
        }
    }
    return false;
}

Error wrong_type(const void* value, const char* wanted) {
    if (!value) return Error(ErrorCode::not_found, std::string("missing, a ") + wanted + " is wanted");
    return Error(ErrorCode::invalid, std::string("not a ") + wanted);
}

/// Length of the UTF-8 sequence at `p`, 0 when it is malformed (RFC 3629 section 4).
std::size_t utf8_length(const unsigned char* p, std::size_t left) {
    const auto tail = [&](std::size_t i) { return i < left && (p[i] & 0xc0) == 0x80; };
    if (p[0] < 0x80) return 1;
    if (p[0] >= 0xc2 && p[0] <= 0xdf) return tail(1) ? 2 : 0;
    if ((p[0] & 0xf0) == 0xe0) {
        if (!tail(1) || !tail(2)) return 0;
        if (p[0] == 0xe0 && p[1] < 0xa0) return 0;
        if (p[0] == 0xed && p[1] > 0x9f) return 0;
        return 3;
    }
    if (p[0] >= 0xf0 && p[0] <= 0xf4) {
        if (!tail(1) || !tail(2) || !tail(3)) return 0;
        if (p[0] == 0xf0 && p[1] < 0x90) return 0;
        if (p[0] == 0xf4 && p[1] > 0x8f) return 0;
        return 4;
    }
    return 0;
}

}  // namespace

bool JsonView::is_null() const { return value_ && as_value(value_).IsNull(); }
bool JsonView::is_object() const { return value_ && as_value(value_).IsObject(); }
bool JsonView::is_array() const { return value_ && as_value(value_).IsArray(); }
bool JsonView::is_string() const { return value_ && as_value(value_).IsString(); }
bool JsonView::is_bool() const { return value_ && as_value(value_).IsBool(); }
bool JsonView::is_number() const { return value_ && as_value(value_).IsNumber(); }
bool JsonView::is_integer() const { return value_ && as_value(value_).IsInt64(); }

JsonView JsonView::operator[](std::string_view name) const {
    if (!is_object()) return {};
    const Value key(rapidjson::StringRef(name.data() ? name.data() : "", name.size()));
    const auto found = as_value(value_).FindMember(key);
    return found == as_value(value_).MemberEnd() ? JsonView() : JsonView(&found->value);
}

JsonView JsonView::at(std::size_t index) const {
    if (!is_array() || index >= as_value(value_).Size()) return {};
    return JsonView(&as_value(value_)[static_cast<rapidjson::SizeType>(index)]);
}

std::size_t JsonView::size() const {
    if (is_array()) return as_value(value_).Size();
    if (is_object()) return as_value(value_).MemberCount();
    return 0;
}

std::vector<std::pair<std::string_view, JsonView>> JsonView::members() const {
    std::vector<std::pair<std::string_view, JsonView>> out;
    if (!is_object()) return out;
    for (const auto& member : as_value(value_).GetObject())
        out.emplace_back(std::string_view(member.name.GetString(), member.name.GetStringLength()),
                         JsonView(&member.value));
    return out;
}

Result<std::string_view> JsonView::text() const {
    if (!is_string()) return wrong_type(value_, "string");
    return std::string_view(as_value(value_).GetString(), as_value(value_).GetStringLength());
}

Result<std::int64_t> JsonView::integer() const {
    if (!is_integer()) return wrong_type(value_, "whole number");
    return as_value(value_).GetInt64();
}

Result<double> JsonView::real() const {
    if (!is_number()) return wrong_type(value_, "number");
    return as_value(value_).GetDouble();
}

Result<bool> JsonView::boolean() const {
    if (!is_bool()) return wrong_type(value_, "boolean");
    return as_value(value_).GetBool();
}

std::string JsonView::text_or(std::string_view otherwise) const {
    return std::string(is_string() ? *text() : otherwise);
}
std::int64_t JsonView::integer_or(std::int64_t otherwise) const { return is_integer() ? *integer() : otherwise; }
double JsonView::real_or(double otherwise) const { return is_number() ? *real() : otherwise; }
bool JsonView::boolean_or(bool otherwise) const { return is_bool() ? *boolean() : otherwise; }

std::string JsonView::dump() const {
    if (!value_) return "null";
    rapidjson::StringBuffer buffer;
    rapidjson::Writer<rapidjson::StringBuffer> writer(buffer);
    as_value(value_).Accept(writer);
    return std::string(buffer.GetString(), buffer.GetSize());
}

struct JsonDocument::Impl {
    rapidjson::Document document;
};

JsonDocument::JsonDocument(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
JsonDocument::JsonDocument(JsonDocument&&) noexcept = default;
JsonDocument& JsonDocument::operator=(JsonDocument&&) noexcept = default;
JsonDocument::~JsonDocument() = default;

Result<JsonDocument> JsonDocument::parse(std::string_view text, JsonLimits limits) {
    if (text.size() > limits.bytes)
        return Error(ErrorCode::invalid, "JSON of " + std::to_string(text.size()) + " bytes, at most " +
                                             std::to_string(limits.bytes) + " are accepted");
    if (deeper_than(text, limits.depth))
        return Error(ErrorCode::invalid, "JSON nested deeper than " + std::to_string(limits.depth));
    auto impl = std::make_unique<Impl>();
    constexpr unsigned flags = rapidjson::kParseIterativeFlag | rapidjson::kParseValidateEncodingFlag |
                               rapidjson::kParseNumbersAsStringsFlag;
    rapidjson::MemoryStream stream(text.data() ? text.data() : "", text.size());
    rapidjson::EncodedInputStream<rapidjson::UTF8<>, rapidjson::MemoryStream> input(stream);
    rapidjson::ParseResult result;
    const auto read = [&](rapidjson::Document& document) {
        ExactNumbers numbers(document);
        result = rapidjson::Reader().Parse<flags>(input, numbers);
        return !result.IsError();
    };
    impl->document.Populate(read);
    if (result.IsError())
        return Error(ErrorCode::invalid, std::string("JSON at byte ") + std::to_string(result.Offset()) + ": " +
                                             (result.Code() == rapidjson::kParseErrorTermination
                                                  ? "Number too big to be stored in double."
                                                  : rapidjson::GetParseError_En(result.Code())));
    if (has_lone_surrogate(impl->document))
        return Error(ErrorCode::invalid, "JSON with half a surrogate pair in a string");
    if (const Value* twice = find_duplicate(impl->document))
        return Error(ErrorCode::invalid,
                     "JSON has the member '" + std::string(twice->GetString(), twice->GetStringLength()) + "' twice");
    return JsonDocument(std::move(impl));
}

JsonView JsonDocument::root() const { return JsonView(&static_cast<const Value&>(impl_->document)); }

bool is_valid_utf8(std::string_view text) {
    const auto* p = reinterpret_cast<const unsigned char*>(text.data());
    for (std::size_t i = 0; i < text.size();) {
        const std::size_t n = utf8_length(p + i, text.size() - i);
        if (n == 0) return false;
        i += n;
    }
    return true;
}

std::string to_valid_utf8(std::string text) {
    if (is_valid_utf8(text)) return text;
    std::string out;
    const auto* p = reinterpret_cast<const unsigned char*>(text.data());
    for (std::size_t i = 0; i < text.size();) {
        const std::size_t n = utf8_length(p + i, text.size() - i);
        if (n > 0) out.append(text, i, n);
        else out += "\xef\xbf\xbd";
        i += n > 0 ? n : 1;
    }
    return out;
}

void append_json_string(std::string& out, std::string_view text) {
    static constexpr char hex[] = "0123456789abcdef";
    const auto* p = reinterpret_cast<const unsigned char*>(text.data());
    out.push_back('"');
    for (std::size_t i = 0; i < text.size();) {
        const unsigned char c = p[i];
        if (c == '"' || c == '\\') {
            out.push_back('\\');
            out.push_back(static_cast<char>(c));
            ++i;
        } else if (c == '\n') {
            out += "\\n";
            ++i;
        } else if (c < 0x20) {
            out += "\\u00";
            out.push_back(hex[c >> 4]);
            out.push_back(hex[c & 15]);
            ++i;
        } else if (const std::size_t n = utf8_length(p + i, text.size() - i); n > 0) {
            out.append(text, i, n);
            i += n;
        } else {
            out += "\xef\xbf\xbd";
            ++i;
        }
    }
    out.push_back('"');
}

void JsonWriter::separate() {
    if (need_comma_) out_.push_back(',');
    need_comma_ = true;
}

JsonWriter& JsonWriter::begin_object() {
    separate();
    out_.push_back('{');
    need_comma_ = false;
    return *this;
}
JsonWriter& JsonWriter::end_object() {
    out_.push_back('}');
    need_comma_ = true;
    return *this;
}
JsonWriter& JsonWriter::begin_array() {
    separate();
    out_.push_back('[');
    need_comma_ = false;
    return *this;
}
JsonWriter& JsonWriter::end_array() {
    out_.push_back(']');
    need_comma_ = true;
    return *this;
}
JsonWriter& JsonWriter::key(std::string_view name) {
    separate();
    append_json_string(out_, name);
    out_.push_back(':');
    need_comma_ = false;
    return *this;
}
JsonWriter& JsonWriter::value(std::string_view text) {
    separate();
    append_json_string(out_, text);
    return *this;
}
JsonWriter& JsonWriter::value(std::int64_t number) { return raw(std::to_string(number)); }
JsonWriter& JsonWriter::value(std::uint64_t number) { return raw(std::to_string(number)); }
JsonWriter& JsonWriter::value(double number) {
    if (!std::isfinite(number)) return null();
    char text[32];
    const auto end = std::to_chars(text, text + sizeof text, number).ptr;
    return raw({text, static_cast<std::size_t>(end - text)});
}
JsonWriter& JsonWriter::value(bool truth) { return raw(truth ? "true" : "false"); }
JsonWriter& JsonWriter::null() { return raw("null"); }
JsonWriter& JsonWriter::raw(std::string_view json) {
    separate();
    out_ += json;
    return *this;
}

}  // namespace jackfield::base
