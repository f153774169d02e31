#include <future>

#include "host_fixture.hpp"

namespace jackfield::plugin_host {
namespace {

using namespace std::chrono_literals;

/// One llm/test_behaviour on a thread of its own, in real time.
class OwnThread : public testing::Test {
  protected:
    static runtime::RuntimeOptions options() {
        runtime::RuntimeOptions out;
        out.shards = 2;
        out.pool_threads = 2;
        return out;
    }
    OwnThread() {
        host_->set_hang_limit(200ms);
        plugin_ = host_.make("llm/test_behaviour", Placement::thread);
        runtime_.start();
    }
    ~OwnThread() override {
        if (plugin_) stop(plugin_);
        runtime_.stop();
    }

    void stop(std::shared_ptr<Instance> instance) {
        std::promise<void> stopped;
        runtime_.shard(0).post([&] { host_->stop(instance, runtime_.shard(0), 1000ms, [&] { stopped.set_value(); }); });
        EXPECT_EQ(stopped.get_future().wait_for(20s), std::future_status::ready);
    }
    /// Lets the lost instance's thread end, so that nothing runs when the host goes.
    void release(Instance& hanging) {
        auto other = host_.make("llm/test_behaviour", Placement::inline_, "release");
        Recorder sink;
        ask(*other, sink, "release");
        EXPECT_TRUE(sink.wait());
        stop(other);
        EXPECT_TRUE(wait_for([&] { return hanging.thread_exited_for_test(); }));
    }
    template <typename Body>
    auto on_shard(unsigned index, Body body) {
        std::promise<decltype(body())> answer;
        runtime_.shard(index).post([&] {
            if constexpr (std::is_void_v<decltype(body())>) body(), answer.set_value();
            else answer.set_value(body());
        });
        return answer.get_future().get();
    }
    jf_op ask(Recorder& sink, std::string_view command, unsigned shard = 0) { return ask(*plugin_, sink, command, shard); }
    jf_op ask(Instance& instance, Recorder& sink, std::string_view command, unsigned shard = 0) {
        return on_shard(shard, [&] {
            const jf_op op = host_.ops().open(runtime_.shard(shard), &sink, &instance);
            EXPECT_EQ(host_.ask(instance, op, command), JF_OK) << "the mailbox takes it";
            return op;
        });
    }
    bool wait_for(const std::function<bool()>& ready) {
        const auto until = std::chrono::steady_clock::now() + 20s;
        while (!ready() && std::chrono::steady_clock::now() < until) on_shard(0, [] {});
        return ready();
    }

