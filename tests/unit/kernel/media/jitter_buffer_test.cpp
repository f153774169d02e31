#include "media/jitter_buffer.hpp"

#include "media/audio_check.hpp"
#include "media/level.hpp"
#include "media/tone.hpp"
#include "speech_prompts.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <random>

#include <gtest/gtest.h>

namespace jackfield::media {
namespace {

constexpr std::int64_t ms = 1'000'000;

/// A sender, a network and a listener on a clock of their own, to the millisecond.
class Line {
  public:
    explicit Line(const JitterOptions& options = {}) : buffer(options) {}

    /// Sends packet `n` of `audio` so that it arrives `late_ms` after its due time.
    void send(std::int64_t n, std::span<const std::int16_t> pcm, double late_ms) {
        const auto at = static_cast<std::int64_t>((static_cast<double>(n) * 20.0 * speed + late_ms) * 1e6);
        in_flight_.emplace(at, Packet{n * packet_samples, {pcm.begin(), pcm.end()}});
    }
    void run_until(std::int64_t end_ms) {
        while (next_pop_ <= end_ms * ms) {
            while (!in_flight_.empty() && in_flight_.begin()->first <= next_pop_) {
                const auto& [at, packet] = *in_flight_.begin();
                buffer.push(packet.pts, packet.pcm, base::MonoTime{at});
                in_flight_.erase(in_flight_.begin());
            }
            std::array<std::int16_t, packet_samples> out;
            kinds.push_back(buffer.pop(out));
            heard.insert(heard.end(), out.begin(), out.end());
            deepest = std::max(deepest, buffer.depth().count());
            next_pop_ += 20 * ms;
        }
    }
    std::size_t count(JitterOutput kind) const { return static_cast<std::size_t>(std::count(kinds.begin(), kinds.end(), kind)); }

    JitterBuffer buffer;
    std::vector<std::int16_t> heard;
    std::vector<JitterOutput> kinds;
    std::int64_t deepest = 0;
    double speed = 1.0;  ///< how much longer the sender's 20 ms are than ours

