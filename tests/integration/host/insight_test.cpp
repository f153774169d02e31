// To see into a call: what an operator is told of a call that was held with a telephone, while it lasts and afterwards.

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <iterator>

#include "host_fixture.hpp"
#include "media/wav.hpp"
#include "support/pcap_reader.hpp"

namespace jackfield::test {
namespace {

class Insight : public testing::Test {
  protected:
    void serve() {
        folder_.write_tenant("desk", desk_tenant());
        folder_.write_host();
        host_ = std::make_unique<HostProcess>(folder_);
    }
    /// A call in which the caller asks for the opening hours and hangs up when it has heard them.
    void hold_a_call() {
        sim::SipPhone phone;
        ASSERT_TRUE(phone.call(host_->sip_uri("reception")));
        ASSERT_TRUE(phone.wait_answered(5s)) << host_->log();
        ASSERT_TRUE(phone.wait_agent_quiet(700ms, 20s)) << phone.report().json();
        phone.say("opening-hours", speech("opening-hours"));
        ASSERT_TRUE(phone.wait_said(10s));
        ASSERT_TRUE(phone.wait_agent_quiet(1500ms, 30s)) << phone.report().json();
        phone.hang_up();
        ASSERT_TRUE(call_is_stored(*host_, 0)) << phone.report().json();
    }
    void TearDown() override {
        if (!host_) return;
        EXPECT_EQ(host_->stop(), 0) << host_->log();
    }
    std::string live_id() {
        const auto live = folder_.jackfield_json({"calls", "list", "--live"});
        return live ? live->root()["calls"].at(0)["id"].text_or("") : "";
    }

