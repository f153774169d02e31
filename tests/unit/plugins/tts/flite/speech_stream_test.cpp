// What the SDK's SpeechStream does beyond the contract of jf.tts/1 (tests/conformance/tts), seen through a plugin that is built upon it: on
// the test host, whose time stands still and whose open ops can be counted.

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

TEST(SpeechStream, BeginsATurnWithoutSilence) {
    SpeechBench bench;
    Spoken& spoken = bench.open();

    ASSERT_EQ(bench.text(spoken, greeting), JF_OK);
    ASSERT_TRUE(bench.wait_done(spoken));

    const auto pcm = spoken.pcm();
    const auto audible =
        std::find_if(pcm.begin(), pcm.end(), [](std::int16_t s) { return s > 150 || s < -150; });
    EXPECT_LE(audible - pcm.begin(), 400) << "50 ms";
}

TEST(SpeechStream, WaitsForTheRestOfASentenceUntilItIsFlushed) {
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

TEST(SpeechStream, NeverEmitsMoreThanItsCredit) {
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

TEST(SpeechStream, ForgetsOnClearWhatWasNotSpoken) {
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

TEST(SpeechStream, CompletesAtOnceWhenCancelled) {
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

TEST(SpeechStream, CompletesOnCloseWithWhatHadCredit) {
    SpeechBench bench;
    Spoken& spoken = bench.open(1600);

    ASSERT_EQ(bench.text(spoken, long_text), JF_OK);
    ASSERT_TRUE(bench.host().wait_until([&] { return spoken.samples == 1600; }));
    ASSERT_EQ(bench.tts().close(bench.instance(), spoken.op), JF_OK);

    EXPECT_EQ(spoken.completions, 1);
    ASSERT_TRUE(spoken.usage);
    EXPECT_EQ(spoken.usage->audio_ms, 200u);
}

TEST(SpeechStream, HoldsTextBackWhenTooMuchWaits) {
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

TEST(SpeechStream, SpeaksOnWhenTheHostWasFull) {
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

TEST(SpeechStream, QuiescesWhenItsLastStreamIsOver) {
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
