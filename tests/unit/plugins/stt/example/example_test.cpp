// The example recogniser through its table, on the SDK's test host; what it hears is spoken by tts/example.

#include <gtest/gtest.h>
#include <jackfield/sdk/test_host.hpp>

#include <random>

namespace jackfield::stt_example {
namespace {

using namespace std::chrono_literals;
using Samples = std::vector<std::int16_t>;

/// What tts/example says for `words`, at its own rate.
Samples spoken(std::string_view words, std::uint32_t rate_hz = 8000) {
    static const jf_module_v1* const voice = sdk::load_module(JACKFIELD_BINARY_DIR "/plugins/tts/example.so");
    sdk::TestHost host;
    sdk::TestInstance plugin(host, voice);
    EXPECT_EQ(plugin.start(), JF_OK);
    const auto* tts = plugin.interface<jf_tts_v1>(JF_TTS_V1);
    jf_tts_open options = sdk::make<jf_tts_open>();
    options.format = sdk::make<jf_format>();
    options.format.codec = JF_CODEC_L16;
    options.format.channels = 1;
    options.format.rate_hz = rate_hz;
    sdk::TestOp& stream = plugin.begin(tts->open, &options);
    jf_tts_text text = sdk::make<jf_tts_text>();
    text.flush = JF_TTS_END;
    text.text = sdk::str(words);
    EXPECT_EQ(plugin.on(stream, tts->text, &text), JF_OK);
    host.advance(1s);
    Samples out;
    for (const sdk::Event& event : stream.events())
        if (const auto* frame = event.type == JF_EV_AUDIO ? event.as<jf_frame>() : nullptr) {
            const auto* from = static_cast<const std::int16_t*>(frame->data.ptr);
            out.insert(out.end(), from, from + frame->samples);
        }
    plugin.close();
    for (const std::string& breach : host.breaches()) ADD_FAILURE() << breach;
    return out;
}

class Ear : public testing::Test {
  protected:
    Ear() { EXPECT_EQ(plugin_.start(), JF_OK); }
    ~Ear() override {
        plugin_.close();
        for (const std::string& breach : host_.breaches()) ADD_FAILURE() << breach;
    }

    sdk::TestOp& open(std::uint32_t rate_hz = 8000, std::uint16_t codec = JF_CODEC_L16) {
        jf_stt_open options = sdk::make<jf_stt_open>();
        options.flags = JF_STT_PARTIALS;
        options.format = sdk::make<jf_format>();
        options.format.codec = codec;
        options.format.channels = 1;
        options.format.rate_hz = rate_hz;
        return plugin_.begin(stt_->open, &options);
    }
    /// In packets of `n` samples, 160 as a telephone's.
    void hear(sdk::TestOp& stream, const Samples& samples, std::size_t n = 160) {
        for (std::size_t at = 0; at < samples.size(); at += n) {
            jf_frame frame = sdk::make<jf_frame>();
            frame.codec = JF_CODEC_L16;
            frame.channels = 1;
            frame.rate_hz = 8000;
            frame.samples = static_cast<std::uint32_t>(std::min(n, samples.size() - at));
            frame.pts = at;
            frame.data = {samples.data() + at, frame.samples * 2u};
            ASSERT_EQ(plugin_.on(stream, stt_->push, &frame), JF_OK);
        }
    }
    void control(sdk::TestOp& stream, std::uint32_t verb, std::uint64_t value = 0) {
        jf_stt_control control = sdk::make<jf_stt_control>();
        control.verb = verb;
        control.value = value;
        ASSERT_EQ(plugin_.on(stream, stt_->control, &control), JF_OK);
    }
    /// The answer to a FINALIZE.
    std::string finish(sdk::TestOp& stream, std::uint64_t value) {
        control(stream, JF_STT_FINALIZE, value);
        const sdk::Event& answer = stream.events().back();
        EXPECT_EQ(answer.pos, value);
        return (answer.type == JF_EV_FINAL ? "" : "? ") + std::string(answer.text());
    }

    sdk::TestHost host_;
    sdk::TestInstance plugin_{host_, jf_module_entry_v1()};
    const jf_stt_v1* stt_ = plugin_.interface<jf_stt_v1>(JF_STT_V1);
};

TEST_F(Ear, UnderstandsWhatTheExampleVoiceSays) {
    sdk::TestOp& stream = open();

    hear(stream, spoken("Hello 42, abcdefghijklmnopqrstuvwxyz 0123456789!"));

    EXPECT_EQ(finish(stream, 7), "hello 42 abcdefghijklmnopqrstuvwxyz 0123456789");
    EXPECT_GE(stream.count(JF_EV_PARTIAL), 40u);
}

TEST_F(Ear, UnderstandsItWhateverThePackets) {
    for (const std::size_t packet : {80u, 161u, 333u, 4000u}) {
        sdk::TestOp& stream = open();
        hear(stream, spoken("balloon 99"), packet);
        EXPECT_EQ(finish(stream, packet), "balloon 99") << packet;
    }
}

TEST_F(Ear, UnderstandsItThroughNoise) {
    Samples noisy = spoken("quick brown fox");
    std::minstd_rand random(3);
    std::uniform_int_distribution<int> noise(-1500, 1500);
    for (std::int16_t& sample : noisy) sample = static_cast<std::int16_t>(sample + noise(random));
    sdk::TestOp& stream = open();

    hear(stream, noisy);

    EXPECT_EQ(finish(stream, 1), "quick brown fox");
}

TEST_F(Ear, AnswersEachFinalizeOnceAndBeginsAnew) {
    sdk::TestOp& stream = open();

    hear(stream, spoken("one"));
    EXPECT_EQ(finish(stream, 1), "one");
    hear(stream, Samples(8000));
    EXPECT_EQ(finish(stream, 2), "? ");
    hear(stream, spoken("cough"));
    control(stream, JF_STT_DISCARD);
    hear(stream, spoken("three"));
    EXPECT_EQ(finish(stream, 3), "three");
    EXPECT_EQ(stream.count(JF_EV_FINAL) + stream.count(JF_EV_NO_MATCH), 3u);
}

TEST_F(Ear, TellsAtTheEndHowMuchItHeard) {
    sdk::TestOp& stream = open();
    hear(stream, Samples(12000));

    EXPECT_EQ(plugin_.on(stream, stt_->close), JF_OK);

    EXPECT_EQ(stream.status(), JF_OK);
    ASSERT_NE(stream.last().as<jf_stt_usage>(), nullptr);
    EXPECT_EQ(stream.last().as<jf_stt_usage>()->audio_ms, 1500u);
    EXPECT_EQ(plugin_.on(stream, stt_->close), JF_E_INVALID);
}

TEST_F(Ear, RefusesWhatItCannotHear) {
    EXPECT_EQ(open(8000, JF_CODEC_G722).status(), JF_E_UNSUPPORTED);
    EXPECT_EQ(open(4000).status(), JF_E_UNSUPPORTED);
}

}  // namespace
}  // namespace jackfield::stt_example
