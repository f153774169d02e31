// How a host ends in the middle of calls, by accident and on purpose, and what the next one makes of it.

#include <signal.h>

#include "host_fixture.hpp"
#include "media/wav.hpp"

namespace jackfield::test {
namespace {

TEST(HostKilled, LeavesACallThatTheNextOneHangsUpAndCloses) {
    HostFolder folder;
    DeskOptions desk;
    desk.call_log = true;
    folder.write_tenant("desk", desk_tenant(desk));
    folder.write_host();
    sim::SipPhone phone;
    std::uint16_t udp = 0;
    std::uint16_t tcp = 0;
    std::string id;
    {
        HostProcess host(folder);
        udp = host.udp_port();
        tcp = host.tcp_port();
        ASSERT_TRUE(call_until_agent_talks(phone, host.sip_uri("reception"))) << host.log();
        const auto live = folder.jackfield_json({"calls", "list", "--live"});
        ASSERT_TRUE(live);
        ASSERT_EQ(live->root()["calls"].size(), 1u);
        id = live->root()["calls"].at(0)["id"].text_or("");
        host.kill();
    }
    EXPECT_EQ(query(folder.database(), "SELECT state FROM \"jf.calls\" WHERE _id = '" + id + "'"), std::vector<std::string>{"open"});

    folder.write_host(udp, tcp);
    HostProcess next(folder);

    EXPECT_TRUE(phone.wait_ended(10s)) << next.log();
    EXPECT_EQ(phone.report().ended_by, sim::EndedBy::peer);
    ASSERT_TRUE(next.wait_log({"\"call.reaped\"", id}, 5s)) << next.log();
    const StoredCall call(folder, id);
    EXPECT_EQ(call.text("state"), "ended");
    EXPECT_EQ(call.text("cause"), "host_lost");
    EXPECT_EQ(call.text("reason"), "far_leg_hung_up");
    EXPECT_FALSE(call.turns("user").empty());
    ASSERT_FALSE(call.text("recording").empty());
    const auto recording = media::read_wav(call.text("recording"));
    ASSERT_TRUE(recording) << recording.error().text();
    EXPECT_EQ(recording->info.channels, 2);
    EXPECT_FALSE(recording->info.torn);
    EXPECT_GT(recording->info.frames(), 8000u);
    EXPECT_EQ(query(folder.database(), "PRAGMA integrity_check"), std::vector<std::string>{"ok"});
    expect_normal_call(folder, next);
    const StoredCall normal(folder);
    EXPECT_GT(normal["quality"]["packets_in"].integer_or(0), 50) << normal["quality"].dump();
    EXPECT_EQ(next.stop(), 0) << next.log();
    // Who keeps a book of calls has heard of both.
    EXPECT_EQ(query(folder.database(), "SELECT count(*) FROM \"call_log.summaries\" WHERE call IN ('" + id + "', '" + normal.text("id") + "')"),
              std::vector<std::string>{"2"}) << next.log();
}

TEST(HostKilled, ClosesACallWhoseFarLegIsGoneToo) {
    HostFolder folder;
    folder.write_tenant("desk", desk_tenant());
    folder.write_host();
    std::uint16_t udp = 0;
    {
        HostProcess host(folder);
        udp = host.udp_port();
        sim::SipPhone phone;
        ASSERT_TRUE(call_until_agent_talks(phone, host.sip_uri("reception"))) << host.log();
        host.kill();
        phone.vanish();
    }
    folder.write_host(udp);

    HostProcess next(folder);

    // The farewell may be repeated for half a minute; new calls don't wait for that, and a stop ends it.
    expect_normal_call(folder, next);
    EXPECT_EQ(next.stop(), 0) << next.log();
    EXPECT_EQ(query(folder.database(), "SELECT cause FROM \"jf.calls\" ORDER BY _id"), (std::vector<std::string>{"host_lost", "normal"})) << next.log();
}

TEST(HostStop, RefusesNewCallsAndLetsTheLiveOneFinish) {
    HostFolder folder;
    folder.write_tenant("desk", desk_tenant());
    folder.write_host();
    HostProcess host(folder);
    sim::SipPhone talking;
    ASSERT_TRUE(call_until_agent_talks(talking, host.sip_uri("reception"))) << host.log();

    host.signal(SIGTERM);
    ASSERT_TRUE(host.wait_log({"\"host.draining\""}, 5s));
    for (const bool tcp : {false, true}) {
        sim::SipPhone late;
        ASSERT_TRUE(late.call(host.sip_uri("reception", tcp)));
        EXPECT_TRUE(late.wait_ended(5s));
        EXPECT_EQ(late.report().final_status, 503);
    }
    const auto placed = folder.jackfield({"call", "desk/reception", "sip:nobody@127.0.0.1:9"});
    EXPECT_EQ(placed.code, 1) << placed.out;
    // The conversation goes on: the agent ends its sentence, hears the goodbye and says its own.
    EXPECT_TRUE(talking.wait_agent_quiet(900ms, 20s));
    talking.say("goodbye", speech("goodbye"));
    EXPECT_TRUE(talking.wait_ended(15s));
    const auto status = host.wait(10s);

    ASSERT_TRUE(status) << host.log();
    EXPECT_EQ(status->code, 0) << host.log();
    const StoredCall call(folder);
    EXPECT_EQ(call.text("cause"), "normal");
    EXPECT_EQ(call.text("ended_by"), "agent");
}

TEST(HostStop, EndsSoonWhenItIsAskedTwice) {
    HostFolder folder;
    folder.write_tenant("desk", desk_tenant());
    folder.write_host();
    HostProcess host(folder);
    sim::SipPhone talking;
    ASSERT_TRUE(call_until_agent_talks(talking, host.sip_uri("reception"))) << host.log();

    host.signal(SIGTERM);
    ASSERT_TRUE(host.wait_log({"\"host.draining\""}, 5s));
    host.signal(SIGTERM);
    const auto status = host.wait(8s);

    ASSERT_TRUE(status) << host.log();
    EXPECT_EQ(status->code, 0);
    EXPECT_TRUE(talking.wait_ended(2s));
    EXPECT_EQ(talking.report().ended_by, sim::EndedBy::peer);
    const StoredCall call(folder);
    EXPECT_EQ(call.text("state"), "ended");
    EXPECT_EQ(call.text("reason"), "host_stopped");
}

TEST(HostStop, HangsUpWhenTheDrainTimeIsOver) {
    HostFolder folder;
    folder.write_tenant("desk", desk_tenant());
    folder.write_host();
    HostProcess host(folder, {"--drain-seconds", "1"});
    sim::SipPhone talking;
    ASSERT_TRUE(call_until_agent_talks(talking, host.sip_uri("reception"))) << host.log();

    EXPECT_EQ(host.stop(10s), 0) << host.log();

    EXPECT_TRUE(talking.wait_ended(2s));
    EXPECT_EQ(StoredCall(folder).text("reason"), "host_stopped");
}

TEST(SecondHost, IsRefusedAndLeavesTheFirstOnesCallsAlone) {
    HostFolder folder;
    folder.write_tenant("desk", desk_tenant());
    folder.write_host();
    HostProcess host(folder);
    sim::SipPhone phone;
    ASSERT_TRUE(call_until_agent_talks(phone, host.sip_uri("reception"))) << host.log();

    const auto second = folder.jackfield({"serve"});

    EXPECT_EQ(second.code, 1);
    EXPECT_NE(second.err.find((folder.path() / "state").string()), std::string::npos) << second.err;
    phone.press("1");
    EXPECT_TRUE(phone.wait_said(5s));
    EXPECT_TRUE(phone.wait_agent_quiet(600ms, 15s));
    phone.hang_up();
    ASSERT_TRUE(call_is_stored(host, 0));
    const StoredCall call(folder);
    EXPECT_EQ(call.text("cause"), "normal");
    EXPECT_EQ(call.agent_said().size(), 3u);
    EXPECT_EQ(host.stop(), 0) << host.log();
    EXPECT_TRUE(media::read_wav(call.text("recording"))) << host.log();
}

}  // namespace
}  // namespace jackfield::test
