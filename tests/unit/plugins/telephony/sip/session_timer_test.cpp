#include "plugins/telephony/sip/session_timer.hpp"

#include <gtest/gtest.h>

namespace jackfield::sip {
namespace {

constexpr std::uint64_t second = 1'000'000'000;
using Due = SessionTimer::Due;

TimerTerms terms(std::uint32_t seconds, Refresher refresher, bool supported = true) {
    return {SessionExpires{seconds, refresher}, 0, supported};
}

TEST(SessionExpiresHeader, IsReadWithItsRefresher) {
    EXPECT_EQ(parse_session_expires("1800"), (SessionExpires{1800, Refresher::unsaid}));
    EXPECT_EQ(parse_session_expires(" 90 ; Refresher = UAC "),
              (SessionExpires{90, Refresher::uac}));
    EXPECT_EQ(parse_session_expires("4000;x=y;refresher=uas"),
              (SessionExpires{4000, Refresher::uas}));
    for (const char* wrong : {"", "x", "-1", "99999999999", "1800;refresher=me", "18 00"})
        EXPECT_FALSE(parse_session_expires(wrong)) << wrong;
    EXPECT_EQ(parse_min_se("120;x"), 120u);
    EXPECT_FALSE(parse_min_se("1x"));
}

TEST(SessionTimer, RefusesAnIntervalBelowItsMinimumWhereTheCallerUnderstands) {
    const SessionTimer timer(1800, 120);
    EXPECT_TRUE(timer.too_short(terms(119, Refresher::unsaid)));
    EXPECT_FALSE(timer.too_short(terms(120, Refresher::unsaid)));
    EXPECT_FALSE(timer.too_short(terms(90, Refresher::unsaid, false)));
    EXPECT_FALSE(timer.too_short({{}, 0, true}));
    EXPECT_EQ(SessionTimer(1800, 5).min_se(), SessionTimer::least_s);
}

TEST(SessionTimer, LeavesTheRefreshToACallerWhoCan) {
    SessionTimer timer(0, 90);
    EXPECT_EQ(timer.accept(terms(600, Refresher::unsaid), 0),
              "Session-Expires: 600;refresher=uac\r\nRequire: timer\r\n");
    EXPECT_EQ(timer.due_ns(), 568 * second) << "600 less 32";
    EXPECT_EQ(timer.due(567 * second), Due::nothing);
    EXPECT_EQ(timer.due(568 * second), Due::over);
}

TEST(SessionTimer, RefreshesAtHalfTimeWhereItIsAskedTo) {
    SessionTimer timer(0, 90);
    EXPECT_EQ(timer.accept(terms(90, Refresher::uas), 10 * second),
              "Session-Expires: 90;refresher=uas\r\n");
    EXPECT_EQ(timer.due_ns(), 55 * second);
    EXPECT_EQ(timer.due(55 * second), Due::refresh);
    EXPECT_EQ(timer.due(55 * second), Due::nothing) << "it is under way";
    EXPECT_EQ(timer.request_headers(),
              "Supported: timer\r\nSession-Expires: 90;refresher=uac\r\nMin-SE: 90\r\n");
    timer.answered(terms(90, Refresher::uac), 56 * second);
    EXPECT_EQ(timer.due_ns(), 101 * second);
}

TEST(SessionTimer, RefreshesForAProxyWhoseCallerCannot) {
    SessionTimer timer(1800, 90);
    EXPECT_EQ(timer.accept(terms(600, Refresher::unsaid, false), 0),
              "Session-Expires: 600;refresher=uas\r\n");
}

TEST(SessionTimer, AsksACallerWhoCanForItsOwnInterval) {
    SessionTimer timer(1800, 90);
    EXPECT_EQ(timer.accept({{}, 2000, true}, 0),
              "Session-Expires: 2000;refresher=uac\r\nRequire: timer\r\n");
    EXPECT_EQ(SessionTimer(1800, 90).accept({}, 0), "") << "one who can't is left alone";
    EXPECT_EQ(SessionTimer(0, 90).accept({{}, 0, true}, 0), "");
}

TEST(SessionTimer, KeepsItsRolesThroughARequestThatDoesNotSpeakOfThem) {
    SessionTimer timer(0, 90);
    (void)timer.accept(terms(600, Refresher::uas), 0);
    EXPECT_EQ(timer.accept({}, 100 * second), "Session-Expires: 600;refresher=uas\r\n");
    EXPECT_EQ(timer.due_ns(), 400 * second);
}

TEST(SessionTimer, AsACallerTakesWhatTheCalleeSettles) {
    SessionTimer timer(1800, 90);
    EXPECT_EQ(timer.request_headers(),
              "Supported: timer\r\nSession-Expires: 1800\r\nMin-SE: 90\r\n");
    timer.answered(terms(600, Refresher::uas), 0);
    EXPECT_EQ(timer.due_ns(), 568 * second);
    SessionTimer ours(1800, 90);
    ours.answered(terms(600, Refresher::uac), 0);
    EXPECT_EQ(ours.due_ns(), 300 * second);
    SessionTimer none(1800, 90);
    none.answered({}, 0);
    EXPECT_FALSE(none.active());
    EXPECT_EQ(SessionTimer(0, 90).request_headers(), "Supported: timer\r\n");
}

TEST(SessionTimer, TriesALongerIntervalOnceItIsToldOne) {
    SessionTimer timer(600, 90);
    EXPECT_TRUE(timer.raise(1200));
    EXPECT_EQ(timer.request_headers(),
              "Supported: timer\r\nSession-Expires: 1200\r\nMin-SE: 1200\r\n");
    EXPECT_FALSE(timer.raise(1200)) << "it has just been given";
    EXPECT_FALSE(timer.raise(4'000'000'000u));
    EXPECT_FALSE(timer.raise(0));
}

TEST(SessionTimer, TriesAgainInTheTimeThatIsLeftAndThenGivesUp) {
    SessionTimer timer(0, 90);
    (void)timer.accept(terms(200, Refresher::uas), 0);
    ASSERT_EQ(timer.due(100 * second), Due::refresh);
    timer.refresh_failed(110 * second);
    EXPECT_EQ(timer.due_ns(), 140 * second);
    EXPECT_EQ(timer.due(140 * second), Due::refresh);
    timer.refresh_failed(141 * second);
    EXPECT_EQ(timer.due(168 * second), Due::over);
}

TEST(SessionTimer, EndsOnTimeAlsoWhileARefreshWaitsForItsAnswer) {
    SessionTimer timer(0, 90);
    (void)timer.accept(terms(90, Refresher::uas), 0);
    ASSERT_EQ(timer.due(45 * second), Due::refresh);
    EXPECT_EQ(timer.due_ns(), 60 * second) << "90 less a third";
    EXPECT_EQ(timer.due(60 * second), Due::over);
}

}  // namespace
}  // namespace jackfield::sip
