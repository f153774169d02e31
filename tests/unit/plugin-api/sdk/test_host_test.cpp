#include <jackfield/sdk/test_host.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

#include "puppet.hpp"

namespace jackfield::sdk {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

const jf_host_timer_v1& timer_of(const Stage& stage) { return *stage.puppet.host.facility<jf_host_timer_v1>(JF_FACILITY_TIMER); }
const jf_host_worker_v1& worker_of(const Stage& stage) { return *stage.puppet.host.facility<jf_host_worker_v1>(JF_FACILITY_WORKER); }

TEST(SdkTestHost, KeepsWhatAnOpSaidAfterThePluginsMemoryIsGone) {
    Stage stage;
    stage.puppet.list = [&](jf_op op) {
        std::string word = "gone", name = "hour";
        stage.puppet.host.emit(op, JF_EV_TOOL_PROGRESS, str(word), 7);
        jf_tool tool = make<jf_tool>();
        tool.name = str(name);
        jf_tool_list list = make<jf_tool_list>();
        list.tools = array(&tool, 1);
        stage.puppet.host.complete_with(op, JF_OK, JF_EV_TOOL_LIST, list);
        word.assign("XXXX");
        name.assign("XXXX");
        tool.name = {};
        return JF_OK;
    };

    const TestOp& op = stage.begin();

    EXPECT_FALSE(op.open());
    EXPECT_EQ(op.status(), JF_OK);
    ASSERT_EQ(op.events().size(), 1u);
    EXPECT_EQ(op.events()[0].text(), "gone");
    EXPECT_EQ(op.events()[0].pos, 7u);
    const auto* list = op.last().as<jf_tool_list>();
    ASSERT_TRUE(list);
    EXPECT_EQ(view(JF_AT(jf_tool, list->tools, 0)->name), "hour");
    EXPECT_THAT(stage.host.breaches(), IsEmpty());
}

TEST(SdkTestHost, ReportsASecondCompletionAndWhatFollowsTheFirst) {
    Stage stage;
    stage.puppet.list = [&](jf_op op) {
        stage.puppet.host.complete(op);
        EXPECT_EQ(stage.puppet.host.complete(op, JF_E_INTERNAL), JF_E_INVALID);
        EXPECT_EQ(stage.puppet.host.emit(op, JF_EV_CREDIT), JF_E_INVALID);
        return JF_OK;
    };

    EXPECT_EQ(stage.begin().status(), JF_OK) << "the first one stands";

    EXPECT_THAT(stage.host.breaches(), ElementsAre(HasSubstr("a completion on op 2 after its completion"),
                                                   HasSubstr("event 0x0001 on op 2 after its completion")));
}

TEST(SdkTestHost, ReportsACompletionOfWhatWasRefused) {
    Stage stage;
    jf_op refused = JF_NO_OP;
    stage.puppet.list = [&](jf_op op) {
        refused = op;
        return JF_E_AGAIN;
    };

    const TestOp& op = stage.begin();
    stage.puppet.host.complete(refused);

    EXPECT_EQ(op.accepted(), JF_E_AGAIN);
    EXPECT_THAT(stage.host.breaches(), ElementsAre(HasSubstr("which the plugin had refused")));
}

TEST(SdkTestHost, ReportsMadeUpAndForeignOps) {
    Stage stage;

    EXPECT_EQ(stage.puppet.host.complete(4711), JF_E_INVALID);
    Counter counter;
    const jf_op own = stage.puppet.host.open(JF_NO_OP, counter);
    EXPECT_EQ(stage.puppet.host.emit(own, JF_EV_CREDIT), JF_E_INVALID);
    stage.puppet.host.cancel(own);

    EXPECT_EQ(stage.host.breaches().size(), 2u);
}

TEST(SdkTestHost, ReportsTextThatIsNotUtf8AndEventsWithoutSize) {
    Stage stage;
    stage.puppet.list = [&](jf_op op) {
        stage.puppet.host.emit(op, JF_EV_TOOL_PROGRESS, str("\xff\xfe"));
        jf_event event{};
        event.type = JF_EV_CREDIT;
        stage.puppet.host.table()->emit(stage.puppet.host.ctx(), op, &event, 1);
        stage.puppet.host.complete(op);
        return JF_OK;
    };

    stage.begin();

    EXPECT_THAT(stage.host.breaches(), ElementsAre(HasSubstr("not UTF-8"), HasSubstr("struct_size")));
}

TEST(SdkTestHost, FiresTimersInTheirOrderAsTheClockMoves) {
    Stage stage;
    Counter first, second;
    std::string order;
    first.finished = [&] { order += "first@" + std::to_string(stage.host.now_ns() / 1'000'000 - 1000) + " "; };
    second.finished = [&] { order += "second@" + std::to_string(stage.host.now_ns() / 1'000'000 - 1000) + " "; };
    const Host& host = stage.puppet.host;
    timer_of(stage).start(host.ctx(), host.open(JF_NO_OP, second), 250'000'000);
    timer_of(stage).start(host.ctx(), host.open(JF_NO_OP, first), 100'000'000);

    stage.host.advance(99ms);
    EXPECT_EQ(order, "");
    stage.host.advance(200ms);

    EXPECT_EQ(order, "first@100 second@250 ");
    EXPECT_EQ(stage.host.now_ns(), 1'299'000'000u);
    EXPECT_THAT(stage.host.breaches(), IsEmpty());
}

TEST(SdkTestHost, CallsBackOnlyWhenItIsRun) {
    Stage stage;
    Counter counter;
    stage.puppet.list = [&](jf_op op) {
        timer_of(stage).start(stage.puppet.host.ctx(), stage.puppet.host.open(op, counter), 0);
        EXPECT_EQ(counter.done, 0) << "called back from inside a call of the plugin's";
        counter.finished = [&stage, op] { stage.puppet.host.complete(op); };
        return JF_OK;
    };

    const TestOp& op = stage.begin();

    EXPECT_EQ(counter.done, 1);
    EXPECT_FALSE(op.open());
    EXPECT_THAT(stage.host.breaches(), IsEmpty());
}

TEST(SdkTestHost, RunsWorkOnceAlsoWhenItsParentIsGone) {
    Stage stage;
    Counter counter;
    static int runs;
    static std::uint32_t thread;
    runs = 0;
    stage.puppet.list = [&](jf_op op) {
        const auto work = [](void* host, jf_op) -> jf_status {
            ++runs;
            const auto* table = static_cast<const Host*>(host)->table();
            thread = table->thread_class(table->ctx);
            return JF_E_NOT_FOUND;
        };
        worker_of(stage).start(stage.puppet.host.ctx(), stage.puppet.host.open(op, counter), work, &stage.puppet.host);
        stage.puppet.host.complete(op);
        return JF_OK;
    };

    stage.begin();

    EXPECT_EQ(runs, 1);
    EXPECT_EQ(thread, JF_THREAD_BLOCKING);
    EXPECT_EQ(counter.done, 1);
    EXPECT_EQ(counter.status, JF_E_NOT_FOUND);
    EXPECT_THAT(stage.host.breaches(), IsEmpty());
}

TEST(SdkTestHost, EndsChildrenWithTheirParent) {
    Stage stage;
    Counter timer, never_started;
    jf_op parent = JF_NO_OP;
    stage.puppet.list = [&](jf_op op) {
        parent = op;
        timer_of(stage).start(stage.puppet.host.ctx(), stage.puppet.host.open(op, timer), 1'000'000'000);
        stage.puppet.host.open(op, never_started);
        return JF_OK;
    };

    stage.begin();
    EXPECT_EQ(timer.done, 0);
    stage.puppet.host.complete(parent);
    stage.host.run();

    EXPECT_EQ(timer.done, 1);
    EXPECT_EQ(timer.status, JF_E_CANCELLED);
    EXPECT_EQ(never_started.done, 0) << "what was never started closes silently";
    EXPECT_THROW(stage.puppet.host.open(parent, timer), Failure);
    EXPECT_THAT(stage.host.breaches(), IsEmpty());
}

TEST(SdkTestHost, ReportsFacilitiesOnOpsThatCannotBeStarted) {
    Stage stage;
    Counter counter;
    const Host& host = stage.puppet.host;
    const jf_op op = host.open(JF_NO_OP, counter);

    EXPECT_EQ(timer_of(stage).start(host.ctx(), op, 5), JF_OK);
    EXPECT_EQ(timer_of(stage).start(host.ctx(), op, 5), JF_E_INVALID);
    stage.host.advance(1ms);
    EXPECT_EQ(timer_of(stage).start(host.ctx(), op, 5), JF_E_INVALID);

    EXPECT_THAT(stage.host.breaches(), ElementsAre(HasSubstr("which had been started"), HasSubstr("which is not open")));
}

TEST(SdkTestHost, GivesACancelledOpAThousandMilliseconds) {
    Stage stage;
    stage.puppet.cancelled = [](jf_op) { return JF_OK; };

    TestOp& op = stage.begin();
    EXPECT_EQ(stage.instance.cancel(op), JF_OK);
    stage.host.advance(999ms);
    EXPECT_TRUE(op.open());
    EXPECT_THAT(stage.host.breaches(), IsEmpty());
    stage.host.advance(1ms);

    EXPECT_FALSE(op.open());
    EXPECT_EQ(op.status(), JF_E_CANCELLED);
    EXPECT_THAT(stage.host.breaches(), ElementsAre(HasSubstr("within 1000 ms of cancel")));
    stage.puppet.host.complete(op.id());
    EXPECT_EQ(stage.host.breaches().size(), 1u) << "late after that is no second fault";
}

TEST(SdkTestHost, FindsForgottenOpsWhenAnInstanceIsClosed) {
    Stage stage;
    Counter forgotten;
    stage.puppet.host.open(JF_NO_OP, forgotten);

    stage.instance.close();

    EXPECT_THAT(stage.host.breaches(), ElementsAre(HasSubstr("neither started nor cancelled")));
}

TEST(SdkTestHost, ReportsCallsAfterDestroyAndAQuiesceThatNeverEnds) {
    Stage stage;
    const Host host = stage.puppet.host;
    stage.puppet.quiesced = [](jf_op, std::uint32_t) {};

    stage.instance.close();
    Counter counter;
    EXPECT_THROW(host.open(JF_NO_OP, counter), Failure);

    EXPECT_THAT(stage.host.breaches(), ElementsAre(HasSubstr("quiesce did not complete"), HasSubstr("op_open after destroy")));
}

TEST(SdkTestHost, PlaysAHostInTrouble) {
    Stage stage;
    Counter counter;
    const Host& host = stage.puppet.host;
    TestOp& op = stage.begin();

    stage.host.refuse_emits(1);
    stage.host.refuse_opens(1);
    EXPECT_EQ(host.emit(op.id(), JF_EV_CREDIT), JF_E_AGAIN);
    EXPECT_EQ(host.emit(op.id(), JF_EV_CREDIT), JF_OK);
    EXPECT_THROW(host.open(op.id(), counter), Failure);
    stage.host.refuse_work(1);
    const jf_op work = host.open(op.id(), counter);
    const auto nothing = [](void*, jf_op) -> jf_status { return JF_OK; };
    EXPECT_EQ(worker_of(stage).start(host.ctx(), work, nothing, nullptr), JF_E_AGAIN);
    EXPECT_EQ(worker_of(stage).start(host.ctx(), work, nothing, nullptr), JF_OK);
    stage.host.run();

    EXPECT_EQ(op.count(JF_EV_CREDIT), 1u);
    EXPECT_EQ(counter.done, 1);
    EXPECT_THAT(stage.host.breaches(), IsEmpty());
}

TEST(SdkTestHost, HearsAPluginsOwnThreads) {
    Stage stage;
    std::thread own;
    stage.puppet.list = [&](jf_op op) {
        own = std::thread([&stage, op] {
            const auto* table = stage.puppet.host.table();
            if (table->thread_class(table->ctx) == JF_THREAD_FOREIGN) stage.puppet.host.emit(op, JF_EV_TOOL_PROGRESS, str("working"));
            stage.puppet.host.complete(op);
        });
        return JF_OK;
    };

    const TestOp& op = stage.begin();
    EXPECT_TRUE(stage.host.run_until([&] { return !op.open(); }));
    own.join();

    EXPECT_EQ(op.count(JF_EV_TOOL_PROGRESS), 1u);
    EXPECT_THAT(stage.host.breaches(), IsEmpty());
}

TEST(SdkTestHost, LooksAgainForWhatHappensOutsideThePlugin) {
    Stage stage;
    int looks = 0;

    // Nothing reports: the third look is nobody's but the host's own.
    EXPECT_TRUE(stage.host.run_until([&] { return ++looks == 3; }, 60s));

    EXPECT_FALSE(stage.host.run_until([] { return false; }, 0ms));
    EXPECT_THAT(stage.host.breaches(), IsEmpty());
}

TEST(SdkTestHost, RefusesIncomingCallsAsAHostThatDrainsOrIsFull) {
    Stage stage;
    int taken = 0;
    stage.host.on_incoming = [&](TestOp& leg, const jf_incoming&) {
        ++taken;
        stage.puppet.host.complete(leg.id());
    };
    const Host& host = stage.puppet.host;
    const auto* calls = host.facility<jf_host_calls_v1>(JF_FACILITY_CALLS);
    const jf_incoming call = make<jf_incoming>();
    jf_op op = JF_NO_OP;

    stage.host.refuse_incoming(JF_E_STATE, 2);
    EXPECT_EQ(calls->incoming(host.ctx(), &call, &op), JF_E_STATE);
    EXPECT_EQ(calls->incoming(host.ctx(), &call, &op), JF_E_STATE);
    EXPECT_EQ(op, JF_NO_OP);
    stage.host.refuse_incoming(JF_E_QUOTA, 1);
    EXPECT_EQ(calls->incoming(host.ctx(), &call, &op), JF_E_QUOTA);
    EXPECT_EQ(calls->incoming(host.ctx(), &call, &op), JF_OK);
    stage.host.run();

    EXPECT_EQ(taken, 1) << "of a call that was refused there is no leg";
    EXPECT_THAT(stage.host.breaches(), IsEmpty());
}

TEST(SdkTestHost, KeepsLogsAndMetrics) {
    Stage stage;
    const Host& host = stage.puppet.host;
    const auto* metrics = host.facility<jf_host_metrics_v1>(JF_FACILITY_METRICS);

    host.log(JF_LOG_WARN, "acme.slow", {{"ms", "12"}});
    metrics->count(host.ctx(), str("requests"), 2);
    metrics->count(host.ctx(), str("requests"), 1);
    metrics->gauge(host.ctx(), str("streams"), 0.5);

    ASSERT_EQ(stage.host.log().size(), 1u);
    EXPECT_EQ(stage.host.log()[0].fields.at("ms"), "12");
    EXPECT_EQ(stage.host.counter("requests"), 3u);
    EXPECT_EQ(stage.host.gauge("streams"), 0.5);
    EXPECT_EQ(host.facility<void>("jf.host.unknown/9"), nullptr);
}

TEST(SdkTestHost, SaysWhyAnInstanceWasRefused) {
    TestHost host;

    try {
        TestInstance refused(host, module_table<Puppet>(), {{"refuse", "true"}});
        FAIL();
    } catch (const std::runtime_error& error) {
        EXPECT_STREQ(error.what(), "not with this key");
    }
}

TEST(SdkTestHostDeathTest, AbortsATestThatDidNotLookAtBreaches) {
    EXPECT_DEATH(
        {
            Stage stage;
            stage.puppet.host.complete(1234);
        },
        "did not look");
}

struct Healthy : Puppet {
    void health(jf_op op) const { host.complete(op); }
};

TEST(SdkInstanceTable, HasHealthWhereTheClassHasIt) {
    EXPECT_NE(instance_table<Healthy>()->health, nullptr);
    EXPECT_EQ(instance_table<Puppet>()->health, nullptr);
}

}  // namespace
}  // namespace jackfield::sdk
