#include "refer.hpp"

#include "text.hpp"

#include <algorithm>
#include <charconv>

namespace jackfield::sip {
namespace {

int hex_value(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

/// As a header's value within a URI (RFC 3261 25.1: hvalue): whatever isn't unreserved is escaped.
std::string escaped_value(std::string_view text) {
    static constexpr char digits[] = "0123456789ABCDEF";
    std::string out;
    for (const char c : text) {
        const bool plain = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
                           (c >= 'A' && c <= 'Z') ||
                           std::string_view("-_.!~*'()").find(c) != std::string_view::npos;
        const auto byte = static_cast<unsigned char>(c);
        if (plain)
            out += c;
        else
            out += {'%', digits[byte >> 4], digits[byte & 15]};
    }
    return out;
}

}  // namespace

std::string unescaped(std::string_view text) {
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '%' && i + 2 < text.size() && hex_value(text[i + 1]) >= 0 &&
            hex_value(text[i + 2]) >= 0) {
            out += static_cast<char>(hex_value(text[i + 1]) * 16 + hex_value(text[i + 2]));
            i += 2;
        } else {
            out += text[i];
        }
    }
    return out;
}

std::string refer_to_replacing(const DialogName& dialog) {
    // Whoever receives the INVITE compares to-tag with its own tag, which is the remote one here.
    const std::string replaces =
        dialog.call_id + ";to-tag=" + dialog.remote_tag + ";from-tag=" + dialog.local_tag;
    return "<" + dialog.target.substr(0, dialog.target.find('?')) +
           "?Replaces=" + escaped_value(replaces) + ">";
}

Dialled cut_uri_headers(std::string_view uri) {
    Dialled out;
    const std::size_t question = uri.find('?');
    out.uri = uri.substr(0, question);
    if (question == std::string_view::npos) return out;
    std::string_view rest = uri.substr(question + 1);
    while (!rest.empty()) {
        const std::string_view one = rest.substr(0, rest.find('&'));
        rest.remove_prefix(std::min(one.size() + 1, rest.size()));
        const std::size_t equals = one.find('=');
        if (equals == std::string_view::npos ||
            lower(std::string(one.substr(0, equals))) != "replaces")
            continue;
        const std::string text = unescaped(one.substr(equals + 1));
        if (is_token(text)) out.replaces = text;
    }
    return out;
}

std::optional<ReplacedDialog> parse_replaces(std::string_view value) {
    ReplacedDialog out;
    for (bool first = true; first || !value.empty(); first = false) {
        const std::string_view whole = value.substr(0, value.find(';'));
        value.remove_prefix(std::min(whole.size() + 1, value.size()));
        const std::size_t begin = whole.find_first_not_of(" \t");
        const std::string_view part =
            begin == std::string_view::npos
                ? std::string_view()
                : whole.substr(begin, whole.find_last_not_of(" \t") - begin + 1);
        if (first)
            out.call_id = part;
        else if (part.starts_with("to-tag="))
            out.local_tag = part.substr(7);
        else if (part.starts_with("from-tag="))
            out.remote_tag = part.substr(9);
        else if (part == "early-only")
            out.early_only = true;
    }
    if (!is_token(out.call_id) || out.local_tag.empty() || out.remote_tag.empty())
        return std::nullopt;
    return out;
}

unsigned sipfrag_status(std::string_view body) {
    if (!body.starts_with("SIP/2.0 ") || body.size() < 11) return 0;
    unsigned status = 0;
    const auto [end, problem] = std::from_chars(body.data() + 8, body.data() + 11, status);
    return problem == std::errc() && end == body.data() + 11 && status >= 100 && status < 700
               ? status
               : 0;
}

}  // namespace jackfield::sip
