// What scripts rely on: output, JSON and exit statuses of the commands.

#include <algorithm>
#include <map>

#include "host_fixture.hpp"

namespace jackfield::test {
namespace {

class CommandLine : public testing::Test {
  protected:
    void serve() {
        DeskOptions desk;
        desk.call_log = true;
        folder_.write_tenant("desk", desk_tenant(desk));
        folder_.write_host();
        host_ = std::make_unique<HostProcess>(folder_);
    }
    void TearDown() override {
        if (!host_) return;
        EXPECT_EQ(host_->stop(), 0) << host_->log();
    }

    HostFolder folder_;
    std::unique_ptr<HostProcess> host_;
};

TEST_F(CommandLine, PlacesACallThatTheFarEndHangsUp) {
    serve();
    sim::PhoneOptions options;
    options.user = "callee";
    options.answer.after = 200ms;
    sim::SipPhone callee(options);
    const auto dialling = folder_.start_jackfield({"call", "desk/reception", callee.uri(), "--wait"});

    ASSERT_TRUE(callee.wait_answered(10s)) << host_->log();
    EXPECT_TRUE(callee.wait_agent_quiet(500ms, 15s)) << callee.report().json();
    callee.hang_up();
    const auto status = dialling->wait(10s);

    ASSERT_TRUE(status);
    EXPECT_EQ(status->code, 0) << dialling->err();
    EXPECT_NE(dialling->out().find("agent:  Hello."), std::string::npos) << dialling->out();
    const StoredCall call(folder_);
    EXPECT_EQ(call.text("direction"), "outbound");
    EXPECT_EQ(call.text("cause"), "normal");
    EXPECT_EQ(call.text("ended_by"), "callee");
    EXPECT_EQ(call.text("to"), callee.uri());
    EXPECT_EQ(call.agent_said(), std::vector<std::string>{"Hello."});
}

TEST_F(CommandLine, StoresThatTheFarEndWasBusy) {
    serve();
    sim::PhoneOptions options;
    options.answer.status = 486;
    options.answer.after = 0ms;
    sim::SipPhone busy(options);

    const auto ran = folder_.jackfield({"call", "desk/reception", busy.uri(), "--wait"});

    EXPECT_EQ(ran.code, 1) << ran.out;
    EXPECT_NE(ran.out.find("ended: busy by callee (Busy Here)"), std::string::npos) << ran.out;
    const auto shown = folder_.jackfield({"calls", "show", "last"});
    EXPECT_NE(shown.out.find("busy by callee (Busy Here)"), std::string::npos) << shown.out;
    const StoredCall call(folder_);
    EXPECT_EQ(call.text("cause"), "busy");
    EXPECT_EQ(call.text("reason"), "Busy Here");
    EXPECT_EQ(call["sip_status"].integer_or(0), 486);
}

TEST_F(CommandLine, SaysWhyNothingWasDialled) {
    serve();

    const auto ran = folder_.jackfield({"call", "desk/reception", "sip:", "--wait"});

    EXPECT_EQ(ran.code, 1) << ran.out;
    const std::string reason = StoredCall(folder_).text("reason");
    EXPECT_FALSE(reason.empty());
    EXPECT_NE(ran.out.find("(" + reason + ")"), std::string::npos) << ran.out;
}

TEST_F(CommandLine, GivesUpAPhoneThatRingsForTooLong) {
    serve();
    sim::PhoneOptions options;
    options.answer.never = true;
    sim::SipPhone callee(options);

    const auto ran = folder_.jackfield({"call", "desk/reception", callee.uri(), "--ring-timeout", "1", "--wait"});

    EXPECT_EQ(ran.code, 1) << ran.out;
    EXPECT_EQ(StoredCall(folder_).text("cause"), "no_answer");
    EXPECT_TRUE(callee.wait_ended(5s));
    EXPECT_EQ(callee.report().ended_by, sim::EndedBy::cancelled);
}

TEST_F(CommandLine, HangsUpALiveCall) {
    serve();
    sim::SipPhone phone;
    ASSERT_TRUE(call_until_agent_talks(phone, host_->sip_uri("reception")));
    const auto live = folder_.jackfield_json({"calls", "list", "--live"});
    ASSERT_TRUE(live);
    const std::string id = live->root()["calls"].at(0)["id"].text_or("");
    EXPECT_EQ(live->root()["calls"].at(0)["agent"].text_or(""), "reception");

    const auto hung_up = folder_.jackfield({"calls", "hangup", "last"});
    EXPECT_EQ(hung_up.code, 0) << hung_up.err;
    EXPECT_EQ(hung_up.out, "hung up " + id + "\n");

    EXPECT_TRUE(phone.wait_ended(5s));
    ASSERT_TRUE(call_is_stored(*host_, 0));
    const StoredCall call(folder_, id);
    EXPECT_EQ(call.text("reason"), "operator");
    EXPECT_EQ(folder_.jackfield({"calls", "hangup", id}).code, 1);
    const auto nobody = folder_.jackfield({"calls", "hangup", "last"});
    EXPECT_EQ(nobody.code, 1);
    EXPECT_NE(nobody.err.find("there is no live call"), std::string::npos) << nobody.err;
}

TEST_F(CommandLine, FollowsAndListsCalls) {
    serve();
    const auto follower = folder_.start_jackfield({"--json", "calls", "follow"});
    ASSERT_TRUE(follower->wait_line({"\"ok\":true"}, 5s)) << follower->out() << follower->err();
    expect_normal_call(folder_, *host_);

    for (const char* event : {"call.started", "call.answered", "call.turn", "call.ended"})
        EXPECT_TRUE(follower->wait_line({std::string("\"event\":\"") + event}, 5s)) << event;
    EXPECT_TRUE(follower->wait_line({"\"role\":\"assistant\"", "We are open"}, 5s)) << follower->out();
    const auto listed = folder_.jackfield_json({"calls", "list"});
    ASSERT_TRUE(listed);
    ASSERT_EQ(listed->root().size(), 1u);
    EXPECT_EQ(listed->root().at(0)["cause"].text_or(""), "normal");
    const std::string id = listed->root().at(0)["id"].text_or("");
    EXPECT_EQ(StoredCall(folder_, id).text("id"), id);
    const auto shown = folder_.jackfield({"calls", "show", id});
    EXPECT_EQ(shown.code, 0);
    EXPECT_NE(shown.out.find("agent:  Hello."), std::string::npos) << shown.out;
    const auto lines = folder_.jackfield({"calls", "list", "--tenant", "desk", "--limit", "1"});
    EXPECT_EQ(std::count(lines.out.begin(), lines.out.end(), '\n'), 1) << lines.out;
    const auto summaries = query(folder_.database(), "SELECT summary FROM \"call_log.summaries\" WHERE call = '" + id + "'");
    EXPECT_EQ(summaries.size(), 1u);
}

TEST_F(CommandLine, SaysWhatItIsAskedForThatIsNotThere) {
    serve();

    EXPECT_EQ(folder_.jackfield({"calls", "show", "last"}).code, 1);
    EXPECT_EQ(folder_.jackfield({"calls", "show", "01NOSUCHCALL"}).code, 1);
    EXPECT_EQ(folder_.jackfield({"calls", "list", "--tenant", "nobody"}).code, 2);
    EXPECT_EQ(folder_.jackfield({"call", "reception", "sip:a@127.0.0.1"}).code, 2);
    EXPECT_EQ(folder_.jackfield({"call", "desk/nobody", "sip:a@127.0.0.1"}).code, 1);
    EXPECT_EQ(folder_.jackfield({"call"}).code, 2);
    EXPECT_EQ(folder_.jackfield({"call", "trace"}).code, 2);
    EXPECT_EQ(folder_.jackfield({"call", "trace", "last"}).code, 1);
    EXPECT_EQ(folder_.jackfield({"why", "last"}).code, 1);
    EXPECT_EQ(folder_.jackfield({"nonsense"}).code, 2);
    EXPECT_EQ(folder_.jackfield({"--help"}).code, 0);
    EXPECT_EQ(folder_.jackfield({"version"}).code, 0);
    const auto text = folder_.jackfield({"status"});
    EXPECT_EQ(text.code, 0);
    EXPECT_NE(text.out.find("breaker closed"), std::string::npos) << text.out;
    const auto status = base::JsonDocument::parse(folder_.jackfield({"--json", "status"}).out);
    ASSERT_TRUE(status);
    std::map<std::string, std::string> kinds;
    for (std::size_t i = 0; i < status->root()["providers"].size(); ++i) {
        const base::JsonView provider = status->root()["providers"].at(i);
        const std::string kind = provider["kind"].text_or("");
        kinds[provider["name"].text_or("")] = kind;
        EXPECT_EQ(provider["state"].text_or(""), "serving") << provider.dump();
        EXPECT_EQ(provider["placement"].text_or(""), kind == "service" ? "thread" : "inline") << provider.dump();
        EXPECT_EQ(provider["breaker"].text_or("none"), kind == "stt" || kind == "llm" || kind == "tts" ? "closed" : "none") << provider.dump();
    }
    const std::map<std::string, std::string> all = {{"desk/brain", "llm"},        {"desk/call_log", "service"}, {"desk/ears", "stt"},
                                                    {"desk/voice", "tts"},        {"storage", "storage"},       {"trunk", "telephony"}};
    EXPECT_EQ(kinds, all);
    EXPECT_NE(text.out.find("trunk: telephony/sip, serving\n"), std::string::npos) << text.out;
}

TEST_F(CommandLine, StatusFailsWhenNoHostRuns) {
    folder_.write_tenant("desk", desk_tenant());
    folder_.write_host();

    const auto status = folder_.jackfield({"status"});

    EXPECT_EQ(status.code, 1);
    EXPECT_NE(status.err.find("control.sock"), std::string::npos) << status.err;
}

TEST_F(CommandLine, ListsAndExplainsPlugins) {
    folder_.write_tenant("desk", desk_tenant());
    folder_.write_host();

    const auto listed = folder_.jackfield_json({"plugin", "list"});
    ASSERT_TRUE(listed);
    std::vector<std::string> ids;
    for (std::size_t i = 0; i < listed->root().size(); ++i) ids.push_back(listed->root().at(i)["id"].text_or(""));
    for (const char* id : {"telephony/sip", "stt/pocketsphinx", "tts/flite", "tts/espeak_ng", "llm/scripted", "storage/sqlite"})
        EXPECT_NE(std::find(ids.begin(), ids.end(), id), ids.end()) << id;
    const auto explained = folder_.jackfield({"plugin", "explain", "telephony/sip"});
    EXPECT_EQ(explained.code, 0) << explained.err;
    for (const char* part : {"telephony/sip", "0.1.0", "jf.telephony/1", "rtp_ports", "16384-32767"})
        EXPECT_NE(explained.out.find(part), std::string::npos) << part << " in: " << explained.out;
    const auto json = folder_.jackfield_json({"plugin", "explain", "telephony/sip"});
    EXPECT_TRUE(json);
    EXPECT_EQ(folder_.jackfield({"plugin", "explain", "stt/nobody"}).code, 1);
}

TEST_F(CommandLine, ChecksEverythingAtOnce) {
    folder_.write("jackfield.toml", "[host]\nplugins = [\"" + folder_.plugins().string() + "\"]\nstorage = \"sqlite:" + folder_.database().string() +
                                        "\"\ntenants = \"tenants\"\ndrain_seconds = \"soon\"\n\n[providers.trunk]\nplugin = \"telephony/sip\"\n"
                                        "dscp = 64\nlisten_on = [\"udp:127.0.0.1:0\"]\n");
    folder_.write_tenant("desk", "[tenant]\nname = \"Desk\"\n\n[providers.voice]\nplugin = \"tts/nobody\"\n\n[agents.reception]\n"
                                 "answers = [\"host:trunk/*\"]\nstt = \"ears\"\nllm = \"brain\"\ntts = \"voice\"\ngreting = \"Hello\"\n");

    const auto check = folder_.jackfield({"check"});
    const auto json = folder_.jackfield({"--json", "check"});

    EXPECT_EQ(check.code, 2);
    for (const char* part : {"jackfield.toml:5:", "drain_seconds", "jackfield.toml:9:", "dscp", "jackfield.toml:10:", "listen_on", "desk.toml:5:",
                             "tts/nobody", "desk.toml:9:", "ears", "desk.toml:12:", "greting"})
        EXPECT_NE(check.err.find(part), std::string::npos) << part << " in:\n" << check.err;
    EXPECT_NE(check.err.find("greeting"), std::string::npos) << "the right spelling, in:\n" << check.err;
    EXPECT_EQ(json.code, 2);
    const auto document = base::JsonDocument::parse(json.out);
    ASSERT_TRUE(document) << json.out;
    EXPECT_FALSE(document->root()["ok"].boolean_or(true));
    EXPECT_GE(document->root()["problems"].size(), 6u) << json.out;
    EXPECT_EQ(folder_.jackfield({"serve"}).code, 2);
}

TEST_F(CommandLine, ChecksThatTheCarrierCanHandOnWhomItIsToldTo) {
    const auto check = [this](const std::string& transfer) {
        folder_.write("jackfield.toml", "[host]\nplugins = [\"" + folder_.plugins().string() + "\"]\nstorage = \"sqlite:" + folder_.database().string() +
                                            "\"\ntenants = \"tenants\"\n[providers.line]\nplugin = \"telephony/example\"\n");
        folder_.write_tenant("desk", "[tenant]\nname = \"Desk\"\n[providers.ears]\nplugin = \"stt/pocketsphinx\"\n[providers.brain]\nplugin = \"llm/scripted\"\n"
                                     "script = \"" + clinic_script() + "\"\n[providers.voice]\nplugin = \"tts/flite\"\n[agents.reception]\n"
                                     "answers = [\"host:line/*\"]\nstt = \"ears\"\nllm = \"brain\"\ntts = \"voice\"\n[agents.reception.transfer]\n" + transfer);
        return folder_.jackfield({"check"});
    };

    const auto told = check("desk = { to = \"1\", mode = \"refer\" }\n");
    EXPECT_EQ(told.code, 2) << told.out;
    for (const char* part : {"desk.toml:16:27:", "agents.reception.transfer.desk.mode", "host:line", "telephony/example", "mode = \"bridge\""})
        EXPECT_NE(told.err.find(part), std::string::npos) << part << " in:\n" << told.err;
    for (const char* right : {"desk = \"1\"\n", "desk = { to = \"1\", mode = \"bridge\" }\n"}) {
        const auto fine = check(right);
        EXPECT_EQ(fine.code, 0) << right << fine.err;
    }
}

TEST_F(CommandLine, ListsTheChecksOfAKindWithoutAPlugin) {
    const auto listed = folder_.jackfield({"plugin", "verify", "--list", "--kind", "stt"});
    EXPECT_EQ(listed.code, 0) << listed.err;
    for (const char* name : {"module.", "stt."}) EXPECT_NE(listed.out.find(name), std::string::npos) << listed.out;
    EXPECT_EQ(listed.out.find("tts."), std::string::npos) << listed.out;
    EXPECT_EQ(folder_.jackfield({"plugin", "verify", "--list", "--kind", "soup"}).code, 2);
    const auto storage = folder_.jackfield({"plugin", "verify", "--list", "--kind", "storage"});
    for (const char* name : {"records.", "vectors."}) EXPECT_NE(storage.out.find(name), std::string::npos) << storage.out;
    const auto nothing = folder_.jackfield({"plugin", "verify", "--kind", "stt"});
    EXPECT_EQ(nothing.code, 2);
    EXPECT_NE(nothing.err.find("file is required"), std::string::npos) << nothing.err;
    const auto help = folder_.jackfield({"plugin", "new", "--help"});
    EXPECT_NE(help.out.find("rust for "), std::string::npos) << help.out;
}

TEST_F(CommandLine, ChecksAFileThatIsNoToml) {
    folder_.write("jackfield.toml", "[host\nplugins = \n");

    const auto check = folder_.jackfield({"check"});

    EXPECT_EQ(check.code, 2);
    EXPECT_NE(check.err.find("jackfield.toml:1:"), std::string::npos) << check.err;
}

}  // namespace
}  // namespace jackfield::test
