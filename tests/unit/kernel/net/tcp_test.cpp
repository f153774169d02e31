#include "net/tcp.hpp"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <boost/asio/io_context.hpp>
#include <chrono>
#include <optional>
#include <string>

#include "net/network.hpp"

namespace jackfield::net {
namespace {

using namespace std::chrono_literals;
using base::ErrorCode;

Endpoint on_loopback(std::uint16_t port = 0) {
    Endpoint endpoint;
    endpoint.bytes[0] = 127;
    endpoint.bytes[3] = 1;
    endpoint.port = port;
    return endpoint;
}

std::span<const std::byte> bytes_of(std::string_view text) { return std::as_bytes(std::span(text)); }

/// A stream in which every byte can be told from its neighbours.
std::string numbers(std::size_t size) {
    std::string out;
    for (int i = 0; out.size() < size; ++i) out += std::to_string(i) + ' ';
    out.resize(size);
    return out;
}

/// One side of a connection, and what it was told.
struct Side {
    TcpEvents events() {
        TcpEvents out;
        out.connected = [this](const Endpoint&, const Endpoint& from) {
            connected = true;
            remote = from;
            if (on_connected) on_connected();
        };
        out.data = [this](std::span<const std::byte> data) {
            heard.append(reinterpret_cast<const char*>(data.data()), data.size());
            if (on_data) on_data();
        };
        out.writable = [this] { ++writable; };
        out.end = [this](const base::Result<>& result) { ended = result ? static_cast<ErrorCode>(0) : result.error().code(); };
        return out;
    }
    std::unique_ptr<TcpConnection> connection;
    bool connected = false;
    Endpoint remote;
    std::string heard;
    int writable = 0;
    std::optional<ErrorCode> ended;
    std::function<void()> on_connected, on_data;
};
constexpr auto in_good_order = static_cast<ErrorCode>(0);

/// A peer that is a socket and nothing more.
struct PlainPeer {
    explicit PlainPeer(std::uint16_t port) : fd(::socket(AF_INET, SOCK_STREAM, 0)) {
        sockaddr_in to{};
        to.sin_family = AF_INET;
        to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        to.sin_port = htons(port);
        EXPECT_EQ(::connect(fd, reinterpret_cast<const sockaddr*>(&to), sizeof to), 0);
    }
    ~PlainPeer() { ::close(fd); }
    PlainPeer(const PlainPeer&) = delete;
    /// RST instead of FIN.
    void reset() {
        const linger at_once{1, 0};
        ::setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
        ::close(fd);
        fd = -1;
    }
    int fd;
};

/// Two shards whose loops the test turns itself.
class Tcp : public ::testing::Test {
  protected:
    boost::asio::io_context& io(unsigned shard) {
        return *static_cast<boost::asio::io_context*>(runtime::RealRuntime::io_context_of(runtime_.shard(shard)));
    }
    template <typename Condition>
    bool turn_until(Condition condition) {
        const auto give_up = std::chrono::steady_clock::now() + 20s;
        while (!condition() && std::chrono::steady_clock::now() < give_up) {
            io(0).run_one_for(5ms);
            io(1).poll();
        }
        return condition();
    }
    void listen(TcpLimits limits = {}) {
        TcpListenOptions options;
        options.bind = on_loopback();
        options.limits = limits;
        auto made = network_->listen_tcp(runtime_.shard(0), options, [this](std::unique_ptr<TcpStream> stream) { waiting_ = std::move(stream); });
        ASSERT_TRUE(made) << made.error().text();
        listener_ = std::move(*made);
    }
    void connect(Side& side, TcpLimits limits = {}) {
        TcpConnectOptions options;
        options.to = listener_ ? listener_->local() : on_loopback(1);
        options.limits = limits;
        options.timeout = 20s;
        auto made = network_->connect_tcp(runtime_.shard(0), options, side.events());
        ASSERT_TRUE(made) << made.error().text();
        side.connection = std::move(*made);
    }
    void accept(Side& side, unsigned shard = 0) {
        ASSERT_TRUE(turn_until([&] { return waiting_ != nullptr; }));
        side.connection = network_->attach_tcp(runtime_.shard(shard), std::move(waiting_), side.events());
        ASSERT_TRUE(turn_until([&] { return side.connected; }));
    }
    /// Caller and callee, connected to each other.
    void connect_both(TcpLimits limits = {}) {
        listen(limits);
        connect(caller_, limits);
        accept(callee_);
        ASSERT_TRUE(turn_until([&] { return caller_.connected; }));
    }

