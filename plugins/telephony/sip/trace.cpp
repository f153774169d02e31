#include "trace.hpp"

#include <algorithm>

namespace jackfield::sip {
namespace {

constexpr std::string_view mask = "***";

char lower_of(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

bool same(std::string_view a, std::string_view b) {
    return a.size() == b.size() &&
           std::equal(a.begin(), a.end(), b.begin(), [](char x, char y) {
               return lower_of(x) == lower_of(y);
           });
}

std::string_view trimmed(std::string_view text) {
    while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
    while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
    return text;
}

/// Takes the next line off `text`, without its end.
std::string_view next_line(std::string_view& text, std::string_view& end) {
    const std::size_t at = text.find('\n');
    std::string_view line = text.substr(0, at);
    const std::size_t length = line.size() - (!line.empty() && line.back() == '\r' ? 1 : 0);
    const std::size_t taken = at == std::string_view::npos ? text.size() : at + 1;
    end = text.substr(length, taken - length);
    line = line.substr(0, length);
    text.remove_prefix(taken);
    return line;
}

bool carries_credentials(std::string_view name) {
    for (const char* header : {"authorization", "proxy-authorization", "authentication-info"})
        if (same(name, header)) return true;
    return false;
}

/// "sip:user:password@host" without the password (RFC 3261 25.1: userinfo).
void append_without_passwords(std::string_view line, std::string& out) {
    for (;;) {
        std::size_t at = std::string_view::npos;
        for (std::size_t i = 0; i + 4 < line.size() && at == std::string_view::npos; ++i) {
            if (same(line.substr(i, 4), "sip:")) at = i + 4;
            else if (same(line.substr(i, 5), "sips:")) at = i + 5;
        }
        if (at == std::string_view::npos) break;
        const std::size_t end = line.find_first_of("@>; \t,\"<", at);
        const std::size_t colon = line.find(':', at);
        out += line.substr(0, at);
        line.remove_prefix(at);
        if (end == std::string_view::npos || line[end - at] != '@' || colon == std::string_view::npos || colon > end)
            continue;
        out += line.substr(0, colon - at + 1);
        out += mask;
        line.remove_prefix(end - at);
    }
    out += line;
}

/// "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:KEY|2^20": the parameters stay, the key goes.
void append_description_line(std::string_view line, std::string& out) {
    constexpr std::string_view key_follows = "inline:";
    if (same(line.substr(0, 2), "k=")) {
        out += "k=";
        out += mask;
        return;
    }
    if (!same(line.substr(0, 9), "a=crypto:")) {
        out += line;
        return;
    }
    std::size_t at = 0;
    for (std::size_t i = 0; i + key_follows.size() <= line.size();) {
        if (!same(line.substr(i, key_follows.size()), key_follows)) {
            ++i;
            continue;
        }
        i += key_follows.size();
        out += line.substr(at, i - at);
        out += mask;
        at = i = std::min(line.find_first_of("| ;\t", i), line.size());
    }
    out += line.substr(at);
}

void append_body_line(std::string_view line, bool keys, std::string& out) {
    // RFC 2833's predecessor in INFO: "Signal=5", or the key alone.
    if (!keys) return append_description_line(line, out);
    const std::size_t equals = line.find('=');
    // Beside keys there may be a description in one body, and its keys are others.
    if (equals != std::string_view::npos && !same(trimmed(line.substr(0, equals)), "signal"))
        return append_description_line(line, out);
    out += line.substr(0, equals == std::string_view::npos ? 0 : equals + 1);
    if (!line.empty()) out += mask;
}

}  // namespace

std::string masked(std::string_view message) {
    std::string out;
    out.reserve(std::min(message.size(), longest_traced) + 64);
    bool body = false;
    bool first = true;
    bool masking = false;
    bool keys = false;
    while (!message.empty() && out.size() < longest_traced) {
        std::string_view end;
        const std::string_view line = next_line(message, end);
        const bool continued = !line.empty() && (line.front() == ' ' || line.front() == '\t');
        if (body) {
            append_body_line(line, keys, out);
        } else if (line.empty() && !first) {
            body = true;
        } else if (continued) {
            // A header's next line (RFC 3261 7.3.1) is as secret as its first.
            if (masking)
                out.append(" ").append(mask);
            else
                append_without_passwords(line, out);
        } else {
            const std::size_t colon = line.find(':');
            const std::string_view name =
                first || colon == std::string_view::npos ? std::string_view() : trimmed(line.substr(0, colon));
            masking = carries_credentials(name);
            if (masking) {
                const std::string_view value = trimmed(line.substr(colon + 1));
                const std::string_view scheme = value.substr(0, value.find_first_of(" \t,"));
                out += line.substr(0, colon + 1);
                // "Digest ***"; without a scheme (Authentication-Info) nothing stays.
                if (!scheme.empty() && scheme != mask && scheme.find('=') == std::string_view::npos)
                    out.append(" ").append(scheme);
                out.append(" ").append(mask);
            } else {
                append_without_passwords(line, out);
            }
            if (same(name, "content-type") || same(name, "c"))
                keys = line.find("dtmf") != std::string_view::npos;
        }
        out += end;
        first = false;
    }
    if (out.size() > longest_traced) out.resize(longest_traced);
    return out;
}

std::string_view call_id_of(std::string_view message) {
    for (bool first = true; !message.empty(); first = false) {
        std::string_view end;
        const std::string_view line = next_line(message, end);
        if (line.empty() && !first) break;
        const std::size_t colon = line.find(':');
        if (first || colon == std::string_view::npos) continue;
        const std::string_view name = trimmed(line.substr(0, colon));
        if (same(name, "call-id") || same(name, "i")) return trimmed(line.substr(colon + 1));
    }
    return {};
}

}  // namespace jackfield::sip
