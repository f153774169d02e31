// jf.host.net/1's TCP as a plugin has it, against plain sockets, inline and on a thread of its own.

#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

#include <future>
#include <thread>

#include "host_fixture.hpp"

namespace jackfield::plugin_host {
namespace {

using namespace std::chrono_literals;

/// A gateway on the other side: blocking, and patient for 20 seconds.
class Peer {
  public:
    explicit Peer(std::uint16_t port) : fd_(::socket(AF_INET, SOCK_STREAM, 0)) {
        const timeval patience{20, 0};
        ::setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
        sockaddr_in to{};
        to.sin_family = AF_INET;
        to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        to.sin_port = htons(port);
        EXPECT_EQ(::connect(fd_, reinterpret_cast<const sockaddr*>(&to), sizeof to), 0);
    }
    ~Peer() { ::close(fd_); }
    Peer(const Peer&) = delete;

    void send(std::string_view text) {
        while (!text.empty()) {
            const ssize_t n = ::send(fd_, text.data(), text.size(), MSG_NOSIGNAL);
            ASSERT_GT(n, 0);
            text.remove_prefix(static_cast<std::size_t>(n));
        }
    }
    /// Until so much has come, or the other side has closed.
    std::string receive(std::size_t size) {
        std::string out;
        char buffer[65536];
        while (out.size() < size) {
            const ssize_t n = ::recv(fd_, buffer, std::min(sizeof buffer, size - out.size()), 0);
            if (n <= 0) return out + (n == 0 ? "<closed>" : "<nothing came>");
            out.append(buffer, static_cast<std::size_t>(n));
        }
        return out;
    }
    bool is_closed() { return receive(1) == "<closed>"; }

  private:
    int fd_;
};

class NetFacilityTcp : public testing::TestWithParam<Placement> {
  protected:
    NetFacilityTcp() {
        plugin_ = host_.make("llm/test_gateway", GetParam());
        runtime_.start();
        std::promise<base::Result<>> started;
        runtime_.shard(0).post([&] { host_->start(plugin_, runtime_.shard(0), [&](base::Result<> result) { started.set_value(result); }); });
        const auto result = started.get_future().get();
        EXPECT_TRUE(result) << result.error().text();
        port_ = static_cast<std::uint16_t>(host_.counted("port"));
    }
    ~NetFacilityTcp() override {
        stop();
        runtime_.stop();
    }
    void stop() {
        if (!plugin_) return;
        std::promise<void> stopped;
        runtime_.shard(0).post([&] { host_->stop(std::exchange(plugin_, nullptr), runtime_.shard(0), 5000ms, [&] { stopped.set_value(); }); });
        EXPECT_EQ(stopped.get_future().wait_for(20s), std::future_status::ready);
    }
    bool counts(const std::string& what, std::uint64_t n = 1) {
        const auto until = std::chrono::steady_clock::now() + 20s;
        while (host_.counted(what) < n && std::chrono::steady_clock::now() < until) {
            std::promise<void> turned;
            runtime_.shard(0).post([&] { turned.set_value(); });
            turned.get_future().wait();
        }
        return host_.counted(what) == n;
    }

    static runtime::RuntimeOptions options() {
        runtime::RuntimeOptions out;
        out.shards = 2;
        out.pool_threads = 2;
        return out;
    }
    runtime::RealRuntime runtime_{options()};
    HostUnderTest host_{runtime_};
    std::shared_ptr<Instance> plugin_;
    std::uint16_t port_ = 0;
};

INSTANTIATE_TEST_SUITE_P(InlineAndOnAThread, NetFacilityTcp, testing::Values(Placement::inline_, Placement::thread),
                         [](const auto& of) { return of.param == Placement::thread ? "Thread" : "Inline"; });

TEST_P(NetFacilityTcp, ListensFromStartAndCarriesBytesBothWays) {
    Peer first(port_), second(port_);
    first.send("hello");
    second.send("good day");

    EXPECT_EQ(first.receive(10), "line:hello");
    EXPECT_EQ(second.receive(13), "line:good day");
    EXPECT_EQ(host_.counted("strange_connection_refused"), 2u);
    EXPECT_EQ(host_.counted("not_accepted"), 0u);
}

TEST_P(NetFacilityTcp, ClosesInGoodOrderFromEitherSide) {
    {
        Peer leaves(port_);
        leaves.send("x");
        EXPECT_EQ(leaves.receive(6), "line:x");
    }
    EXPECT_TRUE(counts("done_0"));
    Peer stays(port_);
    stays.send("bye\n");
    EXPECT_TRUE(stays.is_closed());
}

TEST_P(NetFacilityTcp, ARelayLosesNothingAtAPeerThatReadsLate) {
    Peer peer(port_);
    const std::string much(6'000'000, 'm');
    std::thread sender([&] { peer.send(much); });
    ASSERT_TRUE([&] {
        // The peer reads nothing until the relay had to wait.
        const auto until = std::chrono::steady_clock::now() + 20s;
        while (host_.counted("again") == 0 && std::chrono::steady_clock::now() < until) std::this_thread::yield();
        return host_.counted("again") > 0;
    }());
    const std::string back = peer.receive(5 + much.size());
    sender.join();
    EXPECT_TRUE(back == "line:" + much) << back.size();
    EXPECT_EQ(host_.counted("send_failed"), 0u);
}

TEST_P(NetFacilityTcp, MovesAConnectionToAnOpOfAnotherShard) {
    Recorder sink;
    std::promise<void> asked;
    runtime_.shard(1).post([&] {
        EXPECT_EQ(host_.ask(*plugin_, host_.ops().open(runtime_.shard(1), &sink, plugin_.get()), "connect me"), JF_OK);
        asked.set_value();
    });
    asked.get_future().wait();
    Peer peer(port_);
    peer.send("hello");
    ASSERT_EQ(peer.receive(10), "line:hello");

    peer.send("call\n");
    ASSERT_TRUE(counts("connected", 2));
    peer.send("and now?");

    EXPECT_EQ(peer.receive(12), "leg:and now?");
    peer.send("bye\n");
    EXPECT_TRUE(peer.is_closed());
    ASSERT_TRUE(sink.wait());
    EXPECT_EQ(sink.status, JF_OK);
    EXPECT_EQ(host_.counted("not_moved"), 0u);
    EXPECT_EQ(host_.counted("done_0"), 2u);
}

TEST_P(NetFacilityTcp, StoppingTheInstanceClosesWhatItHasOpen) {
    Peer peer(port_);
    peer.send("x");
    ASSERT_EQ(peer.receive(6), "line:x");

    stop();

    EXPECT_TRUE(peer.is_closed());
    EXPECT_EQ(host_.counted("listener_done"), 1u);
    EXPECT_EQ(host_.counted("done_5"), 1u) << "cancelled";
    EXPECT_EQ(host_.ops().open_ops(), 0u);
}

}  // namespace
}  // namespace jackfield::plugin_host