    runtime::RealRuntime runtime_{{.shards = 2, .pool_threads = 1}};
    std::unique_ptr<Network> network_ = make_network();
    std::unique_ptr<TcpStream> waiting_;
    Side caller_, callee_;
    std::unique_ptr<TcpListener> listener_;
};

TEST_F(Tcp, BytesGoBothWaysBetweenWhoConnectsAndWhoAccepts) {
    connect_both();
    EXPECT_EQ(caller_.remote, listener_->local());

    EXPECT_EQ(caller_.connection->send(bytes_of("hello")), TcpConnection::sent);
    EXPECT_EQ(callee_.connection->send(bytes_of("and to you")), TcpConnection::sent);

    EXPECT_TRUE(turn_until([&] { return callee_.heard == "hello" && caller_.heard == "and to you"; }));
}

TEST_F(Tcp, WhatIsSentBeforeAnybodyAcceptsIsNotLost) {
    listen();
    connect(caller_);
    ASSERT_TRUE(turn_until([&] { return caller_.connected && waiting_; }));
    EXPECT_EQ(caller_.connection->send(bytes_of("first words")), TcpConnection::sent);

    accept(callee_);

    EXPECT_TRUE(turn_until([&] { return callee_.heard == "first words"; }));
}

TEST_F(Tcp, SendingBeforeTheConnectionStandsIsRefused) {
    listen();
    connect(caller_);
    EXPECT_EQ(caller_.connection->send(bytes_of("too early")), ErrorCode::state);
}

TEST_F(Tcp, APeerThatDoesNotReadMakesTheSenderWaitAndLosesNothing) {
    connect_both({.send_bytes = 64 * 1024});
    callee_.connection->receive(false);
    const std::string chunk = numbers(32 * 1024);
    std::string sent;
    ErrorCode answer;
    while ((answer = caller_.connection->send(bytes_of(chunk))) == TcpConnection::sent) sent += chunk;
    EXPECT_EQ(answer, ErrorCode::again);
    EXPECT_EQ(caller_.connection->send(bytes_of(numbers(65 * 1024))), ErrorCode::invalid) << "it would never fit";

    callee_.connection->receive(true);

    EXPECT_TRUE(turn_until([&] { return caller_.writable == 1 && callee_.heard.size() >= sent.size(); }));
    EXPECT_EQ(callee_.heard, sent);
}

TEST_F(Tcp, FinishingSendsWhatWaitsAndEndsBothSidesInGoodOrder) {
    connect_both();
    callee_.connection->receive(false);
    std::string sent;
    for (const std::string chunk = numbers(16 * 1024); caller_.connection->send(bytes_of(chunk)) == TcpConnection::sent;) sent += chunk;

    caller_.connection->finish();
    EXPECT_EQ(caller_.connection->send(bytes_of("more")), ErrorCode::state);
    callee_.connection->receive(true);

    EXPECT_TRUE(turn_until([&] { return caller_.ended && callee_.ended; }));
    EXPECT_EQ(*caller_.ended, in_good_order);
    EXPECT_EQ(*callee_.ended, in_good_order);
    EXPECT_EQ(callee_.heard, sent);
}

TEST_F(Tcp, WhatWaitsIsSentAlthoughThePeerHasFinished) {
    listen();
    const PlainPeer peer(listener_->local().port);
    accept(callee_);
    std::string answer;
    for (const std::string chunk = numbers(16 * 1024); callee_.connection->send(bytes_of(chunk)) == TcpConnection::sent;) answer += chunk;

    ::shutdown(peer.fd, SHUT_WR);

    std::string heard;
    EXPECT_TRUE(turn_until([&] {
        char buffer[65536];
        const ssize_t n = ::recv(peer.fd, buffer, sizeof buffer, MSG_DONTWAIT);
        if (n > 0) heard.append(buffer, static_cast<std::size_t>(n));
        return callee_.ended.has_value() && n == 0;
    }));
    EXPECT_EQ(*callee_.ended, in_good_order);
    EXPECT_EQ(heard, answer);
}

TEST_F(Tcp, AConnectionThatIsResetEndsAsLost) {
    listen();
    PlainPeer peer(listener_->local().port);
    accept(callee_);

    peer.reset();

    ASSERT_TRUE(turn_until([&] { return callee_.ended.has_value(); }));
    EXPECT_EQ(*callee_.ended, ErrorCode::peer_lost);
}

TEST_F(Tcp, NobodyThereIsAPeerLost) {
    connect(caller_);
    ASSERT_TRUE(turn_until([&] { return caller_.ended.has_value(); }));
    EXPECT_EQ(*caller_.ended, ErrorCode::peer_lost);
    EXPECT_FALSE(caller_.connected);
}

TEST_F(Tcp, ATakenPortIsRefused) {
    listen();
    TcpListenOptions options;
    options.bind = listener_->local();
    const auto second = network_->listen_tcp(runtime_.shard(1), options, [](std::unique_ptr<TcpStream>) {});
    ASSERT_FALSE(second);
    EXPECT_EQ(second.error().code(), ErrorCode::quota);
}

TEST_F(Tcp, MovingToAnotherShardLosesAndDoublesNothing) {
    connect_both();
    const std::string text = numbers(200'000), back = numbers(150'000);
    std::size_t sent = 0;
    Side moved;
    const auto send_more = [&] {
        const std::string_view next = std::string_view(text).substr(sent, 20'000);
        if (!next.empty() && caller_.connection->send(bytes_of(next)) == TcpConnection::sent) sent += next.size();
    };
    // The move happens between bytes that were told, bytes that the kernel holds, and bytes that still wait to be sent.
    callee_.on_data = [&] { callee_.connection->receive(callee_.heard.size() < 50'000); };
    while (sent < 100'000) send_more();
    ASSERT_TRUE(turn_until([&] { return callee_.heard.size() >= 50'000; }));
    ASSERT_EQ(callee_.connection->send(bytes_of(back)), TcpConnection::sent);
    auto stream = callee_.connection->detach();
    ASSERT_TRUE(stream);
    callee_.connection.reset();
    moved.connection = network_->attach_tcp(runtime_.shard(1), std::move(stream), moved.events());

    EXPECT_TRUE(turn_until([&] {
        send_more();
        return caller_.heard.size() >= back.size() && callee_.heard.size() + moved.heard.size() >= text.size();
    }));
    EXPECT_EQ(callee_.heard + moved.heard, text);
    EXPECT_EQ(caller_.heard, back);
    EXPECT_FALSE(callee_.ended) << "a side that gave its connection up hears nothing more";
}

TEST_F(Tcp, AConnectionMayBeDestroyedByWhatItTells) {
    listen();
    caller_.on_connected = [&] { caller_.connection->send(bytes_of("x")); };
    connect(caller_);
    accept(callee_);
    callee_.on_data = [&] { callee_.connection.reset(); };

    EXPECT_TRUE(turn_until([&] { return caller_.ended.has_value(); }));
    EXPECT_EQ(callee_.heard, "x");
    EXPECT_FALSE(callee_.ended);
}

TEST_F(Tcp, AListenerThatIsDestroyedAcceptsNobody) {
    listen();
    TcpConnectOptions options;
    options.to = listener_->local();
    listener_.reset();
    auto made = network_->connect_tcp(runtime_.shard(0), options, caller_.events());
    ASSERT_TRUE(made);
    EXPECT_TRUE(turn_until([&] { return caller_.ended.has_value(); }));
    EXPECT_EQ(*caller_.ended, ErrorCode::peer_lost);
}

}  // namespace
}  // namespace jackfield::net
