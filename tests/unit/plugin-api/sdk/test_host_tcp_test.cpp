#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "puppet.hpp"

namespace jackfield::sdk {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

/// A puppet with an op, and what that op has heard.
struct Line {
    explicit Line(Stage& on) : stage(on), net(*on.puppet.host.facility<jf_host_net_v1>(JF_FACILITY_NET)) {
        counter.seen = [this](const jf_event& event) {
            if (event.type == JF_EV_TCP_CONNECTED) heard.emplace_back("connected");
            if (event.type == JF_EV_TCP_WRITABLE) heard.emplace_back("writable");
            if (const auto* data = event.type == JF_EV_TCP_DATA ? data_of<jf_tcp_data>(event) : nullptr) heard.emplace_back(view(data->data));
            if (const auto* incoming = event.type == JF_EV_TCP_INCOMING ? data_of<jf_tcp_incoming>(event) : nullptr) connection = incoming->connection;
        };
        op = stage.puppet.host.open(JF_NO_OP, counter);
    }
    ~Line() { stage.instance.close(); }
    jf_host_ctx* ctx() const { return stage.puppet.host.ctx(); }
    jf_status listen() {
        jf_tcp_listen options = make<jf_tcp_listen>();
        options.bind = ipv4("192.0.2.9", 7000);
        jf_endpoint local{};
        return net.tcp_listen(ctx(), op, &options, &local);
    }
    jf_status connect() {
        jf_tcp_connect options = make<jf_tcp_connect>();
        options.to = ipv4("192.0.2.1", 7001);
        return net.tcp_connect(ctx(), op, &options);
    }
    jf_status send(std::string_view text) { return net.tcp_send(ctx(), op, bytes(text)); }

    Stage& stage;
    const jf_host_net_v1& net;
    Counter counter;
    jf_op op = JF_NO_OP;
    std::uint64_t connection = 0;
    std::vector<std::string> heard;
};

TEST(SdkTestHostTcp, BringsAPeerToAListenerAndItsBytesToWhoAccepts) {
    Stage stage;
    Line listener(stage), line(stage);
    ASSERT_EQ(listener.listen(), JF_OK);
    TestTcp& tcp = stage.host.tcp();
    ASSERT_EQ(tcp.listeners().at(listener.op).port, 7000);

    const std::uint64_t peer = tcp.connect(listener.op, ipv4("192.0.2.1", 40000));
    stage.host.run();
    ASSERT_EQ(listener.connection, peer);
    EXPECT_EQ(line.net.tcp_accept(line.ctx(), line.op, peer + 1), JF_E_NOT_FOUND);
    EXPECT_EQ(line.net.tcp_accept(line.ctx(), line.op, peer), JF_OK);
    EXPECT_EQ(line.send("too early"), JF_E_STATE);
    tcp.deliver(tcp.op_of(peer), "hello", 5ms);
    stage.host.advance(5ms);

    EXPECT_THAT(line.heard, ElementsAre("connected", "hello"));
    EXPECT_EQ(line.send("welcome"), JF_OK);
    EXPECT_EQ(tcp.sent(line.op), "welcome");
    tcp.close(line.op);
    stage.host.run();
    EXPECT_EQ(line.counter.done, 1);
    EXPECT_EQ(line.counter.status, JF_OK);
}

TEST(SdkTestHostTcp, RefusesAnAttemptWhenTheTestSaysSo) {
    Stage stage;
    Line line(stage);
    stage.host.tcp().on_connect = [](const jf_endpoint& to) { return to.port == 7001 ? JF_E_PEER_LOST : JF_OK; };
    EXPECT_EQ(line.connect(), JF_OK);
    stage.host.run();
    EXPECT_THAT(line.heard, IsEmpty());
    EXPECT_EQ(line.counter.status, JF_E_PEER_LOST);
}

TEST(SdkTestHostTcp, HasAPeerThatTakesNoMoreForAWhile) {
    Stage stage;
    Line line(stage);
    ASSERT_EQ(line.connect(), JF_OK);
    stage.host.run();
    TestTcp& tcp = stage.host.tcp();
    tcp.set_room(line.op, 4);

    EXPECT_EQ(line.send("four"), JF_OK);
    EXPECT_EQ(line.send("more"), JF_E_AGAIN);
    tcp.set_room(line.op, 100);
    stage.host.run();

    EXPECT_THAT(line.heard, ElementsAre("connected", "writable"));
    EXPECT_EQ(line.send("more"), JF_OK);
    EXPECT_EQ(tcp.sent(line.op), "fourmore");
}

TEST(SdkTestHostTcp, KeepsBytesForAPluginThatDoesNotReceive) {
    Stage stage;
    Line line(stage);
    ASSERT_EQ(line.connect(), JF_OK);
    stage.host.run();
    EXPECT_EQ(line.net.tcp_receive(line.ctx(), line.op, 0), JF_OK);
    stage.host.tcp().deliver(line.op, "one ");
    stage.host.tcp().deliver(line.op, "two");
    stage.host.run();
    EXPECT_THAT(line.heard, ElementsAre("connected"));

    EXPECT_EQ(line.net.tcp_receive(line.ctx(), line.op, 1), JF_OK);
    stage.host.run();

    EXPECT_THAT(line.heard, ElementsAre("connected", "one two"));
}

TEST(SdkTestHostTcp, MovesAConnectionWithWhatWasNotReceivedYet) {
    Stage stage;
    Line line(stage), leg(stage);
    ASSERT_EQ(line.connect(), JF_OK);
    stage.host.run();
    line.net.tcp_receive(line.ctx(), line.op, 0);
    stage.host.tcp().deliver(line.op, "audio");
    stage.host.run();

    EXPECT_EQ(line.net.tcp_move(line.ctx(), line.op, leg.op), JF_OK);
    stage.host.run();

    EXPECT_EQ(line.counter.status, JF_OK);
    EXPECT_EQ(line.counter.done, 1);
    EXPECT_THAT(leg.heard, ElementsAre("connected", "audio"));
    EXPECT_EQ(line.send("x"), JF_E_INVALID);
    EXPECT_EQ(leg.net.tcp_finish(leg.ctx(), leg.op), JF_OK);
    stage.host.run();
    EXPECT_EQ(leg.counter.status, JF_OK);
    EXPECT_THAT(stage.host.breaches(), IsEmpty());
}

}  // namespace
}  // namespace jackfield::sdk
