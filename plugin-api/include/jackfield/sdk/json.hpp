#pragma once

// Just enough JSON for a plugin without a JSON library: members of a flat object that the host has checked against a schema, and text made
// safe to stand in JSON. What is nested needs a library.

#include <charconv>
#include <cstdint>
#include <cstdio>
#include <optional>
#include <string>
#include <string_view>

namespace jackfield::sdk {

/// `text` as a JSON string, quotes included.
inline std::string quoted(std::string_view text) {
    std::string out = "\"";
    for (const char c : text) {
        if (c == '"' || c == '\\') (out += '\\') += c;
        else if (c == '\n') out += "\\n";
        else if (static_cast<unsigned char>(c) < 0x20) {
            char escape[8];
            std::snprintf(escape, sizeof escape, "\\u%04x", static_cast<unsigned>(c));
            out += escape;
        } else out += c;
    }
    return out += '"';
}

/// Reads a JSON object's members by name. Everything is optional: what is absent, nested or malformed reads as nothing.
class JsonObject {
  public:
    explicit JsonObject(std::string_view json) : json_(json) {}

    std::optional<std::string> text(std::string_view name) const {
        const auto raw = find(name);
        if (!raw || raw->empty() || raw->front() != '"') return std::nullopt;
        return unquoted(*raw);
    }
    std::optional<double> number(std::string_view name) const {
        const auto raw = find(name);
        double value = 0;
        if (!raw || std::from_chars(raw->data(), raw->data() + raw->size(), value).ec != std::errc()) return std::nullopt;
        return value;
    }
    std::optional<bool> flag(std::string_view name) const {
        const auto raw = find(name);
        if (!raw || (*raw != "true" && *raw != "false")) return std::nullopt;
        return *raw == "true";
    }

  private:
    static bool is_space(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }
    void skip(std::size_t& at) const {
        while (at < json_.size() && is_space(json_[at])) ++at;
    }
    /// The end of the value that begins at `at`; npos when it has none.
    std::size_t end_of(std::size_t at) const {
        int depth = 0;
        for (bool quote = false; at < json_.size(); ++at) {
            const char c = json_[at];
            if (quote) {
                if (c == '\\') ++at;
                else if (c == '"') quote = false;
            } else if (c == '"') quote = true;
            else if (c == '{' || c == '[') ++depth;
            else if ((c == ',' || c == '}' || c == ']') && depth == 0) return at;
            else if (c == '}' || c == ']') --depth;
        }
        return std::string_view::npos;
    }
    std::optional<std::string_view> find(std::string_view name) const {
        std::size_t at = 0;
        skip(at);
        if (at >= json_.size() || json_[at] != '{') return std::nullopt;
        for (++at;;) {
            skip(at);
            if (at >= json_.size() || json_[at] != '"') return std::nullopt;
            std::size_t close = at + 1;
            while (close < json_.size() && json_[close] != '"') close += json_[close] == '\\' ? 2 : 1;
            const std::size_t colon = json_.find(':', close);
            if (close >= json_.size() || colon == std::string_view::npos) return std::nullopt;
            std::size_t value = colon + 1;
            skip(value);
            const std::size_t end = end_of(value);
            if (end == std::string_view::npos) return std::nullopt;
            if (unquoted(json_.substr(at, close + 1 - at)) == name) {
                std::size_t last = end;
                while (last > value && is_space(json_[last - 1])) --last;
                return json_.substr(value, last - value);
            }
            if (json_[end] != ',') return std::nullopt;
            at = end + 1;
        }
    }
    static std::string unquoted(std::string_view raw) {
        std::string out;
        for (std::size_t i = 1; i + 1 < raw.size(); ++i) {
            if (raw[i] != '\\') {
                out += raw[i];
                continue;
            }
            switch (raw[++i]) {
                case 'n': out += '\n'; break;
                case 't': out += '\t'; break;
                case 'r': out += '\r'; break;
                case 'b': out += '\b'; break;
                case 'f': out += '\f'; break;
                case 'u': append_code_point(out, raw, i); break;
                default: out += raw[i];
            }
        }
        return out;
    }
    /// \uXXXX at i ('u'), two of them for what lies beyond the basic plane. Leaves i on the last digit.
    static void append_code_point(std::string& out, std::string_view raw, std::size_t& i) {
        const auto hex = [&](std::size_t at) -> std::uint32_t {
            std::uint32_t value = 0xfffd;
            if (at + 4 <= raw.size()) std::from_chars(raw.data() + at, raw.data() + at + 4, value, 16);
            return value;
        };
        std::uint32_t code = hex(i + 1);
        i += 4;
        if (code >= 0xd800 && code < 0xdc00 && i + 6 < raw.size() && raw[i + 1] == '\\' && raw[i + 2] == 'u') {
            code = 0x10000 + ((code - 0xd800) << 10) + ((hex(i + 3) - 0xdc00) & 0x3ff);
            i += 6;
        } else if (code >= 0xd800 && code < 0xe000) {
            code = 0xfffd;
        }
        if (code < 0x80) out += static_cast<char>(code);
        else if (code < 0x800) (out += static_cast<char>(0xc0 | code >> 6)) += static_cast<char>(0x80 | (code & 0x3f));
        else if (code < 0x10000)
            ((out += static_cast<char>(0xe0 | code >> 12)) += static_cast<char>(0x80 | (code >> 6 & 0x3f))) += static_cast<char>(0x80 | (code & 0x3f));
        else
            (((out += static_cast<char>(0xf0 | code >> 18)) += static_cast<char>(0x80 | (code >> 12 & 0x3f))) +=
             static_cast<char>(0x80 | (code >> 6 & 0x3f))) += static_cast<char>(0x80 | (code & 0x3f));
    }

    std::string_view json_;
};

}  // namespace jackfield::sdk
