#include "plugins/telephony/sip/address.hpp"
#include "plugins/telephony/sip/causes.hpp"
#include "plugins/telephony/sip/config.hpp"
#include "plugins/telephony/sip/leg_state.hpp"
#include "plugins/telephony/sip/op_table.hpp"
#include "plugins/telephony/sip/text.hpp"

#include <gtest/gtest.h>

namespace jackfield::sip {
namespace {

TEST(Address, ReadsAndWritesBothFamilies) {
    EXPECT_EQ(endpoint_text(*parse_endpoint("192.0.2.1:5060")), "192.0.2.1:5060");
    EXPECT_EQ(endpoint_text(*parse_endpoint("[2001:db8::1]:5060")), "[2001:db8::1]:5060");
    for (const char* wrong : {"192.0.2.1",
                              "192.0.2.256:1",
                              "2001:db8::1:5060",
                              "[192.0.2.1]:1",
                              "host:5060",
                              "192.0.2.1:70000",
                              ":1",
                              ""})
        EXPECT_FALSE(parse_endpoint(wrong)) << wrong;
}

TEST(Network, ContainsWhatItsBitsSay) {
    const auto network = Network::parse("192.0.2.128/25");
    ASSERT_TRUE(network);
    EXPECT_TRUE(network->contains(*parse_address("192.0.2.200")));
    EXPECT_FALSE(network->contains(*parse_address("192.0.2.100")));
    EXPECT_FALSE(network->contains(*parse_address("::1")));
    EXPECT_TRUE(Network::parse("0.0.0.0/0")->contains(*parse_address("203.0.113.1")));
    EXPECT_TRUE(Network::parse("192.0.2.7")->contains(*parse_address("192.0.2.7")));
    EXPECT_FALSE(Network::parse("192.0.2.0/33"));
    EXPECT_FALSE(Network::parse("example.com/8"));
    EXPECT_TRUE(allows({}, *parse_address("203.0.113.1")));
    EXPECT_FALSE(allows({*network}, *parse_address("203.0.113.1")));
}

TEST(LegState, SurvivesItsTextForm) {
    LegState state{"abc@host",
                   "<sip:a@x>;tag=1",
                   "\"B\" <sip:b@y>;tag=2",
                   "sip:b@192.0.2.1:5060",
                   {"<sip:p1;lr>", "<sip:p2;lr>"},
                   "sip:192.0.2.9:5060",
                   1000000};

    const auto read = LegState::parse(state.encode());

    ASSERT_TRUE(read);
    EXPECT_EQ(read->call_id, state.call_id);
    EXPECT_EQ(read->from, state.from);
    EXPECT_EQ(read->to, state.to);
    EXPECT_EQ(read->target, state.target);
    EXPECT_EQ(read->routes, state.routes);
    EXPECT_EQ(read->next_hop, state.next_hop);
    EXPECT_EQ(read->cseq, state.cseq);
}

TEST(LegState, CannotSmuggleHeadersAndRefusesWhatIsNoState) {
    LegState state{"abc", "a\r\nX: 1", "b", "sip:c", {}, {}, 1};
    EXPECT_EQ(LegState::parse(state.encode())->from, "a  X: 1");
    EXPECT_FALSE(LegState::parse(""));
    EXPECT_FALSE(LegState::parse("sip-leg 1\ncall-id x\n"));
    EXPECT_FALSE(LegState::parse("{\"call_id\":1}"));
    state.routes.assign(100, std::string(100, 'r'));
    EXPECT_TRUE(state.encode().empty()) << "more than the host keeps";
}

TEST(Causes, TakeTheGatewaysWordBeforeTheStatus) {
    EXPECT_EQ(cause_of(486, 0), JF_CAUSE_BUSY);
    EXPECT_EQ(cause_of(480, 17), JF_CAUSE_BUSY);
    EXPECT_EQ(cause_of(503, 0), JF_CAUSE_CARRIER_ERROR);
    EXPECT_EQ(cause_of(404, 0), JF_CAUSE_INVALID_NUMBER);
    EXPECT_EQ(refusal_for(JF_CAUSE_UNAVAILABLE).status, 503);
    EXPECT_EQ(refusal_for(JF_CAUSE_UNACCEPTABLE).status, 488);
    EXPECT_EQ(parse_reason("SIP;cause=200, Q.850 ;cause=17;text=\"busy\""), 17u);
    EXPECT_EQ(parse_reason("SIP;cause=200"), 0u);
}

TEST(Text, MakesForeignTextFit) {
    EXPECT_EQ(printable("J\xc3\xb6rg\x01\xff"), "J\xc3\xb6rg??");
    EXPECT_EQ(printable(std::string(1000, 'x')).size(), 253u);
    EXPECT_EQ(unquoted("\"A B\""), "A B");
    EXPECT_TRUE(is_number("+12125550100"));
    EXPECT_FALSE(is_number("+"));
    EXPECT_FALSE(is_number("reception"));
    EXPECT_EQ(escaped_user("+1 2<3"), "+1%202%3C3");
    EXPECT_EQ(endpoint_text(*host_of_uri("sip:a@192.0.2.1:5080;transport=tcp")), "192.0.2.1:5080");
    EXPECT_EQ(endpoint_text(*host_of_uri("sip:[::1]")), "[::1]:5060");
    EXPECT_FALSE(host_of_uri("sip:a@example.com"));
}

TEST(OpTable, FindsWhatWasEnteredAndNothingElse) {
    OpTable<int> table(100);
    std::vector<int> values(100);
    for (int i = 0; i < 100; ++i)
        ASSERT_TRUE(table.insert(0x100000000u + static_cast<jf_op>(i),
                                 &values[static_cast<std::size_t>(i)]));

    table.erase(0x100000005u);

    EXPECT_EQ(table.find(0x100000005u), nullptr);
    EXPECT_EQ(table.find(0x100000006u), &values[6]);
    EXPECT_EQ(table.find(1), nullptr);
}

jf_pair pair(const char* key, const char* value) {
    return {sdk::str(key), sdk::str(value)};
}

TEST(Options, ReadsWhatTheHostPasses) {
    const std::vector<jf_pair> pairs{pair("listen.0", "udp:127.0.0.1:0"),
                                     pair("listen.1", "tcp:[::1]:5060"),
                                     pair("rtp_ports", "20000-20100"),
                                     pair("allow.0", "127.0.0.0/8"),
                                     pair("max_calls", "7")};

    const Options options = Options::from_config(sdk::Config({}, sdk::array(pairs)));

    ASSERT_EQ(options.listen.size(), 2u);
    EXPECT_EQ(options.listen[1].transport, Transport::tcp);
    EXPECT_EQ(options.rtp_last, 20100);
    EXPECT_EQ(options.max_calls, 7u);
    EXPECT_EQ(options.allow.size(), 1u);
}

TEST(Options, NameTheKeyThatIsWrong) {
    const auto problem_with = [](const char* key, const char* value) -> std::string {
        const std::vector<jf_pair> pairs{pair("listen.0", "udp:127.0.0.1:0"), pair(key, value)};
        try {
            Options::from_config(sdk::Config({}, sdk::array(pairs)));
        } catch (const sdk::Failure& failure) {
            return failure.what();
        }
        return "";
    };
    EXPECT_NE(problem_with("rtp_ports", "9-3").find("rtp_ports"), std::string::npos);
    EXPECT_NE(problem_with("listen.1", "udp:localhost:5060").find("numeric"), std::string::npos);
    EXPECT_NE(problem_with("allow.0", "everyone").find("allow"), std::string::npos);
    EXPECT_NE(problem_with("from", "sip:a@b>\r\nX: 1").find("from"), std::string::npos);
    EXPECT_EQ(problem_with("rtp_ports", "0"), "");
}

}  // namespace
}  // namespace jackfield::sip
