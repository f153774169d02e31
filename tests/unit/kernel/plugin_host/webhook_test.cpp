// Requests from outside on their way to a plugin and back.

#include "host_fixture.hpp"
#include "plugin_host/adapters/webhook.hpp"

namespace jackfield::plugin_host {
namespace {

using namespace std::chrono_literals;
using sdk::make;
using sdk::str;

class Webhook : public testing::TestWithParam<Placement> {
  protected:
    jf_http_request request(std::string_view body) {
        jf_http_request out = make<jf_http_request>();
        out.method = str("POST");
        out.url = str("https://voice.example/hooks/it/+15550100");
        out.path = str("/+15550100");
        headers_ = {{str("x-signature"), str("abc")}};
        out.headers = sdk::array(headers_);
        out.body = sdk::bytes(body);
        out.remote = str("192.0.2.1");
        return out;
    }
    /// What comes back after a while; status 0: nothing has.
    HttpAnswer ask(std::string_view body, base::Milliseconds wait = 1ms) {
        const jf_http_request asked = request(body);
        return ask(asked, wait);
    }
    HttpAnswer ask(const jf_http_request& asked, base::Milliseconds wait) {
        auto answer = std::make_shared<HttpAnswer>();
        answer->status = 0;
        runtime_.shard(0).post([&, answer] {
            receiver_.receive(plugin_, runtime_.shard(0), asked, [answer](HttpAnswer a) { *answer = std::move(a); });
        });
        runtime_.run_for(wait);
        return *answer;
    }

    runtime::SimRuntime runtime_{3};
    HostUnderTest host_{runtime_};
    std::shared_ptr<Instance> plugin_ = host_.make("llm/test_liar", GetParam());
    std::vector<std::string> told_;
    WebhookReceiver receiver_{*host_.operator->(), [this](Instance&, const jf_event& event) {
                                  told_.emplace_back(sdk::view(sdk::data_of<jf_inbound_message>(event)->id));
                              }};
    std::vector<jf_pair> headers_;
};

INSTANTIATE_TEST_SUITE_P(Placements, Webhook, testing::Values(Placement::inline_, Placement::thread),
                         [](const auto& placed) { return placed.param == Placement::thread ? "Thread" : "Inline"; });

TEST_P(Webhook, IsAnsweredAndTellsWhatHasHappened) {
    const HttpAnswer answer = ask("good");

    EXPECT_EQ(answer.status, 202u);
    EXPECT_EQ(answer.body, "good");
    EXPECT_EQ(answer.headers, (decltype(answer.headers){{"x-good", "yes"}}));
    EXPECT_EQ(told_, std::vector<std::string>{"m9"});
}

TEST_P(Webhook, IsForWhomItsPathSays) {
    const WebhookPort port(*plugin_);

    const auto keys = port.route(request("good"));

    ASSERT_TRUE(keys.has_value());
    EXPECT_EQ(*keys, std::vector<std::string>{"/+15550100"});
    EXPECT_EQ(port.route(request("nobody")).error().code(), base::ErrorCode::not_found);
}

TEST_P(Webhook, ReadsNoKeyThatIsNoPartOfTheRequest) {
    const WebhookPort port(*plugin_);

    for (const char* lie : {"elsewhere", "wild", "many"}) EXPECT_EQ(port.route(request(lie)).error().code(), base::ErrorCode::internal) << lie;

    EXPECT_EQ(host_.ops().counters().bad_answers, 3u);
}

TEST_P(Webhook, SendsNoReplyThatIsNone) {
    for (const char* lie : {"split", "bad name", "own", "status", "none", "late once"}) EXPECT_EQ(ask(lie).status, 500u) << lie;
    EXPECT_EQ(ask("upper name").status, 202u);
}

TEST_P(Webhook, DropsEventsWithoutAnId) {
    EXPECT_EQ(ask("nameless").status, 202u);
    EXPECT_TRUE(told_.empty());
}

TEST_P(Webhook, DoesNothingTwiceForOneDelivery) {
    EXPECT_EQ(ask("once").status, 202u);
    EXPECT_EQ(ask("once").status, 202u);
    EXPECT_EQ(told_.size(), 1u);
}

TEST_P(Webhook, TakesADeliveryAgainThatFailed) {
    EXPECT_EQ(ask("once fails").status, 500u);
    EXPECT_EQ(ask("once").status, 202u);
    EXPECT_EQ(told_.size(), 2u);
}

TEST_P(Webhook, RefusesWhatIsForgedOrTooLarge) {
    EXPECT_EQ(ask("forged").status, 401u);
    EXPECT_EQ(ask(std::string((1 << 20) + 1, 'x')).status, 413u);
    jf_http_request many = request("good");
    headers_.assign(65, {str("a"), str("b")});
    many.headers = sdk::array(headers_);
    EXPECT_EQ(ask(many, 1ms).status, 431u);
    EXPECT_TRUE(told_.empty());
}

TEST_P(Webhook, IsGivenUpAfterTenSecondsUnlessItIsDeferred) {
    EXPECT_EQ(ask("wait", 9900ms).status, 0u);
    EXPECT_EQ(ask("wait", 10100ms).status, 504u);
    EXPECT_EQ(ask("defer", 29900ms).status, 0u);
    EXPECT_EQ(ask("defer", 30100ms).status, 504u);
}

TEST(ReplayCache, ForgetsTheOldest) {
    ReplayCache cache(2);

    EXPECT_TRUE(cache.claim("a"));
    EXPECT_TRUE(cache.claim("b"));
    EXPECT_FALSE(cache.claim("a"));
    EXPECT_TRUE(cache.claim("c"));
    EXPECT_TRUE(cache.claim("a"));
    cache.forget("a");
    EXPECT_TRUE(cache.claim("a"));
}

}  // namespace
}  // namespace jackfield::plugin_host
