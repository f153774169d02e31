#include <gtest/gtest.h>

#include <jackfield/sdk/records.hpp>

#include "unit/kernel/plugin_host/host_fixture.hpp"

namespace jackfield::plugin_host {
namespace {

using namespace std::chrono_literals;

class Reply final : public OpSink {
  public:
    void on_event(jf_op, const jf_event& event) override { reply.on_event(event); }
    void on_done(jf_op, jf_status status, const jf_event* last, const jf_error* error) override {
        reply.on_done(status, last, error);
        ++done;
    }
    sdk::RecordsReply reply;
    int done = 0;
};

/// service/call_log, storage/sqlite and llm/test_behaviour, which says a transcript's words again, in one simulated host.
class CallLogOnHost : public testing::TestWithParam<Placement> {
  protected:
    CallLogOnHost() {
        host_->set_records(store_.get());
        host_->set_provider_resolver([this](Instance&, std::string_view name) { return name == "writer" ? llm_.get() : nullptr; });
        for (const auto& instance : {store_, llm_, service_}) {
            base::Result<> result = base::Error();
            runtime_.shard(0).post([&] { host_->start(instance, runtime_.shard(0), [&](base::Result<> started) { result = started; }); });
            runtime_.run_for(10ms);
            if (!result) throw std::runtime_error(result.error().text());
        }
    }
    ~CallLogOnHost() override {
        for (auto* instance : {&service_, &llm_, &store_}) {
            bool stopped = false;
            runtime_.shard(0).post([&] { host_->stop(*instance, runtime_.shard(0), 1000ms, [&] { stopped = true; }); });
            runtime_.run_for(100ms);
            EXPECT_TRUE(stopped) << (*instance)->name();
        }
        EXPECT_EQ(host_.ops().open_ops(), 0u);
        EXPECT_EQ(host_.ops().counters().late_completions, 0u);
    }

    void deliver(Recorder& sink, const char* text) {
        const std::string json = R"({"call":"c1","from":"+15550100","transcript":[{"role":"user","text":")" + std::string(text) + "\"}]}";
        runtime_.shard(0).post([&, json] {
            const jf_op op = host_.ops().open(runtime_.shard(0), &sink, service_.get());
            jf_service_event event = sdk::make<jf_service_event>();
            event.attempt = 1;
            event.id = sdk::str("call.ended:c1");
            event.name = sdk::str("call.ended");
            event.json = sdk::str(json);
            jf_error error = sdk::make<jf_error>();
            event_op_ = op;
            EXPECT_EQ(ServicePort(*service_).on_event(op, event, &error), JF_OK);
        });
        runtime_.run_for(10ms);
    }
    std::vector<sdk::Row> rows() {
        Reply declared, found;
        runtime_.shard(0).post([&] {
            sdk::Collection same("call_log.summaries", JF_SCOPE_TENANT);
            jf_error error = sdk::make<jf_error>();
            RecordsPort(*store_).declare(host_.ops().open(runtime_.shard(0), &declared, store_.get()), *same.abi(), &error);
        });
        runtime_.run_for(1ms);
        runtime_.shard(0).post([&] {
            const sdk::Query query(declared.reply.collection, "demo");
            jf_error error = sdk::make<jf_error>();
            RecordsPort(*store_).query(host_.ops().open(runtime_.shard(0), &found, store_.get()), *query.abi(), &error);
        });
        runtime_.run_for(1ms);
        EXPECT_EQ(found.reply.status, JF_OK) << found.reply.error;
        return found.reply.rows;
    }

    runtime::SimRuntime runtime_{5};
    HostUnderTest host_{runtime_};
    std::shared_ptr<Instance> store_ = host_.make("storage/sqlite", Placement::inline_, "store", {{"path", ":memory:"}});
    std::shared_ptr<Instance> llm_ = host_.make("llm/test_behaviour", Placement::inline_, "writer");
    std::shared_ptr<Instance> service_ = host_.make("service/call_log", GetParam(), "log", {{"llm", "writer"}});
    jf_op event_op_ = JF_NO_OP;
};

constexpr std::uint16_t summary = JF_FIELD_FIRST + 6, state = JF_FIELD_FIRST + 7;

TEST_P(CallLogOnHost, KeepsASummaryOfTheModelsInTheStore) {
    Recorder sink;

    deliver(sink, "A table for two.");

    EXPECT_EQ(sink.status, JF_OK) << sink.error.text;
    const auto found = rows();
    ASSERT_EQ(found.size(), 1u);
    EXPECT_EQ(found[0].field(state).text(), "done");
    EXPECT_EQ(found[0].field(summary).text(), "Atablefortwo.");
    EXPECT_EQ(found[0].field(JF_FIELD_TENANT).text(), "demo");
}

TEST_P(CallLogOnHost, DoesItOnceWhenTheEventComesTwice) {
    Recorder first, second;

    deliver(first, "A table for two.");
    deliver(second, "A table for two.");

    EXPECT_EQ(second.status, JF_OK);
    EXPECT_EQ(rows().size(), 1u);
}

TEST_P(CallLogOnHost, EndsOnceWhenTheHostGivesTheEventUp) {
    Recorder sink;
    // The store takes a while, so the cancel finds the event on its way.
    runtime_.set_pool_latency(50ms);
    deliver(sink, "A table for two.");
    EXPECT_EQ(sink.done, 0);

    runtime_.shard(0).post([&] { host_.ops().cancel(event_op_); });
    runtime_.run_for(200ms);
    runtime_.set_pool_latency(0ms);

    EXPECT_EQ(sink.done, 1);
    EXPECT_EQ(sink.status, JF_E_CANCELLED);
}

INSTANTIATE_TEST_SUITE_P(Placements, CallLogOnHost, testing::Values(Placement::inline_, Placement::thread),
                         [](const auto& placement) { return placement.param == Placement::inline_ ? "Inline" : "Thread"; });

}  // namespace
}  // namespace jackfield::plugin_host
