#include "media/speech_detector.hpp"

#include <gtest/gtest.h>

namespace jackfield::media {
namespace {

using std::chrono::milliseconds;

/// Feeds 20 ms frames, V voiced and . quiet, and keeps the events.
struct Feed {
    SpeechDetector detector{};
    SamplePos at = 0;
    std::vector<SpeechEvent> events{};

    void operator()(const std::string& frames) {
        for (const char frame : frames) {
            if (auto event = detector.feed(at, 160, frame == 'V')) events.push_back(*event);
            at += 160;
        }
    }
};

TEST(SpeechDetector, StartsWhereTheVoiceBeganOnceThereIsEnough) {
    Feed feed;

    feed("...VVVV");
    EXPECT_TRUE(feed.events.empty());
    feed("V");

    ASSERT_EQ(feed.events.size(), 1U);
    EXPECT_EQ(feed.events[0].edge, SpeechEdge::start);
    EXPECT_EQ(feed.events[0].at, 3 * 160);
    EXPECT_EQ(feed.events[0].decided_at, 8 * 160);
    EXPECT_TRUE(feed.detector.speaking());
}

TEST(SpeechDetector, StopsWhereTheVoiceEndedAfterEnoughQuiet) {
    Feed feed;

    feed("VVVVVVVV.........");
    EXPECT_EQ(feed.events.size(), 1U);
    feed(".");

    ASSERT_EQ(feed.events.size(), 2U);
    EXPECT_EQ(feed.events[1].edge, SpeechEdge::stop);
    EXPECT_EQ(feed.events[1].at, 8 * 160);
    EXPECT_EQ(feed.events[1].decided_at, 18 * 160);
    EXPECT_EQ(feed.events[1].voiced_samples, 8 * 160);
}

TEST(SpeechDetector, BridgesAShortClosureWithinAWord) {
    Feed feed;

    feed("VVV.VVV");

    ASSERT_EQ(feed.events.size(), 1U);
    EXPECT_EQ(feed.events[0].at, 0);
}

TEST(SpeechDetector, ForgetsAClickOfBefore) {
    Feed feed;

    feed("VV....V..V...VVVVV");

    ASSERT_EQ(feed.events.size(), 1U);
    EXPECT_EQ(feed.events[0].at, 13 * 160);
}

TEST(SpeechDetector, PausesBetweenWordsDontEndSpeech) {
    Feed feed;

    feed("VVVVV.......VVV.....VVV");

    EXPECT_EQ(feed.events.size(), 1U);
    EXPECT_EQ(feed.detector.voiced(), milliseconds(220));
}

TEST(SpeechDetector, TellsQuietAndVoicedTimeAsTheyGrow) {
    Feed feed;

    feed("VV");
    EXPECT_EQ(feed.detector.voiced(), milliseconds(40));
    EXPECT_FALSE(feed.detector.speaking());
    feed("VVV...");

    EXPECT_EQ(feed.detector.quiet(), milliseconds(60));
}

TEST(SpeechDetector, CountsMissingSamplesAsQuiet) {
    Feed feed;
    feed("VVVVV");

    feed.at += 10 * 160;
    feed("V");

    ASSERT_EQ(feed.events.size(), 2U);
    EXPECT_EQ(feed.events[1].edge, SpeechEdge::stop);
    EXPECT_EQ(feed.events[1].at, 5 * 160);
    EXPECT_EQ(feed.detector.began_at(), 15 * 160);
}

TEST(SpeechDetector, StopsAlsoWhenTheTimeLineJumpsBack) {
    Feed feed;
    feed.at = 80000;
    feed("VVVVV");

    feed.at = 0;
    feed("..........");

    ASSERT_EQ(feed.events.size(), 2U);
    EXPECT_EQ(feed.events[1].edge, SpeechEdge::stop);
}

TEST(SpeechDetector, StartsAfreshOnReset) {
    Feed feed;
    feed("VVVVV");

    feed.detector.reset();

    EXPECT_FALSE(feed.detector.speaking());
    EXPECT_EQ(feed.detector.voiced(), milliseconds(0));
}

}  // namespace
}  // namespace jackfield::media
