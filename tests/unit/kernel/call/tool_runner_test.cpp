// Tools through the ABI and the record store, in simulated time.

#include "call/tool_runner.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

#include "store/call_store.hpp"
#include "support/no_network.hpp"

namespace jackfield::call {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

class ToolRunnerTest : public ::testing::Test {
  protected:
    void SetUp() override {
        storage_ = start("storage/sqlite", {{"path", ":memory:"}});
        tools_ = start("tools/test_tool", {});
        client_ = std::make_unique<store::RecordsClient>(host_, *storage_);
        store_ = std::make_unique<store::CallStore>(*client_);
        store_->prepare(shard(), [](base::Result<> ready) { EXPECT_TRUE(ready); });
        runtime_.run_for(1s);
        store::CallRow call;
        call.id = "c1";
        call.tenant = "acme";
        call.state = "open";
        store_->insert(shard(), call, [](base::Result<> stored) { EXPECT_TRUE(stored); });
        plugin_host::list_tools(host_, tools_, shard(), [this](auto listed) {
            ASSERT_TRUE(listed) << listed.error().text();
            for (plugin_host::ToolFunction& function : *listed) functions_[function.name] = function;
        });
        runtime_.run_for(1s);
        ToolRunner::Context context;
        context.tenant = "acme";
        context.call = "c1";
        context.language = "en";
        context.now_local = [] { return "2026-11-20T09:30:00-05:00"; };
        context.since_answer_ms = [] { return 1234; };
        context.on_result = [this](std::uint64_t reply, std::uint32_t index, const std::string& content) {
            results_.push_back(std::to_string(reply) + ":" + std::to_string(index) + " " + content);
        };
        context.on_progress = [this](std::uint64_t, std::uint32_t, std::string_view text) { progress_ = text; };
        context.on_recorded = [](const store::ToolCallRow&) {};
        context.on_idle = [this] { idle_ = true; };
        runner_ = std::make_unique<ToolRunner>(host_, store_->tool_calls(), shard(), observe::Logger(), ToolMetrics{}, context);
    }
    void TearDown() override {
        EXPECT_TRUE(runner_->idle());
        for (const auto& instance : {tools_, storage_}) host_.stop(instance, shard(), 1000ms, [] {});
        runtime_.run_for(10s);
        EXPECT_EQ(host_.ops().open_ops(), 0U);
    }

    std::shared_ptr<plugin_host::Instance> start(const std::string& plugin, std::vector<std::pair<std::string, std::string>> pairs) {
        plugin_host::InstanceSpec spec;
        spec.name = spec.plugin = plugin;
        spec.config_json = pairs.empty() ? "{}" : R"({"path":":memory:"})";
        spec.config_pairs = std::move(pairs);
        auto made = host_.create(std::move(spec));
        if (!made) throw std::runtime_error(made.error().text());
        host_.start(*made, shard(), [](base::Result<> started) { EXPECT_TRUE(started); });
        runtime_.run_for(1s);
        return *made;
    }
    runtime::Shard& shard() { return runtime_.shard(0); }
    void run(const std::string& name, std::uint32_t index = 0, const std::string& arguments = "{}") {
        runner_->run({"odd_" + name, functions_.at(name), tools_}, 3, index, arguments, 4000ms);
    }
    std::vector<store::ToolCallRow> stored() {
        std::vector<store::ToolCallRow> out;
        store_->tool_calls().list(shard(), "acme", "c1", [&](auto rows) { out = rows ? *rows : out; });
        runtime_.run_for(1s);
        return out;
    }

    runtime::SimRuntime runtime_{1};
    test::NoNetwork network_;
    plugin_host::Loader loader_{{JACKFIELD_BINARY_DIR "/plugins", JACKFIELD_BINARY_DIR "/test_plugins"}, {}};
    plugin_host::PluginHost host_{runtime_, network_, loader_, {}};
    std::shared_ptr<plugin_host::Instance> storage_;
    std::shared_ptr<plugin_host::Instance> tools_;
    std::unique_ptr<store::RecordsClient> client_;
    std::unique_ptr<store::CallStore> store_;
    std::map<std::string, plugin_host::ToolFunction> functions_;
    std::unique_ptr<ToolRunner> runner_;
    std::vector<std::string> results_;
    std::string progress_;
    bool idle_ = false;
};

TEST_F(ToolRunnerTest, HasAnIntentOnRecordWhileTheToolRuns) {
    run("wait");
    const auto under_way = stored();

    ASSERT_EQ(under_way.size(), 1U);
    EXPECT_EQ(under_way[0].state, "intent");
    EXPECT_EQ(under_way[0].key, "c1:3:0");
    EXPECT_EQ(progress_, "I am asking the other branch.");
    EXPECT_TRUE(results_.empty());

    runtime_.run_for(5s);
    EXPECT_THAT(results_, ElementsAre(R"(3:0 {"waited":"long"})"));
    EXPECT_EQ(stored()[0].state, "done");
    EXPECT_EQ(stored()[0].began_ms, 1234);
    EXPECT_TRUE(idle_);
}

TEST_F(ToolRunnerTest, RunsSeveralAtOnce) {
    run("wait", 0);
    run("wait", 1);

    runtime_.run_for(3s);

    EXPECT_EQ(results_.size(), 2U);
}

TEST_F(ToolRunnerTest, RepeatsALostCallOnlyWhereThatDoesNoHarm) {
    run("lost", 0);
    run("lost_safe", 1);
    runtime_.run_for(5s);

    ASSERT_EQ(results_.size(), 2U);
    EXPECT_THAT(results_[0], HasSubstr(R"("outcome":"unknown")"));
    EXPECT_EQ(results_[1], R"(3:1 {"try":"second"})");
    EXPECT_EQ(stored()[0].state, "unknown");
    EXPECT_EQ(stored()[0].attempts, 1);
    EXPECT_EQ(stored()[1].state, "done");
    EXPECT_EQ(stored()[1].attempts, 2);
}

TEST_F(ToolRunnerTest, TellsTheModelAtTheDeadline) {
    run("deaf");
    runtime_.run_for(3900ms);
    EXPECT_TRUE(results_.empty());

    runtime_.run_for(200ms);

    ASSERT_EQ(results_.size(), 1U);
    EXPECT_THAT(results_[0], HasSubstr("did not answer in time"));
    runtime_.run_for(3s);
    EXPECT_EQ(stored()[0].state, "unknown");
    EXPECT_EQ(results_.size(), 1U);
}

TEST_F(ToolRunnerTest, RefusesArgumentsWithoutRunningTheTool) {
    functions_["wait"].parameters = R"({"type":"object","required":["branch"]})";
    run("wait");
    runtime_.run_for(1s);

    ASSERT_EQ(results_.size(), 1U);
    EXPECT_THAT(results_[0], HasSubstr("branch: is missing"));
    EXPECT_EQ(stored()[0].state, "failed");
    EXPECT_EQ(stored()[0].attempts, 0);
    EXPECT_EQ(progress_, "");
}

}  // namespace
}  // namespace jackfield::call
