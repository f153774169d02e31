#include "net/udp.hpp"

#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/udp.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cerrno>
#include <cstring>
#include <optional>
#include <unordered_set>
#include <vector>

#include "net/asio_endpoint.hpp"
#include "net/asio_tcp.hpp"
#include "net/network.hpp"

namespace jackfield::net {
namespace {

namespace asio = boost::asio;
using asio::ip::udp;

/// A socket and who wants its datagrams. Shared: the poller may stand in the middle of a round when its owner lets go of it.
struct Receiver {
    /// Takes the socket away from Asio, whose reactor is woken by every packet of a socket that it knows, read or not.
    Receiver(udp::socket& opened, OnDatagram handler) : on_datagram(std::move(handler)) {
        boost::system::error_code error;
        local = from_asio(opened.local_endpoint(error));
        fd = opened.release(error);
    }
    ~Receiver() { close(); }
    Receiver(const Receiver&) = delete;
    void close() {
        if (open) ::close(fd);
        open = false;
    }
    int fd = -1;
    Endpoint local;
    OnDatagram on_datagram;
    bool open = true;
};

/// Reads all sockets of one shard, through an epoll instance of its own. Asio's reactor adds to each packet a wake-up, a timer check, and a
/// read that finds nothing; with a hundred calls that is more than the rest of a packet's way through the host. So a few sockets are
/// watched; many are looked at every five milliseconds, when the calls' media clock wakes the thread anyway, and a look finds several packets.
class Poller : public std::enable_shared_from_this<Poller> {
  public:
    Poller(asio::io_context& io, runtime::Shard& shard)
        : io_(io), shard_(shard), epoll_(::epoll_create1(EPOLL_CLOEXEC)), pause_(io) {}
    ~Poller() {
        stop_watching();
        ::close(epoll_);
    }

    bool belongs_to(const asio::io_context& io) const { return &io == &io_; }

    bool add(std::shared_ptr<Receiver> receiver) {
        epoll_event event{};
        event.events = EPOLLIN;
        event.data.ptr = receiver.get();
        if (::epoll_ctl(epoll_, EPOLL_CTL_ADD, receiver->fd, &event) != 0) return false;
        receivers_.insert(std::move(receiver));
        wait();
        return true;
    }

    void remove(const std::shared_ptr<Receiver>& receiver) {
        ::epoll_ctl(epoll_, EPOLL_CTL_DEL, receiver->fd, nullptr);
        receiver->close();
        boost::system::error_code ignored;
        if (in_round_) let_go_.push_back(receiver);
        receivers_.erase(receiver);
        // A pending wait would keep this alive until the io_context goes.
        if (!receivers_.empty()) return;
        if (watch_) watch_->cancel(ignored);
        pause_.cancel();
    }

  private:
    static constexpr int most_in_a_round = 64;
    static constexpr int most_in_a_look = 256;
    /// Of a socket, in one look: 1600 packets a second, enough to catch up after the thread stood still and no feast for a flood.
    static constexpr int most_rounds = 8;
    static constexpr std::size_t gather_from = 8;
    /// Packets carry twenty milliseconds of audio, which don't mind two or three more. On the same grid as the phases of call::MediaClock:
    /// what a thread costs at this load is less its work than how often it is put to sleep and woken.
    static constexpr std::chrono::nanoseconds gather_grid = std::chrono::milliseconds(5);

    void wait() {
        if (waiting_ || receivers_.empty()) return;
        waiting_ = true;
        auto look = [self = shared_from_this()](boost::system::error_code error) {
            self->waiting_ = false;
            // Cancelled with the last socket; others may have come since.
            if (!error) self->look();
            self->wait();
        };
        if (receivers_.size() < gather_from) {
            if (!watch_) watch_.emplace(io_, epoll_);
            watch_->async_wait(asio::posix::descriptor_base::wait_read, std::move(look));
        } else {
            // A descriptor that the reactor knows wakes it for each packet, whether somebody waits or not.
            stop_watching();
            const std::chrono::nanoseconds now = std::chrono::steady_clock::now().time_since_epoch();
            pause_.expires_at(std::chrono::steady_clock::time_point((now / gather_grid + 1) * gather_grid));
            pause_.async_wait(std::move(look));
        }
    }

    void stop_watching() {
        if (watch_) watch_->release();
        watch_.reset();
    }

    void look() {
        // Watched sockets that have more wake the thread again at once; those that are looked at would wait for five milliseconds.
        const int enough = receivers_.size() < gather_from ? most_in_a_round : 1;
        int read = 0;
        for (int rounds = 0; rounds < most_rounds && read < most_in_a_look; ++rounds) {
            const int now = round();
            read += now;
            if (now < enough) return;
        }
    }

    /// One datagram of each socket that has one, so that a flood on one can't keep the others waiting.
    int round() {
        epoll_event events[most_in_a_round];
        const int count = ::epoll_wait(epoll_, events, most_in_a_round, 0);
        if (count <= 0) return 0;
        in_round_ = true;
        base::Task task = [&] {
            for (int i = 0; i < count; ++i) read_one(*static_cast<Receiver*>(events[i].data.ptr));
        };
        shard_.enter(task);
        in_round_ = false;
        let_go_.clear();
        return count;
    }

    void read_one(Receiver& receiver) {
        if (!receiver.open) return;
        udp::endpoint from;
        auto size = static_cast<socklen_t>(from.capacity());
        // An ICMP error for an earlier send surfaces here (ECONNREFUSED): the socket stays usable.
        const ssize_t n = ::recvfrom(receiver.fd, buffer_, sizeof buffer_, MSG_DONTWAIT, from.data(), &size);
        if (n < 0) return;
        from.resize(size);
        receiver.on_datagram(from_asio(from), std::span(buffer_, static_cast<std::size_t>(n)));
    }

