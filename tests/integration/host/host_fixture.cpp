#include "host_fixture.hpp"

#include <sqlite3.h>

#include <memory>
#include <stdexcept>

namespace jackfield::test {
namespace {

namespace fs = std::filesystem;

/// In the clinic's dialogue this key asks for the opening hours: ten seconds of speech that need no recogniser.
constexpr const char* opening_hours_key = "2";

}  // namespace

fs::path speech_folder() {
    const fs::path folder = fs::path(JACKFIELD_BINARY_DIR) / "test_speech";
    // Test programs run side by side; one of them makes the files.
    ChildProcess child({"flock", folder.string() + ".lock", std::string(JACKFIELD_SOURCE_DIR) + "/packaging/demo_speech.sh", folder.string()});
    const auto status = child.wait(120s);
    if (!status || status->code != 0) throw std::runtime_error("packaging/demo_speech.sh failed: " + child.err());
    return folder;
}

sim::Pcm speech(const std::string& slug) {
    static const fs::path folder = speech_folder();
    return sim::read_speech((folder / (slug + ".wav")).string());
}

std::string desk_tenant(const DeskOptions& options) {
    // On a busy machine a late answer would be bridged by fillers, which a scripted caller would take for the answer.
    const std::string turn = "media_timeout_ms = " + std::to_string(options.media_timeout_ms) + "\ndead_air_ms = 6000\ndead_air_words_ms = 12000\n";
    const std::string speaks = "stt = \"ears\"\nllm = \"brain\"\ntts = \"voice\"\ngreeting = \"" + options.greeting + "\"\n";
    // As in the demonstration, whose words these are.
    const std::string ears = options.ears == "stt/pocketsphinx" ? "reject_margin = 6.9\n" : "";
    std::string text = "[tenant]\nname = \"Desk\"\ntime_zone = \"America/New_York\"\n\n"
                       "[providers.ears]\nplugin = \"" + options.ears + "\"\n" + ears +
                       "[providers.brain]\nplugin = \"llm/scripted\"\nscript = \"" + clinic_script() + "\"\n"
                       "[providers.voice]\nplugin = \"" + options.voice + "\"\n\n"
                       "[agents.reception]\nanswers = [\"host:trunk/sip:reception@\"]\n" + speaks +
                       "[agents.reception.recording]\nenabled = true\n[agents.reception.turn]\n" + turn +
                       "\n[agents.slow]\nanswers = [\"host:trunk/sip:slow@\"]\n" + speaks +
                       "[agents.slow.turn]\nanswer_after_ms = 10000\n" + turn;
    if (options.call_log) text += "\n[services.call_log]\nplugin = \"service/call_log\"\n";
    return text;
}

StoredCall::StoredCall(const HostFolder& folder, const std::string& id) : document_(folder.jackfield_json({"calls", "show", id})) {}

std::vector<base::JsonView> StoredCall::turns(std::string_view role) const {
    std::vector<base::JsonView> out;
    const base::JsonView all = (*this)["turns"];
    for (std::size_t i = 0; i < all.size(); ++i)
        if (all.at(i)["role"].text_or("") == role) out.push_back(all.at(i));
    return out;
}

std::vector<std::string> StoredCall::agent_said() const {
    std::vector<std::string> out;
    for (const base::JsonView turn : turns("assistant")) out.push_back(turn["text"].text_or(""));
    return out;
}

testing::AssertionResult call_is_stored(HostProcess& host, std::size_t from, milliseconds timeout) {
    if (host.wait_log({"\"call.ended\""}, timeout, from)) return testing::AssertionSuccess();
    return testing::AssertionFailure() << "no call ended; the host's log:\n" << host.log();
}

testing::AssertionResult greeted(sim::SipPhone& phone, HostProcess& host, milliseconds silence, const std::string& agent) {
    if (!phone.call(host.sip_uri(agent)) || !phone.wait_answered(10s)) return testing::AssertionFailure() << agent << " does not answer: " << host.log();
    if (!phone.wait_agent_quiet(silence, 15s)) return testing::AssertionFailure() << "no greeting: " << host.log();
    return testing::AssertionSuccess();
}

testing::AssertionResult hung_up(sim::SipPhone& phone, HostProcess& host, std::size_t from) {
    phone.hang_up();
    if (!phone.wait_ended(5s)) return testing::AssertionFailure() << "the phone's BYE has no answer: " << phone.report().json();
    return call_is_stored(host, from);
}

testing::AssertionResult call_until_agent_talks(sim::SipPhone& phone, const std::string& uri) {
    if (!phone.call(uri) || !phone.wait_answered(10s))
        return testing::AssertionFailure() << uri << " was not answered: " << phone.report().json();
    if (!phone.wait_agent_quiet(400ms, 15s)) return testing::AssertionFailure() << "no greeting: " << phone.report().json();
    phone.press(opening_hours_key);
    if (!phone.wait_said(5s) || !phone.wait_agent_speaking(1500ms, 15s))
        return testing::AssertionFailure() << "the agent does not tell the opening hours: " << phone.report().json();
    return testing::AssertionSuccess();
}

void expect_normal_call(HostFolder& folder, HostProcess& host, bool tcp) {
    SCOPED_TRACE("a normal call");
    const std::size_t before = host.log_lines();
    sim::SipPhone phone;
    ASSERT_TRUE(call_until_agent_talks(phone, host.sip_uri("reception", tcp))) << host.log();
    ASSERT_TRUE(hung_up(phone, host, before));

    const StoredCall call(folder);
    EXPECT_EQ(call.text("state"), "ended");
    EXPECT_EQ(call.text("cause"), "normal");
    EXPECT_EQ(call.text("ended_by"), "caller");
    ASSERT_EQ(call.agent_said().size(), 2u);
    EXPECT_EQ(call.agent_said()[1].substr(0, 11), "We are open");
    EXPECT_LE(phone.report().media.lost, 2u);
}

std::int64_t open_ops(const HostFolder& folder) {
    const auto status = folder.jackfield_json({"status"});
    return status ? status->root()["open_ops"].integer_or(-1) : -1;
}

std::vector<std::string> query(const fs::path& database, const std::string& sql) {
    sqlite3* raw = nullptr;
    const int opened = sqlite3_open_v2(database.c_str(), &raw, SQLITE_OPEN_READWRITE, nullptr);
    const std::unique_ptr<sqlite3, decltype(&sqlite3_close)> db(raw, sqlite3_close);
    if (opened != SQLITE_OK) throw std::runtime_error(database.string() + ": " + sqlite3_errmsg(raw));
    sqlite3_busy_timeout(raw, 5000);
    std::vector<std::string> rows;
    char* error = nullptr;
    const auto take = [](void* out, int, char** values, char**) {
        static_cast<std::vector<std::string>*>(out)->emplace_back(values[0] ? values[0] : "");
        return 0;
    };
    if (sqlite3_exec(raw, sql.c_str(), take, &rows, &error) != SQLITE_OK) {
        const std::string text = error ? error : "?";
        sqlite3_free(error);
        throw std::runtime_error(sql + ": " + text);
    }
    return rows;
}

}  // namespace jackfield::test
