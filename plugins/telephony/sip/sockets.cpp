#include "sockets.hpp"

#include "address.hpp"

#include <cerrno>
#include <cstring>

#include <arpa/inet.h>
#include <fcntl.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

namespace jackfield::sip {
namespace {

socklen_t to_native(const jf_endpoint& endpoint, sockaddr_storage& out) {
    std::memset(&out, 0, sizeof out);
    if (endpoint.family == JF_NET_IPV6) {
        auto& v6 = reinterpret_cast<sockaddr_in6&>(out);
        v6.sin6_family = AF_INET6;
        v6.sin6_port = htons(endpoint.port);
        v6.sin6_scope_id = endpoint.scope_id;
        std::memcpy(&v6.sin6_addr, endpoint.ip, 16);
        return sizeof v6;
    }
    auto& v4 = reinterpret_cast<sockaddr_in&>(out);
    v4.sin_family = AF_INET;
    v4.sin_port = htons(endpoint.port);
    std::memcpy(&v4.sin_addr, endpoint.ip, 4);
    return sizeof v4;
}

jf_endpoint from_native(const sockaddr_storage& in) {
    jf_endpoint out{};
    if (in.ss_family == AF_INET6) {
        const auto& v6 = reinterpret_cast<const sockaddr_in6&>(in);
        out.family = JF_NET_IPV6;
        out.port = ntohs(v6.sin6_port);
        std::memcpy(out.ip, &v6.sin6_addr, 16);
    } else {
        const auto& v4 = reinterpret_cast<const sockaddr_in&>(in);
        out.family = JF_NET_IPV4;
        out.port = ntohs(v4.sin_port);
        std::memcpy(out.ip, &v4.sin_addr, 4);
    }
    return out;
}

class Descriptor {
  public:
    Descriptor(std::uint16_t family, int type)
        : fd_(socket(
              family == JF_NET_IPV6 ? AF_INET6 : AF_INET, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)) {
    }
    ~Descriptor() {
        if (fd_ >= 0) close(fd_);
    }
    Descriptor(const Descriptor&) = delete;
    int get() const { return fd_; }

  private:
    int fd_;
};

}  // namespace

int free_port(bool tcp, jf_endpoint& address) {
    const Descriptor descriptor(address.family, tcp ? SOCK_STREAM : SOCK_DGRAM);
    if (descriptor.get() < 0) return errno;
    // As the library's own TCP listener does: connections of an earlier run that linger don't keep
    // the port.
    const int on = 1;
    if (tcp) (void)setsockopt(descriptor.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    sockaddr_storage native;
    socklen_t size = to_native(address, native);
    if (bind(descriptor.get(), reinterpret_cast<const sockaddr*>(&native), size) != 0) return errno;
    if (address.port != 0) return 0;
    size = sizeof native;
    if (getsockname(descriptor.get(), reinterpret_cast<sockaddr*>(&native), &size) != 0)
        return errno;
    address.port = from_native(native).port;
    return 0;
}

jf_endpoint source_address_towards(const jf_endpoint& remote) {
    jf_endpoint out{};
    out.family = remote.family;
    const Descriptor descriptor(remote.family, SOCK_DGRAM);
    sockaddr_storage native;
    jf_endpoint to = remote;
    if (to.port == 0) to.port = 9;
    socklen_t size = to_native(to, native);
    // Connecting a datagram socket only looks the route up.
    if (descriptor.get() < 0 ||
        connect(descriptor.get(), reinterpret_cast<const sockaddr*>(&native), size) != 0)
        return out;
    size = sizeof native;
    if (getsockname(descriptor.get(), reinterpret_cast<sockaddr*>(&native), &size) == 0)
        out = from_native(native);
    out.port = 0;
    return out;
}

jf_endpoint primary_address(std::uint16_t family) {
    const bool v6 = family == JF_NET_IPV6;
    const jf_endpoint out =
        source_address_towards(*parse_address(v6 ? "2001:db8::1" : "192.0.2.1", 5060));
    return is_any(out) ? *parse_address(v6 ? "::1" : "127.0.0.1") : out;
}

int widen(int fd, const jf_endpoint& any) {
    const Descriptor wide(any.family, SOCK_DGRAM);
    if (wide.get() < 0) return errno;
    const int on = 1;
    const int off = 0;
    if (any.family == JF_NET_IPV6)
        (void)setsockopt(wide.get(), IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
    // Both at once for the moment of the exchange only: a port that stays reusable can be taken
    // from us.
    (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    (void)setsockopt(wide.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    sockaddr_storage native;
    const socklen_t size = to_native(any, native);
    if (bind(wide.get(), reinterpret_cast<const sockaddr*>(&native), size) != 0) return errno;
    if (dup3(wide.get(), fd, O_CLOEXEC) < 0) return errno;
    (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &off, sizeof off);
    return 0;
}

std::vector<jf_endpoint> interface_addresses(std::uint16_t family) {
    std::vector<jf_endpoint> out;
    ifaddrs* all = nullptr;
    if (getifaddrs(&all) != 0) return out;
    for (const ifaddrs* one = all; one; one = one->ifa_next) {
        if (!one->ifa_addr || (one->ifa_flags & IFF_UP) == 0) continue;
        const int native_family = one->ifa_addr->sa_family;
        if (native_family != (family == JF_NET_IPV6 ? AF_INET6 : AF_INET)) continue;
        sockaddr_storage native{};
        std::memcpy(&native,
                    one->ifa_addr,
                    family == JF_NET_IPV6 ? sizeof(sockaddr_in6) : sizeof(sockaddr_in));
        jf_endpoint address = from_native(native);
        const bool link_local =
            family == JF_NET_IPV6 && address.ip[0] == 0xfe && (address.ip[1] & 0xc0) == 0x80;
        address.port = 0;
        if (!link_local) out.push_back(address);
    }
    freeifaddrs(all);
    return out;
}

void send_datagram(const jf_endpoint& to, std::string_view text) {
    const Descriptor descriptor(to.family, SOCK_DGRAM);
    sockaddr_storage native;
    const socklen_t size = to_native(to, native);
    if (descriptor.get() >= 0)
        (void)sendto(descriptor.get(),
                     text.data(),
                     text.size(),
                     MSG_NOSIGNAL,
                     reinterpret_cast<const sockaddr*>(&native),
                     size);
}

}  // namespace jackfield::sip
