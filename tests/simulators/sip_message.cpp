#include "simulators/sip_message.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <random>
#include <utility>

namespace jackfield::sim {
namespace {

std::string_view trim(std::string_view text) {
    const auto first = text.find_first_not_of(" \t\r\n");
    if (first == std::string_view::npos) return {};
    return text.substr(first, text.find_last_not_of(" \t\r\n") - first + 1);
}

template <typename Number>
std::optional<Number> number_of(std::string_view text) {
    Number value{};
    const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (failed != std::errc{} || end != text.data() + text.size()) return std::nullopt;
    return value;
}

std::string_view full_name(std::string_view name) {
    static constexpr std::array<std::pair<std::string_view, std::string_view>, 9> compact{{{"v", "Via"},
                                                                                          {"f", "From"},
                                                                                          {"t", "To"},
                                                                                          {"i", "Call-ID"},
                                                                                          {"m", "Contact"},
                                                                                          {"l", "Content-Length"},
                                                                                          {"c", "Content-Type"},
                                                                                          {"k", "Supported"},
                                                                                          {"s", "Subject"}}};
    for (const auto& [brief, full] : compact) {
        if (equal_ignoring_case(name, brief)) return full;
    }
    return name;
}

bool parse_start_line(std::string_view line, SipMessage& message) {
    const auto first = line.find(' ');
    if (first == std::string_view::npos) return false;
    const auto second = line.find(' ', first + 1);
    if (line.substr(0, first) == "SIP/2.0") {
        const auto status = number_of<int>(line.substr(first + 1, 3));
        if (!status || *status < 100 || *status > 699) return false;
        message.status = *status;
        if (second != std::string_view::npos) message.reason = line.substr(second + 1);
        return true;
    }
    if (second == std::string_view::npos || line.substr(second + 1) != "SIP/2.0") return false;
    message.method = line.substr(0, first);
    message.uri = line.substr(first + 1, second - first - 1);
    return !message.method.empty() && !message.uri.empty();
}

std::optional<SipMessage> parse_head(std::string_view head) {
    SipMessage message;
    bool first = true;
    while (!head.empty()) {
        const auto end = head.find("\r\n");
        const std::string_view line = head.substr(0, end);
        head = end == std::string_view::npos ? std::string_view{} : head.substr(end + 2);
        if (first) {
            if (!parse_start_line(line, message)) return std::nullopt;
            first = false;
        } else if (!line.empty() && (line[0] == ' ' || line[0] == '\t')) {
            if (message.headers.empty()) return std::nullopt;
            message.headers.back().value += ' ' + std::string(trim(line));
        } else {
            const auto colon = line.find(':');
            if (colon == std::string_view::npos) return std::nullopt;
            message.add(std::string(trim(line.substr(0, colon))), std::string(trim(line.substr(colon + 1))));
        }
    }
    return first ? std::nullopt : std::optional(std::move(message));
}

}  // namespace

bool equal_ignoring_case(std::string_view a, std::string_view b) {
    return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](unsigned char x, unsigned char y) {
        return std::tolower(x) == std::tolower(y);
    });
}

std::string SipMessage::get(std::string_view name) const {
    for (const Header& header : headers) {
        if (equal_ignoring_case(full_name(header.name), name)) return header.value;
    }
    return {};
}

std::vector<std::string> SipMessage::all(std::string_view name) const {
    std::vector<std::string> values;
    for (const Header& header : headers) {
        if (equal_ignoring_case(full_name(header.name), name)) values.push_back(header.value);
    }
    return values;
}

std::string SipMessage::wire() const {
    std::string out = is_request() ? method + ' ' + uri + " SIP/2.0\r\n"
                                   : "SIP/2.0 " + std::to_string(status) + ' ' + reason + "\r\n";
    for (const Header& header : headers) {
        if (!equal_ignoring_case(full_name(header.name), "Content-Length")) {
            out += header.name + ": " + header.value + "\r\n";
        }
    }
    return out + "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
}

std::uint32_t SipMessage::cseq_number() const {
    const std::string value = get("CSeq");
    return number_of<std::uint32_t>(std::string_view(value).substr(0, value.find(' '))).value_or(0);
}

