#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace jackfield::sim {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

inline double ms_between(Clock::time_point from, Clock::time_point to) {
    return std::chrono::duration<double, std::milli>(to - from).count();
}

/// An open file descriptor; closed with its owner.
class Fd {
  public:
    Fd() = default;
    explicit Fd(int fd) : fd_(fd) {}
    Fd(Fd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
    Fd& operator=(Fd&& other) noexcept;
    ~Fd() { reset(); }
    int get() const { return fd_; }
    bool open() const { return fd_ >= 0; }
    void reset();

  private:
    int fd_ = -1;
};

/// An IPv4 address and port, in host byte order.
struct Endpoint {
    std::uint32_t address = 0;
    std::uint16_t port = 0;
    friend bool operator==(const Endpoint&, const Endpoint&) = default;
    std::string text() const;
};
inline constexpr std::uint32_t loopback = 0x7F000001;

/// Dotted IPv4 or `localhost`; nothing is looked up, because simulators stay on this machine.
std::optional<std::uint32_t> parse_address(std::string_view text);

/// Non-blocking UDP socket on 127.0.0.1; port 0 lets the system choose. Throws std::runtime_error.
Fd open_udp(std::uint16_t port = 0);
/// Non-blocking TCP listener on 127.0.0.1.
Fd open_tcp_listener(std::uint16_t port = 0);
/// A connection that was made within a second, non-blocking from then on; closed when refused.
Fd connect_tcp(Endpoint to);
std::uint16_t local_port(const Fd& socket);

bool send_to(const Fd& socket, Endpoint to, std::string_view bytes);

struct Datagram {
    std::string_view bytes;  // in the caller's buffer
    Endpoint from;
    /// When the kernel received it: unlike the time of the read, it doesn't depend on how busy this process is.
    Clock::time_point at;
};
/// The next datagram, if one waits.
std::optional<Datagram> receive(const Fd& socket, std::string& buffer);

}  // namespace jackfield::sim
