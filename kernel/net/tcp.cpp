#include "net/tcp.hpp"

#include <netinet/tcp.h>
#include <unistd.h>

#include <array>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>

#include "net/asio_endpoint.hpp"
#include "net/asio_tcp.hpp"

namespace jackfield::net {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

constexpr std::size_t most_in_an_event = 16 * 1024;
constexpr std::chrono::seconds longest_finish{10};
/// Behind the last byte, until the peer has finished too.
constexpr std::chrono::seconds longest_farewell{1};
/// No descriptor is left, say: the queue of the kernel keeps the callers meanwhile.
constexpr std::chrono::milliseconds accept_pause{100};

asio::io_context& io_of(runtime::Shard& shard) { return *static_cast<asio::io_context*>(runtime::RealRuntime::io_context_of(shard)); }

base::Error lost(const error_code& error) { return {base::ErrorCode::peer_lost, error.message()}; }

void set_up(tcp::socket& socket, const TcpLimits& limits) {
    error_code ignored;
    socket.non_blocking(true, ignored);
    // Audio and short messages: nobody wants them to wait for more.
    socket.set_option(tcp::no_delay(true), ignored);
    // A peer that vanished without a word is found in a minute, and not in two hours.
    socket.set_option(asio::socket_base::keep_alive(true), ignored);
    const auto set = [&](int level, int name, int value) { ::setsockopt(socket.native_handle(), level, name, &value, sizeof value); };
    set(IPPROTO_TCP, TCP_KEEPIDLE, 30);
    set(IPPROTO_TCP, TCP_KEEPINTVL, 10);
    set(IPPROTO_TCP, TCP_KEEPCNT, 3);
    if (limits.dscp) set(IPPROTO_IP, IP_TOS, static_cast<int>(limits.dscp << 2));
}

/// The connection's own, shared with the handlers that Asio holds.
class Stream : public std::enable_shared_from_this<Stream> {
  public:
    Stream(runtime::Shard& shard, TcpLimits limits, TcpEvents events)
        : shard_(shard), socket_(io_of(shard)), deadline_(io_of(shard)), limits_(limits), events_(std::move(events)) {}

    base::Result<> connect(const TcpConnectOptions& options) {
        error_code error;
        const auto to = to_asio<tcp>(options.to);
        socket_.open(to.protocol(), error);
        if (error) return base::Error(base::ErrorCode::quota, "open a TCP socket: " + error.message());
        set_up(socket_, limits_);
        end_after(options.timeout, base::Error{base::ErrorCode::timeout, "no connection to " + options.to.to_string() + " in " +
                                                                  std::to_string(options.timeout.count()) + " ms"});
        socket_.async_connect(to, [self = shared_from_this(), where = options.to](error_code failed) {
            if (self->over_) return;
            if (failed) return self->end(base::Error(base::ErrorCode::peer_lost, "connect to " + where.to_string() + ": " + failed.message()));
            self->begin();
        });
        return {};
    }

    void attach(TcpStream& stream) {
        error_code error;
        socket_.assign(stream.remote.ipv6 ? tcp::v6() : tcp::v4(), stream.fd, error);
        if (error) return post_end(lost(error));
        stream.fd = -1;
        set_up(socket_, limits_);
        unsent_ = std::move(stream.unsent);
        asio::post(socket_.get_executor(), [self = shared_from_this()] {
            if (!self->over_) self->begin();
        });
    }

    base::ErrorCode send(std::span<const std::byte> data) {
        if (!connected_ || over_ || finishing_) return base::ErrorCode::state;
        if (waiting() + data.size() > limits_.send_bytes) {
            // What can never fit is refused for good.
            if (data.size() > limits_.send_bytes) return base::ErrorCode::invalid;
            wants_room_ = true;
            return base::ErrorCode::again;
        }
        if (waiting() == 0) {
            error_code error;
            const std::size_t taken = socket_.write_some(asio::buffer(data.data(), data.size()), error);
            if (error && error != asio::error::would_block) {
                post_end(lost(error));
                return TcpConnection::sent;
            }
            data = data.subspan(error ? 0 : taken);
        }
        if (data.empty()) return TcpConnection::sent;
        unsent_.insert(unsent_.end(), data.begin(), data.end());
        flush_when_writable();
        return TcpConnection::sent;
    }

    void receive(bool on) {
        receiving_ = on;
        if (connected_ && !over_) read_when_readable();
    }

    void finish() {
        if (over_ || finishing_) return;
        if (!connected_) return post_end({});
        finishing_ = true;
        end_after(longest_finish, base::Error{base::ErrorCode::timeout, "the peer does not take what was sent"});
        if (waiting() == 0) shut_down();
    }

    std::unique_ptr<TcpStream> detach() {
        if (!connected_ || over_ || finishing_) return nullptr;
        auto stream = std::make_unique<TcpStream>();
        error_code error;
        stream->local = from_asio(socket_.local_endpoint(error));
        stream->remote = from_asio(socket_.remote_endpoint(error));
        stream->limits = limits_;
        unsent_.erase(unsent_.begin(), unsent_.begin() + static_cast<std::ptrdiff_t>(unsent_from_));
        stream->unsent = std::move(unsent_);
        close();
        stream->fd = socket_.release(error);
        return error ? nullptr : std::move(stream);
    }

