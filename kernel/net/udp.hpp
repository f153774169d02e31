#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "base/result.hpp"
#include "base/unique_function.hpp"
#include "runtime/runtime.hpp"

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

/// Where sockets come from: the kernel's in production, a network of queues in simulation.
class Network {
  public:
    virtual ~Network() = default;
    virtual base::Result<std::unique_ptr<UdpSocket>> open_udp(runtime::Shard& shard, const UdpOptions& options,
                                                              OnDatagram on_datagram) = 0;
};

/// Asio sockets on a RealRuntime's shards.
std::unique_ptr<Network> make_network();

}  // namespace jackfield::net
