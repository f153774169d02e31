#pragma once

#include <memory>

#include "base/result.hpp"
#include "net/tcp.hpp"
#include "net/udp.hpp"
#include "runtime/runtime.hpp"

namespace jackfield::net {

/// Where sockets come from: the kernel's in production, a network of queues in simulation. Each belongs to the shard that it is made on.
class Network {
  public:
    virtual ~Network() = default;
    virtual base::Result<std::unique_ptr<UdpSocket>> open_udp(runtime::Shard& shard, const UdpOptions& options,
                                                              OnDatagram on_datagram) = 0;
    virtual base::Result<std::unique_ptr<TcpListener>> listen_tcp(runtime::Shard& shard, const TcpListenOptions& options,
                                                                  OnIncoming on_incoming) = 0;
    virtual base::Result<std::unique_ptr<TcpConnection>> connect_tcp(runtime::Shard& shard, const TcpConnectOptions& options,
                                                                     TcpEvents events) = 0;
    /// A connection that a listener brought or another shard gave up. `connected` is the first event.
    virtual std::unique_ptr<TcpConnection> attach_tcp(runtime::Shard& shard, std::unique_ptr<TcpStream> stream, TcpEvents events) = 0;
};

/// Asio sockets on a RealRuntime's shards.
std::unique_ptr<Network> make_network();

}  // namespace jackfield::net
