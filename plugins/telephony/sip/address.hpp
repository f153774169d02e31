#pragma once

// IP addresses as the ABI has them, their text forms, and allow lists. No sockets.

#include <jackfield/host.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace jackfield::sip {

/// Bytes of an address of this family: 4 or 16.
constexpr std::size_t address_size(std::uint16_t family) {
    return family == JF_NET_IPV6 ? 16 : 4;
}

bool same_address(const jf_endpoint& a, const jf_endpoint& b);
bool same_endpoint(const jf_endpoint& a, const jf_endpoint& b);
/// 0.0.0.0 or ::, or no address at all.
bool is_any(const jf_endpoint& endpoint);

/// "192.0.2.1" or "2001:db8::1", without brackets.
std::optional<jf_endpoint> parse_address(std::string_view text, std::uint16_t port = 0);
/// "192.0.2.1:5060" or "[2001:db8::1]:5060".
std::optional<jf_endpoint> parse_endpoint(std::string_view text);
std::string address_text(const jf_endpoint& endpoint);
/// As parse_endpoint() reads it; also what stands as host and port in a SIP URI.
std::string endpoint_text(const jf_endpoint& endpoint);

/// "10.0.0.0/8"; a bare address is a network of one.
struct Network {
    jf_endpoint base{};
    unsigned bits = 0;

    static std::optional<Network> parse(std::string_view text);
    bool contains(const jf_endpoint& endpoint) const;
};

/// Empty allows everyone.
bool allows(const std::vector<Network>& list, const jf_endpoint& endpoint);

}  // namespace jackfield::sip
