#pragma once

#include <memory>

#include "net/tcp.hpp"
#include "runtime/runtime.hpp"

namespace jackfield::net {

/// What Network promises, with Asio's sockets on a RealRuntime's shard.
base::Result<std::unique_ptr<TcpListener>> listen_tcp(runtime::Shard& shard, const TcpListenOptions& options, OnIncoming on_incoming);
base::Result<std::unique_ptr<TcpConnection>> connect_tcp(runtime::Shard& shard, const TcpConnectOptions& options, TcpEvents events);
std::unique_ptr<TcpConnection> attach_tcp(runtime::Shard& shard, std::unique_ptr<TcpStream> stream, TcpEvents events);

}  // namespace jackfield::net
