#include "simulators/sip_transport.hpp"

#include <netinet/in.h>
#include <sys/socket.h>

#include <cerrno>
#include <stdexcept>

namespace jackfield::sim {

SipTransport::SipTransport(std::uint16_t port) {
    // The system hands out UDP and TCP ports independently, so a port that is free in one may be taken in the other.
    for (int attempt = 0;; ++attempt) {
        udp_ = open_udp(port);
        port_ = local_port(udp_);
        try {
            listener_ = open_tcp_listener(port_);
            return;
        } catch (const std::runtime_error&) {
            if (port != 0 || attempt == 20) throw;
        }
    }
}

std::optional<SipTransport::Peer> SipTransport::reach(Endpoint to, bool tcp) {
    if (!tcp) return Peer{to, -1};
    Fd socket = connect_tcp(to);
    if (!socket.open()) return std::nullopt;
    return Peer{to, keep(std::move(socket), to)};
}

bool SipTransport::send(const Peer& peer, std::string_view text) {
    if (!peer.tcp()) return send_to(udp_, peer.address, text);
    const auto found = connections_.find(peer.connection);
    if (found == connections_.end()) return false;
    const int fd = found->second.socket.get();
    while (!text.empty()) {
        const ssize_t sent = ::send(fd, text.data(), text.size(), MSG_NOSIGNAL);
        if (sent > 0) {
            text.remove_prefix(static_cast<std::size_t>(sent));
            continue;
        }
        pollfd writable{fd, POLLOUT, 0};
        if (errno != EAGAIN || ::poll(&writable, 1, 1000) != 1) return false;
    }
    return true;
}

void SipTransport::add_to(std::vector<pollfd>& polled) const {
    polled.push_back({udp_.get(), POLLIN, 0});
    polled.push_back({listener_.get(), POLLIN, 0});
    for (const auto& [id, connection] : connections_) polled.push_back({connection.socket.get(), POLLIN, 0});
}

std::vector<SipTransport::Incoming> SipTransport::receive_all() {
    std::vector<Incoming> incoming;
    std::string buffer;
    while (const auto datagram = receive(udp_, buffer)) {
        incoming.push_back({std::string(datagram->bytes), {datagram->from, -1}});
    }
    accept_all();
    for (auto entry = connections_.begin(); entry != connections_.end();) {
        const bool alive = read_connection(entry->first, entry->second, incoming);
        entry = alive ? std::next(entry) : connections_.erase(entry);
    }
    return incoming;
}

int SipTransport::keep(Fd socket, Endpoint address) {
    connections_.emplace(next_connection_, Connection{std::move(socket), address, {}});
    return next_connection_++;
}

void SipTransport::accept_all() {
    while (true) {
        sockaddr_in from{};
        socklen_t size = sizeof from;
        Fd socket(::accept4(listener_.get(), reinterpret_cast<sockaddr*>(&from), &size, SOCK_NONBLOCK | SOCK_CLOEXEC));
        if (!socket.open()) return;
        keep(std::move(socket), {ntohl(from.sin_addr.s_addr), ntohs(from.sin_port)});
    }
}

bool SipTransport::read_connection(int id, Connection& connection, std::vector<Incoming>& into) {
    char bytes[4096];
    while (true) {
        const ssize_t size = ::recv(connection.socket.get(), bytes, sizeof bytes, 0);
        if (size == 0) return false;
        if (size < 0) return errno == EAGAIN || errno == EINTR;
        for (std::string& text : connection.framer.feed({bytes, static_cast<std::size_t>(size)})) {
            into.push_back({std::move(text), {connection.address, id}});
        }
    }
}

}  // namespace jackfield::sim
