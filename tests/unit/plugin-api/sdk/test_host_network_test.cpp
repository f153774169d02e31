#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "puppet.hpp"

namespace jackfield::sdk {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

/// A puppet with one socket, which keeps what arrives.
struct Socket {
    explicit Socket(Stage& on) : stage(on), net(*on.puppet.host.facility<jf_host_net_v1>(JF_FACILITY_NET)) {
        counter.seen = [this](const jf_event& event) {
            const auto* datagram = data_of<jf_datagram>(event);
            arrived.push_back(std::string(view(datagram->data)) + "@" + std::to_string(stage.host.now_ns() / 1'000'000 - 1000));
        };
        op = stage.puppet.host.open(JF_NO_OP, counter);
        jf_udp_open options = make<jf_udp_open>();
        options.port_first = 4000;
        options.port_last = 4010;
        options.bind = ipv4("192.0.2.9", 0);
        opened = net.udp_open(stage.puppet.host.ctx(), op, &options, &local);
    }
    /// The socket's sink has to outlive its op.
    ~Socket() { stage.instance.close(); }
    jf_status send(std::string_view data) {
        const jf_endpoint far_end = ipv4("192.0.2.1", 5000);
        return net.udp_send(stage.puppet.host.ctx(), op, &far_end, bytes(data));
    }

    Stage& stage;
    const jf_host_net_v1& net;
    Counter counter;
    jf_op op = JF_NO_OP;
    jf_status opened = 1;
    jf_endpoint local{};
    std::vector<std::string> arrived;
};

TEST(SdkTestHostNetwork, BindsEvenPortsOfTheRange) {
    Stage stage;
    Counter counter;
    Socket first(stage);
    jf_udp_open options = make<jf_udp_open>();
    options.port_first = 4000;
    options.port_last = 4003;
    jf_endpoint second{};
    const Host& host = stage.puppet.host;

    EXPECT_EQ(first.opened, JF_OK);
    EXPECT_EQ(first.local.port, 4000);
    EXPECT_EQ(first.net.udp_open(host.ctx(), host.open(JF_NO_OP, counter), &options, &second), JF_OK);
    EXPECT_EQ(second.port, 4002);
    EXPECT_EQ(first.net.udp_open(host.ctx(), first.op, &options, &second), JF_E_QUOTA);
    EXPECT_EQ(stage.host.sockets().size(), 2u);
    stage.instance.close();
}

TEST(SdkTestHostNetwork, CarriesAScriptedExchangeInSimulatedTime) {
    Stage stage;
    Socket socket(stage);
    stage.host.on_datagram = [&](const Datagram& sent) {
        if (sent.data == "ping") stage.host.deliver(sent.socket, sent.to, "pong", 30ms);
    };

    EXPECT_EQ(socket.send("ping"), JF_OK);
    stage.host.advance(29ms);
    EXPECT_THAT(socket.arrived, IsEmpty());
    stage.host.advance(1ms);

    EXPECT_THAT(socket.arrived, ElementsAre("pong@30"));
    ASSERT_EQ(stage.host.sent().size(), 1u);
    EXPECT_EQ(stage.host.sent()[0].from.port, 4000);
    EXPECT_THAT(stage.host.breaches(), IsEmpty());
}

TEST(SdkTestHostNetwork, LosesWhatComesForAClosedSocket) {
    Stage stage;
    Socket socket(stage);
    stage.host.deliver(socket.op, ipv4("192.0.2.1", 5000), "late", 10ms);

    stage.puppet.host.cancel(socket.op);
    stage.host.advance(20ms);

    EXPECT_THAT(socket.arrived, IsEmpty());
    EXPECT_EQ(socket.counter.done, 1);
    EXPECT_EQ(socket.counter.status, JF_E_CANCELLED);
    EXPECT_EQ(socket.send("more"), JF_E_INVALID);
    EXPECT_TRUE(stage.host.sockets().empty());
}

TEST(SdkTestHostNetwork, HasASocketThatIsFullForAWhile) {
    Stage stage;
    Socket socket(stage);

    stage.host.refuse_sends(1);

    EXPECT_EQ(socket.send("one"), JF_E_AGAIN);
    EXPECT_EQ(socket.send("two"), JF_OK);
    EXPECT_EQ(stage.host.sent().size(), 1u);
}

TEST(SdkTestHostNetwork, TakesIncomingCallsAsOpsOfThePlugin) {
    Stage stage;
    const Host& host = stage.puppet.host;
    TestOp* leg = nullptr;
    std::string from;
    stage.host.on_incoming = [&](TestOp& op, const jf_incoming& call) {
        leg = &op;
        from = view(call.from);
    };
    jf_op op = JF_NO_OP;
    {
        std::string number = "+15550100";
        jf_incoming call = make<jf_incoming>();
        call.from = str(number);
        EXPECT_EQ(host.facility<jf_host_calls_v1>(JF_FACILITY_CALLS)->incoming(host.ctx(), &call, &op), JF_OK);
        EXPECT_EQ(leg, nullptr) << "called back from inside the call";
    }
    stage.host.run();

    ASSERT_TRUE(leg);
    EXPECT_EQ(from, "+15550100");
    EXPECT_EQ(leg->id(), op);
    EXPECT_EQ(host.emit(op, JF_EV_RINGING), JF_OK);
    jf_call_end end = make<jf_call_end>();
    end.cause = JF_CAUSE_BUSY;
    EXPECT_EQ(host.complete_with(op, JF_OK, JF_EV_CALL_ENDED, end), JF_OK);
    EXPECT_EQ(leg->last().as<jf_call_end>()->cause, JF_CAUSE_BUSY);
    EXPECT_THAT(stage.host.breaches(), IsEmpty());
}

/// A record store of a test's own: a table, and an instance that is whatever the test likes.
struct FakeRecords {
    explicit FakeRecords(TestHost& on) : host(on) {
        table.declare = [](jf_instance* self, jf_op op, const jf_collection*, jf_error*) -> jf_status {
            auto& fake = *reinterpret_cast<FakeRecords*>(self);
            fake.host.carry(op);
            fake.asked = op;
            return JF_OK;
        };
        host.provide_records(&table, this);
    }
    TestHost& host;
    jf_records_v1 table = make<jf_records_v1>();
    jf_op asked = JF_NO_OP;
};

TEST(SdkTestHostNetwork, LetsATestPlayTheProvidersThatAPluginUses) {
    Stage stage;
    FakeRecords records(stage.host);
    const Host& host = stage.puppet.host;
    jf_provider_ref found = make<jf_provider_ref>();
    ASSERT_EQ(host.facility<jf_host_records_v1>(JF_FACILITY_RECORDS)->find(host.ctx(), &found, nullptr), JF_OK);

    Counter counter;
    jf_collection collection = make<jf_collection>();
    const jf_op op = host.open(JF_NO_OP, counter);
    EXPECT_EQ(static_cast<const jf_records_v1*>(found.table)->declare(found.instance, op, &collection, nullptr), JF_OK);
    stage.host.finish(records.asked, JF_OK);
    EXPECT_EQ(counter.done, 0);
    stage.host.run();

    EXPECT_EQ(counter.done, 1);
    EXPECT_EQ(counter.status, JF_OK);
    EXPECT_EQ(host.facility<jf_host_providers_v1>(JF_FACILITY_PROVIDERS)->find(host.ctx(), str("crm"), str(JF_TOOLS_V1), &found, nullptr),
              JF_E_NOT_FOUND);
}

}  // namespace
}  // namespace jackfield::sdk
