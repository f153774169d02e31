// A plugin of the first headers, one of today's and one of a later release that has grown everywhere, under today's host; and, compiled a
// second time against those later headers, under a host whose own structs and tables are longer than what the plugins know.
#include <algorithm>
#include <array>
#include <future>

#include "unit/kernel/plugin_host/host_fixture.hpp"

namespace jackfield::plugin_host {
namespace {

using namespace std::chrono_literals;

constexpr const char* rc0 = "stt/growth_rc0";
constexpr const char* now = "stt/growth_now";
constexpr const char* later = "stt/growth_later";

/// What a stream was told, as a host reads it.
class Heard final : public OpSink {
  public:
    void on_event(jf_op, const jf_event& event) override {
        const auto* text = sdk::data_of<jf_text>(event);
        if (!text || text->words.n != 1) return;
        const std::string word(sdk::view(JF_AT(jf_word, text->words, 0)->text));
        EXPECT_EQ(word, sdk::view(text->text));
        (event.type == JF_EV_FINAL ? final : partial) = word;
    }
    void on_done(jf_op, jf_status status, const jf_event* last, const jf_error*) override {
        const auto* usage = last ? sdk::data_of<jf_stt_usage>(*last) : nullptr;
        audio_ms = usage ? usage->audio_ms : 0;
        done.set_value(status);
    }
    std::string partial;
    std::string final;
    std::uint64_t audio_ms = 0;
    std::promise<jf_status> done;
};

class Growth : public testing::TestWithParam<std::tuple<const char*, Placement>> {
  protected:
    Growth() {
        plugin_ = host_.make(std::get<0>(GetParam()), std::get<1>(GetParam()));
        model_ = host_.make("llm/test_behaviour", Placement::inline_, "model");
        host_->set_provider_resolver([this](Instance&, std::string_view name) { return name == "model" ? model_.get() : nullptr; });
        runtime_.start();
    }
    ~Growth() override {
        for (const auto& instance : {plugin_, model_}) {
            std::promise<void> stopped;
            runtime_.shard(0).post([&] { host_->stop(instance, runtime_.shard(0), 1000ms, [&] { stopped.set_value(); }); });
            EXPECT_EQ(stopped.get_future().wait_for(20s), std::future_status::ready);
        }
        runtime_.stop();
    }
    static runtime::RuntimeOptions options() {
        runtime::RuntimeOptions out;
        out.shards = 1;
        return out;
    }
    bool start() {
        std::promise<bool> started;
        runtime_.shard(0).post([&] { host_->start(plugin_, runtime_.shard(0), [&](base::Result<> result) { started.set_value(bool(result)); }); });
        return started.get_future().get();
    }
    /// One stream: three packets, a hint, an end.
    jf_status talk(Heard& heard) {
        runtime_.shard(0).post([&] {
            const jf_op op = host_.ops().open(runtime_.shard(0), &heard, plugin_.get());
            const SttPort port(*plugin_);
            const std::string language = "en-US";
            jf_stt_open options = sdk::make<jf_stt_open>();
            options.format = sdk::make<jf_format>();
            options.format.rate_hz = 8000;
            options.language = sdk::str(language);
            jf_error error = sdk::make<jf_error>();
            EXPECT_EQ(port.open(op, options, &error), JF_OK) << error.text;
            const std::array<std::int16_t, 160> samples{};
            jf_frame frame = sdk::make<jf_frame>();
            frame.samples = 160;
            frame.data = {samples.data(), sizeof samples};
            for (int i = 0; i < 3; ++i) EXPECT_EQ(port.push(op, frame), JF_OK);
            const std::string phrases[] = {"first", "second"};
            const jf_str list[] = {sdk::str(phrases[0]), sdk::str(phrases[1])};
            jf_hints hints = sdk::make<jf_hints>();
            hints.phrases = sdk::array(list, 2);
            jf_stt_control control = sdk::make<jf_stt_control>();
            control.verb = JF_STT_HINTS;
            control.hints = &hints;
            EXPECT_EQ(port.control(op, control), JF_OK);
            control.verb = JF_STT_FINALIZE;
            control.hints = nullptr;
            EXPECT_EQ(port.control(op, control), JF_OK);
            EXPECT_EQ(port.close(op), JF_OK);
        });
        return heard.done.get_future().get();
    }
    bool said(const std::string& event) {
        const auto all = host_.logged();
        return std::find(all.begin(), all.end(), event) != all.end();
    }

