#include "call/words.hpp"

#include <gtest/gtest.h>

#include <string>

namespace jackfield::call {
namespace {

const Language& english = language_of("en-US");

TEST(Words, KnowsWhatMeansStop) {
    EXPECT_TRUE(is_stop_phrase(english, "stop"));
    EXPECT_TRUE(is_stop_phrase(english, "Wait!"));
    EXPECT_TRUE(is_stop_phrase(english, "hold on a second"));
    EXPECT_FALSE(is_stop_phrase(english, "stopwatch"));
    EXPECT_FALSE(is_stop_phrase(english, "the bus stop"));
    EXPECT_FALSE(is_stop_phrase(english, ""));
}

TEST(Words, DoesNotCountBackchannels) {
    EXPECT_EQ(count_meaningful_words(english, "mhm, yeah. okay"), 0);
    EXPECT_EQ(count_meaningful_words(english, "Uh-huh"), 0);
    EXPECT_EQ(count_meaningful_words(english, "yes but Sunday"), 2);
    EXPECT_EQ(count_meaningful_words(english, "don't"), 1);
    EXPECT_EQ(count_meaningful_words(english, ""), 0);
}

TEST(Words, TakesABackchannelOfSeveralWordsWhole) {
    EXPECT_TRUE(is_backchannel(english, "I see, got it."));
    EXPECT_FALSE(is_backchannel(english, "I see a problem"));
    EXPECT_FALSE(is_backchannel(english, " ... "));
}

/// What a caller says over an agent of that language: to stop it, to make it go on, and something else.
struct Spoken {
    const char* language;
    const char* stop;
    const char* go_on;
    const char* other;
    int other_words;
};

void PrintTo(const Spoken& spoken, std::ostream* out) { *out << spoken.language; }

class WordsOfALanguage : public testing::TestWithParam<Spoken> {};

TEST_P(WordsOfALanguage, TellStopFromGoOn) {
    const Language& language = language_of(GetParam().language);

    EXPECT_TRUE(is_stop_phrase(language, GetParam().stop));
    EXPECT_FALSE(is_stop_phrase(language, GetParam().go_on));
    EXPECT_TRUE(is_backchannel(language, GetParam().go_on));
    EXPECT_FALSE(is_backchannel(language, GetParam().other));
    EXPECT_EQ(count_meaningful_words(language, GetParam().other), GetParam().other_words);
}

INSTANTIATE_TEST_SUITE_P(All,
                         WordsOfALanguage,
                         testing::Values(Spoken{"en-GB", "Hang on, please", "Right, right.", "Yes, on Sunday", 2},
                                         Spoken{"de-AT", "Einen Moment bitte", "ÄHM, ja genau. Alles klar!", "Ja, am Sonntag", 2},
                                         Spoken{"es-MX", "Espere un momento", "Sí, sí, claro.", "Sí, el domingo", 2},
                                         Spoken{"fr", "Attendez, s'il vous plaît", "Oui, d\u2019accord. Très bien", "Oui, dimanche", 1},
                                         Spoken{"it-IT", "Aspetti un attimo", "Sì, va bene", "Sì, domenica mattina", 2},
                                         Spoken{"pt-BR", "Espere aí", "É, pois é", "Sim, no domingo", 2},
                                         Spoken{"nl_NL", "Wacht even", "Ja, precies. Oké", "Ja, op zondag", 2},
                                         Spoken{"pl", "PROSZĘ CZEKAĆ", "Tak, zgadza się", "Tak, w niedzielę", 2},
                                         Spoken{"tr", "Bir dakika lütfen", "Evet, TAMAM", "Evet, pazar günü", 2},
                                         Spoken{"ja", "ちょっと待って", "はい", "日曜日にお願いします", 5},
                                         Spoken{"zh-CN", "等一下", "好的", "星期天上午", 3}),
                         [](const auto& given) { return std::string(given.param.language, 2); });

TEST(Words, OfAnUnknownLanguageAreSoundsOnly) {
    const Language& language = language_of("sv-SE");

    EXPECT_TRUE(is_backchannel(language, "mhm"));
    EXPECT_EQ(count_meaningful_words(language, "ja på söndag"), 3);
    EXPECT_FALSE(is_stop_phrase(language, "stop"));
}

TEST(Words, AreTheAgentsWhereItHasItsOwn) {
    const Language language = language_of("en", {"red light"}, {});

    EXPECT_TRUE(is_stop_phrase(language, "Red light!"));
    EXPECT_FALSE(is_stop_phrase(language, "stop"));
    EXPECT_TRUE(is_backchannel(language, "yeah"));
    EXPECT_FALSE(is_backchannel(language_of("en", {}, {"roger"}), "yeah"));
    EXPECT_TRUE(is_backchannel(language_of("en", {}, {"roger"}), "Roger, roger."));
}

TEST(Words, CutsBehindTheLastWholeWord) {
    const std::string_view text = "Good day, how are you?";

    EXPECT_EQ(text.substr(0, cut_at_word(text, 9)), "Good day,");
    EXPECT_EQ(text.substr(0, cut_at_word(text, 12)), "Good day,");
    EXPECT_EQ(text.substr(0, cut_at_word(text, 13)), "Good day, how");
    EXPECT_EQ(text.substr(0, cut_at_word(text, 3)), "");
    EXPECT_EQ(text.substr(0, cut_at_word(text, 0)), "");
    EXPECT_EQ(text.substr(0, cut_at_word(text, 99)), text);
}

TEST(Words, NeverCutsInsideACharacter) {
    const std::string_view text = "caf\xc3\xa9 cr\xc3\xa8me";

    for (std::uint64_t at = 0; at <= text.size(); ++at) {
        const std::string_view cut = text.substr(0, cut_at_word(text, at));
        EXPECT_TRUE(cut.empty() || cut == "caf\xc3\xa9" || cut == text) << at;
    }
}

TEST(Words, KnowsWhatAVoiceWouldMakeNoSoundOf) {
    for (const char* nothing : {"", " ", "...", "\n- ", "?!"}) EXPECT_FALSE(would_be_heard(nothing)) << nothing;
    for (const char* something : {"a", " 7 ", "\xc3\xa9"}) EXPECT_TRUE(would_be_heard(something)) << something;
}

TEST(Words, SeesWhereASentenceEnds) {
    for (const char* whole : {"Good day.", "Really? ", "He said \"no.\"", "(So it is!)", "好。", "Warte…"}) EXPECT_TRUE(ends_sentence(whole)) << whole;
    for (const char* part : {"", "Good day", "Well,", "We are ", "\"", "at 9:"}) EXPECT_FALSE(ends_sentence(part)) << part;
}

TEST(Words, ReadsWhereToTransfer) {
    EXPECT_EQ(transfer_target(R"({"to":"reception"})"), "reception");
    EXPECT_EQ(transfer_target(R"({"to":7})"), "");
    EXPECT_EQ(transfer_target("{}"), "");
    EXPECT_EQ(transfer_target("nonsense"), "");
}

}  // namespace
}  // namespace jackfield::call
