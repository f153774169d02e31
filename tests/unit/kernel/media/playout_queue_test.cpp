#include "media/playout_queue.hpp"

#include "media/audio_check.hpp"
#include "media/level.hpp"
#include "media/tone.hpp"

#include <vector>

#include <gtest/gtest.h>

namespace jackfield::media {
namespace {

using std::chrono::milliseconds;

std::vector<std::uint8_t> tone(std::size_t samples, float level_dbov = -10.0F) {
    std::vector<std::int16_t> linear(samples);
    ToneGenerator(400, 0, level_dbov).fill(linear);
    std::vector<std::uint8_t> codes(samples);
    encode(G711Law::mu, linear, codes);
    return codes;
}

struct Player {
    PlayoutQueue queue;
    std::vector<std::uint8_t> line{};

    explicit Player(const PlayoutOptions& options = {}) : queue(options) {}

    PlayoutPacket pop() {
        std::array<std::uint8_t, packet_samples> packet;
        const PlayoutPacket result = queue.pop(packet);
        line.insert(line.end(), packet.begin(), packet.end());
        return result;
    }
    std::vector<std::int16_t> linear() const {
        std::vector<std::int16_t> samples(line.size());
        decode(G711Law::mu, line, samples);
        return samples;
    }
};

TEST(PlayoutQueue, PlaysSilenceWhenNothingIsQueued) {
    Player player;

    const PlayoutPacket packet = player.pop();

    EXPECT_EQ(packet.speech_samples, 0);
    EXPECT_FALSE(packet.underrun);
    EXPECT_EQ(player.line, std::vector<std::uint8_t>(160, 0xFF));
}

TEST(PlayoutQueue, StartsOnceTheCushionIsThere) {
    Player player;
    player.queue.push(tone(479));
    EXPECT_EQ(player.pop().speech_samples, 0);

    player.queue.push(tone(1));

    EXPECT_EQ(player.pop().speech_samples, 160);
    EXPECT_TRUE(player.queue.playing());
}

TEST(PlayoutQueue, FlushStartsAShortReplyAndEndsItWithoutUnderrun) {
    Player player;
    player.queue.push(tone(200));
    player.queue.flush();

    EXPECT_EQ(player.pop().speech_samples, 160);
    const PlayoutPacket last = player.pop();

    EXPECT_EQ(last.speech_samples, 40);
    EXPECT_TRUE(last.finished);
    EXPECT_FALSE(last.underrun);
    EXPECT_FALSE(player.pop().finished);
    EXPECT_EQ(player.queue.underruns(), 0U);
}

TEST(PlayoutQueue, PlaysTheBytesThatWerePushed) {
    Player player;
    const auto audio = tone(1600);
    player.queue.push(audio);
    player.queue.flush();

    for (int i = 0; i < 10; ++i) player.pop();

    EXPECT_EQ(player.line, audio);
}

TEST(PlayoutQueue, TellsAnUnderrunOnceAndWaitsForTheCushionAgain) {
    Player player;
    player.queue.push(tone(500));
    for (int i = 0; i < 3; ++i) EXPECT_EQ(player.pop().speech_samples, 160);

    const PlayoutPacket dry = player.pop();
    EXPECT_EQ(dry.speech_samples, 20);
    EXPECT_TRUE(dry.underrun);
    EXPECT_FALSE(player.pop().underrun);
    player.queue.push(tone(300));
    EXPECT_EQ(player.pop().speech_samples, 0);
    player.queue.push(tone(300));

    EXPECT_EQ(player.pop().speech_samples, 160);
    EXPECT_EQ(player.queue.underruns(), 1U);
    const std::vector<std::int16_t> linear = player.linear();
    EXPECT_TRUE(check_audio(std::span(linear).first(800)).clicks.empty());
}

TEST(PlayoutQueue, ClearDropsAllFadesOutAndTellsWhatWasHeard) {
    Player player;
    player.queue.push(tone(8000));
    player.queue.tag_mark(5);
    player.pop();
    player.pop();

    const Cleared cleared = player.queue.clear();

    EXPECT_EQ(cleared.dropped_samples, 8000 - 320);
    EXPECT_EQ(cleared.dropped_marks, 1U);
    EXPECT_EQ(cleared.heard.samples, 320);
    EXPECT_EQ(player.pop().speech_samples, 0);
    player.pop();
    EXPECT_NE(player.line[321], 0xFF);
    EXPECT_EQ(std::vector<std::uint8_t>(player.line.begin() + 360, player.line.end()),
              std::vector<std::uint8_t>(280, 0xFF));
    EXPECT_TRUE(check_audio(player.linear()).clicks.empty());
    EXPECT_EQ(player.queue.heard().samples, 320);
}

TEST(PlayoutQueue, ResumesFromTheSameSampleAfterAPause) {
    Player player;
    std::vector<std::uint8_t> audio = tone(1600);
    player.queue.push(audio);
    player.queue.flush();
    player.pop();

    player.queue.pause();
    for (int i = 0; i < 10; ++i) EXPECT_EQ(player.pop().speech_samples, 0);
    EXPECT_EQ(player.queue.heard().samples, 160);
    player.queue.resume();
    while (!player.pop().finished) {
    }

    EXPECT_EQ(player.queue.heard().samples, 1600);
    // Past the fade of 5 ms the audio is what it would have been.
    const std::vector<std::uint8_t> rest(player.line.begin() + 160 + 1600 + 40, player.line.end());
    EXPECT_EQ(rest, std::vector<std::uint8_t>(audio.begin() + 160 + 40, audio.end()));
    EXPECT_TRUE(check_audio(player.linear()).clicks.empty());
}

TEST(PlayoutQueue, PauseAndResumeBetweenTwoPacketsChangeNothing) {
    Player player;
    const auto audio = tone(800);
    player.queue.push(audio);
    player.queue.flush();
    player.pop();

    player.queue.pause();
    player.queue.resume();
    while (!player.pop().finished) {
    }

    EXPECT_EQ(player.line, audio);
}

TEST(PlayoutQueue, DuckingLowersBy18DbAndComesBack) {
    Player player;
    player.queue.push(tone(8000));
    player.pop();

    player.queue.duck();
    player.pop();
    player.pop();
    player.queue.unduck();
    player.pop();
    player.pop();

    const auto linear = player.linear();
    const auto level = [&](std::size_t packet) {
        return measure(std::span(linear).subspan(packet * 160, 160)).rms_dbov;
    };
    EXPECT_NEAR(level(0), -10.0F, 0.3F);
    EXPECT_NEAR(level(2), -28.0F, 0.5F);
    EXPECT_NEAR(level(4), -10.0F, 0.3F);
    EXPECT_TRUE(check_audio(linear).clicks.empty());
}

TEST(PlayoutQueue, TellsTextThatWasPlayed) {
    Player player;
    player.queue.start_turn(7);
    player.queue.push(tone(1600));
    player.queue.tag_text(20);
    player.queue.push(tone(1600));
    player.queue.tag_text(60);

    for (int i = 0; i < 15; ++i) player.pop();

    const Heard heard = player.queue.heard();
    EXPECT_EQ(heard.turn, 7U);
    EXPECT_EQ(heard.turn_samples, 2400);
    EXPECT_EQ(heard.text_tagged, 20U);
    EXPECT_EQ(heard.text_estimated, 40U);
}

TEST(PlayoutQueue, TextBeginsAtZeroInTheNextTurn) {
    Player player;
    player.queue.start_turn(1);
    player.queue.push(tone(480));
    player.queue.tag_text(90);
    player.queue.start_turn(2);
    player.queue.push(tone(480));
    player.queue.tag_text(10);
    player.queue.flush();

    for (int i = 0; i < 3; ++i) player.pop();
    EXPECT_EQ(player.queue.heard().turn, 2U);
    EXPECT_EQ(player.queue.heard().text_tagged, 0U);
    for (int i = 0; i < 3; ++i) player.pop();

    EXPECT_EQ(player.queue.heard().text_tagged, 10U);
    EXPECT_EQ(player.queue.heard().turn_samples, 480);
    EXPECT_EQ(player.queue.heard().samples, 960);
}

TEST(PlayoutQueue, GivesMarksInOrderWhenTheirAudioWasPlayed) {
    Player player;
    player.queue.push(tone(480));
    player.queue.tag_mark(1);
    player.queue.push(tone(80));
    player.queue.tag_mark(2);
    player.queue.flush();

    player.pop();
    player.pop();
    EXPECT_FALSE(player.queue.next_mark());
    player.pop();
    EXPECT_EQ(player.queue.next_mark(), 1U);
    EXPECT_FALSE(player.queue.next_mark());
    player.pop();

    EXPECT_EQ(player.queue.next_mark(), 2U);
}

TEST(PlayoutQueue, TakesNoMoreThanItsCapacity) {
    Player player({.capacity = milliseconds(1000)});

    EXPECT_EQ(player.queue.push(tone(9000)), 8000U);
    EXPECT_EQ(player.queue.push(tone(1)), 0U);
    player.pop();

    EXPECT_EQ(player.queue.room(), 160U);
    EXPECT_EQ(player.queue.push(tone(1000)), 160U);
}

TEST(PlayoutQueue, RefusesTagsThatItCannotKeep) {
    Player player;
    player.queue.push(tone(1));

    int taken = 0;
    while (taken < 10000 && player.queue.tag_mark(1)) ++taken;

    EXPECT_EQ(taken, 256);
    player.queue.flush();
    player.pop();
    int reached = 0;
    while (player.queue.next_mark()) ++reached;
    EXPECT_EQ(reached, 256);
}

TEST(PlayoutQueue, PlaysALawSilenceOnALawCalls) {
    Player player({.law = G711Law::a});

    player.pop();

    EXPECT_EQ(player.line[0], 0xD5);
}

TEST(PlayoutQueue, AudioPushedAfterAFlushNeedsItsOwnCushion) {
    Player player;
    player.queue.push(tone(160));
    player.queue.flush();
    player.queue.push(tone(320));

    EXPECT_TRUE(player.pop().finished);
    EXPECT_EQ(player.pop().speech_samples, 0);
    player.queue.push(tone(160));

    EXPECT_EQ(player.pop().speech_samples, 160);
}

TEST(PlayoutQueue, SaysAgainWhatNobodyTook) {
    Player taken;
    Player refused;
    for (Player* player : {&taken, &refused}) {
        player->queue.start_turn(1);
        player->queue.push(tone(500));
        player->queue.tag_text(10);
        player->queue.tag_mark(7);
        player->queue.flush();
    }

    std::vector<std::uint8_t> line;
    int packets = 0;
    for (bool finished = false; !finished; ++packets) {
        std::array<std::uint8_t, packet_samples> packet;
        const Heard before = refused.queue.heard();
        for (int i = 0; i < packets; ++i) {
            refused.queue.pop(packet);
            refused.queue.give_back();
            EXPECT_EQ(refused.queue.heard().samples, before.samples);
            EXPECT_EQ(refused.queue.heard().text_estimated, before.text_estimated);
            EXPECT_FALSE(refused.queue.next_mark());
        }
        finished = refused.queue.pop(packet).finished;
        line.insert(line.end(), packet.begin(), packet.end());
    }
    while (!taken.pop().finished) {
    }

    EXPECT_EQ(packets, 4);
    EXPECT_EQ(line, taken.line);
    EXPECT_EQ(refused.queue.heard().text_tagged, 10U);
    EXPECT_EQ(refused.queue.next_mark(), 7U);
    EXPECT_EQ(refused.queue.underruns(), 0U);
}

TEST(PlayoutQueue, RunsDryOnlyWhenTheLastPacketWasTaken) {
    Player player;
    player.queue.push(tone(500));
    std::array<std::uint8_t, packet_samples> packet;
    for (int i = 0; i < 3; ++i) player.queue.pop(packet);

    EXPECT_TRUE(player.queue.pop(packet).underrun);
    player.queue.give_back();

    EXPECT_EQ(player.queue.underruns(), 0U);
    EXPECT_EQ(player.queue.queued(), 20U);
    EXPECT_TRUE(player.queue.pop(packet).underrun);
    EXPECT_EQ(player.queue.underruns(), 1U);
}

}  // namespace
}  // namespace jackfield::media