  private:
    struct Packet {
        SamplePos pts;
        std::vector<std::int16_t> pcm;
    };
    std::multimap<std::int64_t, Packet> in_flight_;
    std::int64_t next_pop_ = 7 * ms;  // out of step with the sender
};

std::vector<std::int16_t> speech(std::size_t seconds) {
    std::vector<std::int16_t> out;
    static const auto sentences = human_sentences();
    for (const auto& sentence : sentences) {
        out.insert(out.end(), sentence.begin(), sentence.end());
        if (out.size() >= seconds * narrowband_hz) break;
    }
    out.resize(std::min(out.size(), seconds * narrowband_hz) / packet_samples * packet_samples);
    return out;
}

std::span<const std::int16_t> packet(const std::vector<std::int16_t>& audio, std::size_t n) {
    return std::span(audio).subspan(n * packet_samples, packet_samples);
}

std::size_t clicks(const std::vector<std::int16_t>& audio) { return check_audio(audio).clicks.size(); }

TEST(JitterBuffer, PlaysASteadyStreamUnchangedAfter40Ms) {
    const auto audio = speech(5);
    Line line;
    for (std::size_t n = 0; n < audio.size() / packet_samples; ++n) line.send(static_cast<std::int64_t>(n), packet(audio, n), 0);

    line.run_until(4000);

    const auto silence = static_cast<std::size_t>(std::find_if(line.kinds.begin(), line.kinds.end(), [](JitterOutput kind) {
        return kind == JitterOutput::audio;
    }) - line.kinds.begin()) * packet_samples;
    EXPECT_LE(silence, 2U * packet_samples);
    EXPECT_TRUE(std::equal(line.heard.begin() + static_cast<std::ptrdiff_t>(silence) + 80, line.heard.end(), audio.begin() + 80));
    EXPECT_LE(line.buffer.depth().count(), 40);
    EXPECT_EQ(line.buffer.counters().concealed_samples, 0U);
}

TEST(JitterBuffer, HidesOneLostPacketInTen) {
    const auto audio = speech(20);
    Line line;
    std::mt19937 random(4);
    std::size_t lost = 0;
    for (std::size_t n = 0; n < audio.size() / packet_samples; ++n) {
        if (n > 5 && random() % 10 == 0) ++lost;
        else line.send(static_cast<std::int64_t>(n), packet(audio, n), 0);
    }

    line.run_until(static_cast<std::int64_t>(audio.size()) / 8);

    const AudioDefects defects = check_audio(line.heard);
    EXPECT_GT(lost, 80U);
    EXPECT_LE(defects.clicks.size(), clicks(audio) + lost / 20);
    EXPECT_LE(defects.gaps.size(), check_audio(audio).gaps.size());
    // Silence in their place would be heard as holes.
    EXPECT_NEAR(static_cast<double>(line.buffer.counters().lost_samples), static_cast<double>(lost * packet_samples), 2 * packet_samples);
}

TEST(JitterBuffer, WaitsAsLongAsTheNetworkAsksFor) {
    const auto audio = speech(30);
    Line line;
    std::mt19937 random(1);
    for (std::size_t n = 0; n < audio.size() / packet_samples; ++n)
        line.send(static_cast<std::int64_t>(n), packet(audio, n), static_cast<double>(random() % 60));

    line.run_until(5000);
    const JitterCounters settled = line.buffer.counters();
    line.run_until(28000);

    EXPECT_GE(line.buffer.wanted().count(), 60);
    EXPECT_LE(line.deepest, 140);
    const JitterCounters& after = line.buffer.counters();
    EXPECT_EQ(after.late, settled.late);
    EXPECT_LE(after.concealed_samples - settled.concealed_samples, 23U * 8000U / 200);  // half a percent
    EXPECT_LE(clicks(line.heard), clicks(audio) + 6);
}

TEST(JitterBuffer, GivesTheDelayBackWhenTheNetworkCalmsDown) {
    const auto audio = speech(40);
    Line line;
    std::mt19937 random(1);
    for (std::size_t n = 0; n < audio.size() / packet_samples; ++n)
        line.send(static_cast<std::int64_t>(n), packet(audio, n), n < 500 ? static_cast<double>(random() % 80) : 0.0);

    line.run_until(9500);
    const auto rough = line.buffer.wanted().count();
    line.run_until(38000);

    EXPECT_GE(rough, 90);
    EXPECT_EQ(line.buffer.wanted().count(), 40);
    EXPECT_LE(line.buffer.depth().count(), 60);
    EXPECT_GT(line.buffer.counters().squeezed_samples, 0U);
}

TEST(JitterBuffer, PutsPacketsInOrder) {
    const auto audio = speech(5);
    Line line;
    for (std::size_t n = 0; n < audio.size() / packet_samples; ++n)
        line.send(static_cast<std::int64_t>(n), packet(audio, n), n % 5 == 2 ? 21.0 : 0.0);

    line.run_until(4000);

    EXPECT_LE(line.buffer.counters().lost_samples, 2U * packet_samples);
    EXPECT_EQ(line.buffer.counters().duplicate, 0U);
    EXPECT_LE(clicks(line.heard), clicks(audio));
}

TEST(JitterBuffer, CountsWhatComesTwiceOrTooLate) {
    const auto audio = speech(3);
    Line line;
    for (std::size_t n = 0; n < 100; ++n) line.send(static_cast<std::int64_t>(n), packet(audio, n), n == 50 ? 300.0 : 0.0);
    line.send(60, packet(audio, 60), 1.0);

    line.run_until(1900);

    EXPECT_EQ(line.buffer.counters().late, 1U);
    EXPECT_EQ(line.buffer.counters().duplicate, 1U);
    EXPECT_EQ(line.buffer.counters().lost_samples, static_cast<std::uint64_t>(packet_samples));
    EXPECT_EQ(line.buffer.wanted().count(), 60);
}

/// For `minutes`, a sender whose clock is off by so many parts in a million.
void drift(double ppm) {
    const auto audio = speech(60);
    Line line;
    line.speed = 1.0 + ppm / 1e6;
    const std::size_t packets = audio.size() / packet_samples;
    constexpr std::int64_t rounds = 10;
    for (std::int64_t round = 0; round < rounds; ++round)
        for (std::size_t n = 0; n < packets; ++n) line.send(round * static_cast<std::int64_t>(packets) + static_cast<std::int64_t>(n), packet(audio, n), 0);
    line.run_until(rounds * static_cast<std::int64_t>(packets) * 20 - 500);

    // Ten minutes at 300 ppm are 180 ms: without steering the buffer would have run dry or over.
    EXPECT_LE(line.deepest, 80) << ppm;
    EXPECT_LE(line.buffer.counters().concealed_samples, 20U * packet_samples) << ppm;
    EXPECT_EQ(line.buffer.counters().skipped_samples, 0U) << ppm;
    EXPECT_LE(clicks(line.heard), rounds * clicks(audio) + 5) << ppm;
}

TEST(JitterBuffer, KeepsPaceWithASlowerSender) { drift(300); }
TEST(JitterBuffer, KeepsPaceWithAFasterSender) { drift(-300); }

TEST(JitterBuffer, FillsSilenceThatIsNotSentWithNoiseOfTheSameLevel) {
    Line line;
    ComfortNoise background(-55.0F);
    ToneGenerator voice(220, 440, -25.0F);
    std::vector<std::int16_t> pcm(packet_samples);
    std::int64_t n = 0;
    for (; n < 100; ++n) {
        if (n % 20 < 10) voice.fill(pcm);
        else background.fill(pcm);
        line.send(n, pcm, 0);
    }
    for (n = 200; n < 300; ++n) {
        voice.fill(pcm);
        line.send(n, pcm, 0);
    }

    line.run_until(5900);

    const std::span<const std::int16_t> pause = std::span(line.heard).subspan(3 * 8000 - 4000, 6000);
    double power = 0;
    for (const std::int16_t sample : pause) power += static_cast<double>(sample) * sample;
    EXPECT_NEAR(10 * std::log10(power / static_cast<double>(pause.size()) / 32768.0 / 32768.0), -55.0, 5.0);
    EXPECT_GE(line.count(JitterOutput::noise), 80U);
    EXPECT_EQ(line.buffer.counters().lost_samples, 0U);
    EXPECT_TRUE(check_audio(line.heard).gaps.empty());
}

TEST(JitterBuffer, PlaysABurstBehindAnOutageAndCatchesUp) {
    const auto audio = speech(10);
    Line line;
    for (std::size_t n = 0; n < audio.size() / packet_samples; ++n) {
        const bool stuck = n >= 100 && n < 115;
        line.send(static_cast<std::int64_t>(n), packet(audio, n), stuck ? static_cast<double>(115 - n) * 20.0 : 0.0);
    }

    line.run_until(9000);

    EXPECT_LE(line.deepest, 160);
    EXPECT_LE(clicks(line.heard), clicks(audio) + 2);
    EXPECT_LE(line.buffer.depth().count(), 140);
}

TEST(JitterBuffer, FollowsASenderThatBeginsANewTimeLine) {
    const auto audio = speech(4);
    JitterBuffer buffer;
    std::array<std::int16_t, packet_samples> out;
    std::size_t played = 0;
    for (std::int64_t n = 0; n < 150; ++n) {
        const SamplePos pts = n < 75 ? n * packet_samples : 900'000'000 - n * 7 + n * packet_samples;
        buffer.push(n < 75 ? pts : 900'000'000 + n * packet_samples, packet(audio, static_cast<std::size_t>(n)), base::MonoTime{n * 20 * ms});
        played += buffer.pop(out) == JitterOutput::audio;
    }

    EXPECT_EQ(buffer.counters().resyncs, 1U);
    EXPECT_GE(played, 140U);
}

TEST(JitterBuffer, TakesPacketsOfAnyLength) {
    const auto audio = speech(6);
    JitterBuffer buffer;
    std::array<std::int16_t, packet_samples> out;
    std::vector<std::int16_t> heard;
    for (std::int64_t tick = 0; tick < 250; ++tick) {
        if (tick % 3 == 0)
            buffer.push(tick * packet_samples, std::span(audio).subspan(static_cast<std::size_t>(tick) * packet_samples, 3 * packet_samples),
                        base::MonoTime{tick * 20 * ms});
        buffer.pop(out);
        heard.insert(heard.end(), out.begin(), out.end());
    }

    EXPECT_LE(buffer.counters().concealed_samples, 4U * packet_samples);
    EXPECT_LE(clicks(heard), clicks(audio) + 1);
}

TEST(JitterBuffer, IsSilentUntilSomethingArrives) {
    JitterBuffer buffer;
    std::array<std::int16_t, packet_samples> out;
    out.fill(7);

    EXPECT_EQ(buffer.pop(out), JitterOutput::nothing);
    EXPECT_TRUE(std::all_of(out.begin(), out.end(), [](std::int16_t sample) { return sample == 0; }));
}

TEST(Concealer, ContinuesATone) {
    Concealer concealer;
    std::vector<std::int16_t> audio(800);
    ToneGenerator(140, 0, -20.0F).fill(audio);
    std::vector<std::int16_t> heard = audio;
    concealer.pass(heard);
    std::vector<std::int16_t> gap(160);
    concealer.fill(gap);
    heard.insert(heard.end(), gap.begin(), gap.end());

    EXPECT_TRUE(check_audio(heard).clicks.empty());
    EXPECT_FALSE(concealer.faded());
    const auto loudest = *std::max_element(gap.begin(), gap.begin() + 80);
    EXPECT_NEAR(loudest, *std::max_element(audio.begin(), audio.end()), 600);
}

}  // namespace
}  // namespace jackfield::media
