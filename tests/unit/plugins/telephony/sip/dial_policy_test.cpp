#include "plugins/telephony/sip/dial_policy.hpp"

#include <gtest/gtest.h>

namespace jackfield::sip {
namespace {

using Verdict = DialPolicy::Verdict;

DialRules rules(std::vector<std::string> allow, bool trunk = true) {
    DialRules out;
    out.allow = std::move(allow);
    out.trunk = trunk;
    out.emergency_numbers = {"112", "911"};
    return out;
}

TEST(DialPolicy, CallsNothingThroughATrunkUntilToldWhat) {
    DialPolicy closed(rules({}));
    EXPECT_EQ(closed.admit("sip:+12125550100@carrier", 0), Verdict::not_listed);
    EXPECT_EQ(closed.admit("sip:alice@example.com", 0), Verdict::not_listed);
    DialPolicy direct(rules({}, false));
    EXPECT_EQ(direct.admit("sip:+12125550100@192.0.2.1", 0), Verdict::allowed);
}

TEST(DialPolicy, FollowsThePrefixesAndForbidsFirst) {
    DialPolicy policy(rules({"+1", "!+1900", "sip:desk@"}));
    EXPECT_EQ(policy.admit("sip:+12125550100@carrier", 0), Verdict::allowed);
    EXPECT_EQ(policy.admit("sip:+19005550100@carrier", 0), Verdict::not_listed);
    EXPECT_EQ(policy.admit("sip:+442079460100@carrier", 0), Verdict::not_listed);
    EXPECT_EQ(policy.admit("sip:desk@carrier", 0), Verdict::allowed);
    EXPECT_EQ(policy.admit("sip:+12125550100;phone-context=x@carrier", 0), Verdict::allowed);
    DialPolicy open(rules({"*", "!+1900"}));
    EXPECT_EQ(open.admit("sip:+442079460100@carrier", 0), Verdict::allowed);
    EXPECT_EQ(open.admit("sip:+19005550100@carrier", 0), Verdict::not_listed);
}

TEST(DialPolicy, IsNotFooledByOtherSpellings) {
    DialPolicy policy(rules({"*", "!+1900", "!+44"}));
    EXPECT_EQ(policy.admit("sip:001900555@carrier", 0), Verdict::not_listed);
    EXPECT_EQ(policy.admit("sip:%2B1900555@carrier", 0), Verdict::not_listed);
    EXPECT_EQ(policy.admit("sip:+1(900)-555@carrier", 0), Verdict::not_listed);
    EXPECT_EQ(policy.admit("sip:0044207@carrier", 0), Verdict::not_listed);
    EXPECT_EQ(policy.admit("sip:%31%31%32@carrier", 0), Verdict::emergency);
}

TEST(DialPolicy, CallsEmergencyNumbersOnlyWhenToldAndThenAlways) {
    DialPolicy never(rules({"*"}, false));
    EXPECT_EQ(never.admit("sip:112@192.0.2.1", 0), Verdict::emergency);
    EXPECT_EQ(never.admit("sip:+911@192.0.2.1", 0), Verdict::emergency);
    EXPECT_EQ(never.admit("sip:1120@192.0.2.1", 0), Verdict::allowed);
    DialRules with = rules({});
    with.emergency = true;
    with.per_minute = 1;
    DialPolicy always(with);
    for (int i = 0; i < 5; ++i) EXPECT_EQ(always.admit("sip:112@carrier", 0), Verdict::allowed);
}

TEST(DialPolicy, CapsDialsPerMinuteAndDay) {
    DialRules capped = rules({"+"});
    capped.per_minute = 3;
    capped.per_day = 5;
    DialPolicy policy(capped);
    const std::string uri = "sip:+12125550100@carrier";
    for (int i = 0; i < 3; ++i) EXPECT_EQ(policy.admit(uri, 1'000), Verdict::allowed);
    EXPECT_EQ(policy.admit(uri, 59'000), Verdict::per_minute);
    EXPECT_EQ(policy.admit(uri, 62'000), Verdict::allowed);
    EXPECT_EQ(policy.admit(uri, 62'000), Verdict::allowed);
    EXPECT_EQ(policy.admit(uri, 200'000), Verdict::per_day);
    EXPECT_EQ(policy.admit(uri, 86'400'000 + 120'000), Verdict::allowed);
}

TEST(DialPolicy, CapsTheMinutesOfADay) {
    DialRules capped = rules({"+"});
    capped.minutes_per_day = 10;
    DialPolicy policy(capped);
    const std::string uri = "sip:+12125550100@carrier";
    policy.talked(9 * 60'000, 1'000);
    EXPECT_EQ(policy.admit(uri, 1'000), Verdict::allowed);
    policy.talked(60'000, 2'000);
    EXPECT_EQ(policy.admit(uri, 3'000), Verdict::minutes_per_day);
    EXPECT_EQ(policy.admit(uri, 25 * 3'600'000), Verdict::allowed);
}

TEST(DialPolicy, SaysWhy) {
    EXPECT_NE(std::string(DialPolicy::explain(Verdict::not_listed)).find("dial_allow"),
              std::string::npos);
    EXPECT_NE(std::string(DialPolicy::explain(Verdict::emergency)).find("emergency = true"),
              std::string::npos);
}

}  // namespace
}  // namespace jackfield::sip
