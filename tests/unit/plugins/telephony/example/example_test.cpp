// The example carrier through its table, on the SDK's test host: two instances call one another over its scripted network.

#include <gtest/gtest.h>
#include <jackfield/sdk/test_host.hpp>

#include "wire.hpp"

namespace jackfield::telephony_example {
namespace {

using namespace std::chrono_literals;

class Carrier : public testing::Test {
  protected:
    Carrier() {
        host_.on_incoming = [this](sdk::TestOp& leg, const jf_incoming& call) {
            incoming_ = &leg;
            caller_ = std::string(sdk::view(call.from)) + ">" + std::string(sdk::view(*JF_AT(jf_str, call.keys, 0)));
        };
        host_.on_datagram = [this](const sdk::Datagram& sent) {
            for (const auto& [socket, bound] : host_.sockets())
                if (bound.port == sent.to.port) host_.deliver(socket, sent.from, sent.data, 5ms);
        };
        EXPECT_EQ(here_.start(), JF_OK);
        EXPECT_EQ(there_.start(), JF_OK);
    }
    ~Carrier() override {
        here_.close();
        there_.close();
        for (const std::string& breach : host_.breaches()) ADD_FAILURE() << breach;
    }

    sdk::TestOp& dial(std::string_view to, std::uint32_t ring_timeout_ms = 0) {
        jf_dial dial = sdk::make<jf_dial>();
        dial.to = sdk::str(to);
        dial.ring_timeout_ms = ring_timeout_ms;
        jf_answer media = sdk::make<jf_answer>();
        sdk::TestOp& leg = here_.begin(calls_->dial, &dial, &media);
        host_.advance(20ms);
        return leg;
    }
    void answer(std::uint32_t media_timeout_ms = 0) {
        jf_answer media = sdk::make<jf_answer>();
        media.media_timeout_ms = media_timeout_ms;
        ASSERT_EQ(there_.on(*incoming_, calls_->answer, &media), JF_OK);
        host_.advance(20ms);
    }
    void say(sdk::TestInstance& who, sdk::TestOp& leg, char sample) {
        const std::string samples(160, sample);
        jf_frame frame = sdk::make<jf_frame>();
        frame.codec = JF_CODEC_PCMU;
        frame.channels = 1;
        frame.rate_hz = 8000;
        frame.samples = 160;
        frame.data = sdk::bytes(samples);
        EXPECT_EQ(who.on(leg, calls_->media_out, &frame), JF_OK);
        host_.advance(20ms);
    }
    jf_status control(sdk::TestInstance& who, sdk::TestOp& leg, std::uint32_t verb, std::uint64_t value = 0, std::string_view text = {}) {
        jf_telephony_control control = sdk::make<jf_telephony_control>();
        control.verb = verb;
        control.value = value;
        control.text = sdk::str(text);
        const jf_status status = who.on(leg, calls_->control, &control);
        host_.advance(20ms);
        return status;
    }
    static std::uint32_t cause(const sdk::TestOp& leg) {
        const auto* end = leg.last().as<jf_call_end>();
        return !leg.open() && end ? end->cause : ~0u;
    }

