#pragma once

#include <cstdint>
#include <string>

namespace jackfield::net {

/// An IP address and port. `bytes` in network order, IPv4 in the first four.
struct Endpoint {
    std::uint8_t bytes[16] = {};
    std::uint16_t port = 0;
    bool ipv6 = false;
    std::uint32_t scope_id = 0;

    friend bool operator==(const Endpoint&, const Endpoint&) = default;
    std::string to_string() const;
};

}  // namespace jackfield::net