    asio::io_context& io_;
    runtime::Shard& shard_;
    int epoll_;
    std::optional<asio::posix::stream_descriptor> watch_; ///< what the reactor knows of epoll_; it doesn't own it
    asio::steady_timer pause_;
    std::unordered_set<std::shared_ptr<Receiver>> receivers_;
    std::vector<std::shared_ptr<Receiver>> let_go_; ///< closed in this round: its events may still name them
    bool waiting_ = false;
    bool in_round_ = false;
    std::byte buffer_[2048]; // an Ethernet frame's worth; longer datagrams are no RTP
};

class AsioUdpSocket final : public UdpSocket {
  public:
    AsioUdpSocket(std::shared_ptr<Poller> poller, std::shared_ptr<Receiver> receiver)
        : poller_(std::move(poller)), receiver_(std::move(receiver)) {}
    ~AsioUdpSocket() override { poller_->remove(receiver_); }
    Endpoint local() const override { return receiver_->local; }
    base::ErrorCode send(const Endpoint& to, std::span<const std::byte> data) override {
        const udp::endpoint target = to_asio<udp>(to);
        const ssize_t n = ::sendto(receiver_->fd, data.data(), data.size(), MSG_DONTWAIT | MSG_NOSIGNAL,
                                   target.data(), static_cast<socklen_t>(target.size()));
        if (n >= 0) return sent;
        return errno == EAGAIN || errno == EWOULDBLOCK || errno == ENOBUFS ? base::ErrorCode::again : base::ErrorCode::peer_lost;
    }

  private:
    std::shared_ptr<Poller> poller_;
    std::shared_ptr<Receiver> receiver_;
};

class AsioNetwork final : public Network {
  public:
    base::Result<std::unique_ptr<UdpSocket>> open_udp(runtime::Shard& shard, const UdpOptions& options,
                                                      OnDatagram on_datagram) override {
        auto& io = *static_cast<asio::io_context*>(runtime::RealRuntime::io_context_of(shard));
        udp::socket socket(io);
        boost::system::error_code error;
        udp::endpoint at = to_asio<udp>(options.bind);
        socket.open(at.protocol(), error);
        if (error) return base::Error(base::ErrorCode::quota, "open a UDP socket: " + error.message());
        socket.non_blocking(true, error);
        if (!bind(socket, at, options, error))
            return base::Error(base::ErrorCode::quota,
                               "no free UDP port in " + std::to_string(options.port_first) + "-" +
                                   std::to_string(options.port_last) + " at " + at.address().to_string() + ": " +
                                   error.message());
        if (options.dscp) {
            const int tos = static_cast<int>(options.dscp << 2);
            ::setsockopt(socket.native_handle(), IPPROTO_IP, IP_TOS, &tos, sizeof tos);
        }
        if (options.receive_bytes)
            socket.set_option(asio::socket_base::receive_buffer_size(static_cast<int>(options.receive_bytes)),
                                        error);
        auto receiver = std::make_shared<Receiver>(socket, std::move(on_datagram));
        auto poller = poller_of(shard, io);
        if (!poller->add(receiver)) return base::Error(base::ErrorCode::quota, "watch a UDP socket: " + std::string(std::strerror(errno)));
        return std::unique_ptr<UdpSocket>(std::make_unique<AsioUdpSocket>(std::move(poller), std::move(receiver)));
    }

    base::Result<std::unique_ptr<TcpListener>> listen_tcp(runtime::Shard& shard, const TcpListenOptions& options,
                                                          OnIncoming on_incoming) override {
        return net::listen_tcp(shard, options, std::move(on_incoming));
    }
    base::Result<std::unique_ptr<TcpConnection>> connect_tcp(runtime::Shard& shard, const TcpConnectOptions& options,
                                                             TcpEvents events) override {
        return net::connect_tcp(shard, options, std::move(events));
    }
    std::unique_ptr<TcpConnection> attach_tcp(runtime::Shard& shard, std::unique_ptr<TcpStream> stream, TcpEvents events) override {
        return net::attach_tcp(shard, std::move(stream), std::move(events));
    }

  private:
    /// A shard's poller lives as long as its sockets. Each shard looks at its own entry only, so there is no lock.
    std::shared_ptr<Poller> poller_of(runtime::Shard& shard, asio::io_context& io) {
        std::weak_ptr<Poller>& known = pollers_[shard.index() % pollers_.size()];
        auto poller = known.lock();
        if (poller && poller->belongs_to(io)) return poller;
        poller = std::make_shared<Poller>(io, shard);
        known = poller;
        return poller;
    }

    bool bind(udp::socket& socket, udp::endpoint at, const UdpOptions& options, boost::system::error_code& error) {
        if (options.port_first == 0) {
            at.port(0);
            socket.bind(at, error);
            return !error;
        }
        if (options.port_first == options.port_last) {
            at.port(options.port_first);
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
    std::array<std::weak_ptr<Poller>, 256> pollers_;
};

}  // namespace

std::string Endpoint::to_string() const {
    const udp::endpoint e = to_asio<udp>(*this);
    return (ipv6 ? "[" + e.address().to_string() + "]" : e.address().to_string()) + ":" + std::to_string(port);
}

std::unique_ptr<Network> make_network() { return std::make_unique<AsioNetwork>(); }

}  // namespace jackfield::net
