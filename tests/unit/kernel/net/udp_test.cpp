#include "net/network.hpp"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <boost/asio/io_context.hpp>
#include <chrono>
#include <map>
#include <set>
#include <string>
#include <vector>

namespace jackfield::net {
namespace {

using namespace std::chrono_literals;

/// From this many sockets on the poller looks at all of them every few milliseconds, instead of being woken by each packet.
constexpr int gathered = 8;

Endpoint on_loopback(std::uint16_t port = 0) {
    Endpoint endpoint;
    endpoint.bytes[0] = 127;
    endpoint.bytes[3] = 1;
    endpoint.port = port;
    return endpoint;
}

std::span<const std::byte> bytes_of(std::string_view text) { return std::as_bytes(std::span(text)); }

/// Who sends to the sockets under test: a plain one.
class Peer {
  public:
    Peer() : fd_(::socket(AF_INET, SOCK_DGRAM, 0)) {
        sockaddr_in address = at(0);
        ::bind(fd_, reinterpret_cast<sockaddr*>(&address), sizeof address);
        const timeval patience{5, 0};
        ::setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    }
    ~Peer() { ::close(fd_); }
    Peer(const Peer&) = delete;

    std::uint16_t port() const {
        sockaddr_in address{};
        socklen_t size = sizeof address;
        ::getsockname(fd_, reinterpret_cast<sockaddr*>(&address), &size);
        return ntohs(address.sin_port);
    }
    void send(std::uint16_t port, std::string_view text) {
        const sockaddr_in to = at(port);
        ::sendto(fd_, text.data(), text.size(), 0, reinterpret_cast<const sockaddr*>(&to), sizeof to);
    }
    std::string receive() {
        char text[2048];
        const ssize_t n = ::recv(fd_, text, sizeof text, 0);
        return n < 0 ? "nothing came" : std::string(text, static_cast<std::size_t>(n));
    }

  private:
    static sockaddr_in at(std::uint16_t port) {
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        address.sin_port = htons(port);
        return address;
    }
    int fd_;
};

/// A shard whose loop the test turns itself: what has been sent before a turn stands in one round of callbacks.
class Udp : public ::testing::Test {
  protected:
    Udp() : io_(*static_cast<boost::asio::io_context*>(runtime::RealRuntime::io_context_of(runtime_.shard(0)))) {}

    std::unique_ptr<UdpSocket> open(OnDatagram on_datagram) {
        UdpOptions options;
        options.bind = on_loopback();
        auto socket = network_->open_udp(runtime_.shard(0), options, std::move(on_datagram));
        EXPECT_TRUE(socket) << socket.error().text();
        return socket ? std::move(*socket) : nullptr;
    }
    /// A socket that notes what it hears under its name.
    void open_named(int name) {
        named_[name] = open([this, name](const Endpoint&, std::span<const std::byte> data) {
            heard_[name].emplace_back(reinterpret_cast<const char*>(data.data()), data.size());
        });
    }
    void send_to(int name, std::string_view text) { peer_.send(named_.at(name)->local().port, text); }

    template <typename Condition>
    bool turn_until(Condition condition) {
        const auto give_up = std::chrono::steady_clock::now() + 10s;
        while (!condition() && std::chrono::steady_clock::now() < give_up) io_.run_one_for(100ms);
        return condition();
    }
    /// Sends one more datagram to a socket of its own and waits for it: what was sent before, and is wanted by anybody, has come by then.
    bool turn_until_all_has_come() {
        bool came = false;
        const auto last = open([&](const Endpoint&, std::span<const std::byte>) { came = true; });
        peer_.send(last->local().port, "last");
        return turn_until([&] { return came; });
    }

