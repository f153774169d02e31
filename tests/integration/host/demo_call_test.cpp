// The demonstration's call, with a telephone of ours: what the caller hears is recognised, what is stored is read back.

#include <algorithm>
#include <fstream>
#include <set>

#include "config/toml.hpp"
#include "host_fixture.hpp"
#include "media/wav.hpp"
#include "simulators/scenario.hpp"
#include "support/listener.hpp"

namespace jackfield::test {
namespace {

constexpr std::string_view conversation = R"(
wait_answered 5s
wait_agent 700ms 20s
say opening-hours.wav
wait_agent 900ms 30s
say book-appointment.wav
wait_agent 700ms 20s
say monday.wav
wait_agent 700ms 20s
say nine-a-m.wav
wait_agent 700ms 20s
say number-2127348.wav
wait_agent 900ms 30s
say no-tuesday.wav
wait_agent 900ms 30s
say yes-that-is-right.wav
wait_agent 900ms 30s
say goodbye.wav
wait_ended 20s
)";

const std::vector<std::string> due_replies = {
    "Thank you for calling the clinic. How can I help you?",
    "We are open Monday to Friday from eight in the morning to six in the evening, and Saturday from nine in the morning to noon. Is there "
    "anything else I can do for you?",
    "Which day would you like?",
    "Monday. What time would you like?",
    "Nine in the morning, good. Which number can we call you back on?",
    "I have Monday at nine in the morning, and your number is two one two, seven three four eight. Is that right?",
    "I have Tuesday at nine in the morning, and your number is two one two, seven three four eight. Is that right?",
    "Thank you. Your appointment is on Tuesday at nine in the morning. We will call you back to confirm it. Is there anything else I can do "
    "for you?",
    "Thank you for calling. Goodbye.",
};

/// Everything that the script's agent may say is a text under one of these keys.
const std::set<std::string> spoken_keys = {"greeting", "prompt", "anything_else", "goodbye",      "cancelled",   "says",   "says_open", "says_closed",
                                           "ask",      "reask",  "help",          "confirm_says", "change_says", "closed", "invalid",   "echo",
                                           "unavailable"};

void collect_replies(const config::Value& value, bool spoken, std::vector<std::string>& out) {
    if (value.is_table()) {
        for (const auto& member : value.table()) collect_replies(member.value, spoken_keys.contains(member.key), out);
    } else if (value.is_array()) {
        for (const config::Value& element : value.array()) collect_replies(element, spoken, out);
    } else if (spoken && value.is_text()) {
        out.push_back(value.text());
    }
}

/// All replies of the script, and what its slots are filled with, spoken as the agent speaks it.
std::vector<std::string> all_replies() {
    std::vector<std::string> out;
    const auto script = config::load_toml(clinic_script(), config::Environment::system());
    EXPECT_TRUE(script.ok());
    collect_replies(script.value, false, out);
    for (const char* day : {"Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday", "tomorrow", "today"}) out.emplace_back(day);
    for (const char* hour : {"one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"})
        for (const char* half : {"in the morning", "in the afternoon", "in the evening"}) out.push_back(std::string(hour) + " " + half);
    for (const char* digit : {"zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"}) out.emplace_back(digit);
    out.emplace_back("noon");
    out.emplace_back("Monday to Friday from eight in the morning to six in the evening, and Saturday from nine in the morning to noon");
    return out;
}

std::string code_bytes(const std::vector<std::uint8_t>& codes) { return {codes.begin(), codes.end()}; }

/// The share of `sent` that stands in `recorded` byte for byte, at the one offset that its first loud half second has there.
double share_recorded(const std::string& sent, const std::string& recorded, std::size_t loud_at) {
    const std::size_t found = recorded.find(sent.substr(loud_at, 4000));
    if (found == std::string::npos) return 0;
    const std::size_t begin = loud_at > found ? loud_at - found : 0;
    std::size_t same = 0;
    std::size_t compared = 0;
    for (std::size_t i = begin; i < sent.size() && i - loud_at + found < recorded.size(); ++i, ++compared)
        same += sent[i] == recorded[i - loud_at + found];
    return compared == 0 ? 0 : static_cast<double>(same) / static_cast<double>(compared);
}

TEST(DemoCall, HoldsItsConversationAndStoresWhatWasSaid) {
    HostFolder folder;
    std::ifstream demo(std::string(JACKFIELD_SOURCE_DIR) + "/configs/tenants/demo.toml");
    std::string tenant((std::istreambuf_iterator<char>(demo)), std::istreambuf_iterator<char>());
    const std::string folder_of_configs = "${env:JACKFIELD_CONFIGS:-configs}";
    if (const auto at = tenant.find(folder_of_configs); at != std::string::npos)
        tenant.replace(at, folder_of_configs.size(), std::string(JACKFIELD_SOURCE_DIR) + "/configs");
    // On a busy machine a late answer would be bridged by fillers, which the script would take for the answer.
    const std::string turn = "[agents.reception.turn]\n";
    ASSERT_NE(tenant.find(turn), std::string::npos);
    tenant.insert(tenant.find(turn) + turn.size(), "dead_air_ms = 6000\ndead_air_words_ms = 12000\n");
    if (tenant.find("service/call_log") == std::string::npos) tenant += "\n[services.call_log]\nplugin = \"service/call_log\"\n";
    folder.write_tenant("demo", tenant);
    folder.write_host();
    HostProcess host(folder);
    sim::SipPhone phone;

    ASSERT_TRUE(phone.call(host.sip_uri("reception")));
    const auto result = sim::run_scenario(phone, sim::parse_scenario(conversation), speech_folder().string(), 140s);
    for (const std::string& failure : result.failures) ADD_FAILURE() << failure;
    ASSERT_TRUE(call_is_stored(host, 0)) << phone.report().json();

    const StoredCall call(folder);
    EXPECT_EQ(call.text("cause"), "normal");
    EXPECT_EQ(call.text("ended_by"), "agent");
    EXPECT_EQ(call.text("tenant"), "demo");
    EXPECT_EQ(call.agent_said(), due_replies);
    const auto asked = call.turns("user");
    ASSERT_EQ(asked.size(), 8u);
    EXPECT_EQ(asked[0]["text"].text_or(""), "what are your opening hours");
    EXPECT_EQ(asked[4]["text"].text_or(""), "two one two seven three four eight");
    const auto replies = call.turns("assistant");
    for (std::size_t i = 1; i < replies.size(); ++i) {
        const std::int64_t reply_ms = replies[i]["reply_ms"].integer_or(-1);
        EXPECT_GT(reply_ms, 0) << replies[i].dump();
        std::int64_t sum = 0;
        for (const auto& [name, ms] : replies[i]["stages"].members()) sum += ms.integer_or(0);
        EXPECT_EQ(sum, reply_ms) << replies[i].dump();
    }

    // What the caller heard, by ears that share nothing with the host's.
    const sim::Wav heard = phone.recording();
    sim::Pcm agent;
    sim::Pcm caller;
    for (std::size_t i = 0; i + 1 < heard.samples.size(); i += 2) {
        caller.push_back(heard.samples[i]);
        agent.push_back(heard.samples[i + 1]);
    }
    listener::Listener ears(all_replies());
    const listener::Verdict verdict = listener::judge(ears, agent, due_replies);
    EXPECT_GE(verdict.right, 0.8) << verdict.json();
    EXPECT_LE(verdict.shuffled, 0.3) << verdict.json();
    RecordProperty("right_words", std::to_string(verdict.right));
    RecordProperty("shuffled_words", std::to_string(verdict.shuffled));

    // The host's recording holds what the phone sent, sample for sample.
    EXPECT_EQ(host.stop(), 0) << host.log();
    const auto recording = media::read_wav(call.text("recording"));
    ASSERT_TRUE(recording) << recording.error().text();
    EXPECT_EQ(recording->info.channels, 2);
    EXPECT_EQ(recording->info.codec, media::WavCodec::mu_law);
    EXPECT_FALSE(recording->info.torn);
    const auto opening_hours = phone.report().turns.at(0);
    const auto loud_at = static_cast<std::size_t>(opening_hours.start_ms + 200) * 8;
    const std::string sent = sim::encode(sim::Codec::pcmu, caller);
    const double recorded = share_recorded(sent, code_bytes(recording->channel_codes(0)), loud_at);
    EXPECT_GE(recorded, phone.report().media.late == 0 ? 0.999 : 0.98) << phone.report().json();
    RecordProperty("caller_recorded", std::to_string(recorded));
    EXPECT_NEAR(static_cast<double>(recording->info.frames()) / 8000, phone.report().talked_ms / 1000, 1.0);

    const auto summaries = query(folder.database(), "SELECT summary FROM \"call_log.summaries\" WHERE call = '" + call.text("id") + "'");
    ASSERT_EQ(summaries.size(), 1u);
    EXPECT_FALSE(summaries[0].empty());
}

}  // namespace
}  // namespace jackfield::test
