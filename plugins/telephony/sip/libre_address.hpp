#pragma once

// The SIP library's socket addresses and the ABI's.

#include "libre.hpp"

#include <jackfield/host.h>

#include <cstring>

namespace jackfield::sip {

inline struct sa sa_of(const jf_endpoint& endpoint) {
    struct sa out;
    if (endpoint.family == JF_NET_IPV6) {
        sa_set_in6(&out, endpoint.ip, endpoint.port);
    } else {
        std::uint32_t address;
        std::memcpy(&address, endpoint.ip, 4);
        sa_set_in(&out, ntohl(address), endpoint.port);
    }
    return out;
}

inline jf_endpoint endpoint_of(const struct sa& address) {
    jf_endpoint out{};
    out.port = sa_port(&address);
    if (sa_af(&address) == AF_INET6) {
        out.family = JF_NET_IPV6;
        sa_in6(&address, out.ip);
    } else {
        out.family = JF_NET_IPV4;
        const std::uint32_t host_order = sa_in(&address);
        for (int i = 0; i < 4; ++i)
            out.ip[i] = static_cast<std::uint8_t>(host_order >> (24 - 8 * i));
    }
    return out;
}

}  // namespace jackfield::sip
