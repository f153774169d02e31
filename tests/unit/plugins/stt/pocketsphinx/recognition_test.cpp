// What is recognised, on recordings of a person.

#include <gtest/gtest.h>

#include "recogniser.hpp"

namespace jackfield::test {
namespace {

TestRecogniser& shared() {
    static TestRecogniser recogniser(TestRecogniser::Options{{"decoders", "2"}});
    static const jf_status started = recogniser.start();
    if (started != JF_OK) throw std::runtime_error(recogniser.start_error);
    return recogniser;
}

const std::vector<std::string> days{"Sunday",   "Monday",   "Tuesday", "Wednesday", "Thursday",
                                    "Friday",   "Saturday", "today",   "tomorrow",  "yesterday"};
const std::vector<std::string> months{"January", "February", "March",     "April",   "May",      "June",
                                      "July",    "August",   "September", "October", "November", "December"};
const std::vector<std::string> sentences{"please try again", "the conference is now locked", "you are now muted",
                                         "your call cannot be completed as dialed", "do not disturb", "thank you"};

struct Case {
    std::string recording;
    std::string text;
};

void expect_heard(const std::vector<std::string>& phrases, const std::vector<Case>& cases) {
    TestStream stream(shared(), phrases);
    for (const Case& c : cases) {
        const Said said = stream.hear(recording(c.recording));
        EXPECT_EQ(said.type, JF_EV_FINAL) << c.recording << " was heard as '" << said.text << "' " << said.confidence;
        EXPECT_EQ(said.text, c.text) << c.recording;
    }
}

void expect_rejected(const std::vector<std::string>& phrases, const std::vector<std::string>& recordings) {
    TestStream stream(shared(), phrases);
    for (const std::string& name : recordings) {
        const Said said = stream.hear(recording(name));
        EXPECT_EQ(said.type, JF_EV_NO_MATCH) << name << " was heard as '" << said.text << "' " << said.confidence;
    }
}

TEST(Recognition, HearsDays) {
    expect_heard(days, {{"digits/day-0", "sunday"},
                        {"digits/day-1", "monday"},
                        {"digits/day-2", "tuesday"},
                        {"digits/day-3", "wednesday"},
                        {"digits/day-5", "friday"},
                        {"digits/day-6", "saturday"},
                        {"digits/today", "today"},
                        {"digits/tomorrow", "tomorrow"}});
}

TEST(Recognition, HearsMonths) {
    expect_heard(months, {{"digits/mon-0", "january"},
                          {"digits/mon-1", "february"},
                          {"digits/mon-3", "april"},
                          {"digits/mon-7", "august"},
                          {"digits/mon-8", "september"},
                          {"digits/mon-10", "november"}});
}

TEST(Recognition, HearsSentences) {
    expect_heard(sentences, {{"please-try-again", "please try again"},
                             {"conf-lockednow", "the conference is now locked"},
                             {"conf-muted", "you are now muted"},
                             {"cannot-complete-as-dialed", "your call cannot be completed as dialed"},
                             {"do-not-disturb", "do not disturb"},
                             {"auth-thankyou", "thank you"}});
}

TEST(Recognition, HearsTheDefaultsWithoutHints) {
    expect_heard({}, {{"vm-no", "no"}, {"digits/9", "nine"}, {"digits/4", "four"}, {"digits/0", "zero"}});
}

TEST(Recognition, RejectsSpeechOutsideTheGrammar) {
    expect_rejected(days, {"phonetic/x_p", "phonetic/w_p", "phonetic/u_p", "phonetic/h_p", "agent-pass", "conf-lockednow",
                           "digits/12", "num-was-successfully", "cannot-complete-as-dialed", "digits/11"});
    expect_rejected(sentences, {"digits/day-1", "phonetic/w_p", "vm-whichbox", "conf-getpin", "digits/mon-8", "privacy-prompt"});
}

TEST(Recognition, RejectsSilence) {
    TestStream stream(shared(), days);
    stream.push_silence(1500);

    const Said said = stream.finalize();

    EXPECT_EQ(said.type, JF_EV_NO_MATCH);
    EXPECT_EQ(said.text, "");
}

TEST(Recognition, FollowsAGrammarWithSlots) {
    TestStream stream(shared(), {}, R"(#JSGF V1.0;
        grammar booking;
        <day> = monday | tuesday | wednesday | thursday | friday;
        <hour> = eight | nine | ten | eleven | twelve;
        public <turn> = [on] <day> [at <hour>] [please];)");
    std::vector<std::int16_t> audio = recording("digits/day-1");
    for (const char* next : {"digits/at", "digits/9"}) {
        const std::vector<std::int16_t> word = recording(next);
        audio.insert(audio.end(), word.begin(), word.end());
    }

    const Said said = stream.hear(audio);

    EXPECT_EQ(said.type, JF_EV_FINAL);
    EXPECT_EQ(said.text, "monday at nine");
}

TEST(Recognition, HearsDigitsInARow) {
    TestStream stream(shared(), {}, "public <d> = (zero | one | two | three | four | five | six | seven | eight | nine)+;");
    std::vector<std::int16_t> audio;
    for (const char* digit : {"3", "1", "4", "0"}) {
        const std::vector<std::int16_t> word = recording(std::string("digits/") + digit);
        audio.insert(audio.end(), word.begin(), word.end());
    }

    EXPECT_EQ(stream.hear(audio).text, "three one four zero");
}

TEST(Recognition, TellsWhenEachWordWasSaid) {
    TestStream stream(shared(), sentences);
    stream.push_silence(1000);
    const std::uint64_t began = stream.pts;
    stream.push(recording("conf-muted"));
    const std::uint64_t ended = stream.pts;
    stream.push_silence(500);

    const Said said = stream.finalize();

    ASSERT_EQ(said.words.size(), 4u);
    EXPECT_EQ(said.words[3].text, "muted");
    std::uint64_t before = began - 1600;
    for (const Said::Word& word : said.words) {
        EXPECT_GE(word.from, before) << word.text;
        EXPECT_GT(word.to, word.from) << word.text;
        before = word.from;
    }
    EXPECT_LE(said.words[3].to, ended + 1600);
    EXPECT_GE(said.from, began - 1600);
}

TEST(Recognition, HearsLinearAudioToo) {
    TestStream stream(shared(), days, {}, 0, JF_CODEC_L16);

    EXPECT_EQ(stream.hear(recording("digits/day-3")).text, "wednesday");
}

}  // namespace
}  // namespace jackfield::test
