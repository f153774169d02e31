#include "config/turn_options.hpp"

#include "config_files.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace jackfield::config {
namespace {

using namespace std::chrono_literals;

TurnOptions read(std::string_view text, Problems& problems) {
    const Value checked = check(turn_option_table(), toml(text), problems);
    return read_turn_options(checked, problems);
}

TEST(TurnOptions, DefaultsAreThoseOfTheStruct) {
    Problems problems;
    const TurnOptions defaults;

    const TurnOptions read_back = read("", problems);

    EXPECT_TRUE(problems.empty());
    EXPECT_EQ(read_back.endpoint, defaults.endpoint);
    EXPECT_EQ(read_back.final_wait, -1ms);
    EXPECT_EQ(read_back.max_call, 10min);
    EXPECT_EQ(read_back.barge_in_words, 2);
    EXPECT_EQ(read_back.vad, VadKind::denoised);
}

TEST(TurnOptions, EachOptionReachesItsOwnField) {
    // Each whole option in turn gets its bound, and exactly one field changes: a row with the wrong
    // member would show.
    const OptionTable table = turn_option_table();
    const auto fields = [](const TurnOptions& t) {
        return std::vector<std::int64_t>{t.speech_start.count(),
                                         t.speech_stop.count(),
                                         t.endpoint.count(),
                                         t.endpoint_cap.count(),
                                         t.dictation_endpoint.count(),
                                         t.dictation_endpoint_cap.count(),
                                         t.stuck_turn.count(),
                                         t.final_wait.count(),
                                         t.pre_roll.count(),
                                         t.barge_in.count(),
                                         t.barge_in_confirm.count(),
                                         t.barge_in_words,
                                         t.resume_after.count(),
                                         t.greeting_protected.count(),
                                         t.backchannel_guard.count(),
                                         t.first_flush_chars,
                                         t.first_flush.count(),
                                         t.play_cushion.count(),
                                         t.play_ahead.count(),
                                         t.nudge_after.count(),
                                         t.nudges,
                                         t.hang_up_after_silence.count(),
                                         t.max_call.count(),
                                         t.no_media_timeout.count(),
                                         t.media_timeout.count(),
                                         t.dead_air.count(),
                                         t.stt_timeout.count(),
                                         t.llm_timeout.count(),
                                         t.tts_timeout.count(),
                                         t.answer_after.count(),
                                         t.vad_mode,
                                         static_cast<std::int64_t>(t.vad)};
    };
    const auto before = fields(TurnOptions());
    std::set<std::size_t> touched;

    for (const Option& option : table.options) {
        if (option.type != OptionType::integer) continue;
        Problems problems;
        const auto after = fields(
            read(option.key + " = " + std::to_string(option.fallback.integer() + 1), problems));
        for (std::size_t i = 0; i < before.size(); ++i) {
            if (before[i] == after[i]) continue;
            EXPECT_TRUE(touched.insert(i).second) << option.key;
        }
    }

    EXPECT_EQ(touched.size(), before.size() - 1);  // All but `vad`, which is a word.
}

TEST(TurnOptions, ReadsTheVoiceDetectorsWords) {
    Problems problems;

    EXPECT_EQ(read("vad = 'plain'", problems).vad, VadKind::plain);
    EXPECT_EQ(read("vad = 'energy'", problems).vad, VadKind::energy);
    EXPECT_TRUE(problems.empty());
}

TEST(TurnOptions, ContradictionsAreReported) {
    Problems problems;

    static_cast<void>(read("endpoint_ms = 4000\nbarge_in_ms = 600\n", problems));

    EXPECT_THAT(
        texts(problems),
        testing::ElementsAre(
            "t.toml:1:15: endpoint_ms: 4000 is above endpoint_cap_ms (3000); lower endpoint_ms or "
            "raise endpoint_cap_ms",
            testing::HasSubstr("600 is above barge_in_confirm_ms (500)")));
}

TEST(TurnOptions, EveryDefaultIsWithinItsBounds) {
    for (const Option& option : turn_option_table().options) {
        if (option.type != OptionType::integer) continue;
        EXPECT_GE(option.fallback.integer(), *option.min) << option.key;
        EXPECT_LE(option.fallback.integer(), *option.max) << option.key;
        EXPECT_FALSE(option.doc.empty()) << option.key;
    }
}

}  // namespace
}  // namespace jackfield::config
