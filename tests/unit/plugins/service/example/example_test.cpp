// The example service through its table, on the SDK's test host.

#include <gtest/gtest.h>
#include <jackfield/sdk/test_host.hpp>

namespace jackfield::service_example {
namespace {

class Counter : public testing::Test {
  protected:
    Counter() { EXPECT_EQ(plugin_.start(), JF_OK); }
    ~Counter() override {
        plugin_.close();
        for (const std::string& breach : host_.breaches()) ADD_FAILURE() << breach;
    }

    jf_status tell(std::string_view id, std::string_view json, std::string_view name = "call.ended") {
        jf_service_event event = sdk::make<jf_service_event>();
        event.attempt = 1;
        event.id = sdk::str(id);
        event.name = sdk::str(name);
        event.json = sdk::str(json);
        return plugin_.begin(service_->on_event, &event).status();
    }

    sdk::TestHost host_;
    sdk::TestInstance plugin_{host_, jf_module_entry_v1(), {{"short_seconds", "5"}}};
    const jf_service_v1* service_ = plugin_.interface<jf_service_v1>(JF_SERVICE_V1);
};

TEST_F(Counter, CountsCallsAndHowTheyEnded) {
    EXPECT_EQ(tell("1", R"({"answered_us":1000000,"ended_us":9000000})"), JF_OK);
    EXPECT_EQ(tell("2", R"({"transcript":[{"text":"ended_us"}],"answered_us":1000000,"ended_us":2000000})"), JF_OK);
    EXPECT_EQ(tell("3", R"({"answered_us":0,"ended_us":2000000})"), JF_OK);

    EXPECT_EQ(host_.counter("calls"), 3u);
    EXPECT_EQ(host_.counter("calls_short"), 1u);
    EXPECT_EQ(host_.counter("calls_unanswered"), 1u);
}

TEST_F(Counter, CountsACallOnceHoweverOftenItIsTold) {
    for (int i = 0; i < 3; ++i) EXPECT_EQ(tell("1", R"({"answered_us":1000000,"ended_us":9000000})"), JF_OK);

    EXPECT_EQ(host_.counter("calls"), 1u);
}

TEST_F(Counter, NeedsNoSecondDeliveryOfWhatItCannotUse) {
    EXPECT_EQ(tell("1", "nonsense", "call.transfer"), JF_OK);
    EXPECT_EQ(host_.counter("calls"), 0u);
}

TEST_F(Counter, TellsOnItsTickWhatItRemembers) {
    tell("1", "{}");

    EXPECT_EQ(plugin_.begin(service_->on_tick).status(), JF_OK);

    EXPECT_EQ(host_.gauge("calls_remembered"), 1);
}

}  // namespace
}  // namespace jackfield::service_example
