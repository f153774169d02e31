#include "plugins/telephony/sip/guard.hpp"

#include <gtest/gtest.h>

namespace jackfield::sip {
namespace {

jf_endpoint host(std::uint32_t number) {
    jf_endpoint out{};
    out.family = JF_NET_IPV4;
    for (int i = 0; i < 4; ++i) out.ip[i] = static_cast<std::uint8_t>(number >> (24 - 8 * i));
    return out;
}

unsigned admitted(FloodGuard& guard, std::uint32_t source, unsigned tries, std::uint64_t now_ms) {
    unsigned out = 0;
    for (unsigned i = 0; i < tries; ++i) out += guard.admit(host(source), now_ms) ? 1 : 0;
    return out;
}

TEST(FloodGuard, LetsEachSourceSendAtItsRate) {
    FloodGuard guard(100);
    EXPECT_EQ(admitted(guard, 1, 1000, 5'000), 100u);
    EXPECT_EQ(admitted(guard, 2, 50, 5'000), 50u);
    EXPECT_EQ(admitted(guard, 1, 1000, 5'500), 50u);
    EXPECT_EQ(admitted(guard, 1, 1000, 60'000), 200u) << "what was saved is bounded";
}

TEST(FloodGuard, GivesForgedAddressesOneBudgetTogether) {
    FloodGuard guard(10);
    unsigned all = 0;
    for (std::uint32_t source = 1; source <= 200'000; ++source)
        all += guard.admit(host(source * 2654435761u), 1'000) ? 1 : 0;
    EXPECT_LE(all, 4096u + 10u);
    EXPECT_TRUE(guard.admit(host(7), 10'000)) << "the table frees itself";
}

TEST(FloodGuard, TakesAWholeV6NetworkForOneSource) {
    FloodGuard guard(10);
    unsigned all = 0;
    for (std::uint8_t i = 0; i < 100; ++i) {
        jf_endpoint one{};
        one.family = JF_NET_IPV6;
        one.ip[0] = 0x20;
        one.ip[15] = i;
        all += guard.admit(one, 1'000) ? 1 : 0;
    }
    EXPECT_EQ(all, 10u);
}

TEST(FloodGuard, HasNoLimitAtZero) {
    FloodGuard guard(0);
    EXPECT_EQ(admitted(guard, 1, 5000, 1), 5000u);
}

TEST(Strikes, PutAnAddressOutForAMinuteAfterTen) {
    Strikes strikes;
    for (int i = 0; i < 9; ++i) strikes.add(host(1), 1'000);
    EXPECT_FALSE(strikes.out(host(1), 1'000));
    strikes.add(host(1), 2'000);
    EXPECT_TRUE(strikes.out(host(1), 2'000));
    EXPECT_FALSE(strikes.out(host(2), 2'000));
    EXPECT_FALSE(strikes.out(host(1), 63'000));
}

TEST(Strikes, ForgetsOldOnes) {
    Strikes strikes;
    for (std::uint64_t i = 0; i < 100; ++i) strikes.add(host(1), i * 10'000);
    EXPECT_FALSE(strikes.out(host(1), 1'000'000));
    for (std::uint32_t i = 0; i < 1000; ++i) strikes.add(host(i), 2'000'000);
    EXPECT_FALSE(strikes.out(host(5), 2'000'000));
}

TEST(Scanners, AreKnownByTheirNameInAnyCase) {
    const std::vector<std::string> names{"friendly-scanner", "sipvicious"};
    EXPECT_TRUE(names_any("Friendly-Scanner", names));
    EXPECT_TRUE(names_any("x SIPVicious 0.3", names));
    EXPECT_FALSE(names_any("Linphone/4.2", names));
    EXPECT_FALSE(names_any("", names));
    EXPECT_FALSE(names_any("anything", {}));
}

}  // namespace
}  // namespace jackfield::sip
