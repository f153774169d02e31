#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <span>
#include <vector>

#include "base/result.hpp"
#include "base/unique_function.hpp"
#include "net/endpoint.hpp"

namespace jackfield::net {

struct TcpLimits {
    std::size_t send_bytes = 256 * 1024; ///< what may wait to be sent
    unsigned dscp = 0;
};

/// A connection that no shard has: one that was just accepted, or on its way from one shard to another. Destroying it closes the connection.
struct TcpStream {
    TcpStream() = default;
    ~TcpStream();
    TcpStream(const TcpStream&) = delete;
    int fd = -1;
    Endpoint local;
    Endpoint remote;
    TcpLimits limits;
    std::vector<std::byte> unsent;
};

/// What a connection tells, on its shard. No callback after the connection is destroyed, none from inside a call to it.
struct TcpEvents {
    base::UniqueFunction<void(const Endpoint& local, const Endpoint& remote)> connected;
    base::UniqueFunction<void(std::span<const std::byte> data)> data;
    /// There is room again, after send() has answered `again`.
    base::UniqueFunction<void()> writable;
    /// Once, and nothing after it. Right when the connection closed in good order.
    base::UniqueFunction<void(base::Result<>)> end;
};

/// A connection of one shard. Everything on that shard's thread; destroying it closes it at once.
class TcpConnection {
  public:
    virtual ~TcpConnection() = default;
    /// All or nothing. `again`: too much waits already; `state`: not connected, or behind finish().
    virtual base::ErrorCode send(std::span<const std::byte> data) = 0;
    static constexpr base::ErrorCode sent = static_cast<base::ErrorCode>(0);
    /// False stops the data events, and the peer has to wait.
    virtual void receive(bool on) = 0;
    /// Sends what waits, then closes: `end` follows.
    virtual void finish() = 0;
    /// Gives the connection up for another shard. Null: there is none any more. No callback follows; this object is to be destroyed.
    virtual std::unique_ptr<TcpStream> detach() = 0;
};

/// Destroying it stops the listening.
class TcpListener {
  public:
    virtual ~TcpListener() = default;
    virtual Endpoint local() const = 0;
};

using OnIncoming = base::UniqueFunction<void(std::unique_ptr<TcpStream>)>;

struct TcpListenOptions {
    Endpoint bind; ///< port 0: any
    TcpLimits limits;
};

struct TcpConnectOptions {
    Endpoint to;
    TcpLimits limits;
    std::chrono::milliseconds timeout{10'000};
};

}  // namespace jackfield::net
