// What a caller notices in the first three seconds: how fast the agent answers, that it lets itself be interrupted, and that a cough is
// no interruption. Measured on the wire by a telephone of ours; the recording's samples say where the sentence went on.

#include <algorithm>
#include <cmath>
#include <random>

#include "host_fixture.hpp"

namespace jackfield::test {
namespace {

constexpr int samples_per_ms = sim::rate_hz / 1000;

/// Breath and voice for so long, as loud as speech: what the detector takes for somebody.
sim::Pcm cough(milliseconds length) {
    std::mt19937 random(7);
    std::normal_distribution<double> noise(0.0, 1.0);
    sim::Pcm out(static_cast<std::size_t>(length.count()) * samples_per_ms);
    double low = 0;
    for (std::size_t i = 0; i < out.size(); ++i) {
        low += 0.35 * (noise(random) - low);
        const double buzz = std::fmod(static_cast<double>(i) / samples_per_ms, 7.0) < 1.5 ? 1.0 : 0.15; // a rough voice of 140 Hz
        out[i] = static_cast<std::int16_t>(std::clamp(low * buzz * 16000.0, -30000.0, 30000.0));
    }
    return out;
}

/// The agent's channel of a recording.
sim::Pcm agent_side(const sim::Wav& wav) {
    sim::Pcm out;
    for (std::size_t i = 1; i < wav.samples.size(); i += 2) out.push_back(wav.samples[i]);
    return out;
}

struct Hole {
    std::size_t from = 0;
    std::size_t length = 0;
};

/// The longest digital silence inside `audio`, from the first to the last sound.
Hole longest_hole(const sim::Pcm& audio) {
    Hole longest;
    const auto loud = [](std::int16_t s) { return std::abs(s) > 16; };
    const auto begin = static_cast<std::size_t>(std::find_if(audio.begin(), audio.end(), loud) - audio.begin());
    const auto end = audio.size() - static_cast<std::size_t>(std::find_if(audio.rbegin(), audio.rend(), loud) - audio.rbegin());
    std::size_t from = begin;
    for (std::size_t i = begin; i < end; ++i) {
        if (!loud(audio[i])) continue;
        if (i - from > longest.length) longest = {from, i - from};
        from = i + 1;
    }
    return longest;
}

class TurnTaking : public testing::Test {
  protected:
    void start(const std::string& turn = {}, const char* voice = "tts/flite") {
        DeskOptions desk;
        desk.voice = voice;
        std::string text = desk_tenant(desk);
        const std::string section = "[agents.reception.turn]\n";
        text.insert(text.find(section) + section.size(), turn);
        folder_.write_tenant("desk", text);
        folder_.write_host();
        host_.emplace(folder_);
    }
    /// The agent tells the opening hours to its end, `over` is said when it has been talking for `after`.
    sim::CallReport opening_hours(const sim::Pcm& over, milliseconds after, sim::Wav* recording) {
        sim::SipPhone phone;
        EXPECT_TRUE(phone.call(host_->sip_uri("reception")) && phone.wait_answered(10s));
        if (echo_delays_.first.count() > 0) phone.use_loudspeaker(20, echo_delays_.first);
        EXPECT_TRUE(phone.wait_agent_quiet(1500ms, 15s)); // longer than any hole inside of the sentence
        if (echo_delays_.second.count() > 0) phone.use_loudspeaker(20, echo_delays_.second);
        phone.press("2");
        EXPECT_TRUE(phone.wait_said(5s) && phone.wait_agent_speaking(after, 15s)) << phone.report().json();
        if (!over.empty()) phone.say("over", over);
        EXPECT_TRUE(phone.wait_agent_quiet(1500ms, 30s));
        phone.hang_up();
        EXPECT_TRUE(phone.wait_ended(5s));
        if (recording) *recording = phone.recording();
        return phone.report();
    }