    runtime::RealRuntime runtime_{options()};
    HostUnderTest host_{runtime_};
    std::shared_ptr<Instance> plugin_;
    std::shared_ptr<Instance> model_;
};

TEST_P(Growth, APluginOfAnyReleaseServesACall) {
    ASSERT_TRUE(start());

    Heard heard;
    EXPECT_EQ(talk(heard), JF_OK);

    EXPECT_EQ(heard.partial, "partial");
    EXPECT_EQ(heard.final, "second");
    EXPECT_EQ(heard.audio_ms, 60u);
    EXPECT_FALSE(said("growth.wrong")) << "the host writes into what it is given as far as struct_size reaches";
}

TEST_P(Growth, ARequestForMoreThanTheHostKnowsIsTooNew) {
    ASSERT_TRUE(start());
    Heard heard;
    EXPECT_EQ(talk(heard), JF_OK);

    const bool of_later = std::get<0>(GetParam()) == std::string(later);
#ifdef JF_LATER
    EXPECT_EQ(said("growth.understood"), of_later);
    EXPECT_EQ(said("growth.provider_understood"), of_later);
    EXPECT_EQ(said("growth.later_host"), of_later);
#else
    EXPECT_EQ(said("growth.too_new"), of_later);
    EXPECT_EQ(said("growth.provider_too_new"), of_later);
    EXPECT_EQ(said("growth.older_host"), of_later);
#endif
}

/// Plugins in C++, of the first release, the later one and of today: their structs are longer or shorter than what the other side hands them.
TEST(GrowthOfTheSdk, ReadsWhatAnyHostWritesAndIsReadByIt) {
    runtime::RuntimeOptions options;
    options.shards = 1;
    runtime::RealRuntime runtime(options);
    HostUnderTest host(runtime);
    runtime.start();
    for (const auto& [id, placement] : {std::pair("llm/growth_sdk_rc0", Placement::inline_), std::pair("llm/growth_sdk_rc0", Placement::thread),
                                        std::pair("llm/growth_sdk", Placement::inline_), std::pair("llm/growth_sdk", Placement::thread),
                                        std::pair("llm/test_behaviour", Placement::inline_), std::pair("llm/test_behaviour", Placement::thread)}) {
        SCOPED_TRACE(id);
        const auto plugin = host.make(id, placement);
        Recorder words;
        runtime.shard(0).post([&] { EXPECT_EQ(host.ask(*plugin, host.ops().open(runtime.shard(0), &words, plugin.get()), "echo one two"), JF_OK); });
        ASSERT_TRUE(words.wait());
        EXPECT_EQ(words.status, JF_OK);
        EXPECT_EQ(words.words, (std::vector<std::string>{"one", "two"}));
        std::promise<void> stopped;
        runtime.shard(0).post([&] { host->stop(plugin, runtime.shard(0), 1000ms, [&] { stopped.set_value(); }); });
        stopped.get_future().wait();
    }
    runtime.stop();
}

TEST(GrowthOfTheSdk, GivesAShorterStructZeroFilled) {
    jf_call_end written = sdk::make<jf_call_end>();
    written.cause = 7;
    jf_event event = sdk::make<jf_event>();
    event.data = &written;
    event.data_size = offsetof(jf_call_end, cause) + sizeof written.cause;
    std::memset(reinterpret_cast<char*>(&written) + event.data_size, 0x5a, sizeof written - event.data_size);
    const auto* read = sdk::data_of<jf_call_end>(event);
    ASSERT_NE(read, nullptr);
    EXPECT_EQ(read->cause, 7u);
    EXPECT_EQ(read->text.len, 0u) << "what the writer did not have is zero, not what lies behind it";
    event.data_size = 0;
    EXPECT_EQ(sdk::data_of<jf_call_end>(event), nullptr);
}

TEST(GrowthOfTheSdk, WritesNoErrorLongerThanItsReader) {
    jf_error error;
    std::memset(&error, 0x5a, sizeof error);
    error.struct_size = 8;
    EXPECT_EQ(sdk::Failure(JF_E_QUOTA, "no room").write(&error), JF_E_QUOTA);
    for (std::size_t i = 8; i < sizeof error; ++i) ASSERT_EQ(reinterpret_cast<const unsigned char*>(&error)[i], 0x5a) << i;
    EXPECT_EQ(error.struct_size, 8u);
}

std::string name_of(const testing::TestParamInfo<std::tuple<const char*, Placement>>& info) {
    return std::string(std::get<0>(info.param)).substr(11) + (std::get<1>(info.param) == Placement::thread ? "_on_its_thread" : "_inline");
}
INSTANTIATE_TEST_SUITE_P(EachRelease, Growth, testing::Combine(testing::Values(rc0, now, later), testing::Values(Placement::inline_, Placement::thread)),
                         name_of);

}  // namespace
}  // namespace jackfield::plugin_host
