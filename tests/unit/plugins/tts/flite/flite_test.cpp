#include "ascii_text.hpp"
#include "conformance/tts/speech_bench.hpp"

#include <random>

namespace jackfield::tts_flite {
namespace {

using test::SpeechBench;
using Options = SpeechBench::Options;
using test::Spoken;

Spoken& say(SpeechBench& bench, std::string_view text, std::string_view voice = {}) {
    jf_tts_open open = bench.options();
    open.voice = sdk::str(voice);
    Spoken& spoken = bench.open(open);
    EXPECT_EQ(bench.text(spoken, text), JF_OK);
    EXPECT_TRUE(bench.wait_done(spoken));
    return spoken;
}

TEST(Flite, SpeaksWithEachOfItsVoices) {
    SpeechBench bench;
    for (const std::string_view voice : {"slt", "kal16", "kal", "awb", "rms"}) {
        const Spoken& spoken = say(bench, "Your appointment is on Monday at ten.", voice);
        EXPECT_EQ(spoken.status, JF_OK) << voice;
        EXPECT_GT(spoken.samples, 12'000u) << voice;
        EXPECT_LT(spoken.samples, 32'000u) << voice;
        EXPECT_GT(spoken.rms(), 300) << voice;
    }
}

TEST(Flite, SpeaksFasterWhenAskedTo) {
    SpeechBench plain, fast(Options{{"speed", "1.5"}});
    const std::string_view text = "The quick brown fox jumps over the lazy dog.";

    const double ratio = static_cast<double>(say(fast, text).samples) /
                         static_cast<double>(say(plain, text).samples);

    EXPECT_GT(ratio, 0.55);
    EXPECT_LT(ratio, 0.8);
}

TEST(Flite, AppliesItsGain) {
    SpeechBench plain(Options{{"voice", "kal16"}}),
        soft(Options{{"voice", "kal16"}, {"gain_db", "-6.0206"}});

    const double ratio = say(soft, "Hello there.").rms() / say(plain, "Hello there.").rms();

    EXPECT_NEAR(ratio, 0.5, 0.02);
}

TEST(Flite, SaysTheSameTwiceWithADiphoneVoice) {
    SpeechBench bench(Options{{"voice", "kal16"}});

    EXPECT_EQ(say(bench, "See you on Friday.").pcm(), say(bench, "See you on Friday.").pcm());
}

TEST(Flite, RefusesVoicesAndLanguagesThatItLacks) {
    SpeechBench bench;
    jf_tts_open open = bench.options();
    open.voice = sdk::str("nobody");
    EXPECT_EQ(bench.open(open).status, JF_E_NOT_FOUND);
    EXPECT_NE(bench.failure().find("nobody"), std::string::npos);
    open.voice = {};
    open.language = sdk::str("de-DE");
    EXPECT_EQ(bench.open(open).status, JF_E_UNSUPPORTED);
    EXPECT_EQ(SpeechBench(Options{{"voice", "nobody"}}).created(), JF_E_INVALID);
}

TEST(Flite, SpeaksAnyPrintableText) {
    SpeechBench bench(Options{{"voice", "kal"}});
    std::mt19937 random(7);
    for (int i = 0; i < 16; ++i) {
        std::string text(random() % 200, ' ');
        for (char& c : text) c = static_cast<char>(i % 2 ? 32 + random() % 95 : random() % 256);
        const Spoken& spoken = say(bench, text);
        EXPECT_EQ(spoken.status, JF_OK) << text;
    }
}

TEST(AsciiText, PlainsTypographyAndRemembersWhereItWas) {
    const AsciiText text = to_ascii(
        "Caf\xc3\xa9 \xe2\x80\x94 it\xe2\x80\x99s \xe2\x82\xac"
        "5");

    EXPECT_EQ(text.text, "Cafe ,  it's  euros 5");
    EXPECT_EQ(text.original_offset(4), 5u);
    EXPECT_EQ(text.original_offset(text.text.size()), 21u);
    EXPECT_EQ(text.original_offset(9999), 21u);
    EXPECT_EQ(text.origin.size(), text.text.size() + 1);
}

TEST(AsciiText, TurnsWhatItCannotReadIntoSpaces) {
    EXPECT_EQ(to_ascii("a\xff"
                       "b\x01"
                       "c\xe4\xbd\xa0")
                  .text,
              "a b c ");
    EXPECT_EQ(to_ascii("\xc3").text, " ");
    const std::string word(100, 'x');
    EXPECT_EQ(to_ascii(word).text.size(), 102u);
}

}  // namespace
}  // namespace jackfield::tts_flite