    runtime::RealRuntime runtime_{options()};
    HostUnderTest host_{runtime_};
    std::shared_ptr<Instance> plugin_;
};

TEST_F(OwnThread, DeliversEventsInOrderThenOneCompletion) {
    Recorder sinks[2];

    ask(sinks[0], "echo one two three", 0);
    ask(sinks[1], "echo four five", 1);

    for (Recorder& sink : sinks) ASSERT_TRUE(sink.wait());
    EXPECT_EQ(sinks[0].words, (std::vector<std::string>{"one", "two", "three"}));
    EXPECT_EQ(sinks[1].words, (std::vector<std::string>{"four", "five"}));
    EXPECT_EQ(sinks[0].done, 1);
}

TEST_F(OwnThread, MakesARefusalTheCompletion) {
    Recorder sink;

    ask(sink, "refuse");

    ASSERT_TRUE(sink.wait());
    EXPECT_EQ(sink.status, JF_E_QUOTA);
    EXPECT_EQ(sink.error.vendor_code, 17);
    EXPECT_STREQ(sink.error.text, "no room");
}

TEST_F(OwnThread, ContainsWhatThePluginThrows) {
    Recorder sink, after;

    ask(sink, "throw");
    ask(after, "echo still here");

    ASSERT_TRUE(sink.wait());
    ASSERT_TRUE(after.wait());
    EXPECT_EQ(sink.status, JF_E_INTERNAL);
    EXPECT_EQ(plugin_->counters().exceptions, 1u);
    EXPECT_EQ(after.words.size(), 2u);
}

TEST_F(OwnThread, IsCancelled) {
    Recorder sink;
    const jf_op op = ask(sink, "wait");

    on_shard(0, [&] { host_.ops().cancel(op); });

    ASSERT_TRUE(sink.wait());
    EXPECT_EQ(sink.status, JF_E_CANCELLED);
    EXPECT_EQ(host_.counted("cancelled"), 1u);
}

TEST_F(OwnThread, IsCalledBackAboutWhatItUses) {
    Recorder sink;
    const jf_op op = ask(sink, "child timer");
    ASSERT_TRUE(wait_for([&] { return host_.ops().open_ops() == 2; }));

    on_shard(0, [&] { host_.ops().cancel(op); });

    ASSERT_TRUE(sink.wait());
    EXPECT_TRUE(wait_for([&] { return host_.counted("timer_done_5") == 1; }));
}

TEST_F(OwnThread, ReachesAnotherProviderOnItsOpsShard) {
    const auto other = host_.make("llm/test_behaviour", Placement::inline_, "other");
    host_->set_provider_resolver([&](Instance&, std::string_view) { return other.get(); });
    Recorder sink;

    const jf_op op = ask(sink, "child several");

    EXPECT_TRUE(wait_for([&] { return host_.counted("several_done_0") == 1; }));
    on_shard(0, [&] { host_.ops().cancel(op); });
    ASSERT_TRUE(sink.wait());
    stop(other);
}

TEST_F(OwnThread, LosesOnlyTheInstanceThatHangs) {
    auto healthy = host_.make("llm/test_behaviour", Placement::thread, "healthy");
    Recorder hanging, waiting, fine, refused;

    ask(waiting, "wait");
    ask(hanging, "hang");

    ASSERT_TRUE(hanging.wait());
    ASSERT_TRUE(waiting.wait());
    EXPECT_EQ(hanging.status, JF_E_PEER_LOST);
    EXPECT_EQ(waiting.status, JF_E_PEER_LOST);
    EXPECT_TRUE(plugin_->lost());
    const auto logged = host_.logged();
    EXPECT_NE(std::find(logged.begin(), logged.end(), "plugin.thread_hang"), logged.end());
    EXPECT_EQ(on_shard(0, [&] {
        const jf_op op = host_.ops().open(runtime_.shard(0), &refused, plugin_.get());
        const jf_status status = host_.ask(*plugin_, op, "echo");
        host_.ops().complete(*plugin_, op, status, nullptr, nullptr);
        return status;
    }), JF_E_PEER_LOST);
    ask(*healthy, fine, "echo here");
    ASSERT_TRUE(fine.wait());
    EXPECT_EQ(fine.words.size(), 1u);
    stop(healthy);
    release(*plugin_);
}

TEST_F(OwnThread, IsStoppedThoughItHangs) {
    Recorder sink;
    ask(sink, "hang");

    const auto hanging = std::exchange(plugin_, nullptr);

    stop(hanging);

    EXPECT_EQ(sink.status, JF_E_PEER_LOST);
    release(*hanging);
}

TEST_F(OwnThread, EndsWithItsLastWork) {
    Recorder sink;
    ask(sink, "echo last");
    std::weak_ptr<Instance> gone = plugin_;

    stop(std::exchange(plugin_, nullptr));

    EXPECT_EQ(sink.done, 1);
    EXPECT_TRUE(wait_for([&] { return gone.expired(); }));
}

TEST(SimulatedThread, BehavesAsInline) {
    runtime::SimRuntime runtime(3, 2);
    HostUnderTest host(runtime);
    const auto plugin = host.make("llm/test_behaviour", Placement::thread);
    Recorder echoed, thrown;

    runtime.shard(1).post([&] {
        host.ask(*plugin, host.ops().open(runtime.shard(1), &echoed, plugin.get()), "echo one two");
        host.ask(*plugin, host.ops().open(runtime.shard(1), &thrown, plugin.get()), "throw");
    });
    runtime.run_for(1ms);

    EXPECT_EQ(echoed.words, (std::vector<std::string>{"one", "two"}));
    EXPECT_EQ(echoed.status, JF_OK);
    EXPECT_EQ(thrown.status, JF_E_INTERNAL);
}

TEST(SimulatedThread, AnswersAgainWhenItsMailboxIsFull) {
    runtime::SimRuntime runtime(3);
    HostUnderTest host(runtime);
    const auto plugin = host.make("llm/test_behaviour", Placement::thread);
    Recorder sinks[8];
    jf_status last = JF_OK;
    int taken = 0;
    const std::string command = "echo " + std::string(60000, 'x');

    runtime.shard(0).post([&] {
        for (Recorder& sink : sinks) {
            const jf_op op = host.ops().open(runtime.shard(0), &sink, plugin.get());
            last = host.ask(*plugin, op, command);
            if (last != JF_OK) {
                host.ops().complete(*plugin, op, last, nullptr, nullptr);
                break;
            }
            ++taken;
        }
    });
    runtime.run_for(1ms);

    EXPECT_EQ(last, JF_E_AGAIN);
    EXPECT_EQ(taken, 4);
    EXPECT_EQ(plugin->counters().mailbox_full, 1u);
    for (int i = 0; i < taken; ++i) EXPECT_EQ(sinks[i].words.size(), 1u);
}

TEST(Requires, ARefusalNamesTheFacilityThatTheHostLacks) {
    runtime::SimRuntime runtime(1);
    HostUnderTest host(runtime);

    try {
        host.make("stt/test_needs");
        FAIL() << "an instance was made";
    } catch (const std::runtime_error& error) {
        EXPECT_NE(std::string(error.what()).find("requires jf.host.nothing/1"), std::string::npos) << error.what();
    }
}

}  // namespace
}  // namespace jackfield::plugin_host
