// The example plugins together in a real call: an agent that speaks and hears tones, answers by rules, is counted by a service, and leaves its trace in a
// file. A plugin that is copied from them begins from something that works.

#include <cmath>
#include <filesystem>
#include <fstream>

#include "base/json.hpp"
#include "host_fixture.hpp"

namespace jackfield::test {
namespace {

namespace fs = std::filesystem;

/// What tts/example says for these letters: a pair of tones each.
sim::Pcm tones(std::string_view letters) {
    constexpr double low_hz[] = {560, 640, 720, 800, 880, 960}, high_hz[] = {1120, 1240, 1360, 1480, 1600, 1720};
    sim::Pcm out;
    for (const char letter : letters) {
        const int number = letter - 'a';
        for (int i = 0; i < 480; ++i)
            out.push_back(static_cast<std::int16_t>(6000 * (std::sin(2 * M_PI * low_hz[number / 6] * i / 8000) + std::sin(2 * M_PI * high_hz[number % 6] * i / 8000))));
        out.resize(out.size() + 320);
    }
    return out;
}

struct ExampleHost {
    explicit ExampleHost(const char* contents) {
        folder.write_tenant("lab", tenant(contents));
        folder.write_host();
    }
    std::string tenant(const char* contents) const {
        return R"([tenant]
name = "Lab"
telemetry = { providers = ["traces"], contents = )" + std::string(contents) + R"(, environment = "test" }
[providers.ears]
plugin = "stt/example"
[providers.brain]
plugin = "llm/example"
greeting = "Hi."
[providers.voice]
plugin = "tts/example"
[providers.fun]
plugin = "tools/example"
[providers.traces]
plugin = "telemetry/example"
file = ")" + traces().string() + R"("
[services.counter]
plugin = "service/example"
[agents.parrot]
answers = ["host:trunk/*"]
stt = "ears"
llm = "brain"
tts = "voice"
tools = ["hang_up", "fun"]
)";
    }
    fs::path traces() const { return folder.path() / "traces.jsonl"; }
    std::vector<base::JsonDocument> lines() const {
        std::vector<base::JsonDocument> out;
        std::ifstream in(traces());
        for (std::string line; std::getline(in, line);)
            if (auto document = base::JsonDocument::parse(line)) out.push_back(std::move(*document));
            else ADD_FAILURE() << line;
        return out;
    }
    /// Calls, waits for the greeting, takes leave, and waits until the agent has hung up and all is told.
    void call_and_say_bye() {
        HostProcess host(folder);
        const std::size_t before = host.log_lines();
        sim::SipPhone phone;
        ASSERT_TRUE(greeted(phone, host, 500ms, "parrot"));
        phone.say("bye", tones("bye"));
        ASSERT_TRUE(phone.wait_said(5s));
        EXPECT_TRUE(phone.wait_ended(20s)) << host.log();
        EXPECT_TRUE(call_is_stored(host, before));
        EXPECT_EQ(host.stop(), 0);
    }
    HostFolder folder;
};

TEST(Examples, HoldAConversationInTones) {
    ExampleHost here("true");
    const auto check = here.folder.jackfield({"check"});
    ASSERT_EQ(check.code, 0) << check.err;

    here.call_and_say_bye();

    const StoredCall call(here.folder);
    EXPECT_EQ(call.text("reason"), "hang_up");
    ASSERT_EQ(call.turns("user").size(), 1u);
    EXPECT_EQ(call.turns("user")[0]["text"].text_or(""), "bye");
    EXPECT_EQ(call.agent_said(), (std::vector<std::string>{"Hi.", "Goodbye."}));

    const auto lines = here.lines();
    int generations = 0;
    std::string root, trace;
    for (const auto& line : lines)
        if (line.root()["name"].text_or("") == "call") root = line.root()["span"].text_or(""), trace = line.root()["trace"].text_or("");
    ASSERT_FALSE(root.empty());
    for (const auto& line : lines) {
        EXPECT_EQ(line.root()["trace"].text_or(""), trace);
        EXPECT_EQ(line.root()["environment"].text_or(""), "test");
        EXPECT_GE(line.root()["end_us"].integer_or(0), line.root()["start_us"].integer_or(1));
        EXPECT_EQ(line.root()["parent"].text_or(""), line.root()["name"].text_or("") == "call" ? "" : root);
        if (line.root()["type"].text_or("") != "generation") continue;
        ++generations;
        EXPECT_GT(line.root()["tokens_out"].integer_or(0), 0);
        EXPECT_GT(line.root()["first_token_us"].integer_or(0), 0);
        EXPECT_FALSE(line.root()["output"]["content"].text_or("").empty());
    }
    EXPECT_GE(generations, 1);
}

TEST(Examples, LeaveWhatWasSaidOutUnlessTheTenantAllowsIt) {
    ExampleHost here("false");

    here.call_and_say_bye();

    std::ifstream in(here.traces());
    const std::string all(std::istreambuf_iterator<char>(in), {});
    EXPECT_NE(all.find("\"type\":\"generation\""), std::string::npos);
    EXPECT_EQ(all.find("Goodbye"), std::string::npos);
    EXPECT_EQ(all.find("bye"), std::string::npos);
}

TEST(Examples, TakeTheirCallsWhateverNumberACarrierNames) {
    ExampleHost here("false");
    std::string tenant = here.tenant("true");
    tenant.replace(tenant.find("host:trunk/*"), 12, "host:line/*");
    here.folder.write_tenant("lab", tenant);
    here.folder.write_host(0, 0, "[providers.line]\nplugin = \"telephony/example\"\nport = 0\n");
    HostProcess host(here.folder);
    const auto listens = host.wait_log({"carrier.listens"}, 10s);
    ASSERT_TRUE(listens) << host.log();
    const std::size_t colon = listens->find("127.0.0.1:");
    ASSERT_NE(colon, std::string::npos) << *listens;
    const std::string address = listens->substr(colon, listens->find('"', colon) - colon);

    // The host calls itself. telephony/example names "4711" as the only key.
    here.folder.jackfield({"call", "lab/parrot", address + "/4711", "--provider", "host:line"});

    const auto taken = host.wait_log({"\"call.incoming\"", "parrot"}, 10s);
    EXPECT_TRUE(taken) << host.log();
    const auto live = here.folder.jackfield_json({"calls", "list"});
    ASSERT_TRUE(live);
    ASSERT_EQ(live->root().size(), 2u);
    for (std::size_t i = 0; i < 2; ++i) here.folder.jackfield({"calls", "hangup", live->root().at(i)["id"].text_or("")});
    EXPECT_EQ(host.stop(), 0) << host.log();
}

TEST(Examples, AreRefusedWhereTheyDoNotBelong) {
    ExampleHost here("false");
    here.folder.write_tenant("other", R"([tenant]
name = "Other"
telemetry = { providers = ["voice"] }
[providers.voice]
plugin = "tts/example"
)");

    const auto check = here.folder.jackfield({"check"});

    EXPECT_NE(check.code, 0);
    EXPECT_NE((check.out + check.err).find("telemetry"), std::string::npos) << check.out << check.err;
}

}  // namespace
}  // namespace jackfield::test