    HostFolder folder_;
    std::unique_ptr<HostProcess> host_;
};

std::vector<std::string> decided(base::JsonView turn) {
    std::vector<std::string> out;
    for (std::size_t i = 0; i < turn["decisions"].size(); ++i) out.push_back(turn["decisions"].at(i)["what"].text_or(""));
    return out;
}

bool has(const std::vector<std::string>& all, const std::string& one) { return std::find(all.begin(), all.end(), one) != all.end(); }

TEST_F(Insight, TellsWhyATurnWasTakenAndHowLongEachStageTook) {
    serve();
    hold_a_call();

    const auto why = folder_.jackfield_json({"why", "last"});
    ASSERT_TRUE(why);
    EXPECT_FALSE(why->root()["live"].boolean_or(true));
    const base::JsonView turns = why->root()["turns"];
    ASSERT_GE(turns.size(), 3u) << turns.dump();
    const base::JsonView asked = turns.at(1);
    EXPECT_EQ(asked["role"].text_or(""), "user");
    for (const char* what : {"speech_start", "speech_stop", "endpoint_wait", "endpoint", "final_text"})
        EXPECT_TRUE(has(decided(asked), what)) << what << " in " << asked.dump();
    std::int64_t heard_to = 0;
    for (std::size_t i = 0; i < asked["decisions"].size(); ++i) {
        const base::JsonView entry = asked["decisions"].at(i);
        if (entry["what"].text_or("") == "speech_start") {
            EXPECT_GT(entry["sample"].integer_or(-1), 0);
            EXPECT_LT(entry["level_db"].integer_or(0), 0);
        }
        if (entry["what"].text_or("") == "speech_stop") {
            EXPECT_GT(entry["voiced_ms"].integer_or(0), 100) << entry.dump();
        }
        EXPECT_GE(entry["at_ms"].integer_or(-1), heard_to) << asked.dump();
        heard_to = entry["at_ms"].integer_or(0);
    }
    const base::JsonView answered = turns.at(2);
    EXPECT_EQ(answered["role"].text_or(""), "assistant");
    for (const char* what : {"first_token", "first_speech", "first_sent"}) EXPECT_TRUE(has(decided(answered), what)) << what << " in " << answered.dump();

    for (std::size_t i = 0; i < turns.size(); ++i) {
        if (turns.at(i)["stages"].absent()) continue;
        std::int64_t sum = 0;
        for (const auto& [name, ms] : turns.at(i)["stages"].members()) sum += ms.integer_or(0);
        EXPECT_EQ(sum, turns.at(i)["reply_ms"].integer_or(-1)) << turns.at(i).dump();
    }

    const auto one = folder_.jackfield({"why", "last", "1"});
    EXPECT_EQ(one.code, 0) << one.err;
    EXPECT_NE(one.out.find("turn closed after"), std::string::npos) << one.out;
    EXPECT_EQ(one.out.find("turn 2"), std::string::npos) << one.out;
    const auto shown = folder_.jackfield({"calls", "show", "last", "--waterfall"});
    EXPECT_EQ(shown.code, 0);
    EXPECT_NE(shown.out.find("ms  |v"), std::string::npos) << shown.out;
    EXPECT_EQ(folder_.jackfield({"why", "last", "99"}).code, 1);
    EXPECT_EQ(folder_.jackfield({"why", "01NOSUCHCALL"}).code, 1);
}

TEST_F(Insight, TellsOfALiveCallWhatIsBeingDecided) {
    serve();
    sim::SipPhone phone;
    ASSERT_TRUE(call_until_agent_talks(phone, host_->sip_uri("reception")));

    const auto why = folder_.jackfield_json({"why", live_id()});

    ASSERT_TRUE(why);
    EXPECT_TRUE(why->root()["live"].boolean_or(false));
    EXPECT_TRUE(has(decided(why->root()["open"]), "first_sent")) << why->root().dump();
    const auto text = folder_.jackfield({"why", live_id()});
    EXPECT_NE(text.out.find("(not over)"), std::string::npos) << text.out;
    phone.hang_up();
    ASSERT_TRUE(call_is_stored(*host_, 0));
}

/// The first words of the ladder's SIP messages, with '>' for received and '<' for sent.
std::vector<std::string> rungs(base::JsonView entries) {
    std::vector<std::string> out;
    for (std::size_t i = 0; i < entries.size(); ++i) {
        if (entries.at(i)["kind"].text_or("") != "sip") continue;
        const std::string text = entries.at(i)["text"].text_or("");
        const bool response = text.starts_with("SIP/2.0 ");
        out.push_back((entries.at(i)["out"].boolean_or(false) ? "<" : ">") + (response ? text.substr(8, 3) : text.substr(0, text.find(' '))));
    }
    return out;
}

TEST_F(Insight, DrawsTheLadderOfACallThatTheCallerEnded) {
    serve();
    hold_a_call();

    const auto trace = folder_.jackfield_json({"call", "trace", "last"});

    ASSERT_TRUE(trace);
    const auto messages = rungs(trace->root()["entries"]);
    EXPECT_EQ(messages.front(), ">INVITE") << trace->root().dump();
    for (const char* rung : {"<100", "<200", ">ACK", ">BYE"}) EXPECT_TRUE(has(messages, rung)) << rung << " in " << trace->root().dump();
    EXPECT_EQ(messages.back(), "<200") << "the answer to the BYE";
    bool recogniser = false;
    int opened = 0;
    int done = 0;
    for (std::size_t i = 0; i < trace->root()["entries"].size(); ++i) {
        const base::JsonView entry = trace->root()["entries"].at(i);
        opened += entry["kind"].text_or("") == "open";
        done += entry["kind"].text_or("") == "done";
        recogniser |= entry["name"].text_or("") == "stt" && !entry["provider"].text_or("").empty();
    }
    EXPECT_TRUE(recogniser);
    EXPECT_GE(opened, 5);
    EXPECT_EQ(opened, done) << "every op of a call that is over has completed";

    const auto drawn = folder_.jackfield({"call", "trace", "last", "--messages"});
    EXPECT_EQ(drawn.code, 0) << drawn.err;
    for (const char* part : {"-- INVITE sip:reception@", "[SDP]", "|-- open leg", "|<- done llm", ": ok", "Call-ID: "})
        EXPECT_NE(drawn.out.find(part), std::string::npos) << part << " in:\n" << drawn.out;
}

TEST_F(Insight, DrawsTheLadderOfALiveCallAndOfOneThatTheHostEnded) {
    serve();
    sim::SipPhone phone;
    ASSERT_TRUE(call_until_agent_talks(phone, host_->sip_uri("reception")));
    const std::string id = live_id();

    const auto live = folder_.jackfield_json({"call", "trace", id});
    ASSERT_TRUE(live);
    EXPECT_TRUE(has(rungs(live->root()["entries"]), ">ACK"));
    EXPECT_EQ(folder_.jackfield({"calls", "hangup", id}).code, 0);
    EXPECT_TRUE(phone.wait_ended(5s));
    ASSERT_TRUE(call_is_stored(*host_, 0));

    const auto stored = folder_.jackfield_json({"call", "trace", id});
    ASSERT_TRUE(stored);
    EXPECT_TRUE(has(rungs(stored->root()["entries"]), "<BYE")) << stored->root().dump();
}

double loudness(const std::vector<std::int16_t>& samples) {
    double sum = 0;
    for (const std::int16_t sample : samples) sum += static_cast<double>(sample) * sample;
    return samples.empty() ? 0 : sum / static_cast<double>(samples.size());
}

std::string content(const std::filesystem::path& file) {
    std::ifstream in(file, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

TEST_F(Insight, LetsAnOperatorHearBothSidesAndLogsWhoDid) {
    serve();
    sim::SipPhone phone;
    ASSERT_TRUE(call_until_agent_talks(phone, host_->sip_uri("reception")));
    const std::string id = live_id();
    const auto wav = folder_.path() / "heard.wav";

    const auto listener = folder_.start_jackfield({"call", "listen", "last", "--stereo", "--seconds", "4", "-o", wav.string()});
    ASSERT_TRUE(host_->wait_log({"audit.listen", "uid " + std::to_string(::getuid()), id}, 5s)) << host_->log();
    phone.say("opening-hours", speech("opening-hours"));
    const auto status = listener->wait(15s);

    ASSERT_TRUE(status);
    EXPECT_EQ(status->code, 0) << listener->err();
    const auto heard = media::read_wav(wav.string());
    ASSERT_TRUE(heard) << heard.error().text();
    EXPECT_EQ(heard->info.channels, 2);
    EXPECT_EQ(heard->info.codec, media::WavCodec::pcm16);
    EXPECT_FALSE(heard->info.torn);
    EXPECT_NEAR(static_cast<double>(heard->info.frames()) / 8000, 4.0, 0.3);
    EXPECT_GT(loudness(heard->channel(0)), 10'000) << "the caller";
    EXPECT_GT(loudness(heard->channel(1)), 10'000) << "the agent";
    struct stat socket {};
    ASSERT_EQ(::stat((folder_.path() / "state" / "control.sock").c_str(), &socket), 0);
    EXPECT_EQ(socket.st_mode & 0777, 0600u) << "operators only";
    EXPECT_EQ(folder_.jackfield({"call", "listen", "01NOSUCHCALL"}).code, 1);
    phone.hang_up();
    ASSERT_TRUE(call_is_stored(*host_, 0));
    EXPECT_EQ(folder_.jackfield({"call", "listen", "last"}).code, 1) << "what is over can't be listened to";
}

TEST_F(Insight, LetsSeveralListenUntilTheCallIsOver) {
    serve();
    sim::SipPhone phone;
    ASSERT_TRUE(call_until_agent_talks(phone, host_->sip_uri("reception")));
    const std::string id = live_id();

    const auto mixed = folder_.start_jackfield({"call", "listen", id, "--raw", "-o", (folder_.path() / "mixed.raw").string()});
    ASSERT_TRUE(host_->wait_log({"audit.listen"}, 5s));
    const auto gone = folder_.start_jackfield({"call", "listen", id, "--raw", "-o", "/dev/null"});
    ASSERT_TRUE(host_->wait_log({"audit.listen"}, 5s, host_->log_lines() > 0 ? host_->log_lines() - 1 : 0));
    gone->signal(SIGKILL);
    EXPECT_TRUE(phone.wait(1s));
    phone.hang_up();
    const auto status = mixed->wait(10s);

    ASSERT_TRUE(status) << "it ends with the call";
    EXPECT_EQ(status->code, 0) << mixed->err();
    EXPECT_GT(std::filesystem::file_size(folder_.path() / "mixed.raw"), 8000u);
    ASSERT_TRUE(call_is_stored(*host_, 0));
}

TEST_F(Insight, WritesSignallingAndMediaAsPackets) {
    serve();
    sim::SipPhone phone;
    ASSERT_TRUE(call_until_agent_talks(phone, host_->sip_uri("reception")));
    const std::string id = live_id();
    const auto live = folder_.path() / "live.pcap";
    const auto stored = folder_.path() / "stored.pcap";

    const auto wrote = folder_.jackfield({"call", "pcap", id, "-o", live.string(), "--seconds", "1"});
    EXPECT_EQ(wrote.code, 0) << wrote.err;
    phone.hang_up();
    ASSERT_TRUE(call_is_stored(*host_, 0));
    EXPECT_EQ(folder_.jackfield({"call", "pcap", id, "-o", stored.string()}).code, 0);

    const auto packets = read_pcap(content(live));
    std::size_t media = 0;
    std::size_t sequence_errors = 0;
    std::optional<std::uint16_t> last;
    for (const PcapPacket& packet : packets) {
        if (packet.payload.empty() || packet.payload[0] != '\x80') continue;
        ++media;
        if (static_cast<unsigned char>(packet.payload[8]) != 0x4a) continue; // the agent's side
        const auto sequence = static_cast<std::uint16_t>(static_cast<unsigned char>(packet.payload[2]) << 8 | static_cast<unsigned char>(packet.payload[3]));
        if (last && sequence != *last + 1) ++sequence_errors;
        last = sequence;
    }
    EXPECT_NEAR(static_cast<double>(media), 100, 12) << "50 packets a second and side";
    EXPECT_EQ(sequence_errors, 0u);
    EXPECT_TRUE(packets.front().payload.starts_with("INVITE ")) << packets.front().payload;
    const auto messages = read_pcap(content(stored));
    EXPECT_GE(messages.size(), 5u);
    bool bye = false;
    for (const PcapPacket& packet : messages) bye |= packet.payload.starts_with("BYE ");
    EXPECT_TRUE(bye);
}

}  // namespace
}  // namespace jackfield::test