std::string SipMessage::cseq_method() const {
    const std::string value = get("CSeq");
    const auto space = value.find(' ');
    return space == std::string::npos ? std::string{} : std::string(trim(value.substr(space)));
}

std::string SipMessage::branch() const { return header_parameter(get("Via"), "branch"); }

std::optional<SipMessage> parse_sip(std::string_view text) {
    const auto head_end = text.find("\r\n\r\n");
    if (head_end == std::string_view::npos) return std::nullopt;
    std::optional<SipMessage> message = parse_head(text.substr(0, head_end));
    if (!message) return std::nullopt;
    message->body = text.substr(head_end + 4);
    const std::string length = message->get("Content-Length");
    if (length.empty()) return message;
    const auto bytes = number_of<std::size_t>(length);
    if (!bytes || *bytes > message->body.size()) return std::nullopt;
    message->body.resize(*bytes);
    return message;
}

std::vector<std::string> SipFramer::feed(std::string_view bytes) {
    pending_.append(bytes);
    std::vector<std::string> messages;
    while (true) {
        pending_.erase(0, std::min(pending_.find_first_not_of("\r\n"), pending_.size()));
        const auto head_end = pending_.find("\r\n\r\n");
        if (head_end == std::string::npos) return messages;
        const auto head = parse_head(std::string_view(pending_).substr(0, head_end));
        const auto length = head ? number_of<std::size_t>(head->get("Content-Length")) : std::nullopt;
        if (length > std::size_t{1} << 20) {
            pending_.clear();  // nobody means that: the stream can't be cut any more
            return messages;
        }
        const std::size_t total = head_end + 4 + length.value_or(0);
        if (pending_.size() < total) return messages;
        messages.push_back(pending_.substr(0, total));
        pending_.erase(0, total);
    }
}

std::string header_parameter(std::string_view value, std::string_view name) {
    const auto bracket = value.rfind('>');
    if (bracket != std::string_view::npos) value.remove_prefix(bracket + 1);
    while (true) {
        const auto semicolon = value.find(';');
        if (semicolon == std::string_view::npos) return {};
        value.remove_prefix(semicolon + 1);
        const std::string_view parameter = value.substr(0, value.find_first_of(";,"));
        const auto equals = parameter.find('=');
        if (equal_ignoring_case(trim(parameter.substr(0, equals)), name)) {
            return equals == std::string_view::npos ? std::string{} : std::string(trim(parameter.substr(equals + 1)));
        }
    }
}

std::string address_uri(std::string_view value) {
    const auto open = value.find('<');
    if (open == std::string_view::npos) return std::string(trim(value.substr(0, value.find(';'))));
    const auto close = value.find('>', open);
    return std::string(value.substr(open + 1, close == std::string_view::npos ? close : close - open - 1));
}

std::optional<SipUri> parse_sip_uri(std::string_view text) {
    if (!equal_ignoring_case(text.substr(0, 4), "sip:")) return std::nullopt;
    text.remove_prefix(4);
    SipUri uri;
    if (const auto semicolon = text.find(';'); semicolon != std::string_view::npos) {
        uri.tcp = equal_ignoring_case(header_parameter(text, "transport"), "tcp");
        text = text.substr(0, semicolon);
    }
    if (const auto at = text.rfind('@'); at != std::string_view::npos) {
        uri.user = text.substr(0, at);
        text.remove_prefix(at + 1);
    }
    if (const auto colon = text.find(':'); colon != std::string_view::npos) {
        const auto port = number_of<std::uint16_t>(text.substr(colon + 1));
        if (!port) return std::nullopt;
        uri.port = *port;
        text = text.substr(0, colon);
    }
    uri.host = text;
    if (uri.host.empty()) return std::nullopt;
    return uri;
}

std::string random_token(int digits) {
    static thread_local std::mt19937_64 engine{std::random_device{}()};
    std::string token;
    for (int i = 0; i < digits; ++i) token.push_back("0123456789abcdef"[engine() & 15]);
    return token;
}

}  // namespace jackfield::sim