    runtime::RealRuntime runtime_{{.shards = 1, .pool_threads = 1}};
    boost::asio::io_context& io_;
    std::unique_ptr<Network> network_ = make_network();
    Peer peer_;
    std::map<int, std::unique_ptr<UdpSocket>> named_;
    std::map<int, std::vector<std::string>> heard_;
};

/// What holds for a few sockets, which are watched, and for many, which are looked at.
class UdpOfSeveral : public Udp, public ::testing::WithParamInterface<int> {
  protected:
    int count() const { return GetParam(); }
    void open_all() {
        for (int name = 0; name < count(); ++name) open_named(name);
    }
};

INSTANTIATE_TEST_SUITE_P(WatchedAndGathered, UdpOfSeveral, ::testing::Values(3, gathered - 1, gathered, 100));

TEST_F(Udp, ADatagramReachesItsSocketWithItsSender) {
    Endpoint sender;
    std::string text;
    const auto socket = open([&](const Endpoint& from, std::span<const std::byte> data) {
        sender = from;
        text.assign(reinterpret_cast<const char*>(data.data()), data.size());
    });

    peer_.send(socket->local().port, "hello");

    ASSERT_TRUE(turn_until([&] { return !text.empty(); }));
    EXPECT_EQ(text, "hello");
    EXPECT_EQ(sender, on_loopback(peer_.port()));
}

TEST_F(Udp, WhatIsSentArrives) {
    const auto socket = open([](const Endpoint&, std::span<const std::byte>) {});

    EXPECT_EQ(socket->send(on_loopback(peer_.port()), bytes_of("hello")), UdpSocket::sent);

    EXPECT_EQ(peer_.receive(), "hello");
}

TEST_F(Udp, CallbacksRunOnTheShard) {
    runtime::Shard* ran_on = nullptr;
    const auto socket = open([&](const Endpoint&, std::span<const std::byte>) { ran_on = runtime::Shard::current(); });

    peer_.send(socket->local().port, "hello");

    ASSERT_TRUE(turn_until([&] { return ran_on != nullptr; }));
    EXPECT_EQ(ran_on, &runtime_.shard(0));
}

TEST_F(Udp, ASocketWhosePeerIsGoneGoesOn) {
    open_named(1);
    std::uint16_t nobody = 0;
    {
        const Peer gone;
        nobody = gone.port();
    }
    (void)named_[1]->send(on_loopback(nobody), bytes_of("is anybody there?"));

    send_to(1, "hello");

    EXPECT_TRUE(turn_until([&] { return heard_[1] == std::vector<std::string>{"hello"}; }));
}

TEST_F(Udp, ARangeWithoutAFreePortIsRefusedByName) {
    open_named(1);
    UdpOptions options;
    options.bind = on_loopback();
    options.port_first = options.port_last = named_[1]->local().port;

    const auto refused = network_->open_udp(runtime_.shard(0), options, [](const Endpoint&, std::span<const std::byte>) {});

    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code(), base::ErrorCode::quota);
    EXPECT_NE(refused.error().text().find(std::to_string(options.port_first)), std::string::npos);
}

TEST_P(UdpOfSeveral, EachHearsItsOwn) {
    open_all();

    for (int name = 0; name < count(); ++name) send_to(name, "to " + std::to_string(name));

    ASSERT_TRUE(turn_until([&] { return static_cast<int>(heard_.size()) == count(); }));
    for (int name = 0; name < count(); ++name) EXPECT_EQ(heard_[name], std::vector{"to " + std::to_string(name)});
}

TEST_P(UdpOfSeveral, WhoIsClosedInARoundIsNotCalledInIt) {
    std::set<int> called;
    std::vector<std::unique_ptr<UdpSocket>> all(static_cast<std::size_t>(count()));
    for (int name = 0; name < count(); ++name) {
        all[static_cast<std::size_t>(name)] = open([&, name](const Endpoint&, std::span<const std::byte>) {
            called.insert(name);
            for (int other = 0; other < count(); ++other)
                if (other != name) all[static_cast<std::size_t>(other)].reset();
        });
    }

    for (const auto& socket : all) peer_.send(socket->local().port, "hello");

    ASSERT_TRUE(turn_until([&] { return !called.empty(); }));
    EXPECT_TRUE(turn_until_all_has_come());
    EXPECT_EQ(called.size(), 1U);
}

TEST_P(UdpOfSeveral, ASocketMayCloseItselfInItsOwnCallback) {
    int calls = 0;
    std::vector<std::unique_ptr<UdpSocket>> all(static_cast<std::size_t>(count()));
    for (auto& socket : all) {
        // The capture is too large to stand inside the callback: freed too early, the sanitizer sees it.
        socket = open([&calls, &socket, tail = std::string(100, 'x')](const Endpoint&, std::span<const std::byte>) {
            socket.reset();
            calls += static_cast<int>(tail.size()) / 100;
        });
    }

    for (const auto& socket : all) peer_.send(socket->local().port, "hello");

    EXPECT_TRUE(turn_until([&] { return calls == count(); }));
}

TEST_P(UdpOfSeveral, ASocketOpenedInPlaceOfOneClosedInTheRoundHearsItsOwnOnly) {
    std::vector<std::unique_ptr<UdpSocket>> all(static_cast<std::size_t>(count()));
    bool replaced = false;
    for (std::size_t i = 0; i < all.size(); ++i) {
        all[i] = open([&, i](const Endpoint&, std::span<const std::byte>) {
            if (std::exchange(replaced, true)) return;
            // The system gives a new socket the lowest free descriptor: that of the one just closed, whose event still waits in this round.
            all[(i + 1) % all.size()].reset();
            open_named(1);
        });
    }
    for (const auto& socket : all) peer_.send(socket->local().port, "to one of the old");
    ASSERT_TRUE(turn_until([&] { return replaced; }));

    send_to(1, "to the new one");

    EXPECT_TRUE(turn_until([&] { return !heard_[1].empty(); }));
    EXPECT_TRUE(turn_until_all_has_come());
    EXPECT_EQ(heard_[1], std::vector<std::string>{"to the new one"});
}

TEST_P(UdpOfSeveral, OthersAreServedAfterTheLastWasClosed) {
    open_all();
    for (int name = 0; name < count(); ++name) send_to(name, "first");
    ASSERT_TRUE(turn_until([&] { return static_cast<int>(heard_.size()) == count(); }));

    // The poller's wait is cancelled with the last socket; that its handler has not run yet must not keep the new ones waiting.
    named_.clear();
    heard_.clear();
    open_all();
    for (int name = 0; name < count(); ++name) send_to(name, "second");

    EXPECT_TRUE(turn_until([&] { return static_cast<int>(heard_.size()) == count(); }));
}

TEST_P(UdpOfSeveral, TheLastOneMayCloseAndOpenAnotherInItsCallback) {
    std::unique_ptr<UdpSocket> last = open([&](const Endpoint&, std::span<const std::byte>) {
        last.reset();
        open_all();
    });
    peer_.send(last->local().port, "hello");
    ASSERT_TRUE(turn_until([&] { return static_cast<int>(named_.size()) == count(); }));

    for (int name = 0; name < count(); ++name) send_to(name, "hello");

    EXPECT_TRUE(turn_until([&] { return static_cast<int>(heard_.size()) == count(); }));
}

TEST_P(UdpOfSeveral, ACallbackMayOpenOthers) {
    const auto first = open([&](const Endpoint&, std::span<const std::byte>) {
        const int name = static_cast<int>(named_.size());
        open_named(name);
        send_to(name, "hello");
    });

    for (int i = 0; i < count(); ++i) peer_.send(first->local().port, "open one");

    EXPECT_TRUE(turn_until([&] { return static_cast<int>(heard_.size()) == count(); }));
}

TEST_P(UdpOfSeveral, AFloodOnOneDoesNotKeepTheOthersWaiting) {
    open_all();
    constexpr int flood = 200;
    for (int i = 0; i < flood; ++i) send_to(0, "flood");
    for (int name = 1; name < count(); ++name) send_to(name, "hello");

    ASSERT_TRUE(turn_until([&] { return static_cast<int>(heard_.size()) == count(); }));

    EXPECT_LT(static_cast<int>(heard_[0].size()), flood);
    EXPECT_TRUE(turn_until([&] { return static_cast<int>(heard_[0].size()) == flood; }));
}

TEST_F(Udp, WhatHeapedUpWhileTheThreadStoodIsReadInAFewLooks) {
    constexpr int count = 2 * gathered;
    constexpr int waiting = 40;  // what 0.8 s of a call leave
    for (int name = 0; name < count; ++name) open_named(name);
    for (int i = 0; i < waiting; ++i)
        for (int name = 0; name < count; ++name) send_to(name, "audio");

    int looks = 0;
    const auto all = [&] {
        std::size_t sum = 0;
        for (const auto& [name, texts] : heard_) sum += texts.size();
        return sum == std::size_t{count} * waiting;
    };
    while (!all() && looks < 100) looks += static_cast<int>(io_.run_one_for(1s));

    // A look for each packet would be forty, and 200 ms of delay that no packet after them gets rid of.
    EXPECT_LE(looks, 10);
}

TEST_F(Udp, NothingIsLostWhileSocketsComeAndGo) {
    std::map<int, int> sent;
    const auto everybody_is_told = [&] {
        for (const auto& [name, socket] : named_) send_to(name, std::to_string(sent[name]++));
    };

    // Up and down over the number from which the way of waiting is another, with datagrams on their way at each step.
    for (int round = 0; round < 3; ++round) {
        for (int name = 0; name < 2 * gathered; ++name) {
            open_named(name);
            everybody_is_told();
            io_.run_one_for(1ms);
        }
        for (int name = 2 * gathered - 1; name > 0; --name) {
            everybody_is_told();
            // Who is about to leave hears all that it was told first.
            ASSERT_TRUE(turn_until([&] { return static_cast<int>(heard_[name].size()) == sent[name]; })) << name;
            named_.erase(name);
        }
    }

    ASSERT_TRUE(turn_until([&] { return static_cast<int>(heard_[0].size()) == sent[0]; }));
    for (const auto& [name, texts] : heard_) {
        ASSERT_EQ(static_cast<int>(texts.size()), sent[name]) << name;
        for (std::size_t i = 0; i < texts.size(); ++i) EXPECT_EQ(texts[i], std::to_string(i)) << name;
    }
}

TEST_P(UdpOfSeveral, TheLoopMayEndBeforeAPendingWaitDoes) {
    open_all();
    io_.run_one_for(1ms);

    // Not turned again: the wait that the sockets leave behind, and the poller in it, go with the loop.
    named_.clear();

    EXPECT_TRUE(heard_.empty());
}

}  // namespace
}  // namespace jackfield::net
