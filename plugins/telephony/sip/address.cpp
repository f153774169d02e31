#include "address.hpp"

#include <algorithm>
#include <charconv>
#include <cstring>

#include <arpa/inet.h>
#include <sys/socket.h>

namespace jackfield::sip {

bool same_address(const jf_endpoint& a, const jf_endpoint& b) {
    return a.family == b.family && std::memcmp(a.ip, b.ip, address_size(a.family)) == 0;
}

bool same_endpoint(const jf_endpoint& a, const jf_endpoint& b) {
    return a.port == b.port && same_address(a, b);
}

bool is_any(const jf_endpoint& endpoint) {
    if (endpoint.family == 0) return true;
    return std::all_of(endpoint.ip,
                       endpoint.ip + address_size(endpoint.family),
                       [](std::uint8_t byte) { return byte == 0; });
}

std::optional<jf_endpoint> parse_address(std::string_view text, std::uint16_t port) {
    char buffer[INET6_ADDRSTRLEN + 1];
    if (text.empty() || text.size() >= sizeof buffer) return std::nullopt;
    std::memcpy(buffer, text.data(), text.size());
    buffer[text.size()] = 0;
    jf_endpoint out{};
    out.port = port;
    out.family = text.find(':') == std::string_view::npos ? JF_NET_IPV4 : JF_NET_IPV6;
    const int family = out.family == JF_NET_IPV6 ? AF_INET6 : AF_INET;
    if (inet_pton(family, buffer, out.ip) != 1) return std::nullopt;
    return out;
}

std::optional<jf_endpoint> parse_endpoint(std::string_view text) {
    const std::size_t colon = text.rfind(':');
    if (colon == std::string_view::npos) return std::nullopt;
    std::uint16_t port = 0;
    const std::string_view digits = text.substr(colon + 1);
    const auto [end, problem] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
    if (problem != std::errc() || end != digits.data() + digits.size()) return std::nullopt;
    std::string_view host = text.substr(0, colon);
    const bool bracketed = host.size() > 2 && host.front() == '[' && host.back() == ']';
    if (bracketed) host = host.substr(1, host.size() - 2);
    if (bracketed != (host.find(':') != std::string_view::npos)) return std::nullopt;
    return parse_address(host, port);
}

std::string address_text(const jf_endpoint& endpoint) {
    char buffer[INET6_ADDRSTRLEN] = "";
    inet_ntop(
        endpoint.family == JF_NET_IPV6 ? AF_INET6 : AF_INET, endpoint.ip, buffer, sizeof buffer);
    return buffer;
}

std::string endpoint_text(const jf_endpoint& endpoint) {
    const std::string address = address_text(endpoint);
    const std::string port = std::to_string(endpoint.port);
    return endpoint.family == JF_NET_IPV6 ? "[" + address + "]:" + port : address + ":" + port;
}

std::optional<Network> Network::parse(std::string_view text) {
    const std::size_t slash = text.find('/');
    const std::optional<jf_endpoint> base = parse_address(text.substr(0, slash));
    if (!base) return std::nullopt;
    Network out{*base, static_cast<unsigned>(address_size(base->family) * 8)};
    if (slash == std::string_view::npos) return out;
    const std::string_view digits = text.substr(slash + 1);
    unsigned bits = 0;
    const auto [end, problem] = std::from_chars(digits.data(), digits.data() + digits.size(), bits);
    if (problem != std::errc() || end != digits.data() + digits.size() || bits > out.bits)
        return std::nullopt;
    out.bits = bits;
    return out;
}

bool Network::contains(const jf_endpoint& endpoint) const {
    if (endpoint.family != base.family) return false;
    const unsigned whole = bits / 8;
    if (std::memcmp(base.ip, endpoint.ip, whole) != 0) return false;
    if (bits % 8 == 0) return true;
    const unsigned mask = (0xffu << (8 - bits % 8)) & 0xffu;
    return (base.ip[whole] & mask) == (endpoint.ip[whole] & mask);
}

bool allows(const std::vector<Network>& list, const jf_endpoint& endpoint) {
    return list.empty() || std::any_of(list.begin(), list.end(), [&](const Network& network) {
               return network.contains(endpoint);
           });
}

}  // namespace jackfield::sip
