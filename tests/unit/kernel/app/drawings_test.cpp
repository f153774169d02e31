#include "app/drawings.hpp"

#include <gtest/gtest.h>

namespace jackfield::app {
namespace {

store::TurnRow reply(std::int64_t number, std::int64_t ms, std::string stages) {
    store::TurnRow turn;
    turn.number = number;
    turn.role = "assistant";
    turn.reply_ms = ms;
    turn.stages_json = std::move(stages);
    return turn;
}

TEST(Waterfall, DrawsEachReplyOnTheScaleOfTheLongest) {
    const std::string drawn = draw_waterfall({reply(2, 1000, R"({"vad_ms":200,"endpoint_ms":400,"stt_ms":0,"llm_ms":300,"clause_ms":0,"tts_ms":50,"playout_ms":50})"),
                                              reply(4, 500, R"({"vad_ms":200,"endpoint_ms":300,"stt_ms":0,"llm_ms":0,"clause_ms":0,"tts_ms":0,"playout_ms":0})")},
                                             20);

    EXPECT_NE(drawn.find("   2   1000 ms  |vvvveeeeeeeellllllt" "p|"), std::string::npos) << drawn;
    EXPECT_NE(drawn.find("   4    500 ms  |vvvveeeeee          |"), std::string::npos) << drawn;
    EXPECT_NE(drawn.find("vad 200 endpoint 400 llm 300 tts 50 playout 50"), std::string::npos) << drawn;
}

TEST(Waterfall, IsEmptyForACallWithoutReplies) { EXPECT_EQ(draw_waterfall({store::TurnRow()}), ""); }

TEST(Ladder, ShowsWhoSentWhatAndWhichProviderWasAsked) {
    const auto trace = base::JsonDocument::parse(
        R"({"entries":[{"at_us":-1000,"kind":"sip","out":false,"transport":"udp","local":"192.0.2.1:5060","remote":"192.0.2.9:5062",)"
        R"("text":"INVITE sip:100@192.0.2.1 SIP/2.0\r\nContent-Type: application/sdp\r\n\r\nv=0\r\n"},)"
        R"({"at_us":0,"kind":"open","name":"leg","number":0,"provider":"host:trunk"},)"
        R"({"at_us":1000,"kind":"sip","out":true,"transport":"udp","local":"192.0.2.1:5060","remote":"192.0.2.9:5062",)"
        R"("text":"SIP/2.0 200 OK\r\nCSeq: 1 INVITE\r\n\r\n"},)"
        R"({"at_us":500000,"kind":"done","name":"llm","number":2,"provider":"brain","status":-6,"text":"too slow"},)"
        R"({"at_us":600000,"kind":"left_out","number":7},{"at_us":600000,"kind":"event","name":"hold","number":1}]})");
    ASSERT_TRUE(trace);

    const std::string drawn = draw_ladder(trace->root(), false);

    EXPECT_NE(drawn.find("    0.000  -- INVITE sip:100@192.0.2.1 [SDP] ------------->|"), std::string::npos) << drawn;
    EXPECT_NE(drawn.find("    0.002  <- 200 OK (INVITE) "), std::string::npos) << drawn;
    EXPECT_NE(drawn.find("|-- open leg host:trunk -->"), std::string::npos) << drawn;
    EXPECT_NE(drawn.find("    0.501 "), std::string::npos) << drawn;
    EXPECT_NE(drawn.find("|<- done llm 2 brain: timeout (too slow)"), std::string::npos) << drawn;
    EXPECT_NE(drawn.find(": 7 were left out"), std::string::npos) << drawn;
    EXPECT_NE(drawn.find("* hold"), std::string::npos) << drawn;
    EXPECT_EQ(drawn.find("Content-Type"), std::string::npos) << drawn;
    EXPECT_NE(draw_ladder(trace->root(), true).find("Content-Type"), std::string::npos);
}

TEST(Ladder, DrawsWhatItDoesNotUnderstandWithoutFailing) {
    const auto trace = base::JsonDocument::parse(R"({"entries":[{"kind":"sip","text":""},{"kind":"sip","text":"\r\n\r\n"},{"kind":"done","status":-99},{}]})");
    ASSERT_TRUE(trace);

    EXPECT_FALSE(draw_ladder(trace->root(), true).empty());
    EXPECT_EQ(draw_ladder(base::JsonView(), false), "nothing was traced\n");
}

}  // namespace
}  // namespace jackfield::app
