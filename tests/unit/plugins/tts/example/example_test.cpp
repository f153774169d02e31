// The example voice through its table, on the SDK's test host.

#include <gtest/gtest.h>
#include <jackfield/sdk/test_host.hpp>

namespace jackfield::tts_example {
namespace {

using namespace std::chrono_literals;

class Voice : public testing::Test {
  protected:
    Voice() { EXPECT_EQ(plugin_.start(), JF_OK); }
    ~Voice() override {
        plugin_.close();
        for (const std::string& breach : host_.breaches()) ADD_FAILURE() << breach;
    }

    sdk::TestOp& open(std::uint64_t credit = 0, std::string_view voice = {}) {
        jf_tts_open options = sdk::make<jf_tts_open>();
        options.format = sdk::make<jf_format>();
        options.format.codec = JF_CODEC_L16;
        options.format.channels = 1;
        options.format.rate_hz = 8000;
        options.format.ptime_ms = 20;
        options.voice = sdk::str(voice);
        options.credit = credit;
        return plugin_.begin(tts_->open, &options);
    }
    void say(sdk::TestOp& stream, std::string_view words) {
        jf_tts_text text = sdk::make<jf_tts_text>();
        text.flush = JF_TTS_END;
        text.text = sdk::str(words);
        EXPECT_EQ(plugin_.on(stream, tts_->text, &text), JF_OK);
        host_.advance(1s);
    }
    static std::uint64_t samples(const sdk::TestOp& stream) {
        std::uint64_t sum = 0;
        for (const sdk::Event& event : stream.events())
            if (event.type == JF_EV_AUDIO) sum += event.as<jf_frame>()->samples;
        return sum;
    }

    sdk::TestHost host_;
    sdk::TestInstance plugin_{host_, jf_module_entry_v1()};
    const jf_tts_v1* tts_ = plugin_.interface<jf_tts_v1>(JF_TTS_V1);
};

TEST_F(Voice, SpeaksATenthOfASecondForEachLetter) {
    sdk::TestOp& stream = open();

    say(stream, "abc 1");

    ASSERT_FALSE(stream.open());
    EXPECT_EQ(stream.status(), JF_OK);
    // Four letters, one pause, filled up to whole frames.
    EXPECT_NEAR(static_cast<double>(samples(stream)), 8 * (4 * 100 + 160), 160);
    ASSERT_NE(stream.last().as<jf_tts_usage>(), nullptr);
    EXPECT_EQ(stream.last().as<jf_tts_usage>()->characters, 5u);
}

TEST_F(Voice, TellsHowFarItIsInTheText) {
    sdk::TestOp& stream = open();

    say(stream, "abcdef");

    std::uint64_t last = 0;
    for (const sdk::Event& event : stream.events()) {
        EXPECT_GE(event.pos, last);
        last = event.pos;
    }
    EXPECT_EQ(last, 6u);
}

TEST_F(Voice, WaitsForCreditAndStopsWhenItIsCancelled) {
    sdk::TestOp& stream = open(800);

    say(stream, "a long text that nobody is going to hear to its end");

    EXPECT_TRUE(stream.open());
    EXPECT_LE(samples(stream), 800u);
    plugin_.cancel(stream);
    host_.advance(100ms);
    EXPECT_FALSE(stream.open());
    EXPECT_EQ(stream.status(), JF_E_CANCELLED);
}

TEST_F(Voice, HasOneVoice) {
    EXPECT_TRUE(open(0, "tones").open());
    EXPECT_EQ(open(0, "slt").status(), JF_E_NOT_FOUND);
}

}  // namespace
}  // namespace jackfield::tts_example
