// The call store over the real SQLite plugin, in simulated time.

#include "store/call_store.hpp"

#include <gtest/gtest.h>

#include "support/no_network.hpp"

namespace jackfield::store {
namespace {

using namespace std::chrono_literals;

class CallStoreTest : public ::testing::Test {
  protected:
    void SetUp() override {
        plugin_host::InstanceSpec spec;
        spec.name = "storage";
        spec.plugin = "storage/sqlite";
        spec.config_json = R"({"path":":memory:"})";
        spec.config_pairs = {{"path", ":memory:"}};
        auto made = host_.create(std::move(spec));
        ASSERT_TRUE(made) << made.error().text();
        storage_ = *made;
        bool started = false;
        host_.start(storage_, shard(), [&](base::Result<> result) { started = static_cast<bool>(result); });
        runtime_.run_for(1s);
        ASSERT_TRUE(started);
        client_ = std::make_unique<RecordsClient>(host_, *storage_);
        store_ = std::make_unique<CallStore>(*client_);
        ASSERT_EQ(wait([&](auto done) { store_->prepare(shard(), done); }), "ok");
    }

    void TearDown() override {
        if (!storage_) return;
        bool stopped = false;
        host_.stop(storage_, shard(), 1000ms, [&] { stopped = true; });
        runtime_.run_for(5s);
        EXPECT_TRUE(stopped);
        EXPECT_EQ(host_.ops().open_ops(), 0U);
    }

    runtime::Shard& shard() { return runtime_.shard(0); }

    /// "ok", or what went wrong.
    template <typename Start>
    std::string wait(Start start) {
        std::string outcome = "no answer";
        start([&](base::Result<> result) { outcome = result ? "ok" : result.error().text(); });
        runtime_.run_for(1s);
        return outcome;
    }
    template <typename Row, typename Start>
    std::vector<Row> rows(Start start) {
        std::vector<Row> out;
        bool answered = false;
        start([&](base::Result<std::vector<Row>> result) {
            answered = true;
            if (result) out = std::move(*result);
            else ADD_FAILURE() << result.error().text();
        });
        runtime_.run_for(1s);
        EXPECT_TRUE(answered);
        return out;
    }
    std::vector<CallRow> get(const std::string& tenant, const std::string& id) {
        return rows<CallRow>([&](auto done) { store_->get(shard(), tenant, id, done); });
    }
    std::string insert(const CallRow& call) {
        return wait([&](auto done) { store_->insert(shard(), call, done); });
    }

