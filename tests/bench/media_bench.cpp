// What one 20 ms frame of one call costs in each part of the media room. A line per part, in
// nanoseconds a frame.

#include "media/audio_history.hpp"
#include "media/dtmf.hpp"
#include "media/echo_detector.hpp"
#include "media/level.hpp"
#include "media/playout_queue.hpp"
#include "media/recording.hpp"
#include "media/reorder_window.hpp"
#include "media/resampler.hpp"
#include "media/speech_detector.hpp"
#include "media/tone.hpp"
#include "media/vad.hpp"
#include "media/wav.hpp"

#include <algorithm>
#include <array>
#include <filesystem>
#include <string>
#include <vector>

#include <benchmark/benchmark.h>

namespace jackfield::media {
namespace {

using Frame = std::array<std::int16_t, packet_samples>;
using Packet = std::array<std::uint8_t, packet_samples>;

enum class Sound { speech, line_noise, digital_silence };

std::vector<Frame> human_speech() {
    std::vector<Frame> frames;
    std::error_code code;
    for (const auto& entry :
         std::filesystem::directory_iterator("/usr/share/asterisk/sounds/en_US_f_Allison", code)) {
        if (entry.path().extension() != ".wav" || frames.size() > 5000) continue;
        const base::Result<WavFile> file = read_wav(entry.path().string());
        if (!file) continue;
        const std::vector<std::int16_t> samples = file->channel(0);
        for (std::size_t at = 0; at + packet_samples <= samples.size(); at += packet_samples) {
            Frame frame;
            std::copy_n(
                samples.begin() + static_cast<std::ptrdiff_t>(at), packet_samples, frame.begin());
            // Speech only: the pauses have benches of their own.
            if (measure(frame).rms_dbov > -40.0F) frames.push_back(frame);
        }
    }
    return frames;
}

const std::vector<Frame>& frames_of(Sound sound) {
    static const std::vector<Frame> speech = human_speech();
    static const std::vector<Frame> silence(50);
    static const std::vector<Frame> noise = [] {
        std::vector<Frame> made(50);
        ComfortNoise hiss(-50.0F);
        for (Frame& frame : made) hiss.fill(frame);
        return made;
    }();
    return sound == Sound::speech ? speech : sound == Sound::line_noise ? noise : silence;
}

/// False, and the bench fails with what to install, when there are no frames.
bool have_frames(benchmark::State& state, const std::vector<Frame>& frames) {
    if (frames.empty()) state.SkipWithError("apt-get install asterisk-core-sounds-en-wav");
    return !frames.empty();
}

void vad(benchmark::State& state, VadMode mode, Sound sound) {
    const std::vector<Frame>& frames = frames_of(sound);
    if (!have_frames(state, frames)) return;
    const auto detector = Vad::create({.mode = mode});
    std::size_t at = 0;
    for (auto _ : state) {
        benchmark::DoNotOptimize((*detector)->process(frames[at]));
        at = at + 1 == frames.size() ? 0 : at + 1;
    }
}
BENCHMARK_CAPTURE(vad, denoised_speech, VadMode::denoised, Sound::speech);
BENCHMARK_CAPTURE(vad, denoised_line_noise, VadMode::denoised, Sound::line_noise);
BENCHMARK_CAPTURE(vad, denoised_digital_silence, VadMode::denoised, Sound::digital_silence);
BENCHMARK_CAPTURE(vad, plain_speech, VadMode::plain, Sound::speech);
BENCHMARK_CAPTURE(vad, plain_line_noise, VadMode::plain, Sound::line_noise);
BENCHMARK_CAPTURE(vad, energy_speech, VadMode::energy, Sound::speech);
BENCHMARK_CAPTURE(vad, energy_digital_silence, VadMode::energy, Sound::digital_silence);

enum class Line { clear, clear_and_quiet, echo, caller_over_echo };

/// What comes back while `agent` is heard: somebody else, her own voice a quarter of a second late, or both.
std::vector<Frame> heard_on(Line line, const std::vector<Frame>& agent) {
    constexpr std::size_t late = 13;
    std::vector<Frame> heard(agent.size());
    for (std::size_t at = 0; at < agent.size(); ++at) {
        const Frame& caller = agent[(at + agent.size() / 2) % agent.size()];
        const Frame& before = agent[(at + agent.size() - late) % agent.size()];
        for (std::size_t i = 0; i < packet_samples; ++i) {
            const int echo = before[i] / 10;
            const int sounds = line == Line::clear              ? caller[i]
                               : line == Line::clear_and_quiet  ? caller[i] / 4
                               : line == Line::caller_over_echo ? caller[i] / 2 + echo
                                                                : echo;
            heard[at][i] = static_cast<std::int16_t>(std::clamp(sounds, -32768, 32767));
        }
    }
    return heard;
}

/// Both sides talk in every frame. To be read beside vad/denoised_speech; the counter is what a second of it costs.
void echo_detector(benchmark::State& state, Line line) {
    const std::vector<Frame>& agent = frames_of(Sound::speech);
    if (!have_frames(state, agent)) return;
    const std::vector<Frame> heard = heard_on(line, agent);
    EchoDetector detector;
    std::size_t at = 0;
    for (auto _ : state) {
        detector.played(agent[at]);
        detector.heard(heard[at]);
        benchmark::DoNotOptimize(detector.is_echo());
        at = at + 1 == agent.size() ? 0 : at + 1;
    }
    const auto frames = static_cast<double>(state.iterations());
    state.counters["s_per_s"] = benchmark::Counter(frames * packet_ms / 1000, benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
    state.counters["searches"] = static_cast<double>(detector.searches()) / frames;
}
BENCHMARK_CAPTURE(echo_detector, both_talk, Line::clear);
BENCHMARK_CAPTURE(echo_detector, both_talk_caller_quiet, Line::clear_and_quiet);
BENCHMARK_CAPTURE(echo_detector, echo, Line::echo);
BENCHMARK_CAPTURE(echo_detector, caller_over_echo, Line::caller_over_echo);

/// What every packet of a call pays for being able to ask.
void echo_detector_unasked(benchmark::State& state) {
    const std::vector<Frame>& agent = frames_of(Sound::speech);
    if (!have_frames(state, agent)) return;
    EchoDetector detector;
    std::size_t at = 0;
    for (auto _ : state) {
        detector.played(agent[at]);
        detector.heard(agent[at]);
        benchmark::DoNotOptimize(detector);
        at = at + 1 == agent.size() ? 0 : at + 1;
    }
}
BENCHMARK(echo_detector_unasked);

Packet packet_of_tone() {
    Frame frame;
    ToneGenerator(300, 800, -20.0F).fill(frame);
    Packet packet;
    encode(G711Law::mu, frame, packet);
    return packet;
}

void g711_decode(benchmark::State& state) {
    const Packet packet = packet_of_tone();
    Frame frame;
    for (auto _ : state) {
        decode(G711Law::mu, packet, frame);
        benchmark::DoNotOptimize(frame);
    }
}
BENCHMARK(g711_decode);

void g711_encode(benchmark::State& state) {
    Frame frame;
    ToneGenerator(300, 800, -20.0F).fill(frame);
    Packet packet;
    for (auto _ : state) {
        encode(G711Law::mu, frame, packet);
        benchmark::DoNotOptimize(packet);
    }
}
BENCHMARK(g711_encode);

void level_of_mu_law(benchmark::State& state) {
    const Packet packet = packet_of_tone();
    for (auto _ : state) benchmark::DoNotOptimize(measure(G711Law::mu, packet));
}
BENCHMARK(level_of_mu_law);

void resample_8_to_16_khz(benchmark::State& state) {
    const auto up = Resampler::create({8000, 16000, 5});
    Frame frame;
    ToneGenerator(300, 800, -20.0F).fill(frame);
    std::array<std::int16_t, 400> out;
    for (auto _ : state) benchmark::DoNotOptimize((*up)->process(frame, out));
}
BENCHMARK(resample_8_to_16_khz);

void dtmf_detect(benchmark::State& state, Sound sound) {
    const std::vector<Frame>& frames = frames_of(sound);
    if (!have_frames(state, frames)) return;
    DtmfDetector detector;
    std::size_t at = 0;
    for (auto _ : state) {
        benchmark::DoNotOptimize(detector.feed(frames[at]));
        at = at + 1 == frames.size() ? 0 : at + 1;
    }
}
BENCHMARK_CAPTURE(dtmf_detect, speech, Sound::speech);
BENCHMARK_CAPTURE(dtmf_detect, line_noise, Sound::line_noise);

void reorder(benchmark::State& state) {
    const Packet packet = packet_of_tone();
    ReorderWindow window;
    SamplePos pts = 0;
    base::MonoTime now;
    for (auto _ : state) {
        window.push(pts, packet, now);
        while (const auto piece = window.pop(now)) benchmark::DoNotOptimize(piece->codes.data());
        pts += packet_samples;
        now = now + base::Milliseconds(packet_ms);
    }
}
BENCHMARK(reorder);

void history(benchmark::State& state) {
    const Packet packet = packet_of_tone();
    AudioHistory kept(G711Law::mu);
    SamplePos pts = 0;
    for (auto _ : state) {
        kept.append(pts, packet);
        pts += packet_samples;
    }
}
BENCHMARK(history);

void playout(benchmark::State& state, bool ducked) {
    const Packet packet = packet_of_tone();
    PlayoutQueue queue;
    Packet out;
    for (int i = 0; i < 10; ++i) queue.push(packet);
    if (ducked) queue.duck();
    for (auto _ : state) {
        queue.push(packet);
        benchmark::DoNotOptimize(queue.pop(out));
    }
}
BENCHMARK_CAPTURE(playout, push_and_pop, false);
BENCHMARK_CAPTURE(playout, ducked, true);

class Nowhere final : public RecordingStorage {
  public:
    base::Result<std::unique_ptr<RecordingFile>> create(const std::string&) override {
        return std::unique_ptr<RecordingFile>(std::make_unique<File>());
    }

  private:
    class File final : public RecordingFile {
      public:
        base::Result<> write_at(std::uint64_t, std::span<const std::uint8_t>) override {
            return {};
        }
        base::Result<> commit() override { return {}; }
    };
};

/// Both sides of a frame. `on_call` is the call's part alone, otherwise the writing thread's is
/// added, without the disk.
void recording(benchmark::State& state, bool on_call) {
    const Packet packet = packet_of_tone();
    RecordingWriter writer(std::make_shared<Nowhere>());
    const auto kept = writer.open("x", {.longest = std::chrono::hours(100000)}, {});
    SamplePos at = 0;
    int in_ring = 0;
    for (auto _ : state) {
        kept->write(RecordingSide::caller, at, packet);
        kept->write(RecordingSide::agent, at, packet);
        at += packet_samples;
        if (++in_ring < 100) continue;
        in_ring = 0;
        if (on_call) state.PauseTiming();
        writer.drain();
        if (on_call) state.ResumeTiming();
    }
    if (kept->dropped_samples() > 0) state.SkipWithError("the ring overflowed");
}
BENCHMARK_CAPTURE(recording, call_side, true);
BENCHMARK_CAPTURE(recording, with_writer, false);

/// Everything that a call with recording does for one frame in each direction.
void whole_frame(benchmark::State& state, VadMode mode) {
    const std::vector<Frame>& frames = frames_of(Sound::speech);
    if (!have_frames(state, frames)) return;
    const Packet agent = packet_of_tone();
    ReorderWindow window;
    AudioHistory kept(G711Law::mu);
    const auto detector = Vad::create({.mode = mode});
    SpeechDetector speech;
    PlayoutQueue queue;
    RecordingWriter writer(std::make_shared<Nowhere>());
    const auto recorded = writer.open("x", {.longest = std::chrono::hours(100000)}, {});
    base::MonoTime now;
    SamplePos pts = 0;
    Packet packet;
    Packet out;
    Frame linear;
    std::size_t at = 0;
    for (auto _ : state) {
        encode(G711Law::mu, frames[at], packet);
        window.push(pts, packet, now);
        while (const auto piece = window.pop(now)) {
            decode(G711Law::mu, piece->codes, linear);
            kept.append(piece->position, piece->codes);
            benchmark::DoNotOptimize(
                speech.feed(piece->position, packet_samples, (*detector)->process(linear)));
            recorded->write(RecordingSide::caller, piece->position, piece->codes);
        }
        queue.push(agent);
        benchmark::DoNotOptimize(queue.pop(out));
        recorded->write(RecordingSide::agent, pts, out);
        pts += packet_samples;
        now = now + base::Milliseconds(packet_ms);
        at = at + 1 == frames.size() ? 0 : at + 1;
        if (pts % (100 * packet_samples) == 0) writer.drain();
    }
}
BENCHMARK_CAPTURE(whole_frame, denoised, VadMode::denoised);
BENCHMARK_CAPTURE(whole_frame, plain, VadMode::plain);
BENCHMARK_CAPTURE(whole_frame, energy, VadMode::energy);

}  // namespace
}  // namespace jackfield::media

BENCHMARK_MAIN();
