#pragma once

#include "net/network.hpp"

namespace jackfield::test {

/// For hosts whose plugins open no sockets.
class NoNetwork final : public net::Network {
  public:
    base::Result<std::unique_ptr<net::UdpSocket>> open_udp(runtime::Shard&, const net::UdpOptions&, net::OnDatagram) override { return none(); }
    base::Result<std::unique_ptr<net::TcpListener>> listen_tcp(runtime::Shard&, const net::TcpListenOptions&, net::OnIncoming) override {
        return none();
    }
    base::Result<std::unique_ptr<net::TcpConnection>> connect_tcp(runtime::Shard&, const net::TcpConnectOptions&, net::TcpEvents) override {
        return none();
    }
    std::unique_ptr<net::TcpConnection> attach_tcp(runtime::Shard&, std::unique_ptr<net::TcpStream>, net::TcpEvents) override { return nullptr; }

  private:
    static base::Error none() { return {base::ErrorCode::unsupported, "there is no network here"}; }
};

}  // namespace jackfield::test