    static CallRow call(const std::string& id, const std::string& tenant = "acme") {
        CallRow row;
        row.id = id;
        row.tenant = tenant;
        row.agent = "desk";
        row.direction = "inbound";
        row.provider = "host:trunk";
        row.leg = "leg-" + id;
        row.from = "+12125550123";
        row.to = "+12125550100";
        row.leg_state = std::string("state\0with a zero", 17);
        row.started = {1'700'000'000'000'000 + static_cast<std::int64_t>(id.back())};
        return row;
    }

    runtime::SimRuntime runtime_{1};
    test::NoNetwork network_;
    plugin_host::Loader loader_{{JACKFIELD_BINARY_DIR "/plugins"}, {}};
    plugin_host::PluginHost host_{runtime_, network_, loader_, {}};
    std::shared_ptr<plugin_host::Instance> storage_;
    std::unique_ptr<RecordsClient> client_;
    std::unique_ptr<CallStore> store_;
};

TEST_F(CallStoreTest, GivesACallBackAsItWasStored) {
    CallRow row = call("c1");
    ASSERT_EQ(insert(row), "ok");
    row.answered = {row.started.us + 5};
    row.recording = "recordings/c1.wav";
    ASSERT_EQ(wait([&](auto done) { store_->set_answered(shard(), row, done); }), "ok");

    const auto found = get("acme", "c1");

    ASSERT_EQ(found.size(), 1U);
    EXPECT_EQ(found[0].state, "open");
    EXPECT_EQ(found[0].agent, "desk");
    EXPECT_EQ(found[0].leg, "leg-c1");
    EXPECT_EQ(found[0].leg_state, row.leg_state);
    EXPECT_EQ(found[0].answered, row.answered);
    EXPECT_EQ(found[0].ended.us, 0);
    EXPECT_EQ(found[0].recording, "recordings/c1.wav");
}

TEST_F(CallStoreTest, ClosesACallOnce) {
    CallRow row = call("c1");
    ASSERT_EQ(insert(row), "ok");
    row.ended = {row.started.us + 9};
    row.cause = "normal";
    row.ended_by = "caller";
    row.turns = 3;
    ASSERT_EQ(wait([&](auto done) { store_->close(shard(), row, done); }), "ok");

    row.cause = "host_lost";
    ASSERT_EQ(wait([&](auto done) { store_->close(shard(), row, done); }), "ok");

    const auto found = get("acme", "c1");
    ASSERT_EQ(found.size(), 1U);
    EXPECT_EQ(found[0].state, "ended");
    EXPECT_EQ(found[0].cause, "normal");
    EXPECT_EQ(found[0].turns, 3);
}

TEST_F(CallStoreTest, ListsOpenCallsForTheReaper) {
    for (const char* id : {"c1", "c2", "c3"}) ASSERT_EQ(insert(call(id)), "ok");
    CallRow closed = call("c2");
    closed.ended = {closed.started.us + 1};
    ASSERT_EQ(wait([&](auto done) { store_->close(shard(), closed, done); }), "ok");

    const auto open = rows<CallRow>([&](auto done) { store_->list_open(shard(), "acme", done); });

    std::vector<std::string> ids;
    for (const CallRow& row : open) ids.push_back(row.id);
    std::sort(ids.begin(), ids.end());
    EXPECT_EQ(ids, (std::vector<std::string>{"c1", "c3"}));
}

TEST_F(CallStoreTest, ListsTheNewestFirst) {
    for (const char* id : {"c1", "c3", "c2"}) ASSERT_EQ(insert(call(id)), "ok");

    const auto found = rows<CallRow>([&](auto done) { store_->list(shard(), "acme", 2, done); });

    ASSERT_EQ(found.size(), 2U);
    EXPECT_EQ(found[0].id, "c3");
    EXPECT_EQ(found[1].id, "c2");
}

TEST_F(CallStoreTest, ShowsATenantOnlyItsOwn) {
    ASSERT_EQ(insert(call("c1")), "ok");
    ASSERT_EQ(insert(call("c2", "garden")), "ok");

    EXPECT_TRUE(get("garden", "c1").empty());
    EXPECT_EQ(rows<CallRow>([&](auto done) { store_->list(shard(), "garden", 10, done); }).size(), 1U);
}

TEST_F(CallStoreTest, KeepsTurnsInTheirOrderAndATurnOnce) {
    ASSERT_EQ(insert(call("c1")), "ok");
    for (const int number : {1, 0, 2, 1}) {
        TurnRow turn;
        turn.call = "c1";
        turn.number = number;
        turn.role = number % 2 ? "assistant" : "user";
        turn.text = "turn " + std::to_string(number);
        turn.interrupted = number == 1;
        turn.unheard = number == 1 ? " and more" : "";
        turn.confidence = 0.5;
        turn.reply_ms = number == 1 ? 640 : -1;
        if (number == 1) turn.stages_json = R"({"stt_ms":40})";
        if (number == 1) turn.why_json = R"([{"at_ms":1,"what":"duck"}])";
        ASSERT_EQ(wait([&](auto done) { store_->add_turn(shard(), "acme", turn, done); }), "ok");
    }

    const auto turns = rows<TurnRow>([&](auto done) { store_->turns(shard(), "acme", "c1", done); });

    ASSERT_EQ(turns.size(), 3U);
    for (int i = 0; i < 3; ++i) EXPECT_EQ(turns[static_cast<std::size_t>(i)].number, i);
    EXPECT_TRUE(turns[1].interrupted);
    EXPECT_EQ(turns[1].unheard, " and more");
    EXPECT_EQ(turns[1].reply_ms, 640);
    EXPECT_EQ(turns[1].stages_json, R"({"stt_ms":40})");
    EXPECT_EQ(turns[1].why_json, R"([{"at_ms":1,"what":"duck"}])");
    EXPECT_EQ(turns[0].why_json, "");
    EXPECT_EQ(turns[0].reply_ms, -1);
    EXPECT_DOUBLE_EQ(turns[0].confidence, 0.5);
}

TEST_F(CallStoreTest, KeepsTheTraceOfACallForItsTenantAlone) {
    const auto trace = [&](const std::string& tenant) {
        std::string out = "no answer";
        store_->trace(shard(), tenant, "c1", [&](base::Result<std::string> read) { out = read ? *read : read.error().text(); });
        runtime_.run_for(1s);
        return out;
    };
    EXPECT_EQ(trace("acme"), "");

    ASSERT_EQ(wait([&](auto done) { store_->add_trace(shard(), "acme", "c1", R"({"entries":[]})", done); }), "ok");

    EXPECT_EQ(trace("acme"), R"({"entries":[]})");
    EXPECT_EQ(trace("other"), "");
}

TEST_F(CallStoreTest, RefusesASecondCallOfTheSameId) {
    ASSERT_EQ(insert(call("c1")), "ok");

    EXPECT_NE(insert(call("c1")), "ok");
}

TEST_F(CallStoreTest, TellsWhoAskedWhenTheDiskStands) {
    std::string outcome = "no answer";
    runtime_.set_pool_latency(60s);
    store_->insert(shard(), call("c1"), [&](base::Result<> result) { outcome = result ? "ok" : result.error().text(); });

    runtime_.run_for(9s);
    EXPECT_EQ(outcome, "no answer");
    runtime_.run_for(3s);
    EXPECT_NE(outcome.find("deadline"), std::string::npos) << outcome;

    runtime_.run_for(60s);
    runtime_.set_pool_latency(0s);
    EXPECT_EQ(get("acme", "c1").size(), 1U) << "it was written after all, which nobody could know";
}

TEST_F(CallStoreTest, KeepsWhatToolsWereAskedAndWhatBecameOfIt) {
    ASSERT_EQ(insert(call("c1")), "ok");
    ToolCallRow row;
    row.call = "c1";
    row.turn = 2;
    row.index = 1;
    row.key = "c1:2:1";
    row.name = "desk_book";
    row.arguments = R"({"day":"monday"})";
    row.state = "intent";
    row.began = {1'700'000'000'000'000};
    row.began_ms = 4200;
    ToolCallRow earlier = row;
    earlier.index = 0;
    earlier.key = "c1:2:0";
    for (const ToolCallRow& one : {row, earlier})
        ASSERT_EQ(wait([&](auto done) { store_->tool_calls().insert(shard(), "acme", one, done); }), "ok");
    row.state = "done";
    row.result = R"({"ok":true})";
    row.attempts = 1;
    row.ended = {row.began.us + 900};
    ASSERT_EQ(wait([&](auto done) { store_->tool_calls().finish(shard(), "acme", row, done); }), "ok");

    const auto found = rows<ToolCallRow>([&](auto done) { store_->tool_calls().list(shard(), "acme", "c1", done); });

    ASSERT_EQ(found.size(), 2U);
    EXPECT_EQ(found[0].key, "c1:2:0");
    EXPECT_EQ(found[0].state, "intent");
    EXPECT_EQ(found[1].state, "done");
    EXPECT_EQ(found[1].result, R"({"ok":true})");
    EXPECT_EQ(found[1].arguments, R"({"day":"monday"})");
    EXPECT_EQ(found[1].ended.us, row.ended.us);
    EXPECT_EQ(found[1].attempts, 1);
    EXPECT_EQ(found[1].began_ms, 4200);
}

TEST_F(CallStoreTest, KnowsNothingOfWhatWasUnderWayWhenTheHostDied) {
    ASSERT_EQ(insert(call("c1")), "ok");
    ToolCallRow row;
    row.call = "c1";
    row.key = "c1:1:0";
    row.name = "desk_book";
    row.state = "intent";
    row.began = {1};
    ASSERT_EQ(wait([&](auto done) { store_->tool_calls().insert(shard(), "acme", row, done); }), "ok");
    row.index = 1;
    row.state = "done";
    ASSERT_EQ(wait([&](auto done) { store_->tool_calls().insert(shard(), "acme", row, done); }), "ok");
    std::uint64_t marked = 99;
    const auto mark = [&](const char* tenant) {
        store_->tool_calls().mark_unknown(shard(), tenant, [&](base::Result<std::uint64_t> n) { marked = n ? *n : 99; });
        runtime_.run_for(1s);
        return marked;
    };

    EXPECT_EQ(mark("other"), 0U);
    EXPECT_EQ(mark("acme"), 1U);
    EXPECT_EQ(mark("acme"), 0U);

    const auto found = rows<ToolCallRow>([&](auto done) { store_->tool_calls().list(shard(), "acme", "c1", done); });
    ASSERT_EQ(found.size(), 2U);
    EXPECT_EQ(found[0].state, "unknown");
    EXPECT_EQ(found[1].state, "done");
}

}  // namespace
}  // namespace jackfield::store
