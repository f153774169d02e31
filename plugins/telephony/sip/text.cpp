#include "text.hpp"

#include "address.hpp"

#include <algorithm>
#include <cctype>

namespace jackfield::sip {
namespace {

constexpr std::size_t longest = 256;

/// The length of the well-formed UTF-8 character that `text` begins with, 0 when it is none.
std::size_t utf8_length(std::string_view text) {
    const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
    const unsigned char first = byte(0);
    if (first < 0x80) return first >= 0x20 && first != 0x7f ? 1 : 0;
    const std::size_t length = first >= 0xc2 && first < 0xe0   ? 2
                               : first >= 0xe0 && first < 0xf0 ? 3
                               : first >= 0xf0 && first < 0xf5 ? 4
                                                               : 0;
    if (length == 0 || text.size() < length) return 0;
    for (std::size_t i = 1; i < length; ++i)
        if ((byte(i) & 0xc0) != 0x80) return 0;
    if (first == 0xe0 && byte(1) < 0xa0) return 0;   // overlong
    if (first == 0xed && byte(1) >= 0xa0) return 0;  // surrogates
    if (first == 0xf0 && byte(1) < 0x90) return 0;
    if (first == 0xf4 && byte(1) >= 0x90) return 0;
    return length;
}

}  // namespace

std::string printable(std::string_view text) {
    std::string out;
    while (!text.empty() && out.size() + 4 <= longest) {
        const std::size_t length = utf8_length(text);
        if (length)
            out += text.substr(0, length);
        else
            out += '?';
        text.remove_prefix(std::max<std::size_t>(length, 1));
    }
    return out;
}

std::string lower(std::string text) {
    std::transform(text.begin(), text.end(), text.begin(), [](unsigned char c) {
        return static_cast<char>(std::tolower(c));
    });
    return text;
}

std::string unquoted(std::string_view text) {
    if (text.size() >= 2 && text.front() == '"' && text.back() == '"')
        text = text.substr(1, text.size() - 2);
    return std::string(text);
}

bool is_token(std::string_view text) {
    return !text.empty() && std::all_of(text.begin(), text.end(), [](unsigned char c) {
        return c > 0x20 && c < 0x7f;
    });
}

bool is_number(std::string_view text) {
    if (text.starts_with('+')) text.remove_prefix(1);
    return text.size() >= 2 && std::all_of(text.begin(), text.end(), [](unsigned char c) {
               return std::isdigit(c) != 0;
           });
}

std::string escaped_user(std::string_view user) {
    constexpr std::string_view plain = "-_.!~*'()&=+$,;?/";
    constexpr char hex[] = "0123456789ABCDEF";
    std::string out;
    for (const char c : user) {
        const auto byte = static_cast<unsigned char>(c);
        if (byte < 0x80 && (std::isalnum(byte) || plain.find(c) != std::string_view::npos)) {
            out += c;
        } else {
            out += '%';
            out += hex[byte >> 4];
            out += hex[byte & 15];
        }
    }
    return out;
}

std::string_view domain_of_uri(std::string_view uri) {
    const std::size_t at = uri.find('@');
    if (at != std::string_view::npos) return uri.substr(at + 1);
    const std::size_t scheme = uri.find(':');
    return scheme == std::string_view::npos ? uri : uri.substr(scheme + 1);
}

std::optional<jf_endpoint> host_of_uri(std::string_view uri) {
    std::string_view host = domain_of_uri(uri);
    host = host.substr(0, host.find_first_of(";?"));
    if (const std::optional<jf_endpoint> with_port = parse_endpoint(host)) return with_port;
    if (host.size() > 2 && host.front() == '[' && host.back() == ']')
        host = host.substr(1, host.size() - 2);
    return parse_address(host, 5060);
}

std::string over_tls(std::string uri) {
    if (!lower(uri.substr(0, 5)).starts_with("sips:")) return uri;
    uri.erase(3, 1);
    // What a sips: URI says of its transport can't be meant as UDP or TCP in the clear.
    if (const std::size_t at = lower(uri).find(";transport="); at != std::string::npos)
        uri.erase(at, std::min(uri.find_first_of(";?", at + 1), uri.size()) - at);
    const std::size_t headers = std::min(uri.find('?'), uri.size());
    return uri.insert(headers, ";transport=tls");
}

}  // namespace jackfield::sip