    HostFolder folder_;
    std::optional<HostProcess> host_;
    std::pair<milliseconds, milliseconds> echo_delays_{0, 0}; // of a phone that is used hands free: with the greeting, and behind it
};

TEST_F(TurnTaking, TheAgentIsSilentWithinTheDecisionTimeAfterRealSpeechBegins) {
    start("barge_in_ms = 200\n");

    const sim::CallReport report = opening_hours(speech("book-appointment"), 2500ms, nullptr);

    ASSERT_FALSE(report.turns.empty()) << report.json();
    ASSERT_TRUE(report.turns[0].kept_speaking_ms) << report.json();
    RecordProperty("kept_speaking_ms", std::to_string(*report.turns[0].kept_speaking_ms));
    EXPECT_LE(*report.turns[0].kept_speaking_ms, 200 + 60) << report.json();
}

TEST_F(TurnTaking, ACoughPausesTheSentenceWhichGoesOnFromTheSameSample) {
    // This voice says a text twice in the same samples; flite draws some of its noise anew.
    start("barge_in_ms = 100\n", "tts/espeak_ng");
    const std::size_t log = host_->log_lines();
    sim::Wav plain_call;
    opening_hours({}, 2500ms, &plain_call);
    ASSERT_TRUE(call_is_stored(*host_, log));
    const std::size_t log2 = host_->log_lines();

    sim::Wav coughed_call;
    opening_hours(cough(150ms), 2500ms, &coughed_call);
    ASSERT_TRUE(call_is_stored(*host_, log2));

    const StoredCall call(folder_);
    const auto agent = call.turns("assistant");
    ASSERT_EQ(agent.size(), 2u) << call["turns"].dump();
    EXPECT_FALSE(agent[1]["interrupted"].boolean_or(true));
    EXPECT_EQ(agent[1]["unheard"].text_or("-"), "");

    // The sentence has a hole of a second at most, and around it not a sample is missing: what is left when the hole is taken out is the
    // sentence as it was when nobody coughed. The few milliseconds of fading don't compare.
    const auto sentence = [](const sim::Pcm& audio) {
        // Behind the greeting: the last stretch that half a second of silence begins.
        std::size_t quiet = 0;
        std::size_t begin = 0;
        for (std::size_t i = 0; i < audio.size(); ++i) {
            if (std::abs(audio[i]) <= 16) {
                ++quiet;
            } else {
                if (quiet > 1100u * samples_per_ms || begin == 0) begin = i;
                quiet = 0;
            }
        }
        return sim::Pcm(audio.begin() + static_cast<std::ptrdiff_t>(begin), audio.end());
    };
    const sim::Pcm plain = sentence(agent_side(plain_call));
    sim::Pcm coughed = sentence(agent_side(coughed_call));
    const Hole natural = longest_hole(plain);
    const Hole hole = longest_hole(coughed);
    ASSERT_GT(hole.length, natural.length + 200u * samples_per_ms) << "the cough made no pause";
    const std::size_t paused = hole.length;
    EXPECT_LE(paused, 1000u * samples_per_ms);
    // What was cut out may begin in a natural pause, so the seam is looked for: it is where both agree before and behind.
    std::size_t same_before = 0;
    while (same_before < plain.size() && same_before < coughed.size() && std::abs(plain[same_before] - coughed[same_before]) <= 16) ++same_before;
    std::size_t same_behind = 0;
    const auto trim = [](sim::Pcm& audio) {
        while (!audio.empty() && std::abs(audio.back()) <= 16) audio.pop_back();
    };
    sim::Pcm plain_end = plain;
    trim(plain_end);
    trim(coughed);
    while (same_behind < plain_end.size() && same_behind < coughed.size() &&
           std::abs(plain_end[plain_end.size() - 1 - same_behind] - coughed[coughed.size() - 1 - same_behind]) <= 16)
        ++same_behind;
    RecordProperty("paused_ms", std::to_string(paused / samples_per_ms));
    EXPECT_GE(same_before + same_behind + 12u * samples_per_ms, plain_end.size())
        << "of " << plain_end.size() << " samples " << same_before << " are the same before and " << same_behind << " behind the pause";
}

TEST_F(TurnTaking, TheAgentsOwnVoiceFromALoudspeakerDoesNotInterruptIt) {
    start();
    const std::size_t log = host_->log_lines();
    echo_delays_ = {80ms, 300ms};

    opening_hours({}, 2500ms, nullptr);

    ASSERT_TRUE(call_is_stored(*host_, log));
    const StoredCall call(folder_);
    const auto agent = call.turns("assistant");
    ASSERT_EQ(agent.size(), 2u) << call["turns"].dump();
    for (const auto& turn : agent) {
        EXPECT_FALSE(turn["interrupted"].boolean_or(true)) << turn.dump();
        EXPECT_EQ(turn.dump().find("duck"), std::string::npos) << turn.dump();
    }
    // What came back was no turn of the caller's either.
    EXPECT_EQ(call.turns("user").size(), 1u) << call["turns"].dump();
}

TEST_F(TurnTaking, RealSpeechOverTheEchoSilencesTheAgentWithinTheTimeForSuchLines) {
    start();
    echo_delays_ = {190ms, 190ms};

    const sim::CallReport report = opening_hours(speech("book-appointment"), 2500ms, nullptr);

    ASSERT_FALSE(report.turns.empty()) << report.json();
    ASSERT_TRUE(report.turns[0].kept_speaking_ms) << report.json();
    RecordProperty("kept_speaking_ms", std::to_string(*report.turns[0].kept_speaking_ms));
    EXPECT_LE(*report.turns[0].kept_speaking_ms, 320 + 60) << report.json();
    EXPECT_GT(*report.turns[0].kept_speaking_ms, 200) << report.json();
}

TEST_F(TurnTaking, TheAnswerComesWithinTheEndpointAndTheRecognisersOwnWait) {
    start();
    const std::size_t log = host_->log_lines();
    sim::SipPhone phone;
    ASSERT_TRUE(phone.call(host_->sip_uri("reception")) && phone.wait_answered(10s));
    ASSERT_TRUE(phone.wait_agent_quiet(700ms, 15s));
    for (const char* words : {"book-appointment", "monday", "nine-a-m"}) {
        phone.say(words, speech(words));
        ASSERT_TRUE(phone.wait_said(10s));
        ASSERT_TRUE(phone.wait_agent_quiet(900ms, 20s)) << phone.report().json();
    }
    phone.hang_up();
    ASSERT_TRUE(phone.wait_ended(5s));
    ASSERT_TRUE(call_is_stored(*host_, log));

    const sim::CallReport report = phone.report();
    const StoredCall call(folder_);
    const auto agent = call.turns("assistant");
    ASSERT_EQ(agent.size(), 4u) << call["turns"].dump();
    ASSERT_EQ(report.turns.size(), 3u);
    for (std::size_t i = 0; i < 3; ++i) {
        const base::JsonView stages = agent[i + 1]["stages"];
        const auto stt = stages["stt_ms"].integer_or(-1);
        ASSERT_GE(stt, 0) << agent[i + 1].dump();
        ASSERT_TRUE(report.turns[i].latency_ms) << report.json();
        // Endpoint and recogniser as the host's record has them; everything else, the wire included, has 60 ms.
        EXPECT_LE(*report.turns[i].latency_ms, static_cast<double>(stages["vad_ms"].integer_or(0) + stages["endpoint_ms"].integer_or(0) + stt) + 60) << agent[i + 1].dump() << report.json();
    }
}

}  // namespace
}  // namespace jackfield::test
