// The stream's contract on the built plugin: answers, order, limits. What is recognised is recognition_test.cpp's subject.

#include <gtest/gtest.h>

#include <algorithm>

#include "recogniser.hpp"

namespace jackfield::test {
namespace {

const std::vector<std::string> days{"sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday"};

/// Decoders take a moment to make; the tests that need no options of their own share one instance.
TestRecogniser& shared() {
    static TestRecogniser recogniser(TestRecogniser::Options{{"decoders", "1"}, {"max_decoders", "2"}});
    static const jf_status started = recogniser.start();
    if (started != JF_OK) throw std::runtime_error(recogniser.start_error);
    return recogniser;
}

TEST(PocketsphinxInstance, NamesTheMissingModelAndThePackage) {
    try {
        TestRecogniser recogniser(TestRecogniser::Options{{"model_dir", "/nowhere/model"}});
        FAIL();
    } catch (const std::runtime_error& problem) {
        EXPECT_NE(std::string(problem.what()).find("/nowhere/model/mdef"), std::string::npos) << problem.what();
        EXPECT_NE(std::string(problem.what()).find("apt install pocketsphinx-en-us"), std::string::npos);
    }
}

TEST(PocketsphinxInstance, QuiescesAtOnceWhenIdleAndRefusesNewStreams) {
    TestRecogniser recogniser(TestRecogniser::Options{{"decoders", "1"}});
    ASSERT_EQ(recogniser.start(), JF_OK) << recogniser.start_error;
    jf_status done = JF_E_TIMEOUT;
    const jf_op op = recogniser.host.start_op({}, [&](jf_op, jf_status status, const jf_event*, const jf_error*) { done = status; });

    recogniser.functions->quiesce(recogniser.instance, op, 1000);
    TestStream late(recogniser);

    EXPECT_EQ(done, JF_OK);
    EXPECT_EQ(late.opened, JF_E_STATE);
}

TEST(PocketsphinxInstance, EndsOpenStreamsWhenTheBudgetIsOver) {
    TestRecogniser recogniser(TestRecogniser::Options{{"decoders", "1"}});
    ASSERT_EQ(recogniser.start(), JF_OK);
    TestStream stream(recogniser, days);
    bool quiet = false;
    const jf_op op = recogniser.host.start_op({}, [&](jf_op, jf_status, const jf_event*, const jf_error*) { quiet = true; });

    recogniser.functions->quiesce(recogniser.instance, op, 500);
    EXPECT_FALSE(quiet);
    recogniser.host.advance(std::chrono::milliseconds(501));

    EXPECT_TRUE(quiet);
    EXPECT_EQ(stream.status, JF_E_CANCELLED);
}

TEST(PocketsphinxStream, RefusesFormatsAndLanguagesThatItCannotHear) {
    jf_stt_open options = sdk::make<jf_stt_open>();
    options.format = sdk::make<jf_format>();
    options.format.codec = JF_CODEC_G722;
    options.format.channels = 1;
    options.format.rate_hz = 16000;
    jf_error error = sdk::make<jf_error>();
    TestRecogniser& recogniser = shared();

    EXPECT_EQ(recogniser.stt->open(recogniser.instance, 4711, &options, &error), JF_E_UNSUPPORTED);
    options.format.codec = JF_CODEC_L16;
    options.language = sdk::str("de-DE");
    EXPECT_EQ(recogniser.stt->open(recogniser.instance, 4711, &options, &error), JF_E_UNSUPPORTED);
    EXPECT_EQ(recogniser.stt->open(recogniser.instance, 4711, nullptr, &error), JF_E_INVALID);
}

TEST(PocketsphinxStream, AnswersUnknownOpsWithInvalid) {
    TestRecogniser& recogniser = shared();
    jf_frame frame = sdk::make<jf_frame>();
    jf_stt_control control = sdk::make<jf_stt_control>();

    EXPECT_EQ(recogniser.stt->push(recogniser.instance, 999999, &frame), JF_E_INVALID);
    EXPECT_EQ(recogniser.stt->control(recogniser.instance, 999999, &control), JF_E_INVALID);
    EXPECT_EQ(recogniser.stt->close(recogniser.instance, 999999), JF_E_INVALID);
    EXPECT_EQ(recogniser.functions->cancel(recogniser.instance, 999999), JF_E_INVALID);
}

TEST(PocketsphinxStream, AnswersEachFinalizeOnceWithItsValue) {
    TestStream stream(shared(), days);
    stream.push_silence(500);
    stream.push(recording("digits/day-1"));
    stream.push_silence(300);
    for (const std::uint64_t value : {7u, 8u, 9u}) ASSERT_EQ(stream.control(JF_STT_FINALIZE, value), JF_OK);

    ASSERT_TRUE(shared().host.wait_until([&] { return stream.answers.size() >= 3; }));

    ASSERT_EQ(stream.answers.size(), 3u);
    EXPECT_EQ(stream.answers[0].type, JF_EV_FINAL);
    EXPECT_EQ(stream.answers[0].pos, 7u);
    EXPECT_EQ(stream.answers[1].type, JF_EV_NO_MATCH);
    EXPECT_EQ(stream.answers[1].pos, 8u);
    EXPECT_EQ(stream.answers[2].pos, 9u);
}

TEST(PocketsphinxStream, CompletesAfterTheOutstandingAnswerAndTellsItsUsage) {
    TestStream stream(shared(), days);
    stream.push(recording("digits/day-5"));
    const std::uint64_t pushed_ms = stream.pts / 8;
    stream.control(JF_STT_FINALIZE, 1);
    EXPECT_EQ(shared().stt->close(shared().instance, stream.op), JF_OK);
    EXPECT_NE(stream.control(JF_STT_FINALIZE, 2), JF_OK);

    ASSERT_TRUE(shared().host.wait_done(stream.op));

    EXPECT_EQ(stream.status, JF_OK);
    EXPECT_EQ(stream.answers.size(), 1u);
    EXPECT_EQ(stream.usage_ms, pushed_ms);
    EXPECT_EQ(shared().stt->close(shared().instance, stream.op), JF_E_INVALID);
    EXPECT_EQ(shared().host.double_completions(), 0);
}

TEST(PocketsphinxStream, ForgetsWhatIsDiscarded) {
    TestStream stream(shared(), days);
    stream.push(recording("digits/day-1"));
    stream.control(JF_STT_DISCARD);

    EXPECT_EQ(stream.finalize().type, JF_EV_NO_MATCH);
    EXPECT_EQ(stream.hear(recording("digits/day-3")).text, "wednesday");
}

TEST(PocketsphinxStream, AppliesHintsFromTheNextUtterance) {
    TestStream stream(shared(), days);
    stream.push_silence(200);
    stream.push(recording("digits/day-1"));
    stream.hints({"zero", "one", "two", "three", "four"});

    EXPECT_EQ(stream.finalize().text, "monday");
    EXPECT_EQ(stream.hear(recording("digits/3")).text, "three");
    stream.hints(days);
    EXPECT_EQ(stream.hear(recording("digits/day-6")).text, "saturday");
}

TEST(PocketsphinxStream, EndsWhenCancelled) {
    TestStream stream(shared(), days);
    stream.push(recording("digits/day-1"));
    EXPECT_EQ(shared().functions->cancel(shared().instance, stream.op), JF_OK);

    EXPECT_EQ(stream.status, JF_E_CANCELLED);
    EXPECT_EQ(shared().functions->cancel(shared().instance, stream.op), JF_E_INVALID);
    EXPECT_EQ(stream.push_silence(20), JF_E_INVALID);
}

TEST(PocketsphinxStream, TakesMuteAndEnglishAndRefusesOtherVerbs) {
    TestStream stream(shared(), days);
    jf_stt_control control = sdk::make<jf_stt_control>();
    control.verb = JF_STT_LANGUAGE;
    control.text = sdk::str("fr");

    EXPECT_EQ(stream.control(JF_STT_MUTE, 1), JF_OK);
    EXPECT_EQ(shared().stt->control(shared().instance, stream.op, &control), JF_E_UNSUPPORTED);
    control.text = sdk::str("en");
    EXPECT_EQ(shared().stt->control(shared().instance, stream.op, &control), JF_OK);
    EXPECT_EQ(stream.control(99), JF_E_UNSUPPORTED);
}

TEST(PocketsphinxStream, RefusesFramesThatAreNotInItsFormat) {
    TestStream stream(shared(), days);
    const std::vector<std::uint8_t> bytes(160, 0xff);
    jf_frame frame = sdk::make<jf_frame>();
    frame.codec = JF_CODEC_PCMU;
    frame.channels = 1;
    frame.rate_hz = 8000;
    frame.samples = 160;
    frame.data = {bytes.data(), bytes.size()};
    const auto push = [&](const jf_frame& f) { return shared().stt->push(shared().instance, stream.op, &f); };

    EXPECT_EQ(push(frame), JF_OK);
    for (const auto& change : std::vector<std::function<void(jf_frame&)>>{
             [](jf_frame& f) { f.codec = JF_CODEC_PCMA; }, [](jf_frame& f) { f.rate_hz = 16000; },
             [](jf_frame& f) { f.channels = 2; }, [](jf_frame& f) { f.samples = 161; },
             [](jf_frame& f) { f.data.ptr = nullptr; }, [](jf_frame& f) { f.samples = 0x80000000u; }}) {
        jf_frame wrong = frame;
        change(wrong);
        EXPECT_EQ(push(wrong), JF_E_INVALID);
    }
}

TEST(PocketsphinxStream, SaysAgainWhenItsBufferIsFull) {
    struct Hold : sdk::OpUser {
        void on_event(jf_op, const jf_event&) override {}
        void on_done(jf_op, jf_status, const jf_event*, const jf_error*) override {}
    } hold;
    std::mutex gate;
    TestRecogniser recogniser(TestRecogniser::Options{{"decoders", "1"}, {"buffer_ms", "500"}});
    ASSERT_EQ(recogniser.start(), JF_OK);
    // Both workers of the test host are held up, so that nothing drains the stream.
    gate.lock();
    const auto* worker = recogniser.host.host().facility<jf_host_worker_v1>(JF_FACILITY_WORKER);
    for (int i = 0; i < 2; ++i)
        worker->start(recogniser.host.host().ctx(), recogniser.host.host().open(JF_NO_OP, hold),
                      [](void* user, jf_op) -> jf_status {
                          const std::lock_guard wait(*static_cast<std::mutex*>(user));
                          return JF_OK;
                      },
                      &gate);
    TestStream stream(recogniser, days);

    EXPECT_EQ(stream.push_silence(400), JF_OK);
    EXPECT_EQ(stream.push_silence(400), JF_E_AGAIN);

    gate.unlock();
    stream.finalize();
    EXPECT_EQ(stream.push_silence(400), JF_OK);
}

TEST(PocketsphinxStream, RefusesMoreStreamsThanAllowed) {
    TestRecogniser recogniser(TestRecogniser::Options{{"decoders", "1"}, {"max_streams", "2"}});
    ASSERT_EQ(recogniser.start(), JF_OK);
    TestStream a(recogniser, days);
    TestStream b(recogniser, days);
    const TestStream c(recogniser, days);

    EXPECT_EQ(a.opened, JF_OK);
    EXPECT_EQ(b.opened, JF_OK);
    EXPECT_EQ(c.opened, JF_E_RATE);
}

TEST(PocketsphinxStream, SendsPartialsWhileSpeechGoesOn) {
    TestStream stream(shared(), {"you are now muted", "the conference is now locked", "goodbye"}, "", JF_STT_PARTIALS);
    stream.push_silence(300);
    const std::vector<std::int16_t> audio = recording("conf-lockednow");
    stream.push({audio.begin(), audio.end() - 3000});
    ASSERT_TRUE(shared().host.wait_until([&] { return !stream.partials.empty(); }));
    stream.push({audio.end() - 3000, audio.end()});

    EXPECT_EQ(stream.finalize().text, "the conference is now locked");
    EXPECT_TRUE(std::string("the conference is now locked").starts_with(stream.partials[0].text.substr(0, 3)));
}

TEST(PocketsphinxStream, SharesOneDecoderAmongManyStreams) {
    TestRecogniser recogniser(TestRecogniser::Options{{"decoders", "1"}, {"max_decoders", "1"}});
    ASSERT_EQ(recogniser.start(), JF_OK);
    std::vector<std::unique_ptr<TestStream>> streams;
    for (std::size_t i = 0; i < 7; ++i) {
        streams.push_back(std::make_unique<TestStream>(recogniser, days));
        streams.back()->push(recording("digits/day-" + std::to_string(i)));
    }
    for (std::size_t i = 0; i < 7; ++i) streams[i]->control(JF_STT_FINALIZE, i);

    ASSERT_TRUE(recogniser.host.wait_until(
        [&] { return std::all_of(streams.begin(), streams.end(), [](const auto& s) { return !s->answers.empty(); }); },
        std::chrono::seconds(30)));

    for (std::size_t i = 0; i < 7; ++i) EXPECT_EQ(streams[i]->answers[0].text, days[i]);
}

TEST(PocketsphinxStream, HearsTheSameOnSeveralDecodersAtOnce) {
    TestRecogniser recogniser(TestRecogniser::Options{{"decoders", "4"}});
    ASSERT_EQ(recogniser.start(), JF_OK);
    std::vector<std::unique_ptr<TestStream>> streams;
    for (std::size_t i = 0; i < 21; ++i) {
        streams.push_back(std::make_unique<TestStream>(recogniser, days));
        streams.back()->push(recording("digits/day-" + std::to_string(i % 7)));
        streams.back()->control(JF_STT_FINALIZE, i);
    }

    ASSERT_TRUE(recogniser.host.wait_until(
        [&] { return std::all_of(streams.begin(), streams.end(), [](const auto& s) { return !s->answers.empty(); }); },
        std::chrono::seconds(30)));

    for (std::size_t i = 7; i < 21; ++i) {
        EXPECT_EQ(streams[i]->answers[0].text, streams[i % 7]->answers[0].text);
        EXPECT_EQ(streams[i]->answers[0].confidence, streams[i % 7]->answers[0].confidence);
    }
}

TEST(PocketsphinxStream, GivesTheSameTextForTheSameAudioWhateverCameBefore) {
    TestStream stream(shared(), days);
    const Said first = stream.hear(recording("digits/day-2"));
    stream.hear(recording("digits/day-5"));
    const Said again = stream.hear(recording("digits/day-2"));

    EXPECT_EQ(first.text, "tuesday");
    EXPECT_EQ(again.text, "tuesday");
    EXPECT_NEAR(first.confidence, again.confidence, 0.05);  // the line's noise differs
}

}  // namespace
}  // namespace jackfield::test
