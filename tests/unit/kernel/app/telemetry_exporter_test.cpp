// What calls leave, on its way to a provider that is well, and to one that is not.

#include "app/telemetry_exporter.hpp"

#include "unit/kernel/plugin_host/host_fixture.hpp"

namespace jackfield::app {
namespace {

using namespace std::chrono_literals;
using plugin_host::HostUnderTest;

call::CallTelemetry call_with(std::size_t ops, const std::string& id = "01ARZ3NDEKTSV4RRFFQ69G5FAV") {
    call::CallTelemetry out;
    out.call = id;
    out.tenant = "demo";
    out.cause = "normal";
    out.started = {1'000'000};
    out.answered = {2'000'000};
    out.ended = {9'000'000};
    out.zero = {5'000'000'000};
    for (std::size_t i = 0; i < ops; ++i) {
        call::TelemetryOp& op = out.ops.emplace_back();
        op.name = i % 2 ? "tts" : "llm";
        op.provider = "brain";
        op.reply = static_cast<std::int64_t>(i);
        op.began = {6'000'000'000};
        op.first_output = {6'500'000'000};
        op.ended = {7'000'000'000};
    }
    return out;
}

TEST(TelemetryItems, AreACallAndWhatItUsed) {
    call::CallTelemetry call = call_with(3);
    call.ops[0].input = "hello";
    call.ops[0].output = "hi \"you\"";
    call.ops[0].usage.tokens_out = 7;
    call.ops[1].status = JF_E_CANCELLED;
    call.ops[2].ended = {};

    const auto items = items_of(call);

    ASSERT_EQ(items.size(), 4u);
    EXPECT_EQ(items[0].span.name, "call");
    EXPECT_EQ(items[0].span.start.us, 1'000'000);
    EXPECT_EQ(items[0].span.end.us, 9'000'000);
    EXPECT_EQ(items[0].span.parent, (std::array<std::uint8_t, 8>{}));
    EXPECT_TRUE(items[1].generation);
    EXPECT_EQ(items[1].span.parent, items[0].span.span);
    EXPECT_EQ(items[1].span.trace, items[0].span.trace);
    EXPECT_EQ(items[1].span.start.us, 2'000'000);
    EXPECT_EQ(items[1].first_token.us, 2'500'000);
    EXPECT_EQ(items[1].output, R"({"role":"assistant","content":"hi \"you\""})");
    EXPECT_EQ(items[1].tokens_out, 7u);
    EXPECT_FALSE(items[2].generation);
    EXPECT_EQ(items[2].span.status, JF_SPAN_CANCELLED);
    EXPECT_EQ(items[3].span.end.us, 9'000'000) << "what had not ended ends with the call";
}

TEST(TelemetryItems, HaveTheSameIdsWhenTheyComeAgainAndOthersForAnotherCall) {
    const auto one = items_of(call_with(2)), again = items_of(call_with(2)), other = items_of(call_with(2, "01ARZ3NDEKTSV4RRFFQ69G5FAW"));

    for (std::size_t i = 0; i < one.size(); ++i) EXPECT_EQ(one[i].span.span, again[i].span.span);
    EXPECT_NE(one[0].span.span, one[1].span.span);
    EXPECT_NE(one[0].span.trace, other[0].span.trace);
}

TEST(TelemetryLog, KeepsContentsOnlyWhereTheyMayLeave) {
    for (const bool contents : {false, true}) {
        call::TelemetryLog log;
        log.enable(contents);
        log.opened(7, "llm", "brain", 1, {10});
        log.asked(7, "my number is 12");
        log.said(7, "I see. ", {20});
        log.said(7, std::string(10'000, 'x'), {30});
        log.done(7, JF_OK, {40});
        log.said(7, "late", {50});

        const auto ops = log.take();
        ASSERT_EQ(ops.size(), 1u);
        EXPECT_EQ(ops[0].first_output.ns, 20);
        EXPECT_EQ(ops[0].ended.ns, 40);
        EXPECT_EQ(ops[0].input, contents ? "my number is 12" : "");
        EXPECT_EQ(ops[0].output.size(), contents ? call::TelemetryLog::most_text : 0u);
    }
}

TEST(TelemetryLog, KeepsNothingWhereNobodyAskedForIt) {
    call::TelemetryLog log;
    log.opened(7, "llm", "brain", 1, {10});
    log.done(7, JF_OK, {40});
    EXPECT_TRUE(log.take().empty());
}

TEST(TelemetryLog, IsBounded) {
    call::TelemetryLog log;
    log.enable(true);
    for (jf_op op = 1; op <= 2000; ++op) log.opened(op, "tts", "voice", 0, {1});
    EXPECT_EQ(log.left_out(), 2000 - call::TelemetryLog::most_ops);
    EXPECT_EQ(log.take().size(), call::TelemetryLog::most_ops);
}

class Exporter : public testing::Test {
  protected:
    void begin(const std::string& how) {
        exporter_ = std::make_unique<TelemetryExporter>(
            *host_.operator->(), [this, how](const std::string&) { return std::vector<TelemetryExporter::Target>{{provider_, how}}; },
            runtime_.shard(0), observe::Logger(), metrics_);
    }
    double counted(const char* what) {
        return metrics_.value(std::string("jackfield_telemetry_") + what + "_total", {{"provider", "traces"}, {"tenant", "demo"}});
    }
    void add(std::size_t ops) {
        exporter_->add(call_with(ops));
        runtime_.run_for(1ms);
    }

    runtime::SimRuntime runtime_{3};
    HostUnderTest host_{runtime_};
    observe::Metrics metrics_{2};
    std::shared_ptr<plugin_host::Instance> provider_ = host_.make("llm/test_liar", plugin_host::Placement::inline_, "traces");
    std::unique_ptr<TelemetryExporter> exporter_;
};

TEST_F(Exporter, SendsACallInBatchesOfTheProvidersSize) {
    begin("good");

    add(24);

    EXPECT_EQ(counted("accepted"), 25);
    EXPECT_EQ(counted("dropped"), 0);
    EXPECT_EQ(host_.detail("batch").substr(0, 5), "tts t") << "the last batch: what is left of the ops";
}

TEST_F(Exporter, SendsAgainWhatGotLost) {
    begin("lost once");

    add(2);
    EXPECT_EQ(counted("accepted"), 0);
    runtime_.run_for(600ms);

    EXPECT_EQ(counted("accepted"), 3);
    EXPECT_EQ(counted("dropped"), 0);
}

TEST_F(Exporter, GivesUpAProviderThatTakesNothing) {
    begin("again");

    add(2);
    runtime_.run_for(10s);

    EXPECT_EQ(counted("accepted"), 0);
    EXPECT_EQ(counted("dropped"), 3);
}

TEST_F(Exporter, BelievesNoCountThatIsWrong) {
    begin("wrong");

    add(2);

    EXPECT_EQ(counted("accepted"), 0);
    EXPECT_EQ(counted("dropped"), 3);
}

TEST_F(Exporter, DropsWhatTheQueueHasNoRoomFor) {
    begin("wait");

    for (int i = 0; i < 5; ++i) add(1000);

    EXPECT_EQ(counted("dropped"), 5 * 1001 - 4096);
}

TEST_F(Exporter, StopsWhenAllIsSentOrTimeIsUp) {
    begin("wait");
    add(1);
    bool stopped = false;

    runtime_.shard(0).post([&] { exporter_->stop(200ms, [&] { stopped = true; }); });
    runtime_.run_for(100ms);
    EXPECT_FALSE(stopped);
    runtime_.run_for(200ms);

    EXPECT_TRUE(stopped);
}

}  // namespace
}  // namespace jackfield::app
