#pragma once

#include <boost/asio/ip/address.hpp>
#include <cstring>

#include "net/udp.hpp"

namespace jackfield::net {

/// Ours as Asio's, of either protocol.
template <typename Protocol>
typename Protocol::endpoint to_asio(const Endpoint& e) {
    if (e.ipv6) {
        boost::asio::ip::address_v6::bytes_type bytes;
        std::memcpy(bytes.data(), e.bytes, 16);
        return {boost::asio::ip::address_v6(bytes, e.scope_id), e.port};
    }
    boost::asio::ip::address_v4::bytes_type bytes;
    std::memcpy(bytes.data(), e.bytes, 4);
    return {boost::asio::ip::address_v4(bytes), e.port};
}

template <typename AsioEndpoint>
Endpoint from_asio(const AsioEndpoint& e) {
    Endpoint out;
    out.port = e.port();
    if (e.address().is_v6()) {
        out.ipv6 = true;
        out.scope_id = static_cast<std::uint32_t>(e.address().to_v6().scope_id());
        std::memcpy(out.bytes, e.address().to_v6().to_bytes().data(), 16);
    } else {
        std::memcpy(out.bytes, e.address().to_v4().to_bytes().data(), 4);
    }
    return out;
}

}  // namespace jackfield::net
