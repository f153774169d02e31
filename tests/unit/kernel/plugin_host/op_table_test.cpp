#include "plugin_host/op_table.hpp"

#include <future>
#include <set>

#include "host_fixture.hpp"

namespace jackfield::plugin_host {
namespace {

using namespace std::chrono_literals;

/// A whole host in simulated time with one llm/test_behaviour inside.
class Operations : public testing::Test {
  protected:
    ~Operations() override {
        // The tests' sinks are gone.
        for (const jf_op op : asked_) host_.ops().detach(op);
        if (!plugin_) return;
        on_shard([&] { host_->stop(plugin_, runtime_.shard(0), 1ms, [] {}); });
        runtime_.run_for(10s);
        EXPECT_EQ(plugin_->open_ops(), 0u);
    }
    jf_op ask(Recorder& sink, std::string_view command) {
        jf_op op = JF_NO_OP;
        on_shard([&] {
            op = host_.ops().open(runtime_.shard(0), &sink, plugin_.get());
            asked_.push_back(op);
            started_ = host_.ask(*plugin_, op, command);
        });
        return op;
    }
    template <typename Body>
    void on_shard(Body body) {
        runtime_.shard(0).post([body] { body(); });
        runtime_.run_for(1ms);
    }
    OpCounters& counters() { return host_.ops().counters(); }