    /// No event from here on.
    void close() {
        over_ = true;
        deadline_.cancel();
        events_ = {};
    }
    void drop() {
        close();
        error_code ignored;
        socket_.close(ignored);
    }

  private:
    std::size_t waiting() const { return unsent_.size() - unsent_from_; }

    template <typename Body>
    void tell(Body body) {
        base::Task task = [&] { body(); };
        shard_.enter(task);
    }

    void begin() {
        deadline_.cancel();
        connected_ = true;
        error_code error;
        const Endpoint local = from_asio(socket_.local_endpoint(error));
        const Endpoint remote = from_asio(socket_.remote_endpoint(error));
        if (error) return end(lost(error));
        // Destroying the connection in a callback empties `events_`: what runs is held here.
        tell([&, call = std::move(events_.connected)]() mutable { if (call) call(local, remote); });
        if (over_) return;
        if (waiting() > 0) flush_when_writable();
        read_when_readable();
    }

    void read_when_readable() {
        if (reading_ || over_ || (!receiving_ && !finishing_)) return;
        reading_ = true;
        // Waits and then reads here: bytes that Asio had read already would be lost to whom the connection is handed.
        socket_.async_wait(tcp::socket::wait_read, [self = shared_from_this()](error_code error) {
            self->reading_ = false;
            if (self->over_) return;
            if (error) return self->end(lost(error));
            self->read();
        });
    }

    void read() {
        if (!receiving_ && !finishing_) return;
        std::array<std::byte, most_in_an_event> buffer;
        error_code error;
        const std::size_t n = socket_.read_some(asio::buffer(buffer), error);
        if (error == asio::error::would_block) return read_when_readable();
        if (error == asio::error::eof) return peer_has_finished();
        if (error) return end(lost(error));
        if (!finishing_) {
            const auto keep = shared_from_this();
            tell([&] { if (events_.data) call_data(std::span(buffer.data(), n)); });
        }
        if (!over_) read_when_readable();
    }

    /// The handler stays alive while it runs, also when it destroys the connection.
    void call_data(std::span<const std::byte> data) {
        auto call = std::move(events_.data);
        call(data);
        if (!over_) events_.data = std::move(call);
    }

    void peer_has_finished() {
        peer_finished_ = true;
        if (waiting() == 0) return end({});
        if (!finishing_) finish();
    }

    void flush_when_writable() {
        if (writing_ || over_) return;
        writing_ = true;
        socket_.async_wait(tcp::socket::wait_write, [self = shared_from_this()](error_code error) {
            self->writing_ = false;
            if (self->over_) return;
            if (error) return self->end(lost(error));
            self->flush();
        });
    }

    void flush() {
        error_code error;
        const std::size_t taken = socket_.write_some(asio::buffer(unsent_.data() + unsent_from_, waiting()), error);
        if (error && error != asio::error::would_block) return end(lost(error));
        unsent_from_ += error ? 0 : taken;
        if (waiting() == 0) {
            unsent_.clear();
            unsent_from_ = 0;
        } else if (unsent_from_ > limits_.send_bytes / 2) {
            unsent_.erase(unsent_.begin(), unsent_.begin() + static_cast<std::ptrdiff_t>(unsent_from_));
            unsent_from_ = 0;
        }
        if (wants_room_ && waiting() <= limits_.send_bytes / 2 && !finishing_) {
            wants_room_ = false;
            tell([&, keep = shared_from_this()] {
                auto call = std::move(events_.writable);
                if (call) call();
                if (!over_) events_.writable = std::move(call);
            });
            if (over_) return;
        }
        if (waiting() > 0) return flush_when_writable();
        if (finishing_) shut_down();
    }

    /// Says that all is sent, and waits for the peer to say so: closing while bytes of its stand unread would make the kernel reset the
    /// connection, and what was sent last would be lost (RFC 1122 4.2.2.13).
    void shut_down() {
        if (peer_finished_) return post_end({});
        error_code error;
        socket_.shutdown(tcp::socket::shutdown_send, error);
        if (error) return post_end({});
        end_after(longest_farewell, {});
        read_when_readable();
    }

    void end_after(std::chrono::milliseconds delay, base::Result<> result) {
        deadline_.expires_after(delay);
        deadline_.async_wait([self = shared_from_this(), result = std::move(result)](error_code cancelled) {
            if (!cancelled && !self->over_) self->end(result);
        });
    }

    void post_end(base::Result<> result) {
        if (ending_) return;
        ending_ = true;
        asio::post(socket_.get_executor(), [self = shared_from_this(), result = std::move(result)] {
            if (!self->over_) self->end(result);
        });
    }

    void end(const base::Result<>& result) {
        auto call = std::move(events_.end);
        drop();
        tell([&] { if (call) call(result); });
    }

