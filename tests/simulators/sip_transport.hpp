#pragma once

#include <poll.h>

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "simulators/sip_message.hpp"
#include "simulators/sockets.hpp"

namespace jackfield::sim {

/// SIP over UDP and TCP from one port number of 127.0.0.1. Driven by its owner's poll loop.
class SipTransport {
  public:
    /// Where a message came from, and so where its answer goes.
    struct Peer {
        Endpoint address;
        int connection = -1;  // >= 0: a TCP connection of ours
        bool tcp() const { return connection >= 0; }
    };
    struct Incoming {
        std::string text;
        Peer from;
    };

    explicit SipTransport(std::uint16_t port = 0);

    std::uint16_t port() const { return port_; }
    /// A peer to send to; over TCP this connects. Nothing when TCP was refused.
    std::optional<Peer> reach(Endpoint to, bool tcp);
    /// Over TCP an unwritable rest of a message is waited for, at most a second.
    bool send(const Peer& peer, std::string_view text);

    void add_to(std::vector<pollfd>& polled) const;
    /// Everything that can be read now.
    std::vector<Incoming> receive_all();

  private:
    struct Connection {
        Fd socket;
        Endpoint address;
        SipFramer framer;
    };

    int keep(Fd socket, Endpoint address);
    void accept_all();
    bool read_connection(int id, Connection& connection, std::vector<Incoming>& into);

    Fd udp_;
    Fd listener_;
    std::uint16_t port_ = 0;
    std::map<int, Connection> connections_;
    int next_connection_ = 0;
};

}  // namespace jackfield::sim
