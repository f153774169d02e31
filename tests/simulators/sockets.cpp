#include "simulators/sockets.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <stdexcept>

namespace jackfield::sim {
namespace {

sockaddr_in to_sockaddr(Endpoint endpoint) {
    sockaddr_in out{};
    out.sin_family = AF_INET;
    out.sin_addr.s_addr = htonl(endpoint.address);
    out.sin_port = htons(endpoint.port);
    return out;
}

[[noreturn]] void fail(const char* what) {
    throw std::runtime_error(std::string(what) + ": " + std::strerror(errno));
}

Fd open_socket(int type, std::uint16_t port) {
    Fd socket(::socket(AF_INET, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    if (!socket.open()) fail("socket");
    const int on = 1;
    if (type == SOCK_STREAM) ::setsockopt(socket.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    const sockaddr_in address = to_sockaddr({loopback, port});
    if (::bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
        fail(("bind 127.0.0.1:" + std::to_string(port)).c_str());
    }
    return socket;
}

/// The kernel stamps datagrams with the wall clock; this moves a stamp onto the monotonic one.
Clock::time_point to_monotonic(const timespec& stamp) {
    timespec now{};
    ::clock_gettime(CLOCK_REALTIME, &now);
    const auto age = std::chrono::seconds(now.tv_sec - stamp.tv_sec) +
                     std::chrono::nanoseconds(now.tv_nsec - stamp.tv_nsec);
    return Clock::now() - std::max(age, std::chrono::nanoseconds(0));
}

}  // namespace

Fd& Fd::operator=(Fd&& other) noexcept {
    if (this != &other) {
        reset();
        fd_ = std::exchange(other.fd_, -1);
    }
    return *this;
}

void Fd::reset() {
    if (fd_ >= 0) ::close(fd_);
    fd_ = -1;
}

std::string Endpoint::text() const {
    std::string out;
    for (int shift = 24; shift >= 0; shift -= 8) {
        out += std::to_string(address >> shift & 0xFF) + (shift > 0 ? "." : ":");
    }
    return out + std::to_string(port);
}

std::optional<std::uint32_t> parse_address(std::string_view text) {
    if (text == "localhost") return loopback;
    in_addr address{};
    if (::inet_pton(AF_INET, std::string(text).c_str(), &address) != 1) return std::nullopt;
    return ntohl(address.s_addr);
}

Fd open_udp(std::uint16_t port) {
    Fd socket = open_socket(SOCK_DGRAM, port);
    const int on = 1;
    ::setsockopt(socket.get(), SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof on);
    const int buffer_bytes = 1 << 20;
    ::setsockopt(socket.get(), SOL_SOCKET, SO_RCVBUF, &buffer_bytes, sizeof buffer_bytes);
    return socket;
}

Fd open_tcp_listener(std::uint16_t port) {
    Fd socket = open_socket(SOCK_STREAM, port);
    if (::listen(socket.get(), 64) != 0) fail("listen");
    return socket;
}

Fd connect_tcp(Endpoint to) {
    Fd socket(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    if (!socket.open()) fail("socket");
    const sockaddr_in address = to_sockaddr(to);
    const int on = 1;
    ::setsockopt(socket.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
        pollfd writable{socket.get(), POLLOUT, 0};
        int error = errno;
        socklen_t size = sizeof error;
        if (error != EINPROGRESS || ::poll(&writable, 1, 1000) != 1) return Fd{};
        ::getsockopt(socket.get(), SOL_SOCKET, SO_ERROR, &error, &size);
        if (error != 0) return Fd{};
    }
    return socket;
}

std::uint16_t local_port(const Fd& socket) {
    sockaddr_in address{};
    socklen_t size = sizeof address;
    ::getsockname(socket.get(), reinterpret_cast<sockaddr*>(&address), &size);
    return ntohs(address.sin_port);
}

bool send_to(const Fd& socket, Endpoint to, std::string_view bytes) {
    const sockaddr_in address = to_sockaddr(to);
    const auto sent = ::sendto(socket.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL,
                               reinterpret_cast<const sockaddr*>(&address), sizeof address);
    return sent == static_cast<ssize_t>(bytes.size());
}

std::optional<Datagram> receive(const Fd& socket, std::string& buffer) {
    buffer.resize(65536);
    sockaddr_in from{};
    iovec into{buffer.data(), buffer.size()};
    alignas(cmsghdr) char control[128];
    msghdr message{};
    message.msg_name = &from;
    message.msg_namelen = sizeof from;
    message.msg_iov = &into;
    message.msg_iovlen = 1;
    message.msg_control = control;
    message.msg_controllen = sizeof control;
    ssize_t size = ::recvmsg(socket.get(), &message, 0);
    // A port that was closed at the other end is reported here once; the socket itself is well.
    if (size < 0 && errno == ECONNREFUSED) size = ::recvmsg(socket.get(), &message, 0);
    if (size < 0) return std::nullopt;
    Datagram datagram{std::string_view(buffer).substr(0, static_cast<std::size_t>(size)),
                      {ntohl(from.sin_addr.s_addr), ntohs(from.sin_port)},
                      Clock::now()};
    for (cmsghdr* item = CMSG_FIRSTHDR(&message); item != nullptr; item = CMSG_NXTHDR(&message, item)) {
        if (item->cmsg_level != SOL_SOCKET || item->cmsg_type != SCM_TIMESTAMPNS) continue;
        timespec stamp{};
        std::memcpy(&stamp, CMSG_DATA(item), sizeof stamp);
        datagram.at = to_monotonic(stamp);
    }
    return datagram;
}

}  // namespace jackfield::sim
