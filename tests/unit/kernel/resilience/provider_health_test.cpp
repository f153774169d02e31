#include "resilience/provider_health.hpp"

#include <gtest/gtest.h>

namespace jackfield::resilience {
namespace {

using base::Milliseconds;
using Options = std::vector<std::pair<std::string, std::string>>;

base::MonoTime at_ms(std::int64_t ms) { return {ms * 1'000'000}; }

TEST(ProviderHealth, IsOneForTwoInstancesOfTheSamePluginAndOptions) {
    ProviderHealthRegistry registry;

    const auto one = registry.of(provider_key("llm/acme", "clinic", {{"model", "big"}, {"api_key", "s3cret"}}));
    const auto same = registry.of(provider_key("llm/acme", "clinic", {{"api_key", "s3cret"}, {"model", "big"}}));

    EXPECT_EQ(one, same);
    for (int i = 0; i < 5; ++i) one->breaker().failed(at_ms(i));
    EXPECT_FALSE(same->breaker().allow(at_ms(10)));
}

TEST(ProviderHealth, KeepsApartWhatFailsApart) {
    ProviderHealthRegistry registry;
    const Options options = {{"region", "eu"}, {"api_key", "a"}};
    const auto health = registry.of(provider_key("llm/acme", "clinic", options));

    EXPECT_NE(registry.of(provider_key("llm/other", "clinic", options)), health);
    EXPECT_NE(registry.of(provider_key("llm/acme", "bakery", options)), health);
    EXPECT_NE(registry.of(provider_key("llm/acme", "clinic", {{"region", "us"}, {"api_key", "a"}})), health);
    EXPECT_NE(registry.of(provider_key("llm/acme", "clinic", {{"region", "eu"}, {"api_key", "b"}})), health);
    EXPECT_EQ(registry.size(), 5U);
}

TEST(ProviderHealth, FindsRegionAndCredentialsInTheOptions) {
    const ProviderKey named = provider_key("llm/acme", "", {{"region", "eu-west"}, {"base_url", "https://x.example.com"}});
    const ProviderKey addressed = provider_key("llm/acme", "", {{"http.base_url", "https://u@eu.example.com:8443/v1?k=1"}, {"auth.api_key", "a"}});
    const ProviderKey local = provider_key("tts/local", "", {{"voice", "slt"}});

    EXPECT_EQ(named.region, "eu-west");
    EXPECT_EQ(addressed.region, "eu.example.com:8443");
    EXPECT_FALSE(addressed.account.empty());
    EXPECT_EQ(addressed.account.size(), 16U);
    EXPECT_EQ(local.region, "");
    EXPECT_EQ(local.account, "");
}

TEST(ProviderHealth, HedgesAtItsOwnTailOnceItIsKnown) {
    ProviderHealth health(provider_key("llm/acme", "", {}));
    EXPECT_EQ(health.hedge_after(at_ms(0), Milliseconds(600)), Milliseconds(600));

    for (int i = 0; i < 90; ++i) health.answered(at_ms(i), Milliseconds(300));
    for (int i = 0; i < 10; ++i) health.answered(at_ms(i), Milliseconds(1500));

    EXPECT_NEAR(static_cast<double>(health.hedge_after(at_ms(100), Milliseconds(600)).count()), 1500, 300);
}

TEST(ProviderHealth, NeverHedgesBeforeTheFloor) {
    ProviderHealth health(provider_key("llm/acme", "", {}));

    for (int i = 0; i < 100; ++i) health.answered(at_ms(i), Milliseconds(80));

    EXPECT_EQ(health.hedge_after(at_ms(100), Milliseconds(600)), Milliseconds(600));
}

TEST(ProviderHealth, OutlivesItsInstances) {
    ProviderHealthRegistry registry;
    const ProviderKey key = provider_key("llm/acme", "", {});

    for (int i = 0; i < 5; ++i) registry.of(key)->breaker().failed(at_ms(i));

    EXPECT_FALSE(registry.of(key)->breaker().allow(at_ms(10)));
}

}  // namespace
}  // namespace jackfield::resilience
