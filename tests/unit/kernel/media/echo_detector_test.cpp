#include "media/echo_detector.hpp"

#include "media/g711.hpp"
#include "media/level.hpp"
#include "speech_prompts.hpp"

#include <algorithm>
#include <cmath>
#include <random>
#include <vector>

#include <gtest/gtest.h>

namespace jackfield::media {
namespace {

using Pcm = std::vector<std::int16_t>;
constexpr std::size_t packet = packet_samples;

/// Sentences of one person, one after the other.
Pcm speech(std::size_t first, std::size_t seconds) {
    Pcm out;
    static const auto sentences = human_sentences();
    for (std::size_t i = first; i < sentences.size() && out.size() < seconds * narrowband_hz; ++i)
        out.insert(out.end(), sentences[i].begin(), sentences[i].end());
    out.resize(out.size() / packet * packet);
    return out;
}

/// What a line gives back: late, quieter, with two reflections, and its own noise.
Pcm echo_of(const Pcm& sent, int delay_ms, float gain_db, float noise_dbov = -65.0F) {
    std::mt19937 random(3);
    std::normal_distribution<float> noise(0.0F, std::sqrt(dbov_to_mean_square(noise_dbov)));
    const float gain = std::pow(10.0F, gain_db / 20.0F);
    Pcm out(sent.size());
    for (std::size_t i = 0; i < sent.size(); ++i) {
        const auto at = [&](std::size_t late) {
            const std::size_t delay = static_cast<std::size_t>(delay_ms) * 8 + late;
            return i < delay ? 0.0F : static_cast<float>(sent[i - delay]);
        };
        out[i] = static_cast<std::int16_t>(gain * (0.8F * at(0) + 0.35F * at(9) + 0.25F * at(37)) + noise(random));
    }
    // As it comes over the wire.
    for (std::int16_t& s : out) s = decode_sample(G711Law::mu, encode_sample(G711Law::mu, s));
    return out;
}

Pcm mix(Pcm a, const Pcm& b) {
    for (std::size_t i = 0; i < std::min(a.size(), b.size()); ++i) a[i] = static_cast<std::int16_t>(std::clamp(a[i] + b[i], -32768, 32767));
    return a;
}

float level(const Pcm& audio, std::size_t at) { return measure(std::span(audio).subspan(at, packet)).rms_dbov; }

/// Runs both sides against each other; `counts` says which packets count, and gets whether they were taken for an echo.
template <typename Counts>
double share_of_echo(EchoDetector& detector, const Pcm& sent, const Pcm& heard, Counts counts) {
    int asked = 0;
    int echoes = 0;
    for (std::size_t at = 0; at + packet <= std::min(sent.size(), heard.size()); at += packet) {
        detector.played(std::span(sent).subspan(at, packet));
        detector.heard(std::span(heard).subspan(at, packet));
        if (!counts(at)) continue;
        ++asked;
        echoes += detector.is_echo() ? 1 : 0;
    }
    EXPECT_GT(asked, 100);
    return static_cast<double>(echoes) / asked;
}

TEST(EchoDetector, KnowsTheAgentsOwnVoiceWheneverItComesBack) {
    const Pcm agent = speech(0, 20);
    for (const int delay_ms : {0, 80, 190, 300, 450}) {
        const Pcm back = echo_of(agent, delay_ms, -20.0F);
        EchoDetector detector;

        // Loud enough for the voice detector to take it for speech.
        const double share = share_of_echo(detector, agent, back, [&](std::size_t at) { return at > 4000 && level(back, at) > -50.0F; });

        EXPECT_GT(share, 0.97) << delay_ms;
        EXPECT_TRUE(detector.seen());
        ASSERT_TRUE(detector.delay());
        EXPECT_NEAR(static_cast<double>(detector.delay()->count()), delay_ms, 6.0);
    }
}

TEST(EchoDetector, TakesNobodyElseForAnEcho) {
    const Pcm agent = speech(0, 20);
    const Pcm caller = speech(30, 20);
    EchoDetector detector;

    const double share = share_of_echo(detector, agent, caller, [&](std::size_t at) { return level(caller, at) > -35.0F; });

    EXPECT_LT(share, 0.02);
    EXPECT_FALSE(detector.seen());
}

TEST(EchoDetector, HearsACallerOverTheEcho) {
    const Pcm agent = speech(0, 20);
    const Pcm echo = echo_of(agent, 190, -20.0F);
    Pcm caller = speech(30, 10);
    caller.insert(caller.begin(), 10 * narrowband_hz, 0);
    const Pcm heard = mix(echo, caller);
    EchoDetector detector;
    int echoes = 0;
    int spoken = 0;
    int taken_for_echo = 0;

    for (std::size_t at = 0; at + packet <= std::min(agent.size(), caller.size()); at += packet) {
        detector.played(std::span(agent).subspan(at, packet));
        detector.heard(std::span(heard).subspan(at, packet));
        if (level(heard, at) < -50.0F) continue;
        const bool is_echo = detector.is_echo();
        if (at < 10 * narrowband_hz) echoes += is_echo ? 1 : 0;
        if (level(caller, at) < -35.0F) continue;
        ++spoken;
        taken_for_echo += is_echo ? 1 : 0;
    }

    EXPECT_GT(echoes, 100);
    ASSERT_GT(spoken, 100);
    EXPECT_LT(static_cast<double>(taken_for_echo) / spoken, 0.06);
}

TEST(EchoDetector, NoticesTheCallersFirstPacket) {
    const Pcm agent = speech(0, 20);
    const Pcm echo = echo_of(agent, 190, -20.0F);
    const Pcm caller = speech(30, 10);
    std::size_t loud = 0;
    while (level(caller, loud) < -25.0F) loud += packet;
    EchoDetector detector;
    int late = 0;
    int tried = 0;
    for (std::size_t at = 0; at + packet <= agent.size(); at += packet) {
        detector.played(std::span(agent).subspan(at, packet));
        Pcm heard(echo.begin() + static_cast<std::ptrdiff_t>(at), echo.begin() + static_cast<std::ptrdiff_t>(at + packet));
        // A second of echo, then one packet with the caller in it.
        const bool speaks = at > 5 * narrowband_hz && at / packet % 50 == 49;
        if (speaks) heard = mix(heard, Pcm(caller.begin() + static_cast<std::ptrdiff_t>(loud), caller.begin() + static_cast<std::ptrdiff_t>(loud + packet)));
        detector.heard(heard);
        if (level(heard, 0) < -50.0F) continue;
        const bool is_echo = detector.is_echo();
        if (!speaks) continue;
        ++tried;
        late += is_echo ? 1 : 0;
    }

    ASSERT_GT(tried, 10);
    EXPECT_LE(late, tried / 10);
}

TEST(EchoDetector, CountsWhatIsNearlyAsLoudAsTheAgentAsSpeech) {
    const Pcm agent = speech(0, 10);
    const Pcm loud = echo_of(agent, 120, -3.0F);
    EchoDetector detector;

    const double share = share_of_echo(detector, agent, loud, [&](std::size_t at) { return at > 4000 && level(loud, at) > -35.0F; });

    EXPECT_LT(share, 0.2);
}

TEST(EchoDetector, FindsNothingWhereNothingWasPlayed) {
    const Pcm caller = speech(30, 10);
    EchoDetector detector;

    for (std::size_t at = 0; at + packet <= caller.size(); at += packet) {
        detector.played_nothing();
        detector.heard(std::span(caller).subspan(at, packet));
        ASSERT_FALSE(detector.is_echo());
    }
}

TEST(EchoDetector, FollowsADelayThatChanges) {
    const Pcm agent = speech(0, 20);
    const Pcm before = echo_of(agent, 100, -18.0F);
    const Pcm after = echo_of(agent, 260, -18.0F);
    Pcm back = before;
    std::copy(after.begin() + 10 * narrowband_hz, after.end(), back.begin() + 10 * narrowband_hz);
    EchoDetector detector;

    const double share = share_of_echo(detector, agent, back, [&](std::size_t at) { return at > 12 * narrowband_hz && level(back, at) > -50.0F; });

    EXPECT_GT(share, 0.9);
}

}  // namespace
}  // namespace jackfield::media
