// The contract of jf.tts/1, for whichever plugin is linked into this test, at its default options.

#include "conformance/tts/speech_bench.hpp"

#include <algorithm>
#include <chrono>

namespace jackfield::test {
namespace {

constexpr std::string_view greeting = "Good morning, this is the clinic.";
constexpr std::string_view long_text =
    "We are open from nine to five on Monday. On Tuesday we open at ten. On Wednesday we are "
    "closed. "
    "The dentist comes every Thursday in the afternoon. On Friday we close early, at three.";

double seconds(const Spoken& spoken, double rate_hz = 8000) {
    return static_cast<double>(spoken.samples) / rate_hz;
}

TEST(TtsContract, SpeaksASentenceInEachCodecAndRate) {
    SpeechBench bench;
    ASSERT_EQ(bench.started(), JF_OK) << bench.failure();
    const std::pair<std::uint16_t, std::uint32_t> formats[] = {
        {JF_CODEC_L16, 8000}, {JF_CODEC_L16, 16000}, {JF_CODEC_PCMU, 8000}, {JF_CODEC_PCMA, 8000}};

    for (const auto& [codec, rate_hz] : formats) {
        Spoken& spoken = bench.open(bench.options(codec, rate_hz));
        ASSERT_EQ(bench.text(spoken, greeting), JF_OK);
        ASSERT_TRUE(bench.wait_done(spoken));

        EXPECT_EQ(spoken.status, JF_OK) << spoken.error;
        EXPECT_GT(seconds(spoken, rate_hz), 0.9);
        EXPECT_LT(seconds(spoken, rate_hz), 5.0);
        for (const SpokenEvent& event : spoken.events) {
            if (event.type != JF_EV_AUDIO) continue;
            EXPECT_EQ(event.frame.codec, codec);
            EXPECT_EQ(event.frame.rate_hz, rate_hz);
            EXPECT_LE(event.frame.samples, rate_hz / 25);
            EXPECT_EQ(event.bytes.size(), event.frame.samples * (codec == JF_CODEC_L16 ? 2 : 1));
        }
        if (codec == JF_CODEC_L16) {
            EXPECT_GT(spoken.rms(), 300);
            EXPECT_LT(spoken.rms(), 12'000);
        }
    }
}

TEST(TtsContract, CountsSamplesAndTextWithoutGaps) {
    SpeechBench bench;
    Spoken& spoken = bench.open();

    ASSERT_EQ(bench.text(spoken, long_text), JF_OK);
    ASSERT_TRUE(bench.wait_done(spoken));

    std::uint64_t pts = 0, pos = 0, mark = 0;
    for (const SpokenEvent& event : spoken.events) {
        EXPECT_GE(event.pos, pos);
        pos = event.pos;
        if (event.type == JF_EV_TTS_MARK) mark = event.pos;
        if (event.type != JF_EV_AUDIO) continue;
        EXPECT_EQ(event.frame.pts, pts);
        pts += event.frame.samples;
    }
    EXPECT_EQ(pos, long_text.size());
    EXPECT_EQ(mark, long_text.size());
    EXPECT_GE(spoken.count(JF_EV_TTS_MARK), 5);
    EXPECT_EQ(spoken.completions, 1);
    ASSERT_TRUE(spoken.usage);
    EXPECT_EQ(spoken.usage->characters, long_text.size());
    EXPECT_EQ(spoken.usage->audio_ms, pts / 8);
}

TEST(TtsContract, SaysHowFarInTheTextEachFrameSpeaks) {
    SpeechBench bench;
    Spoken& spoken = bench.open();

    ASSERT_EQ(bench.text(spoken, "One two three four five six seven eight nine ten."), JF_OK);
    ASSERT_TRUE(bench.wait_done(spoken));

    std::uint64_t at_half = 0;
    std::uint64_t samples = 0;
    for (const SpokenEvent& event : spoken.events) {
        samples += event.frame.samples;
        if (event.type == JF_EV_AUDIO && samples <= spoken.samples / 2) at_half = event.pos;
    }
    EXPECT_GT(at_half, 10u);
    EXPECT_LT(at_half, 35u);
}

TEST(TtsContract, BeginsATurnWithoutSilence) {
    SpeechBench bench;
    Spoken& spoken = bench.open();

    ASSERT_EQ(bench.text(spoken, greeting), JF_OK);
    ASSERT_TRUE(bench.wait_done(spoken));

    const auto pcm = spoken.pcm();
    const auto audible =
        std::find_if(pcm.begin(), pcm.end(), [](std::int16_t s) { return s > 150 || s < -150; });
    EXPECT_LE(audible - pcm.begin(), 400) << "50 ms";
}

TEST(TtsContract, WaitsForTheRestOfASentenceUntilItIsFlushed) {
    SpeechBench bench;
    Spoken& spoken = bench.open();

    ASSERT_EQ(bench.text(spoken, "Your appointment is", JF_TTS_MORE), JF_OK);
    EXPECT_EQ(bench.host().open_ops(), 1u) << "a job was started for half a sentence";
    ASSERT_EQ(bench.text(spoken, " on Monday", JF_TTS_MORE), JF_OK);
    EXPECT_EQ(bench.host().open_ops(), 1u);
    ASSERT_EQ(bench.text(spoken, "", JF_TTS_FLUSH), JF_OK);

    ASSERT_TRUE(bench.host().wait_until([&] { return spoken.count(JF_EV_TTS_MARK) == 1; }));
    EXPECT_TRUE(bench.host().is_open(spoken.op));
    ASSERT_EQ(bench.text(spoken, "", JF_TTS_END), JF_OK);
    ASSERT_TRUE(bench.wait_done(spoken));
    EXPECT_EQ(spoken.events.back().pos, 29u);
}

TEST(TtsContract, NeverEmitsMoreThanItsCredit) {
    SpeechBench bench;
    Spoken& spoken = bench.open(1600);

    ASSERT_EQ(bench.text(spoken, long_text), JF_OK);
    ASSERT_TRUE(bench.host().wait_until([&] { return spoken.samples == 1600; }));
    ASSERT_TRUE(bench.wait_idle()) << "a pool thread waits for credit";
    EXPECT_EQ(spoken.samples, 1600u);
    while (bench.host().is_open(spoken.op)) {
        bench.credit(spoken, 800);
        ASSERT_TRUE(bench.host().wait_until(
            [&] { return spoken.samples + 160 > spoken.granted || spoken.completions; }));
    }

    EXPECT_FALSE(spoken.overran);
    EXPECT_EQ(spoken.status, JF_OK);
    EXPECT_EQ(spoken.events.back().pos, long_text.size());
}

TEST(TtsContract, EmitsInSmallerFramesWhenAllItsCreditIsLessThanAFrame) {
    SpeechBench bench;
    Spoken& spoken = bench.open(100);

    ASSERT_EQ(bench.text(spoken, greeting), JF_OK);
    ASSERT_TRUE(bench.host().wait_until([&] { return spoken.samples == 100; }));
    bench.credit(spoken, 1'000'000);

    ASSERT_TRUE(bench.wait_done(spoken));
    EXPECT_GT(seconds(spoken), 0.9);
}

TEST(TtsContract, ForgetsOnClearWhatWasNotSpoken) {
    SpeechBench bench;
    Spoken& spoken = bench.open(1600);

    ASSERT_EQ(bench.text(spoken, long_text, JF_TTS_FLUSH), JF_OK);
    ASSERT_TRUE(bench.host().wait_until([&] { return spoken.samples == 1600; }));
    ASSERT_EQ(bench.tts().clear(bench.instance(), spoken.op), JF_OK);
    bench.credit(spoken, 1'000'000);
    ASSERT_TRUE(bench.wait_idle());

    EXPECT_EQ(spoken.samples, 1600u);
    EXPECT_EQ(spoken.events.back().type, JF_EV_CLEARED);
    ASSERT_EQ(bench.text(spoken, "Goodbye."), JF_OK);
    ASSERT_TRUE(bench.wait_done(spoken));
    EXPECT_GT(spoken.samples, 1600u + 2000u);
    EXPECT_LT(spoken.samples, 1600u + 16'000u);
    EXPECT_EQ(spoken.count(JF_EV_CLEARED), 1);
    EXPECT_EQ(spoken.events.back().pos, long_text.size() + 8);
}

TEST(TtsContract, CompletesAtOnceWhenCancelled) {
    SpeechBench bench;
    Spoken& spoken = bench.open();

    ASSERT_EQ(bench.text(spoken, long_text), JF_OK);
    const auto before = std::chrono::steady_clock::now();
    ASSERT_EQ(bench.functions().cancel(bench.instance(), spoken.op), JF_OK);
    const auto took = std::chrono::steady_clock::now() - before;

    EXPECT_LT(took, std::chrono::milliseconds(50));
    EXPECT_EQ(spoken.completions, 1);
    EXPECT_EQ(spoken.status, JF_E_CANCELLED);
    EXPECT_EQ(bench.functions().cancel(bench.instance(), spoken.op), JF_E_INVALID);
    EXPECT_TRUE(bench.wait_idle(0));
    EXPECT_EQ(spoken.completions, 1);
}

TEST(TtsContract, CompletesOnCloseWithWhatHadCredit) {
    SpeechBench bench;
    Spoken& spoken = bench.open(1600);

    ASSERT_EQ(bench.text(spoken, long_text), JF_OK);
    ASSERT_TRUE(bench.host().wait_until([&] { return spoken.samples == 1600; }));
    ASSERT_EQ(bench.tts().close(bench.instance(), spoken.op), JF_OK);

    EXPECT_EQ(spoken.completions, 1);
    ASSERT_TRUE(spoken.usage);
    EXPECT_EQ(spoken.usage->audio_ms, 200u);
}

TEST(TtsContract, RefusesWhatIsNotItsStream) {
    SpeechBench bench;
    Spoken over;
    over.op = 4711;

    EXPECT_EQ(bench.text(over, greeting), JF_E_INVALID);
    EXPECT_EQ(bench.tts().clear(bench.instance(), over.op), JF_E_INVALID);
    EXPECT_EQ(bench.tts().credit(bench.instance(), over.op, 1), JF_E_INVALID);
    EXPECT_EQ(bench.tts().close(bench.instance(), over.op), JF_E_INVALID);
    EXPECT_EQ(bench.functions().cancel(bench.instance(), over.op), JF_E_INVALID);
    EXPECT_EQ(bench.functions().query(bench.instance(), sdk::str("jf.nonsense/9")), nullptr);
}

TEST(TtsContract, RefusesFormatsThatItDoesNotSpeak) {
    SpeechBench bench;
    jf_tts_open stereo = bench.options();
    stereo.format.channels = 2;

    EXPECT_EQ(bench.open(bench.options(JF_CODEC_G722, 16000)).status, JF_E_UNSUPPORTED);
    EXPECT_EQ(bench.open(bench.options(JF_CODEC_L16, 4000)).status, JF_E_UNSUPPORTED);
    EXPECT_EQ(bench.open(stereo).status, JF_E_UNSUPPORTED);
    EXPECT_NE(bench.failure(), "");
}

TEST(TtsContract, HoldsTextBackWhenTooMuchWaits) {
    SpeechBench bench;
    Spoken& spoken = bench.open(1600);
    const std::string too_long(2001, 'a');

    EXPECT_EQ(bench.text(spoken, too_long, JF_TTS_MORE), JF_E_INVALID);
    ASSERT_EQ(
        bench.text(spoken, std::string(long_text) + " " + std::string(long_text), JF_TTS_MORE),
        JF_OK);
    EXPECT_EQ(bench.text(spoken, greeting, JF_TTS_END), JF_E_AGAIN);
    bench.credit(spoken, 10'000'000);

    ASSERT_TRUE(bench.host().wait_until([&] { return spoken.count(JF_EV_CREDIT) == 1; }));
    ASSERT_EQ(bench.text(spoken, greeting, JF_TTS_END), JF_OK);
    EXPECT_EQ(bench.text(spoken, "More?", JF_TTS_END),
              bench.host().is_open(spoken.op) ? JF_E_STATE : JF_E_INVALID);
    ASSERT_TRUE(bench.wait_done(spoken));
    EXPECT_EQ(spoken.events.back().pos, 2 * long_text.size() + 1 + greeting.size());
}

TEST(TtsContract, CompletesWithoutAudioWhenThereIsNothingToSay) {
    SpeechBench bench;
    Spoken& empty = bench.open();
    Spoken& marks = bench.open();

    ASSERT_EQ(bench.text(empty, ""), JF_OK);
    ASSERT_EQ(bench.text(marks, " ... !? -- "), JF_OK);

    ASSERT_TRUE(bench.wait_done(empty));
    ASSERT_TRUE(bench.wait_done(marks));
    EXPECT_EQ(empty.status, JF_OK);
    EXPECT_EQ(empty.samples, 0u);
    EXPECT_EQ(marks.samples, 0u);
}

TEST(TtsContract, SpeaksOnWhenTheHostWasFull) {
    SpeechBench bench;
    Spoken& spoken = bench.open();
    SpeechBench::refuse_emits(10);

    ASSERT_EQ(bench.text(spoken, long_text), JF_OK);
    while (bench.host().is_open(spoken.op)) {
        bench.host().wait_until([&] { return spoken.completions == 1; },
                                std::chrono::milliseconds(2));
        bench.host().advance(std::chrono::milliseconds(5));
    }

    EXPECT_EQ(SpeechBench::emits_to_refuse(), 0);
    EXPECT_EQ(spoken.status, JF_OK);
    std::uint64_t pts = 0;
    for (const SpokenEvent& event : spoken.events) {
        if (event.type != JF_EV_AUDIO) continue;
        EXPECT_EQ(event.frame.pts, pts);
        pts += event.frame.samples;
    }
    EXPECT_EQ(spoken.events.back().pos, long_text.size());
}

TEST(TtsContract, SpeaksEightStreamsAtOnce) {
    SpeechBench bench;
    const std::string_view text = "We open at nine. See you on Monday.";
    std::vector<Spoken*> streams;
    for (int i = 0; i < 8; ++i) streams.push_back(&bench.open());

    for (Spoken* stream : streams) ASSERT_EQ(bench.text(*stream, text), JF_OK);
    for (Spoken* stream : streams) ASSERT_TRUE(bench.wait_done(*stream));

    for (const Spoken* stream : streams) {
        EXPECT_EQ(stream->status, JF_OK) << stream->error;
        // Not exactly: how soon a voice with random excitation becomes audible differs by some
        // samples.
        EXPECT_NEAR(static_cast<double>(stream->samples),
                    static_cast<double>(streams.front()->samples),
                    400);
        EXPECT_EQ(stream->events.back().pos, text.size());
    }
}

TEST(TtsContract, SurvivesHostileText) {
    SpeechBench bench;
    const std::string_view texts[] = {
        "\xff\xfe\x80 broken \xe2\x82 bytes \xc3",
        std::string_view("zero \0 byte", 11),
        "<speak><break time='999999s'/></speak>",
        "--help -f /etc/passwd `id` $(id) %s%n",
        "99999999999999999999999999999999999999999999999999999999999999",
        "\xe4\xbd\xa0\xe5\xa5\xbd \xd0\xbf\xd1\x80\xd0\xb8\xd0\xb2\xd0\xb5\xd1\x82"};
    for (const std::string_view text : texts) {
        Spoken& spoken = bench.open();
        ASSERT_EQ(bench.text(spoken, text), JF_OK);
        ASSERT_TRUE(bench.wait_done(spoken));
        EXPECT_EQ(spoken.status, JF_OK) << text << ": " << spoken.error;
        EXPECT_LT(seconds(spoken), 60);
    }
}

TEST(TtsContract, QuiescesWhenItsLastStreamIsOver) {
    SpeechBench bench;
    Spoken& spoken = bench.open(1600);
    ASSERT_EQ(bench.text(spoken, greeting), JF_OK);
    bool quiet = false;
    const jf_op op = bench.host().start_op(
        {}, [&](jf_op, jf_status, const jf_event*, const jf_error*) { quiet = true; });

    ASSERT_EQ(bench.functions().quiesce(bench.instance(), op, 10'000), JF_OK);
    EXPECT_FALSE(quiet);
    EXPECT_EQ(bench.open().status, JF_E_STATE);
    bench.credit(spoken, 1'000'000);
    ASSERT_TRUE(bench.wait_done(spoken));

    EXPECT_TRUE(bench.host().wait_until([&] { return quiet; }));
    bench.host().advance(std::chrono::seconds(11));
}

}  // namespace
}  // namespace jackfield::test
