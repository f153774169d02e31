#include "net/udp.hpp"

#include <atomic>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/udp.hpp>
#include <cstring>

namespace jackfield::net {
namespace {

namespace asio = boost::asio;
using asio::ip::udp;

udp::endpoint to_asio(const Endpoint& e) {
    if (e.ipv6) {
        asio::ip::address_v6::bytes_type bytes;
        std::memcpy(bytes.data(), e.bytes, 16);
        return {asio::ip::address_v6(bytes, e.scope_id), e.port};
    }
    asio::ip::address_v4::bytes_type bytes;
    std::memcpy(bytes.data(), e.bytes, 4);
    return {asio::ip::address_v4(bytes), e.port};
}

Endpoint from_asio(const udp::endpoint& e) {
    Endpoint out;
    out.port = e.port();
    if (e.address().is_v6()) {
        out.ipv6 = true;
        out.scope_id = static_cast<std::uint32_t>(e.address().to_v6().scope_id());
        std::memcpy(out.bytes, e.address().to_v6().to_bytes().data(), 16);
    } else {
        std::memcpy(out.bytes, e.address().to_v4().to_bytes().data(), 4);
    }
    return out;
}

/// Outlives the UdpSocket while a receive is pending: the handler finds `owner` gone and lets go. That is why this is shared.
struct Receiver {
    explicit Receiver(asio::io_context& io, runtime::Shard& s) : socket(io), shard(s) {}
    udp::socket socket;
    runtime::Shard& shard;
    OnDatagram on_datagram;
    bool open = true;
    udp::endpoint from;
    std::byte buffer[2048]; // an Ethernet frame's worth; longer datagrams are no RTP
};

void receive(const std::shared_ptr<Receiver>& r) {
    r->socket.async_receive_from(asio::buffer(r->buffer), r->from,
                                 [r](const boost::system::error_code& error, std::size_t size) {
        if (!r->open) return;
        // An ICMP error for an earlier send surfaces here (ECONNREFUSED): the socket stays usable.
        if (!error) {
            base::Task task = [&] { r->on_datagram(from_asio(r->from), std::span(r->buffer, size)); };
            r->shard.enter(task);
        } else if (error == asio::error::operation_aborted || error == asio::error::bad_descriptor) {
            return;
        }
        if (r->open) receive(r);
    });
}

class AsioUdpSocket final : public UdpSocket {
  public:
    explicit AsioUdpSocket(std::shared_ptr<Receiver> receiver) : receiver_(std::move(receiver)) {}
    ~AsioUdpSocket() override {
        receiver_->open = false;
        boost::system::error_code ignored;
        receiver_->socket.close(ignored);
    }
    Endpoint local() const override {
        boost::system::error_code error;
        return from_asio(receiver_->socket.local_endpoint(error));
    }
    base::ErrorCode send(const Endpoint& to, std::span<const std::byte> data) override {
        boost::system::error_code error;
        receiver_->socket.send_to(asio::buffer(data.data(), data.size()), to_asio(to), 0, error);
        if (!error) return sent;
        if (error == asio::error::would_block || error == asio::error::no_buffer_space)
            return base::ErrorCode::again;
        return base::ErrorCode::peer_lost;
    }

  private:
    std::shared_ptr<Receiver> receiver_;
};

class AsioNetwork final : public Network {
  public:
    base::Result<std::unique_ptr<UdpSocket>> open_udp(runtime::Shard& shard, const UdpOptions& options,
                                                      OnDatagram on_datagram) override {
        auto& io = *static_cast<asio::io_context*>(runtime::RealRuntime::io_context_of(shard));
        auto receiver = std::make_shared<Receiver>(io, shard);
        receiver->on_datagram = std::move(on_datagram);
        boost::system::error_code error;
        udp::endpoint at = to_asio(options.bind);
        receiver->socket.open(at.protocol(), error);
        if (error) return base::Error(base::ErrorCode::quota, "open a UDP socket: " + error.message());
        receiver->socket.non_blocking(true, error);
        if (!bind(receiver->socket, at, options, error))
            return base::Error(base::ErrorCode::quota,
                               "no free UDP port in " + std::to_string(options.port_first) + "-" +
                                   std::to_string(options.port_last) + " at " + at.address().to_string() + ": " +
                                   error.message());
        if (options.dscp) {
            const int tos = static_cast<int>(options.dscp << 2);
            ::setsockopt(receiver->socket.native_handle(), IPPROTO_IP, IP_TOS, &tos, sizeof tos);
        }
        if (options.receive_bytes)
            receiver->socket.set_option(asio::socket_base::receive_buffer_size(static_cast<int>(options.receive_bytes)),
                                        error);
        receive(receiver);
        return std::unique_ptr<UdpSocket>(std::make_unique<AsioUdpSocket>(std::move(receiver)));
    }

  private:
    bool bind(udp::socket& socket, udp::endpoint at, const UdpOptions& options, boost::system::error_code& error) {
        if (options.port_first == 0) {
            at.port(0);
            socket.bind(at, error);
            return !error;
        }
        // RTP ports are even (RFC 3550 11). Starting behind the last one taken keeps a port idle for as long as possible after
        // a call, so that a late packet of the old call doesn't reach a new one.
        const unsigned first = (options.port_first + 1u) & ~1u;
        const unsigned count = options.port_last >= first ? (options.port_last - first) / 2 + 1 : 0;
        for (unsigned tried = 0; tried < count; ++tried) {
            const unsigned slot = next_port_.fetch_add(1, std::memory_order_relaxed) % count;
            at.port(static_cast<std::uint16_t>(first + slot * 2));
            socket.bind(at, error);
            if (!error) return true;
        }
        return false;
    }

    std::atomic<unsigned> next_port_{0};
};

}  // namespace

std::string Endpoint::to_string() const {
    const udp::endpoint e = to_asio(*this);
    return (ipv6 ? "[" + e.address().to_string() + "]" : e.address().to_string()) + ":" + std::to_string(port);
}

std::unique_ptr<Network> make_network() { return std::make_unique<AsioNetwork>(); }

}  // namespace jackfield::net
