#include "plugins/stt/pocketsphinx/verdict.hpp"

#include <gtest/gtest.h>

namespace jackfield::pocketsphinx {
namespace {

Heard heard(std::initializer_list<const char*> words, std::uint32_t frames_each, double distance, std::uint32_t frames) {
    Heard out;
    std::uint32_t at = 0;
    for (const char* word : words) {
        out.words.push_back({word, at, at + frames_each, distance});
        at += frames_each;
    }
    out.word_frames = at;
    out.frames = frames;
    out.distance = distance;
    return out;
}

TEST(Verdict, AcceptsWordsThatExplainTheSound) {
    const Verdict verdict = judge(heard({"yes"}, 50, 4.5, 55), 500, {});

    EXPECT_TRUE(verdict.accepted());
    EXPECT_GT(verdict.confidence, 0.7f);
}

TEST(Verdict, RejectsWordsFarFromTheSound) {
    const Verdict verdict = judge(heard({"yes"}, 50, 8, 55), 500, {});

    EXPECT_EQ(verdict.reason, Verdict::Reason::too_far);
    EXPECT_LT(verdict.confidence, 0.3f);
}

TEST(Verdict, CountsWhatNoWordExplains) {
    EXPECT_TRUE(judge(heard({"yes"}, 50, 5.2, 50), 500, {}).accepted());
    EXPECT_FALSE(judge(heard({"yes"}, 50, 5.2, 200), 2000, {}).accepted());
}

TEST(Verdict, RejectsTooLittleSpeechNoPathAndHaste) {
    EXPECT_EQ(judge(heard({"yes"}, 5, 4, 5), 50, {}).reason, Verdict::Reason::no_speech);
    EXPECT_EQ(judge({}, 500, {}).reason, Verdict::Reason::no_path);
    EXPECT_EQ(judge(heard({"a", "b", "c", "d"}, 5, 4, 20), 200, {}).reason, Verdict::Reason::too_fast);
}

}  // namespace
}  // namespace jackfield::pocketsphinx