    runtime::Shard& shard_;
    tcp::socket socket_;
    asio::steady_timer deadline_;
    TcpLimits limits_;
    TcpEvents events_;
    std::vector<std::byte> unsent_;
    std::size_t unsent_from_ = 0; ///< what stands before it has been sent
    bool connected_ = false, receiving_ = true, reading_ = false, writing_ = false;
    bool wants_room_ = false, finishing_ = false, peer_finished_ = false;
    bool ending_ = false; ///< end() is on its way
    bool over_ = false;
};

class AsioTcpConnection final : public TcpConnection {
  public:
    explicit AsioTcpConnection(std::shared_ptr<Stream> stream) : stream_(std::move(stream)) {}
    ~AsioTcpConnection() override { stream_->drop(); }
    base::ErrorCode send(std::span<const std::byte> data) override { return stream_->send(data); }
    void receive(bool on) override { stream_->receive(on); }
    void finish() override { stream_->finish(); }
    std::unique_ptr<TcpStream> detach() override { return stream_->detach(); }

  private:
    std::shared_ptr<Stream> stream_;
};

class Acceptor : public std::enable_shared_from_this<Acceptor> {
  public:
    Acceptor(runtime::Shard& shard, const TcpLimits& limits, OnIncoming on_incoming)
        : shard_(shard), acceptor_(io_of(shard)), pause_(io_of(shard)), limits_(limits), on_incoming_(std::move(on_incoming)) {}

    error_code open(const Endpoint& bind) {
        error_code error;
        const auto at = to_asio<tcp>(bind);
        acceptor_.open(at.protocol(), error);
        if (!error) acceptor_.set_option(tcp::acceptor::reuse_address(true), error);
        if (!error) acceptor_.bind(at, error);
        if (!error) acceptor_.listen(asio::socket_base::max_listen_connections, error);
        if (!error) local_ = from_asio(acceptor_.local_endpoint(error));
        return error;
    }

    void accept() {
        acceptor_.async_accept([self = shared_from_this()](error_code error, tcp::socket socket) {
            if (self->closed_) return;
            if (error) return self->wait();
            self->pass_on(std::move(socket));
            if (!self->closed_) self->accept();
        });
    }
    void close() {
        closed_ = true;
        on_incoming_ = {};
        error_code ignored;
        acceptor_.close(ignored);
        pause_.cancel();
    }
    const Endpoint& local() const { return local_; }

  private:
    void wait() {
        pause_.expires_after(accept_pause);
        pause_.async_wait([self = shared_from_this()](error_code) {
            if (!self->closed_) self->accept();
        });
    }

    void pass_on(tcp::socket socket) {
        error_code error;
        auto stream = std::make_unique<TcpStream>();
        stream->local = from_asio(socket.local_endpoint(error));
        if (!error) stream->remote = from_asio(socket.remote_endpoint(error));
        if (error) return; // gone again
        stream->limits = limits_;
        stream->fd = socket.release(error);
        if (error) return;
        base::Task task = [&] {
            auto call = std::move(on_incoming_);
            call(std::move(stream));
            if (!closed_) on_incoming_ = std::move(call);
        };
        shard_.enter(task);
    }

    runtime::Shard& shard_;
    tcp::acceptor acceptor_;
    asio::steady_timer pause_;
    TcpLimits limits_;
    OnIncoming on_incoming_;
    Endpoint local_;
    bool closed_ = false;
};

class AsioTcpListener final : public TcpListener {
  public:
    explicit AsioTcpListener(std::shared_ptr<Acceptor> acceptor) : acceptor_(std::move(acceptor)) {}
    ~AsioTcpListener() override { acceptor_->close(); }
    Endpoint local() const override { return acceptor_->local(); }

  private:
    std::shared_ptr<Acceptor> acceptor_;
};

}  // namespace

TcpStream::~TcpStream() {
    if (fd >= 0) ::close(fd);
}

base::Result<std::unique_ptr<TcpListener>> listen_tcp(runtime::Shard& shard, const TcpListenOptions& options, OnIncoming on_incoming) {
    auto acceptor = std::make_shared<Acceptor>(shard, options.limits, std::move(on_incoming));
    if (const error_code error = acceptor->open(options.bind))
        return base::Error(base::ErrorCode::quota, "listen at " + options.bind.to_string() + ": " + error.message());
    acceptor->accept();
    return std::unique_ptr<TcpListener>(std::make_unique<AsioTcpListener>(std::move(acceptor)));
}

base::Result<std::unique_ptr<TcpConnection>> connect_tcp(runtime::Shard& shard, const TcpConnectOptions& options, TcpEvents events) {
    auto stream = std::make_shared<Stream>(shard, options.limits, std::move(events));
    if (auto begun = stream->connect(options); !begun) return begun.error();
    return std::unique_ptr<TcpConnection>(std::make_unique<AsioTcpConnection>(std::move(stream)));
}

std::unique_ptr<TcpConnection> attach_tcp(runtime::Shard& shard, std::unique_ptr<TcpStream> stream, TcpEvents events) {
    auto attached = std::make_shared<Stream>(shard, stream->limits, std::move(events));
    attached->attach(*stream);
    return std::make_unique<AsioTcpConnection>(std::move(attached));
}

}  // namespace jackfield::net
