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
    for (std::size_t i = first; !sentences.empty() && out.size() < seconds * narrowband_hz; ++i) {
        const auto& sentence = sentences[i % sentences.size()];
        out.insert(out.end(), sentence.begin(), sentence.end());
    }
    out.resize(seconds * narrowband_hz / packet * packet);
    return out;
}

EchoDetector::Packet packet_at(const Pcm& audio, std::size_t at) { return std::span(audio).subspan(at).first<packet>(); }

/// As it is after the wire.
Pcm coded(Pcm audio) {
    for (std::int16_t& s : audio) s = decode_sample(G711Law::mu, encode_sample(G711Law::mu, s));
    return audio;
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
    return coded(std::move(out));
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
        detector.played(packet_at(sent, at));
        detector.heard(packet_at(heard, at));
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
        detector.played(packet_at(agent, at));
        detector.heard(packet_at(heard, at));
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
        detector.played(packet_at(agent, at));
        Pcm heard(echo.begin() + static_cast<std::ptrdiff_t>(at), echo.begin() + static_cast<std::ptrdiff_t>(at + packet));
        // A second of echo, then one packet with the caller in it.
        const bool speaks = at > 5 * narrowband_hz && at / packet % 50 == 49;
        if (speaks) heard = mix(heard, Pcm(caller.begin() + static_cast<std::ptrdiff_t>(loud), caller.begin() + static_cast<std::ptrdiff_t>(loud + packet)));
        detector.heard(packet_at(heard, 0));
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
        detector.heard(packet_at(caller, at));
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

/// A hybrid or a room: two or three copies of what was sent, one of them the wrong way round, and later ones.
Pcm over_path(const Pcm& sent, std::size_t delay, float gain_db, int path) {
    struct Copy {
        std::size_t late;
        float gain;
    };
    static const std::vector<std::vector<Copy>> paths = {
        {{0, 0.8F}, {9, 0.35F}, {37, 0.25F}},
        {{0, -0.7F}, {5, 0.4F}, {61, -0.3F}, {120, -0.2F}},
        {{0, 0.5F}, {3, 0.5F}, {21, 0.4F}, {44, -0.3F}, {90, 0.2F}, {150, 0.2F}},
    };
    const float gain = std::pow(10.0F, gain_db / 20.0F);
    Pcm out(sent.size());
    for (std::size_t i = 0; i < sent.size(); ++i) {
        float sum = 0;
        for (const Copy& copy : paths[static_cast<std::size_t>(path)])
            if (i >= delay + copy.late) sum += copy.gain * static_cast<float>(sent[i - delay - copy.late]);
        out[i] = static_cast<std::int16_t>(std::clamp(gain * sum, -32768.0F, 32767.0F));
    }
    return out;
}

Pcm hiss(std::size_t samples, float dbov, unsigned seed) {
    std::mt19937 random(seed);
    std::normal_distribution<float> noise(0.0F, std::sqrt(dbov_to_mean_square(dbov)));
    Pcm out(samples);
    for (std::int16_t& s : out) s = static_cast<std::int16_t>(noise(random));
    return out;
}

Pcm louder(Pcm audio, float db) {
    const float gain = std::pow(10.0F, db / 20.0F);
    for (std::int16_t& s : audio) s = static_cast<std::int16_t>(std::clamp(gain * static_cast<float>(s), -32768.0F, 32767.0F));
    return audio;
}

/// The same sentences from a longer or a shorter throat: above one it is higher and faster.
Pcm voice_of_another(const Pcm& audio, float pitch) {
    Pcm out;
    for (float at = 0; at + 1 < static_cast<float>(audio.size()); at += pitch) {
        const auto i = static_cast<std::size_t>(at);
        const float part = at - static_cast<float>(i);
        out.push_back(static_cast<std::int16_t>((1 - part) * static_cast<float>(audio[i]) + part * static_cast<float>(audio[i + 1])));
    }
    return out;
}

struct Count {
    int asked = 0;
    int echoes = 0;
    int lines = 0;
    int lines_with_echo = 0; ///< as the detector has it
    std::uint64_t searches = 0;
    double share() const { return asked == 0 ? 0 : static_cast<double>(echoes) / asked; }
};

/// Asks as a call does, when there is voice; `counts` says what of that counts.
template <typename Counts>
void run(const Pcm& sent, const Pcm& heard, Counts counts, Count& total) {
    EchoDetector detector;
    for (std::size_t at = 0; at + packet <= std::min(sent.size(), heard.size()); at += packet) {
        detector.played(packet_at(sent, at));
        detector.heard(packet_at(heard, at));
        if (level(heard, at) < -45.0F) continue;
        const bool is_echo = detector.is_echo();
        if (!counts(at)) continue;
        ++total.asked;
        total.echoes += is_echo ? 1 : 0;
    }
    ++total.lines;
    total.lines_with_echo += detector.seen() ? 1 : 0;
    total.searches += detector.searches();
}

TEST(EchoDetectorCounts, EchoesOfAnyDelayOverAnyPathThroughBothCodings) {
    Count total;
    double worst = 1;
    for (const std::size_t delay : {0, 1, 333, 1111, 2402, 2717, 3900})
        for (const int path : {0, 1, 2})
            for (const float gain_db : {-12.0F, -27.0F}) {
                const auto i = static_cast<std::size_t>(total.lines);
                const Pcm agent = coded(speech(i * 7, 8));
                const Pcm back = coded(mix(over_path(agent, delay, gain_db, path), hiss(agent.size(), i % 2 == 0 ? -65.0F : -52.0F, 1)));
                Count line;

                run(agent, back, [](std::size_t at) { return at > 4000; }, line);

                worst = std::min(worst, line.share());
                total.asked += line.asked;
                total.echoes += line.echoes;
                total.lines += 1;
                total.lines_with_echo += line.lines_with_echo;
            }

    EXPECT_GT(total.asked, 7000);
    EXPECT_GT(total.share(), 0.985);
    EXPECT_GT(worst, 0.93);
    EXPECT_EQ(total.lines_with_echo, total.lines);
}

TEST(EchoDetectorCounts, NobodyElsesVoiceHoweverLoudAndHoweverMuchLikeTheAgents) {
    // Above all the same person, who resembles herself most.
    for (const auto& [pitch, limit] : {std::pair(1.0F, 0.006), std::pair(0.8F, 0.002), std::pair(1.25F, 0.002)}) {
        Count total;
        for (const float gain_db : {0.0F, -6.0F, -12.0F, -20.0F})
            for (std::size_t i = 0; i < 6; ++i) {
                const Pcm agent = coded(speech(i * 25, 15));
                const Pcm caller = louder(voice_of_another(speech(i * 31 + 60, 19), pitch), gain_db);
                const Pcm heard = coded(mix(caller, hiss(caller.size(), -62.0F, 1)));

                run(agent, heard, [](std::size_t) { return true; }, total);
            }

        EXPECT_GT(total.asked, 10000) << pitch;
        EXPECT_LT(total.share(), limit) << pitch;
        EXPECT_EQ(total.lines_with_echo, 0) << pitch;
    }
}

TEST(EchoDetectorCounts, SteadyNoiseIsNoEcho) {
    Count total;
    for (std::size_t i = 0; i < 4; ++i) {
        const Pcm agent = coded(speech(i * 25, 15));

        run(agent, coded(hiss(agent.size(), -38.0F, static_cast<unsigned>(i))), [](std::size_t) { return true; }, total);
    }

    EXPECT_GT(total.asked, 2000);
    EXPECT_LT(total.share(), 0.001);
    EXPECT_EQ(total.lines_with_echo, 0);
}

TEST(EchoDetectorCounts, CallersWhoSpeakOverTheEcho) {
    for (const auto& [gain_db, limit] : {std::pair(0.0F, 0.075), std::pair(-6.0F, 0.14)}) {
        Count over;
        Count before;
        for (std::size_t i = 0; i < 6; ++i) {
            const Pcm agent = coded(speech(i * 25, 18));
            Pcm caller = louder(voice_of_another(speech(i * 31 + 60, 13), i % 2 == 0 ? 1.0F : 0.85F), gain_db);
            caller.insert(caller.begin(), 6 * narrowband_hz, 0);
            const Pcm heard = coded(mix(mix(over_path(agent, 200 + i * 577, -20.0F, static_cast<int>(i % 3)), caller), hiss(agent.size(), -62.0F, 1)));

            run(agent, heard, [&](std::size_t at) { return at + packet <= caller.size() && level(caller, at) > -35.0F; }, over);
            run(agent, heard, [](std::size_t at) { return at > 4000 && at < 6 * narrowband_hz; }, before);
        }

        EXPECT_GT(over.asked, 2000) << gain_db;
        EXPECT_LT(over.share(), limit) << gain_db;
        EXPECT_GT(before.share(), 0.98) << gain_db;
    }
}

TEST(EchoDetectorCounts, EchoesThatJumpByPackets) {
    // What leaves and what comes have no clock in common but the packet: now two of the one come before one of the other.
    Count total;
    for (std::size_t i = 0; i < 4; ++i) {
        const Pcm agent = coded(speech(i * 25, 15));
        const std::size_t delay = 700 + i * 501;
        const Pcm usual = over_path(agent, delay, -18.0F, static_cast<int>(i % 3));
        const Pcm jumped = over_path(agent, delay + packet, -18.0F, static_cast<int>(i % 3));
        Pcm back = usual;
        for (std::size_t at = 0; at + packet <= back.size(); at += packet)
            if (at / packet % 7 < 2) std::copy_n(jumped.begin() + static_cast<std::ptrdiff_t>(at), packet, back.begin() + static_cast<std::ptrdiff_t>(at));

        run(agent, coded(back), [](std::size_t at) { return at > 8000; }, total);
    }

    EXPECT_EQ(total.lines_with_echo, total.lines);
    EXPECT_GT(total.share(), 0.9);
}

TEST(EchoDetectorCounts, AnEchoThatComesUpInMidCallIsFoundThoughTheSearchIsRareByThen) {
    Count early;
    Count late;
    for (std::size_t i = 0; i < 3; ++i) {
        const Pcm agent = coded(speech(i * 25, 40));
        constexpr std::size_t begins = 30 * narrowband_hz;
        Pcm echo = over_path(agent, 900 + i * 633, -18.0F, static_cast<int>(i));
        std::fill_n(echo.begin(), begins, std::int16_t{0});
        Pcm caller = louder(speech(i * 31 + 60, 30), -12.0F);
        caller.resize(agent.size());
        const Pcm heard = coded(mix(echo, caller));

        run(agent, heard, [](std::size_t at) { return at > begins + 4000; }, late);
        run(agent, Pcm(heard.begin(), heard.begin() + begins), [](std::size_t at) { return at > 10 * narrowband_hz; }, early);
    }

    // The caller was quiet enough for an echo all the time.
    EXPECT_LT(static_cast<double>(early.searches), 0.25 * early.asked);
    EXPECT_LT(early.share(), 0.006);
    EXPECT_EQ(late.lines_with_echo, late.lines);
    EXPECT_GT(late.share(), 0.97);
}

TEST(EchoDetectorCounts, ACallerAsLoudAsTheAgentIsNotEvenComparedMostOfTheTime) {
    Count total;
    const Pcm agent = coded(speech(0, 20));

    run(agent, louder(coded(speech(60, 20)), 3.0F), [](std::size_t) { return true; }, total);

    EXPECT_GT(total.asked, 700);
    EXPECT_LT(static_cast<double>(total.searches), 0.2 * total.asked);
}

}  // namespace
}  // namespace jackfield::media
