#include <flite/flite.h>
#include <gtest/gtest.h>
#include <jackfield/sdk/speex_resampler.hpp>

#include <functional>
#include <iostream>

#include "simulators/audio.hpp"
#include "support/listener.hpp"

extern "C" {
cst_voice* register_cmu_us_slt(const char*);
cst_voice* register_cmu_us_kal16(const char*);
}

namespace jackfield::listener {
namespace {

using sim::Codec;
using sim::Pcm;

const std::vector<std::string> tenant_replies = {
    "Good morning, this is the front desk of Harbour Clinic. How can I help you?",
    "We are open Monday to Friday from 8 am to 6 pm, and on Saturday from 9 am to noon.",
    "Which day would suit you?",
    "What time would you like on Monday?",
    "You would like Monday at 9 am. Is that right?",
    "What number can we call you back on?",
    "I have five five five, one two three four. Is that correct?",
    "Your appointment is booked. We look forward to seeing you.",
    "I will put you through to a person now. Please hold the line.",
    "I am sorry, I did not catch that. Could you say it again?",
    "Is there anything else I can do for you?",
    "Thank you for calling. Goodbye."};

/// flite's speech as a telephone carries it: 8 kHz, through mu-law.
Pcm spoken(cst_voice* voice, const std::string& text) {
    cst_wave* wave = flite_text_to_wave(text.c_str(), voice);
    // Not cst_wave_resample: it copies between ranges that overlap.
    sdk::SpeexResampler resampler(static_cast<std::uint32_t>(wave->sample_rate), sim::rate_hz);
    Pcm samples;
    resampler.process(wave->samples, static_cast<std::size_t>(wave->num_samples), samples);
    delete_wave(wave);
    return sim::decode(Codec::pcmu, sim::encode(Codec::pcmu, samples));
}

Pcm call_of(cst_voice* voice, const std::vector<std::string>& replies) {
    Pcm call = sim::silence(1000);
    for (const std::string& reply : replies) {
        const Pcm speech = spoken(voice, reply);
        call.insert(call.end(), speech.begin(), speech.end());
        call.resize(call.size() + 2 * sim::rate_hz, 0);
    }
    return call;
}

struct NamedVoice {
    const char* name;
    cst_voice* (*create)(const char*);
};

class ListenerHears : public testing::TestWithParam<NamedVoice> {
  protected:
    static void SetUpTestSuite() { flite_init(); }
};
INSTANTIATE_TEST_SUITE_P(Voices,
                         ListenerHears,
                         testing::Values(NamedVoice{"slt", register_cmu_us_slt}, NamedVoice{"kal16", register_cmu_us_kal16}),
                         [](const auto& voice) { return std::string(voice.param.name); });

TEST_P(ListenerHears, TheRightRepliesOfACall) {
    Listener ears(tenant_replies);

    const Verdict verdict = judge(ears, call_of(GetParam().create(nullptr), tenant_replies), tenant_replies);

    std::cout << GetParam().name << ": " << verdict.json() << '\n';
    EXPECT_TRUE(ears.unknown_words().empty());
    EXPECT_GE(verdict.right, 0.8);
    EXPECT_LE(verdict.shuffled, 0.3);
}

TEST_P(ListenerHears, ThatOtherRepliesWereGiven) {
    Listener ears(tenant_replies);
    const std::vector<std::string> said(tenant_replies.begin() + 2, tenant_replies.begin() + 5);
    const std::vector<std::string> due(tenant_replies.begin() + 7, tenant_replies.begin() + 10);

    const Verdict verdict = judge(ears, call_of(GetParam().create(nullptr), said), due);

    EXPECT_FALSE(verdict.passed());
}

TEST(Listener, SpellsWhatIsSpoken) {
    EXPECT_EQ(spoken_words("At 9:30 a.m., call 5551234!"),
              (std::vector<std::string>{"at", "nine", "thirty", "a", "m", "call", "five", "five", "five", "one", "two", "three", "four"}));
    EXPECT_EQ(spoken_words("I am open 8 am to 10:00 pm; it's 25."),
              (std::vector<std::string>{"i", "am", "open", "eight", "a", "m", "to", "ten", "p", "m", "it's", "twenty", "five"}));
}

TEST(Listener, CountsWordsInTheirOrder) {
    EXPECT_DOUBLE_EQ(share_found({"a", "b", "c", "d"}, {"x", "b", "d", "a"}), 0.5);
    EXPECT_DOUBLE_EQ(share_found({"a"}, {}), 0);
}

TEST(Listener, CutsSpeechAtPauses) {
    Pcm audio = sim::silence(500);
    for (int i = 0; i < 2; ++i) {
        const Pcm speech = sim::tone(300, 400);
        audio.insert(audio.end(), speech.begin(), speech.end());
        audio.resize(audio.size() + sim::rate_hz, 0);
    }

    const auto segments = cut_utterances(audio);

    ASSERT_EQ(segments.size(), 2u);
    EXPECT_NEAR(static_cast<double>(segments[0].begin), 300 * 8, 90);
    EXPECT_NEAR(static_cast<double>(segments[0].end), 1100 * 8, 90);
}

}  // namespace
}  // namespace jackfield::listener