    sdk::TestHost host_;
    sdk::TestOp* incoming_ = nullptr;
    std::string caller_;
    sdk::TestInstance here_{host_, jf_module_entry_v1(), {{"port", "5090"}, {"number", "ann"}}};
    sdk::TestInstance there_{host_, jf_module_entry_v1(), {{"port", "5091"}}};
    const jf_telephony_v1* calls_ = here_.interface<jf_telephony_v1>(JF_TELEPHONY_V1);
};

TEST_F(Carrier, BringsACallFromOneHostToAnother) {
    sdk::TestOp& out = dial("127.0.0.1:5091/reception");
    ASSERT_NE(incoming_, nullptr);
    EXPECT_EQ(caller_, "ann>reception");

    EXPECT_EQ(control(there_, *incoming_, JF_TEL_RING), JF_OK);
    EXPECT_EQ(out.count(JF_EV_RINGING), 1u);
    answer();
    EXPECT_EQ(out.count(JF_EV_ANSWERED), 1u);
    say(here_, out, 'a');
    say(there_, *incoming_, 'b');
    say(there_, *incoming_, 'c');
    EXPECT_EQ(incoming_->count(JF_EV_MEDIA), 1u);
    ASSERT_EQ(out.count(JF_EV_MEDIA), 2u);
    EXPECT_EQ(out.events().back().as<jf_frame>()->pts, 160u);
    EXPECT_EQ(control(here_, out, JF_TEL_DTMF, 0, "4w#"), JF_OK);
    EXPECT_EQ(incoming_->count(JF_EV_DTMF), 1u);
    host_.advance(500ms);
    EXPECT_EQ(incoming_->count(JF_EV_DTMF), 2u) << "behind the pause";

    EXPECT_EQ(here_.on(out, calls_->hangup, JF_CAUSE_NORMAL), JF_OK);
    host_.advance(20ms);

    EXPECT_EQ(cause(out), JF_CAUSE_NORMAL);
    EXPECT_EQ(cause(*incoming_), JF_CAUSE_NORMAL);
    EXPECT_EQ(out.last().as<jf_call_end>()->by, JF_ENDED_BY_US);
    EXPECT_EQ(incoming_->last().as<jf_call_end>()->by, JF_ENDED_BY_FAR_END);
    EXPECT_EQ(out.last().as<jf_call_end>()->packets_in, 2u);
    EXPECT_EQ(host_.sockets().size(), 2u) << "only the ports that listen";
}

TEST_F(Carrier, TriesAgainWhatAHostThatIsBehindRefused) {
    sdk::TestOp& out = dial("127.0.0.1:5091/reception");
    host_.refuse_emits(2);
    EXPECT_EQ(control(there_, *incoming_, JF_TEL_RING), JF_OK);
    host_.refuse_emits(4);

    answer();
    say(there_, *incoming_, 'b');
    host_.advance(100ms);
    say(there_, *incoming_, 'c');

    ASSERT_EQ(out.count(JF_EV_ANSWERED), 1u);
    EXPECT_EQ(incoming_->count(JF_EV_ANSWERED), 1u);
    EXPECT_EQ(out.events().front().type, JF_EV_RINGING);
    EXPECT_EQ(out.events().back().type, JF_EV_MEDIA);
}

TEST_F(Carrier, TellsTheCallerWhyItIsRefused) {
    sdk::TestOp& out = dial("127.0.0.1:5091/reception");

    EXPECT_EQ(control(there_, *incoming_, JF_TEL_REJECT, JF_CAUSE_BUSY), JF_OK);

    EXPECT_EQ(cause(out), JF_CAUSE_BUSY);
    EXPECT_EQ(cause(*incoming_), JF_CAUSE_BUSY);
}

TEST_F(Carrier, EndsAnUnansweredCallAtBothEnds) {
    sdk::TestOp& out = dial("127.0.0.1:5091/reception", 2000);

    host_.advance(1900ms);
    EXPECT_TRUE(out.open());
    host_.advance(300ms);

    EXPECT_EQ(cause(out), JF_CAUSE_NO_ANSWER);
    EXPECT_EQ(cause(*incoming_), JF_CAUSE_CANCELLED);
}

TEST_F(Carrier, EndsACallThatFallsSilent) {
    sdk::TestOp& out = dial("127.0.0.1:5091/reception");
    answer(1000);
    say(here_, out, 'a');

    host_.advance(1300ms);

    EXPECT_EQ(cause(*incoming_), JF_CAUSE_MEDIA_TIMEOUT);
    EXPECT_EQ(cause(out), JF_CAUSE_MEDIA_TIMEOUT);
}

TEST_F(Carrier, HangsUpWhatTheHostGivesUp) {
    sdk::TestOp& out = dial("127.0.0.1:5091/reception");
    answer();

    here_.cancel(out);
    host_.advance(20ms);

    EXPECT_FALSE(out.open());
    EXPECT_EQ(cause(*incoming_), JF_CAUSE_NORMAL);
}

TEST_F(Carrier, ListensToNobodyWhoDoesNotKnowTheCall) {
    sdk::TestOp& out = dial("127.0.0.1:5091/reception");
    answer();
    char forged[32];
    const std::size_t n = write_packet(forged, 'H', 12345, {});

    for (const auto& [socket, bound] : host_.sockets()) {
        host_.deliver(socket, sdk::ipv4("192.0.2.9", 9), {forged, n});
        host_.deliver(socket, sdk::ipv4("192.0.2.9", 9), "nonsense");
    }
    host_.advance(20ms);

    EXPECT_TRUE(out.open());
    EXPECT_TRUE(incoming_->open());
}

TEST_F(Carrier, HasSoManyLines) {
    for (int i = 0; i < 64; ++i) EXPECT_TRUE(dial("127.0.0.1:9/nobody").open()) << i;

    EXPECT_EQ(dial("127.0.0.1:9/nobody").status(), JF_E_QUOTA);
}

TEST_F(Carrier, RefusesWhatItCannotDo) {
    EXPECT_EQ(dial("+15550100").status(), JF_E_INVALID);
    sdk::TestOp& out = dial("127.0.0.1:5091/reception");
    EXPECT_EQ(control(here_, out, JF_TEL_DTMF, 0, "1"), JF_E_STATE);
    EXPECT_EQ(control(here_, out, JF_TEL_HOLD, 1), JF_E_UNSUPPORTED);
    answer();
    for (const char* keys : {"5x!", "", "12 3"}) EXPECT_EQ(control(here_, out, JF_TEL_DTMF, 0, keys), JF_E_INVALID) << keys;
    jf_answer again = sdk::make<jf_answer>();
    EXPECT_EQ(there_.on(*incoming_, calls_->answer, &again), JF_E_STATE);
}

TEST(Addresses, AreReadStrictly) {
    ASSERT_TRUE(read_address("127.0.0.1:5090/desk"));
    EXPECT_EQ(read_address("127.0.0.1:5090/desk")->who, "desk");
    EXPECT_EQ(read_address("127.0.0.1:5090/desk")->endpoint.port, 5090);
    for (const char* wrong : {"", "127.0.0.1", "127.0.0.1:/x", "127.0.0.1:0/x", "127.0.0.1:99999/x", "127.0.0.1:5090/", "127.0.0.256:1/x", "127.0.1:1/x", "a:1/x"})
        EXPECT_FALSE(read_address(wrong)) << wrong;
}

}  // namespace
}  // namespace jackfield::telephony_example
