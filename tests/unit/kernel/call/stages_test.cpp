#include "call/stages.hpp"

#include <gtest/gtest.h>

#include <numeric>
#include <random>

namespace jackfield::call {
namespace {

constexpr base::MonoTime at_us(std::int64_t us) { return {us * 1000}; }

std::int64_t sum_of(const std::vector<Stage>& stages) {
    return std::accumulate(stages.begin(), stages.end(), std::int64_t{0}, [](std::int64_t sum, const Stage& stage) { return sum + stage.ms; });
}

TurnTimes whole_turn() {
    TurnTimes t;
    t.user_ended = at_us(10'000'400);
    t.speech_stop = at_us(10'200'900);
    t.endpoint = at_us(10'600'500);
    t.final_text = at_us(10'700'300);
    t.first_token = at_us(10'900'800);
    t.first_text = at_us(10'950'700);
    t.first_speech = at_us(11'100'600);
    t.first_sent = at_us(11'120'200);
    return t;
}

TEST(Stages, AddUpToTheWait) {
    const TurnTimes t = whole_turn();

    const auto stages = reply_stages(t);

    EXPECT_EQ(reply_ms(t), 1119);
    EXPECT_EQ(sum_of(stages), 1119);
    ASSERT_EQ(stages.size(), 7u);
    EXPECT_STREQ(stages[0].name, "vad_ms");
    EXPECT_EQ(stages[0].ms, 200);
    EXPECT_STREQ(stages[6].name, "playout_ms");
}

TEST(Stages, AddUpWhateverHappenedOutOfOrderOrNotAtAll) {
    std::mt19937_64 random(7);
    for (int i = 0; i < 20'000; ++i) {
        TurnTimes t;
        const auto moment = [&] { return at_us(1 + static_cast<std::int64_t>(random() % 5'000'000)); };
        t.user_ended = moment();
        t.first_sent = t.user_ended + std::chrono::microseconds(random() % 5'000'000);
        for (base::MonoTime* time : {&t.speech_stop, &t.endpoint, &t.final_text, &t.first_token, &t.first_text, &t.first_speech})
            if (random() % 4 != 0) *time = moment();

        const auto stages = reply_stages(t);

        ASSERT_EQ(sum_of(stages), reply_ms(t)) << "round " << i;
        for (const Stage& stage : stages) ASSERT_GE(stage.ms, 0) << stage.name << " in round " << i;
    }
}

TEST(Stages, AReplyBegunBeforeTheTurnWasClosedCostsNothingThere) {
    TurnTimes t = whole_turn();
    t.first_token = at_us(10'300'000);
    t.first_text = at_us(10'350'000);

    const auto stages = reply_stages(t);

    EXPECT_EQ(stages[3].ms, 0);
    EXPECT_EQ(stages[4].ms, 0);
    EXPECT_EQ(sum_of(stages), reply_ms(t));
}

TEST(Stages, ATurnWithoutCallerOrWithoutSoundHasNone) {
    TurnTimes silent = whole_turn();
    silent.first_sent = {};
    TurnTimes greeting = whole_turn();
    greeting.user_ended = {};

    EXPECT_EQ(reply_ms(silent), -1);
    EXPECT_EQ(reply_ms(greeting), -1);
    EXPECT_EQ(stages_json(silent), "");
    EXPECT_EQ(stages_json(greeting), "");
}

}  // namespace
}  // namespace jackfield::call
