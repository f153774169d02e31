// Tools of providers in a real call: an offline agent that looks things up and books, and tools that are slow, lost or deaf.

#include <ctime>
#include <filesystem>

#include "host_fixture.hpp"

namespace jackfield::test {
namespace {

namespace fs = std::filesystem;

/// A day on which the desk below is open and books: at least two days from now, a weekday.
std::string bookable_day() {
    std::time_t when = std::time(nullptr) + 2 * 86400;
    std::tm day{};
    for (gmtime_r(&when, &day); day.tm_wday == 0 || day.tm_wday == 6; gmtime_r(&when, &day)) when += 86400;
    char text[16];
    std::strftime(text, sizeof text, "%Y-%m-%d", &day);
    return text;
}

/// Keys stand for what a caller would say: no recogniser takes part in what is tested here.
std::string keys_script(const std::string& day) {
    return R"(
[dialogue]
name = "keys"
greeting = "Hello."
prompt = "What else?"
[person]
to = "reception"
[intents.parking]
dtmf = "2"
tool = "desk.lookup"
arguments = { topic = "the car park, please" }
says = "{result.text}"
then = "prompt"
[intents.book]
dtmf = "3"
tool = "desk.book"
arguments = { date = ")" + day + R"(", time = "09:30", name = "Ann Miller", phone = "+1 212 555 0100" }
says = "Booked. Your code is {result.code_spoken}."
says_failed = "Sorry, {result.error}."
then = "prompt"
then_failed = "prompt"
[intents.wait]
dtmf = "4"
tool = "odd.wait"
wait_says = "One moment."
says = "It took {result.waited}."
then = "prompt"
[intents.lost]
dtmf = "5"
tool = "odd.lost"
says_failed = "That got lost."
then_failed = "prompt"
[intents.lost_safe]
dtmf = "6"
tool = "odd.lost_safe"
says = "It worked at the {result.try} try."
then = "prompt"
[intents.deaf]
dtmf = "7"
tool = "odd.deaf"
says_failed = "Nobody answers there."
then_failed = "prompt"
[intents.wrong]
dtmf = "8"
tool = "desk.book"
arguments = { date = "tomorrow" }
says_failed = "I asked for nonsense."
then_failed = "prompt"
)";
}

struct ToolHost {
    ToolHost() {
        folder.copy_plugins();
        fs::create_directories(folder.plugins() / "tools");
        fs::copy_file(fs::path(JACKFIELD_BINARY_DIR) / "test_plugins" / "tools" / "test_tool.so", folder.plugins() / "tools" / "test_tool.so");
        folder.write(folder.path() / "keys.toml", keys_script(bookable_day()));
        folder.write_tenant("desk", R"([tenant]
name = "Desk"
time_zone = "America/New_York"
[providers.ears]
plugin = "stt/pocketsphinx"
[providers.brain]
plugin = "llm/scripted"
script = ")" + (folder.path() / "keys.toml").string() + R"("
[providers.voice]
plugin = "tts/flite"
[providers.desk]
plugin = "tools/desk"
entries = [{ name = "parking", synonyms = ["car park"], text = "There is a garage at Main Street." }]
hours = { monday = ["08:00-12:00"], tuesday = ["08:00-12:00"], wednesday = ["08:00-12:00"], thursday = ["08:00-12:00"], friday = ["08:00-12:00"] }
[providers.odd]
plugin = "tools/test_tool"
placement = "thread"
[agents.reception]
answers = ["host:trunk/*"]
stt = "ears"
llm = "brain"
tts = "voice"
greeting = "Hello."
tools = ["hang_up", "desk", "odd"]
turn = { tool_timeout_ms = 4000 }
)");
        folder.write_host();
    }
    HostFolder folder;
};

/// Presses a key and waits for the answer to be over.
void press(sim::SipPhone& phone, char key) {
    phone.press(std::string(1, key));
    ASSERT_TRUE(phone.wait_said(5s));
    ASSERT_TRUE(phone.wait_agent_speaking(300ms, 15s));
    ASSERT_TRUE(phone.wait_agent_quiet(1500ms, 20s));
}

std::vector<base::JsonView> tools_of(const StoredCall& call) {
    std::vector<base::JsonView> out;
    const base::JsonView all = call["tool_calls"];
    for (std::size_t i = 0; i < all.size(); ++i) out.push_back(all.at(i));
    return out;
}

TEST(Tools, LookThingsUpAndBookOnce) {
    ToolHost here;
    const auto check = here.folder.jackfield({"check"});
    ASSERT_EQ(check.code, 0) << check.err;
    HostProcess host(here.folder);
    const std::size_t before = host.log_lines();
    sim::SipPhone phone;
    ASSERT_TRUE(greeted(phone, host));

    press(phone, '2');
    press(phone, '3');
    press(phone, '3');
    press(phone, '8');
    ASSERT_TRUE(hung_up(phone, host, before));

    const StoredCall call(here.folder);
    const auto said = call.agent_said();
    ASSERT_EQ(said.size(), 5u) << host.log();
    EXPECT_EQ(said[1], "There is a garage at Main Street. What else?");
    EXPECT_EQ(said[2].substr(0, 20), "Booked. Your code is");
    EXPECT_EQ(said[3], "Sorry, that time is taken. What else?");
    EXPECT_EQ(said[4], "I asked for nonsense. What else?");
    const auto tools = tools_of(call);
    ASSERT_EQ(tools.size(), 4u);
    EXPECT_EQ(tools[0]["name"].text_or(""), "desk_lookup");
    EXPECT_EQ(tools[0]["state"].text_or(""), "done");
    EXPECT_EQ(tools[1]["arguments"]["time"].text_or(""), "09:30");
    EXPECT_EQ(tools[1]["result"]["ok"].boolean_or(false), true);
    EXPECT_EQ(tools[1]["key"].text_or("").find(call.text("id") + ":"), 0u);
    EXPECT_EQ(tools[2]["result"]["error"].text_or(""), "that time is taken");
    EXPECT_EQ(tools[3]["state"].text_or(""), "failed");
    EXPECT_NE(tools[3]["result"]["error"].text_or("").find("date: \"tomorrow\" does not match"), std::string::npos);
    const auto rows = query(here.folder.database(), "SELECT phone FROM \"desk.appointments\"");
    EXPECT_EQ(rows, (std::vector<std::string>{"12125550100"}));
    const auto shown = here.folder.jackfield({"calls", "show", "last"});
    EXPECT_NE(shown.out.find("tool:   desk_book"), std::string::npos) << shown.out;
    EXPECT_EQ(host.stop(), 0) << host.log();
}

TEST(Tools, ThatTakeTheirTimeKeepTheCallerInformed) {
    ToolHost here;
    HostProcess host(here.folder);
    const std::size_t before = host.log_lines();
    sim::SipPhone phone;
    ASSERT_TRUE(greeted(phone, host));

    press(phone, '4');
    ASSERT_TRUE(phone.wait_agent_quiet(2500ms, 20s));
    ASSERT_TRUE(hung_up(phone, host, before));

    const StoredCall call(here.folder);
    const auto said = call.agent_said();
    ASSERT_EQ(said.size(), 2u) << host.log();
    EXPECT_EQ(said[1], "One moment. I am asking the other branch. It took long. What else?");
    EXPECT_EQ(host.stop(), 0) << host.log();
}

TEST(Tools, AreRepeatedOnlyWhereThatDoesNoHarm) {
    ToolHost here;
    HostProcess host(here.folder);
    const std::size_t before = host.log_lines();
    sim::SipPhone phone;
    ASSERT_TRUE(greeted(phone, host));

    press(phone, '5');
    press(phone, '6');
    press(phone, '7');
    ASSERT_TRUE(phone.wait_agent_quiet(3500ms, 20s));
    ASSERT_TRUE(hung_up(phone, host, before));

    const StoredCall call(here.folder);
    const auto said = call.agent_said();
    ASSERT_EQ(said.size(), 4u) << host.log();
    EXPECT_EQ(said[1], "That got lost. What else?");
    EXPECT_EQ(said[2], "It worked at the second try. What else?");
    EXPECT_NE(said[3].find("Nobody answers there."), std::string::npos) << said[3];
    const auto tools = tools_of(call);
    ASSERT_EQ(tools.size(), 3u);
    EXPECT_EQ(tools[0]["state"].text_or(""), "unknown");
    EXPECT_EQ(tools[0]["attempts"].integer_or(0), 1);
    EXPECT_EQ(tools[1]["state"].text_or(""), "done");
    EXPECT_EQ(tools[1]["attempts"].integer_or(0), 2);
    EXPECT_EQ(tools[2]["state"].text_or(""), "unknown");
    EXPECT_EQ(host.stop(), 0) << host.log();
}

TEST(Tools, ThatACrashInterruptedAreUnknown) {
    ToolHost here;
    {
        HostProcess host(here.folder);
        sim::SipPhone phone;
        ASSERT_TRUE(greeted(phone, host));
        phone.press("7");
        ASSERT_TRUE(host.wait_log({"test_tool.called", "\"tenant\":\"desk\"", "\"call_id\":\""}, 5s)) << host.log();
        host.kill();
    }

    HostProcess host(here.folder);

    EXPECT_TRUE(host.wait_log({"tools.outcome_unknown"}, 5s)) << host.log();
    EXPECT_FALSE(host.wait_log({"test_tool.called"}, 0s)) << "it was done again";
    const auto rows = query(here.folder.database(), "SELECT state FROM \"jf.tool_calls\"");
    EXPECT_EQ(rows, (std::vector<std::string>{"unknown"}));
    EXPECT_EQ(host.stop(), 0) << host.log();
}

TEST(Tools, ThatNobodyOffersAreFoundByCheck) {
    ToolHost here;
    here.folder.write_tenant("other", R"([tenant]
name = "Other"
[providers.ears]
plugin = "stt/pocketsphinx"
[providers.brain]
plugin = "llm/scripted"
script_inline = ""
[providers.voice]
plugin = "tts/flite"
[agents.a]
stt = "ears"
llm = "brain"
tts = "voice"
tools = ["hang_up", "voice.sing", "crm", "hang_upp"]
)");

    const auto check = here.folder.jackfield({"check"});

    EXPECT_EQ(check.code, 2);
    EXPECT_NE(check.err.find("'voice' is tts/flite, which offers no tools"), std::string::npos) << check.err;
    EXPECT_NE(check.err.find("'crm' is neither a tool of the host nor a provider"), std::string::npos) << check.err;
    EXPECT_NE(check.err.find("did you mean 'hang_up'?"), std::string::npos) << check.err;
}

}  // namespace
}  // namespace jackfield::test