    runtime::SimRuntime runtime_{1, 2};
    HostUnderTest host_{runtime_};
    std::shared_ptr<Instance> plugin_ = host_.make("llm/test_behaviour");
    jf_status started_ = 1;
    std::vector<jf_op> asked_;
};

TEST_F(Operations, DeliverEventsInOrderThenOneCompletion) {
    Recorder sink;

    const jf_op op = ask(sink, "echo one two three");

    EXPECT_EQ(started_, JF_OK);
    EXPECT_EQ(sink.words, (std::vector<std::string>{"one", "two", "three"}));
    EXPECT_EQ(sink.done, 1);
    EXPECT_EQ(sink.status, JF_OK);
    EXPECT_EQ(host_.ops().find(op), nullptr);
    EXPECT_EQ(host_.ops().open_ops(), 0u);
    EXPECT_EQ(plugin_->open_ops(), 0u);
}

TEST_F(Operations, DeliverNothingFromInsideTheCall) {
    Recorder sink;
    runtime_.shard(0).post([&] {
        const jf_op op = host_.ops().open(runtime_.shard(0), &sink, plugin_.get());
        host_.ask(*plugin_, op, "echo one");
        EXPECT_TRUE(sink.words.empty());
        EXPECT_EQ(sink.done, 0);
    });

    runtime_.run_for(1ms);

    EXPECT_EQ(sink.done, 1);
}

TEST_F(Operations, CarryErrorsWhole) {
    Recorder sink;

    ask(sink, "fail");

    EXPECT_EQ(sink.status, JF_E_RATE);
    EXPECT_EQ(sink.error.vendor_code, 429);
    EXPECT_EQ(sink.error.retry_class, JF_RETRY_AFTER);
    EXPECT_STREQ(sink.error.text, "slower");
}

TEST_F(Operations, CountASecondCompletionAndDropIt) {
    Recorder sink;

    ask(sink, "double");

    EXPECT_EQ(sink.done, 1);
    EXPECT_EQ(sink.status, JF_OK);
    // The first one is still on its way when the second comes, so it is counted where it arrives.
    EXPECT_EQ(counters().late_completions, 1u);
}

TEST_F(Operations, CountEventsAfterTheCompletionAndDropThem) {
    Recorder sink;

    ask(sink, "late");

    EXPECT_EQ(sink.done, 1);
    EXPECT_TRUE(sink.words.empty());
    EXPECT_EQ(counters().late_events, 1u);
}

TEST_F(Operations, CountUnknownEventsAndGoOn) {
    Recorder sink;

    ask(sink, "unknown");

    EXPECT_TRUE(sink.types.empty());
    EXPECT_EQ(sink.done, 1);
    EXPECT_EQ(counters().unknown_events, 1u);
}

TEST_F(Operations, AnswerIdsThatAreNotOpenWithInvalid) {
    Recorder sink;

    ask(sink, "stale");

    EXPECT_EQ(host_.counted("stale_taken"), 0u);
    EXPECT_EQ(counters().late_completions, 5u);
    EXPECT_EQ(counters().late_events, 5u);
    EXPECT_EQ(sink.done, 1);
}

TEST_F(Operations, KeepAPluginFromAnothersOps) {
    const auto other = host_.make("llm/test_behaviour", Placement::inline_, "other");
    Recorder sink;
    const jf_op op = ask(sink, "wait");

    EXPECT_EQ(host_.ops().complete(*other, op, JF_OK, nullptr, nullptr), JF_E_INVALID);
    on_shard([] {});

    EXPECT_EQ(sink.done, 0);
    EXPECT_EQ(counters().late_completions, 1u);
}

TEST_F(Operations, GiveAnotherIdToTheNextOpOfASlot) {
    std::set<jf_op> seen;
    for (int i = 0; i < 100; ++i) {
        Recorder sink;
        EXPECT_TRUE(seen.insert(ask(sink, "echo")).second);
    }
}

TEST_F(Operations, CompleteWhenCancelled) {
    Recorder sink;
    const jf_op op = ask(sink, "wait");

    on_shard([&] {
        host_.ops().cancel(op);
        host_.ops().cancel(op);
    });

    EXPECT_EQ(sink.done, 1);
    EXPECT_EQ(sink.status, JF_E_CANCELLED);
    EXPECT_EQ(host_.counted("cancelled"), 1u) << "a second cancel goes nowhere";
}

TEST_F(Operations, CompleteByThemselvesASecondAfterACancelThatNobodyHeeds) {
    Recorder sink;
    const jf_op op = ask(sink, "silent");

    on_shard([&] { host_.ops().cancel(op); });
    runtime_.run_for(998ms);
    EXPECT_EQ(sink.done, 0);
    runtime_.run_for(2ms);

    EXPECT_EQ(sink.done, 1);
    EXPECT_EQ(sink.status, JF_E_CANCELLED);
    EXPECT_EQ(counters().cancel_timeouts, 1u);
    EXPECT_EQ(plugin_->counters().violations, 1u);
    EXPECT_EQ(plugin_->open_ops(), 0u);
}

TEST_F(Operations, TakeNothingMoreAfterACancelsCompletion) {
    Recorder sink;
    const jf_op op = ask(sink, "late_after_cancel");

    on_shard([&] { host_.ops().cancel(op); });

    EXPECT_EQ(sink.done, 1);
    EXPECT_TRUE(sink.words.empty());
    EXPECT_EQ(counters().late_events, 1u);
}

TEST_F(Operations, AnswerARefusalAtOnce) {
    Recorder sink;

    ask(sink, "refuse");

    EXPECT_EQ(started_, JF_E_QUOTA);
    EXPECT_EQ(host_.last_error.vendor_code, 17);
    EXPECT_EQ(sink.done, 0);
}

TEST_F(Operations, ContainWhatAPluginThrows) {
    Recorder sink;

    ask(sink, "throw");

    EXPECT_EQ(started_, JF_E_INTERNAL);
    EXPECT_EQ(plugin_->counters().exceptions, 1u);
}

TEST_F(Operations, TellTheThreadClass) {
    Recorder sink;

    ask(sink, "class");

    EXPECT_EQ(host_.counted("class_3"), 1u);
}

TEST_F(Operations, AnswerAgainWhenTheQueueIsFullAndStillTakeTheCompletion) {
    Recorder sink;

    ask(sink, "flood");

    EXPECT_EQ(sink.done, 1);
    EXPECT_GT(sink.tokens_out, 150u);
    EXPECT_EQ(sink.words.size(), sink.tokens_out) << "what was taken arrives";
    EXPECT_EQ(counters().queue_full, 1u);
}

TEST_F(Operations, TakeSeveralEventsTogetherOrNotAtAll) {
    Recorder sink;

    ask(sink, "flood 7");

    EXPECT_EQ(sink.words.size(), sink.tokens_out);
    EXPECT_GT(sink.tokens_out, 150u);
    EXPECT_EQ(sink.words.size() % 7, 0u);
}

TEST_F(Operations, DeliverEventsThatCameInOneCallInOrder) {
    Recorder sink;

    ask(sink, "several a b c d");

    EXPECT_EQ(sink.words, (std::vector<std::string>{"a", "b", "c", "d"}));
}

TEST_F(Operations, DeliverEventsLongerThanTheQueue) {
    Recorder sink;

    ask(sink, "large");

    ASSERT_EQ(sink.words.size(), 1u);
    EXPECT_EQ(sink.words.front().size(), 1u << 20);
    EXPECT_EQ(sink.done, 1);
}

TEST_F(Operations, CloseTheirChildrenWithThem) {
    Recorder sink;
    const jf_op op = ask(sink, "child timer");
    EXPECT_EQ(host_.counted("second_start_refused"), 1u);
    EXPECT_EQ(host_.ops().open_ops(), 2u);

    on_shard([&] { host_.ops().cancel(op); });

    EXPECT_EQ(sink.done, 1);
    EXPECT_EQ(host_.counted("timer_done_5"), 1u) << "cancelled";
    EXPECT_EQ(host_.ops().open_ops(), 0u);
    EXPECT_EQ(plugin_->open_ops(), 0u);
}

TEST_F(Operations, CloseSilentlyWhenGivenUpBeforeTheyStart) {
    Recorder sink;

    ask(sink, "child unstarted");

    EXPECT_EQ(host_.ops().open_ops(), 1u);
    EXPECT_EQ(host_.counted("start_after_cancel_refused"), 1u);
    EXPECT_EQ(host_.counted("unstarted_done_5"), 0u);
}

TEST_F(Operations, ContainWhatAWorkerThrows) {
    Recorder sink;

    ask(sink, "child worker_throws");

    EXPECT_EQ(host_.counted("worker_throws_done_14"), 1u);
    EXPECT_EQ(plugin_->counters().exceptions, 1u);
}

TEST_F(Operations, ReachAnotherProviderAndComeBack) {
    const auto other = host_.make("llm/test_behaviour", Placement::inline_, "other");
    host_->set_provider_resolver([&](Instance&, std::string_view name) { return name == "other" ? other.get() : nullptr; });
    Recorder sink;

    ask(sink, "child several");

    EXPECT_EQ(host_.counted("several_done_0"), 1u);
    EXPECT_EQ(other->open_ops(), 0u);
}

TEST_F(Operations, CancelTheProviderThatAClosedParentUsed) {
    const auto other = host_.make("llm/test_behaviour", Placement::inline_, "other");
    host_->set_provider_resolver([&](Instance&, std::string_view) { return other.get(); });
    Recorder sink;
    const jf_op op = ask(sink, "child wait");
    EXPECT_EQ(other->open_ops(), 1u);

    on_shard([&] { host_.ops().cancel(op); });

    EXPECT_EQ(host_.counted("cancelled"), 2u) << "the parent at one, the child at the other";
    EXPECT_EQ(host_.counted("wait_done_5"), 1u);
    EXPECT_EQ(other->open_ops(), 0u);
}

TEST_F(Operations, EndAnAbandonedInstancesWorkOnEveryShard) {
    Recorder here, there;
    ask(here, "child timer");
    runtime_.shard(1).post([&] {
        const jf_op op = host_.ops().open(runtime_.shard(1), &there, plugin_.get());
        host_.ask(*plugin_, op, "wait");
    });
    runtime_.run_for(1ms);
    bool done = false;

    host_.ops().abandon(*plugin_, [&] { done = true; });
    runtime_.run_for(1ms);

    EXPECT_TRUE(done);
    EXPECT_EQ(here.status, JF_E_PEER_LOST);
    EXPECT_EQ(there.status, JF_E_PEER_LOST);
    EXPECT_EQ(host_.counted("timer_done_5"), 1u);
    EXPECT_EQ(plugin_->open_ops(), 0u);
}

TEST_F(Operations, LetAnInstanceStopWhenItsWorkIsDone) {
    bool stopped = false;
    Recorder sink;
    const jf_op op = ask(sink, "wait");

    on_shard([&] { host_->stop(std::exchange(plugin_, nullptr), runtime_.shard(0), 3000ms, [&] { stopped = true; }); });
    EXPECT_FALSE(stopped);
    on_shard([&] { host_.ops().cancel(op); });
    runtime_.run_for(1ms);

    EXPECT_TRUE(stopped);
    EXPECT_EQ(sink.status, JF_E_CANCELLED);
}

TEST_F(Operations, LoseAnInstanceThatDoesNotStopInTime) {
    auto stubborn = host_.make("llm/test_behaviour", Placement::inline_, "stubborn", {{"on_quiesce", "ignore"}});
    bool stopped = false;
    Recorder sink;
    on_shard([&] {
        const jf_op op = host_.ops().open(runtime_.shard(0), &sink, stubborn.get());
        host_.ask(*stubborn, op, "silent");
        host_->stop(stubborn, runtime_.shard(0), 1000ms, [&] { stopped = true; });
    });

    runtime_.run_for(3s);
    EXPECT_FALSE(stopped) << "quiesce has until two seconds after its budget, the work until its budget after that";
    runtime_.run_for(1100ms);

    EXPECT_TRUE(stopped);
    EXPECT_EQ(sink.status, JF_E_PEER_LOST);
}

TEST(OperationsOnThreads, TakeEventsFromAnyThreadAndKeepEachThreadsOrder) {
    runtime::RuntimeOptions options;
    options.shards = 2;
    options.pool_threads = 1;
    runtime::RealRuntime runtime(options);
    HostUnderTest host(runtime);
    auto plugin = host.make("llm/test_behaviour");
    runtime.start();
    Recorder sinks[2];

    for (unsigned i = 0; i < 2; ++i)
        runtime.shard(i).post([&, i] {
            const jf_op op = host.ops().open(runtime.shard(i), &sinks[i], plugin.get());
            EXPECT_EQ(host.ask(*plugin, op, "threads"), JF_OK);
        });
    for (Recorder& sink : sinks) ASSERT_TRUE(sink.wait());
    std::promise<void> stopped;
    runtime.shard(0).post([&] { host->stop(plugin, runtime.shard(0), 1000ms, [&] { stopped.set_value(); }); });
    stopped.get_future().wait();
    runtime.stop();

    for (Recorder& sink : sinks) {
        EXPECT_EQ(sink.done, 1);
        EXPECT_EQ(sink.words.size(), 2000u);
        int next[4] = {};
        for (const std::string& word : sink.words) {
            const int thread = word[0] - '0';
            EXPECT_EQ(word, std::to_string(thread) + ":" + std::to_string(next[thread]++));
        }
    }
    EXPECT_EQ(host.ops().open_ops(), 0u);
}

TEST_F(Operations, KnowWhoseTheyAreUntilTheyClose) {
    Recorder sink;
    const jf_op op = ask(sink, "wait");
    OpOwner owner;
    EXPECT_FALSE(host_.ops().owner_of(op, owner)) << "nobody has said so";

    host_.ops().set_owner(op, OpOwner::of("acme", "01CALL"));
    ASSERT_TRUE(host_.ops().owner_of(op, owner));
    EXPECT_EQ(owner.tenant(), "acme");
    EXPECT_EQ(owner.call(), "01CALL");
    jf_op child = JF_NO_OP;
    on_shard([&] {
        const jf_sink nobody{};
        child = host_.ops().open_for_plugin(*plugin_, op, nobody);
    });
    OpOwner of_child;
    ASSERT_TRUE(host_.ops().owner_of(child, of_child));
    EXPECT_EQ(of_child.call(), "01CALL") << "what a plugin opens under an op is the same call's";

    on_shard([&] { host_.ops().cancel(op); });
    runtime_.run_for(5s);
    EXPECT_FALSE(host_.ops().owner_of(op, owner));
    EXPECT_FALSE(host_.ops().owner_of(child, owner));
    Recorder next;
    const jf_op reused = ask(next, "wait");
    EXPECT_FALSE(host_.ops().owner_of(reused, owner)) << "the slot's next op is nobody's yet";
}

TEST_F(Operations, CountThePacketsThatWereRefusedAfterwards) {
    Recorder sink;
    const jf_op op = ask(sink, "wait");
    EXPECT_EQ(host_.ops().take_refused(op), 0U);

    plugin_->packet_refused(op);
    plugin_->packet_refused(op);

    EXPECT_EQ(host_.ops().take_refused(op), 2U);
    EXPECT_EQ(host_.ops().take_refused(op), 0U);
    on_shard([&] { host_.ops().cancel(op); });
    runtime_.run_for(5s);
    plugin_->packet_refused(op);
    EXPECT_EQ(host_.ops().take_refused(op), 0U) << "it is over";
}

TEST(OpOwner, LeavesOutWhatDoesNotFit) {
    const OpOwner owner = OpOwner::of(std::string(64, 't'), "01CALL");

    EXPECT_EQ(owner.tenant(), "");
    EXPECT_EQ(owner.call(), "01CALL");
}

}  // namespace
}  // namespace jackfield::plugin_host
