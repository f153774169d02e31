#include "plugins/telephony/sip/registrar.hpp"

#include <gtest/gtest.h>

namespace jackfield::sip {
namespace {

Registrar::Request asking(std::string contact, std::uint32_t cseq, std::uint32_t expires_s = 300) {
    Registrar::Request out;
    out.user = "anna";
    out.call_id = "c";
    out.cseq = cseq;
    out.expires_s = expires_s;
    out.wanted.push_back({std::move(contact), std::nullopt});
    out.source = *parse_address("198.51.100.4", 6060);
    return out;
}

TEST(Registrar, KeepsABindingUntilItExpires) {
    Registrar registrar;
    EXPECT_EQ(registrar.take(asking("sip:anna@10.0.0.5:5060", 1, 120), 1'000), 200u);
    ASSERT_EQ(registrar.bindings("anna", 120'000).size(), 1u);
    EXPECT_TRUE(registrar.bindings("anna", 121'000).empty());
    EXPECT_TRUE(registrar.bindings("bert", 1'000).empty());
}

TEST(Registrar, ReachesAPhoneWhereItSentFrom) {
    Registrar registrar;
    ASSERT_EQ(registrar.take(asking("sip:anna@10.0.0.5:5060;ob;transport=tcp", 1), 0), 200u);
    EXPECT_EQ(registrar.bindings("anna", 0)[0].reach, "sip:anna@198.51.100.4:6060;ob");
    EXPECT_EQ(reach_through("sip:10.0.0.5", *parse_address("2001:db8::1", 5070), "tcp"),
              "sip:[2001:db8::1]:5070;transport=tcp");
}

TEST(Registrar, RefreshesRemovesAndOrders) {
    Registrar registrar;
    ASSERT_EQ(registrar.take(asking("sip:anna@a", 1), 0), 200u);
    EXPECT_EQ(registrar.take(asking("sip:anna@a", 1), 0), 500u) << "the same once more";
    EXPECT_EQ(registrar.take(asking("sip:anna@a", 2), 100'000), 200u);
    EXPECT_EQ(registrar.bindings("anna", 350'000).size(), 1u);
    EXPECT_EQ(registrar.take(asking("sip:anna@b", 3), 350'000), 200u);
    EXPECT_EQ(registrar.bindings("anna", 350'000)[0].contact, "sip:anna@b");
    EXPECT_EQ(registrar.take(asking("sip:anna@b", 4, 0), 350'000), 200u);
    EXPECT_EQ(registrar.bindings("anna", 350'000).size(), 1u);
    Registrar::Request away = asking("", 5, 0);
    away.wanted.clear();
    away.all_away = true;
    EXPECT_EQ(registrar.take(away, 350'000), 200u);
    EXPECT_TRUE(registrar.bindings("anna", 350'000).empty());
    away.expires_s = 60;
    away.cseq = 6;
    EXPECT_EQ(registrar.take(away, 350'000), 400u);
}

TEST(Registrar, RefusesWhatIsTooShortTooManyOrNoAddress) {
    Registrar registrar;
    EXPECT_EQ(registrar.take(asking("sip:anna@a", 1, 30), 0), 423u);
    EXPECT_EQ(registrar.take(asking("http://x", 1), 0), 400u);
    EXPECT_EQ(registrar.take(asking("sip:a>b", 1), 0), 400u);
    Registrar::Request many = asking("sip:anna@0", 1);
    for (int i = 1; i < 20; ++i) many.wanted.push_back({"sip:anna@" + std::to_string(i), {}});
    EXPECT_EQ(registrar.take(many, 0), 403u);
    for (unsigned i = 0; i < 20; ++i)
        EXPECT_EQ(registrar.take(asking("sip:anna@" + std::to_string(i), i + 1), 0), 200u);
    EXPECT_EQ(registrar.bindings("anna", 0).size(), Registrar::most_bindings);
    EXPECT_EQ(registrar.size(0), Registrar::most_bindings);
}

}  // namespace
}  // namespace jackfield::sip
