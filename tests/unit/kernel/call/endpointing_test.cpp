// How long quiet has to last.

#include "call/endpointing.hpp"

#include <gtest/gtest.h>
#include <jackfield/stt.h>

#include <chrono>

namespace jackfield::call {
namespace {

using namespace std::chrono_literals;

TEST(Endpointing, WaitsAsConfiguredBeforeItKnowsTheCaller) {
    const Endpointing endpointing{config::TurnOptions()};

    EXPECT_EQ(endpointing.wait(JF_SLOT_NONE).time, 600ms);
    EXPECT_EQ(endpointing.wait(JF_SLOT_NONE).why, "fixed");
    EXPECT_EQ(endpointing.mean_pause(), -1ms);
}

TEST(Endpointing, WaitsLessForOneWhoPausesShortlyButNeverLessThanTheLeast) {
    Endpointing endpointing{config::TurnOptions()};

    endpointing.on_pause(220ms, JF_SLOT_NONE);
    EXPECT_EQ(endpointing.wait(JF_SLOT_NONE).time, 573ms); // 0.9 * 600 + 0.1 * 1.5 * 220
    EXPECT_EQ(endpointing.wait(JF_SLOT_NONE).why, "adaptive");
    for (int i = 0; i < 100; ++i) endpointing.on_pause(200ms, JF_SLOT_NONE);

    EXPECT_EQ(endpointing.wait(JF_SLOT_NONE).time, 300ms);
}

TEST(Endpointing, WaitsMoreForOneWhoPausesLongButNeverMoreThanTheMost) {
    Endpointing endpointing{config::TurnOptions()};

    for (int i = 0; i < 100; ++i) endpointing.on_pause(2500ms, JF_SLOT_NONE);

    EXPECT_EQ(endpointing.wait(JF_SLOT_NONE).time, 1500ms);
    EXPECT_EQ(endpointing.mean_pause(), 2500ms);
}

TEST(Endpointing, LeavesPausesWhileDictatingAndThoseThatAreNoneOutOfIt) {
    Endpointing endpointing{config::TurnOptions()};

    endpointing.on_pause(900ms, JF_SLOT_DIGITS);
    endpointing.on_pause(100ms, JF_SLOT_NONE); // shorter than what counts as quiet
    endpointing.on_pause(20s, JF_SLOT_NONE);   // they were waiting for something

    EXPECT_EQ(endpointing.wait(JF_SLOT_NONE).why, "fixed");
}

TEST(Endpointing, WaitsLongerForDigits) {
    const Endpointing endpointing{config::TurnOptions()};

    EXPECT_EQ(endpointing.wait(JF_SLOT_DIGITS).time, 1500ms);
    EXPECT_EQ(endpointing.wait(JF_SLOT_EMAIL).why, "dictation");
}

TEST(Endpointing, LeavesTheDecisionToARecogniserThatDetectsTurns) {
    Endpointing endpointing{config::TurnOptions()};
    endpointing.set_provider_decides(true);

    EXPECT_EQ(endpointing.wait(JF_SLOT_NONE).time, 3000ms);
    EXPECT_EQ(endpointing.wait(JF_SLOT_DIGITS).time, 4000ms);
}

TEST(Endpointing, StaysAsConfiguredWhenItIsNotToAdapt) {
    config::TurnOptions options;
    options.adaptive_endpoint = false;
    Endpointing endpointing(options);

    endpointing.on_pause(2000ms, JF_SLOT_NONE);

    EXPECT_EQ(endpointing.wait(JF_SLOT_NONE).time, 600ms);
}

}  // namespace
}  // namespace jackfield::call
