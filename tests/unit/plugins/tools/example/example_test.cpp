// The example tools through their table, on the SDK's test host.

#include <gtest/gtest.h>
#include <jackfield/sdk/test_host.hpp>

namespace jackfield::tools_example {
namespace {

class Tools : public testing::Test {
  protected:
    Tools() { EXPECT_EQ(plugin_.start(), JF_OK); }
    ~Tools() override {
        plugin_.close();
        for (const std::string& breach : host_.breaches()) ADD_FAILURE() << breach;
    }

    sdk::TestOp& call(std::string_view name, std::string_view arguments, std::string_view key = {}) {
        jf_tool_request request = sdk::make<jf_tool_request>();
        request.name = sdk::str(name);
        request.arguments = sdk::str(arguments);
        request.idempotency_key = sdk::str(key);
        request.now_local = sdk::str("2026-11-20T09:10:00-05:00");
        return plugin_.begin(tools_->call, &request);
    }
    std::string result(std::string_view name, std::string_view arguments, std::string_view key = {}) {
        return std::string(call(name, arguments, key).last().text());
    }

    sdk::TestHost host_;
    sdk::TestInstance plugin_{host_, jf_module_entry_v1(), {{"most_votes", "3"}}};
    const jf_tools_v1* tools_ = plugin_.interface<jf_tools_v1>(JF_TOOLS_V1);
};

TEST_F(Tools, ListTheirFunctions) {
    sdk::TestOp& op = plugin_.begin(tools_->list);

    const auto* list = op.last().as<jf_tool_list>();
    ASSERT_NE(list, nullptr);
    ASSERT_EQ(list->tools.n, 2u);
    EXPECT_EQ(sdk::view(JF_AT(jf_tool, list->tools, 0)->name), "days_until");
    EXPECT_EQ(JF_AT(jf_tool, list->tools, 0)->flags, JF_TOOL_READ_ONLY);
    EXPECT_EQ(JF_AT(jf_tool, list->tools, 1)->flags, JF_TOOL_IDEMPOTENT);
}

TEST_F(Tools, CountDaysInTheCallersTime) {
    EXPECT_EQ(result("days_until", R"({"date":"2026-12-24"})"), R"({"days":34})");
    EXPECT_EQ(result("days_until", R"({"date":"2026-11-19"})"), R"({"days":-1})");
    EXPECT_EQ(result("days_until", R"({"date":"2026-02-30"})"), R"({"error":"that is no date; write YYYY-MM-DD"})");
}

TEST_F(Tools, CountAVoteOnceWhateverIsRepeated) {
    EXPECT_EQ(result("vote", R"({"choice":"red"})", "k1"), R"({"choice":"red","votes":1})");
    EXPECT_EQ(result("vote", R"({"choice":"red"})", "k1"), R"({"choice":"red","votes":1})");
    EXPECT_EQ(result("vote", R"({"choice":"red"})", "k2"), R"({"choice":"red","votes":2})");
    EXPECT_EQ(result("vote", R"({"choice":"a \"blue\" one"})", "k3"), R"({"choice":"a \"blue\" one","votes":1})");
    EXPECT_EQ(result("vote", R"({"choice":"green"})", "k4"), R"({"error":"no more votes are counted"})");
}

TEST_F(Tools, RefuseWhatTheyDoNotHave) { EXPECT_EQ(call("fly", "{}").status(), JF_E_NOT_FOUND); }

}  // namespace
}  // namespace jackfield::tools_example
