// A carrier with sockets of its own in the real host, on the call's shard and on a thread of its own: telephony/example calls itself over loopback.

#include <future>

#include "host_fixture.hpp"

namespace jackfield::plugin_host {
namespace {

using namespace std::chrono_literals;

/// What a leg of a call is told, from any thread.
class Leg final : public OpSink {
  public:
    void on_event(jf_op, const jf_event& event) override {
        const std::lock_guard lock(mutex);
        ++events[event.type];
        changed.notify_all();
    }
    void on_done(jf_op, jf_status result, const jf_event* last, const jf_error*) override {
        const std::lock_guard lock(mutex);
        done = true;
        status = result;
        if (const auto* end = last ? sdk::data_of<jf_call_end>(*last) : nullptr) cause = end->cause;
        changed.notify_all();
    }
    bool wait(const std::function<bool()>& ready) {
        std::unique_lock lock(mutex);
        return changed.wait_for(lock, 20s, ready);
    }
    bool wait_for(std::uint32_t type, int n = 1) {
        return wait([&] { return events[type] >= n; });
    }

    std::mutex mutex;
    std::condition_variable changed;
    std::map<std::uint32_t, int> events;
    bool done = false;
    jf_status status = 1;
    std::uint32_t cause = ~0u;
};

class Carrier : public testing::TestWithParam<Placement> {
  protected:
    static runtime::RuntimeOptions options() {
        runtime::RuntimeOptions out;
        out.shards = 2;
        out.pool_threads = 2;
        return out;
    }
    Carrier() {
        carrier_ = host_.make("telephony/example", GetParam(), "line", {{"bind", "127.0.0.1"}, {"port", "0"}, {"number", "ann"}});
        host_.ops().set_incoming_handler([this](Instance&, jf_op op, const jf_incoming& call) {
            caller_ = sdk::view(call.from);
            in_op_ = op;
            host_.ops().set_sink(op, &in_);
            jf_answer options = sdk::make<jf_answer>();
            EXPECT_EQ(TelephonyPort(*carrier_).answer(op, options), JF_OK);
        });
        runtime_.start();
    }
    ~Carrier() override {
        std::promise<void> stopped;
        runtime_.shard(0).post([&] { host_->stop(carrier_, runtime_.shard(0), 1000ms, [&] { stopped.set_value(); }); });
        EXPECT_EQ(stopped.get_future().wait_for(20s), std::future_status::ready);
        runtime_.stop();
    }
    std::string start() {
        std::promise<std::string> started;
        host_->start(carrier_, runtime_.shard(0), [&](base::Result<> result) { started.set_value(result ? "" : result.error().text()); });
        return started.get_future().get();
    }
    template <typename Body>
    void on_shard_of(jf_op op, Body body) {
        std::promise<void> ran;
        host_.ops().shard_of(op).post([&] {
            body();
            ran.set_value();
        });
        ran.get_future().get();
    }

    runtime::RealRuntime runtime_{options()};
    HostUnderTest host_{runtime_};
    std::shared_ptr<Instance> carrier_;
    Leg out_, in_;
    std::atomic<jf_op> in_op_{JF_NO_OP};
    std::string caller_;
};

INSTANTIATE_TEST_SUITE_P(Placements, Carrier, testing::Values(Placement::inline_, Placement::thread),
                         [](const auto& placed) { return placed.param == Placement::thread ? "Thread" : "Inline"; });

TEST_P(Carrier, CarriesACallOverItsOwnSockets) {
    ASSERT_EQ(start(), "");
    const std::string to = host_.detail("carrier.listens") + "/desk";
    jf_op out = JF_NO_OP;
    std::promise<jf_status> dialled;
    runtime_.shard(1).post([&] {
        out = host_.ops().open(runtime_.shard(1), &out_, carrier_.get());
        jf_dial dial = sdk::make<jf_dial>();
        dial.to = sdk::str(to);
        const jf_answer media = sdk::make<jf_answer>();
        jf_error error = sdk::make<jf_error>();
        dialled.set_value(TelephonyPort(*carrier_).dial(out, dial, media, &error));
    });
    ASSERT_EQ(dialled.get_future().get(), JF_OK);
    ASSERT_TRUE(out_.wait_for(JF_EV_ANSWERED)) << "to " << to;
    ASSERT_TRUE(in_.wait_for(JF_EV_ANSWERED));
    EXPECT_EQ(caller_, "ann");

    const std::vector<std::uint8_t> quiet(160, 0xff);
    for (const jf_op leg : {out, in_op_.load()})
        for (int i = 0; i < 3; ++i)
            on_shard_of(leg, [&] {
                jf_frame frame = sdk::make<jf_frame>();
                frame.codec = JF_CODEC_PCMU;
                frame.channels = 1;
                frame.rate_hz = 8000;
                frame.samples = 160;
                frame.data = {quiet.data(), quiet.size()};
                EXPECT_EQ(TelephonyPort(*carrier_).media_out(leg, frame), JF_OK);
            });
    EXPECT_TRUE(in_.wait_for(JF_EV_MEDIA, 3));
    EXPECT_TRUE(out_.wait_for(JF_EV_MEDIA, 3));

    on_shard_of(out, [&] { TelephonyPort(*carrier_).hangup(out, JF_CAUSE_NORMAL); });
    EXPECT_TRUE(out_.wait([&] { return out_.done; }));
    EXPECT_TRUE(in_.wait([&] { return in_.done; }));
    EXPECT_EQ(in_.cause, JF_CAUSE_NORMAL);
}

}  // namespace
}  // namespace jackfield::plugin_host
