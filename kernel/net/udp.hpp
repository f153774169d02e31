#pragma once

#include <cstddef>
#include <span>

#include "base/result.hpp"
#include "base/unique_function.hpp"
#include "net/endpoint.hpp"

namespace jackfield::net {

/// A UDP socket of one shard. Everything on that shard's thread; destroying it closes it, and no callback follows.
class UdpSocket {
  public:
    virtual ~UdpSocket() = default;
    virtual Endpoint local() const = 0;
    /// Sends now or answers `again`.
    virtual base::ErrorCode send(const Endpoint& to, std::span<const std::byte> data) = 0;
    /// False: sent.
    static constexpr base::ErrorCode sent = static_cast<base::ErrorCode>(0);
};

using OnDatagram = base::UniqueFunction<void(const Endpoint& from, std::span<const std::byte> data)>;

struct UdpOptions {
    Endpoint bind;
    std::uint16_t port_first = 0; ///< 0: any
    std::uint16_t port_last = 0;
    unsigned dscp = 0;
    unsigned receive_bytes = 0;
};

}  // namespace jackfield::net
