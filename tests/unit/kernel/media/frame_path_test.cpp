// What runs for each frame of each call allocates nothing: this program counts.

#include "media/audio_history.hpp"
#include "media/dtmf.hpp"
#include "media/frame_cutter.hpp"
#include "media/level.hpp"
#include "media/packet_clock.hpp"
#include "media/playout_queue.hpp"
#include "media/recording.hpp"
#include "media/reorder_window.hpp"
#include "media/resampler.hpp"
#include "media/speech_detector.hpp"
#include "media/vad.hpp"

#include <atomic>
#include <cstdlib>
#include <new>
#include <vector>

#include <gtest/gtest.h>

namespace {
std::atomic<std::uint64_t> allocations{0};
}  // namespace

void* operator new(std::size_t size) {
    allocations.fetch_add(1, std::memory_order_relaxed);
    if (void* memory = std::malloc(size == 0 ? 1 : size)) return memory;
    throw std::bad_alloc();
}
void operator delete(void* memory) noexcept {
    std::free(memory);
}
void operator delete(void* memory, std::size_t) noexcept {
    std::free(memory);
}

namespace jackfield::media {
namespace {

class NoStorage final : public RecordingStorage {
  public:
    base::Result<std::unique_ptr<RecordingFile>> create(const std::string&) override {
        return base::Error(base::ErrorCode::internal, "not in this test");
    }
};

TEST(FramePath, AllocatesNothing) {
    ReorderWindow window;
    FrameCutter cutter;
    AudioHistory history(G711Law::mu);
    auto vad = Vad::create({});
    SpeechDetector detector;
    DtmfDetector dtmf;
    auto up = Resampler::create({8000, 16000, 5});
    PlayoutQueue playout;
    PacketClock clock;
    RecordingWriter writer(std::make_shared<NoStorage>());
    auto recording = writer.open("x", {}, {});
    ToneGenerator voice(200, 900, -20.0F);
    std::array<std::int16_t, 160> linear{};
    std::array<std::int16_t, 400> wide{};
    std::array<std::uint8_t, 160> codes{};
    std::array<std::uint8_t, 160> out{};
    clock.start({});
    std::uint64_t loud = 0;
    const auto frame = [&](SamplePos at, std::span<const std::uint8_t, packet_samples> packet) {
        decode(G711Law::mu, packet, linear);
        history.append(at, packet);
        loud += measure(G711Law::mu, packet).rms_dbov > -30.0F ? 1U : 0U;
        (void)detector.feed(at, packet_samples, (*vad)->process(linear));
        (void)dtmf.feed(linear);
        (void)(*up)->process(linear, wide);
        recording->write(RecordingSide::caller, at, packet);
        playout.push(packet);
        playout.tag_text(static_cast<std::uint64_t>(at));
    };

    const std::uint64_t before = allocations.load();
    for (int i = 0; i < 500; ++i) {
        const base::MonoTime now = base::MonoTime{} + base::Milliseconds(20 * i);
        voice.fill(linear);
        encode(G711Law::mu, linear, codes);
        if (i % 17 != 5) window.push(160 * i, codes, now);
        while (auto piece = window.pop(now)) cutter.push(piece->position, piece->codes, frame);
        if (i == 100) playout.duck();
        if (clock.due(now).packets > 0) playout.pop(out);
        recording->write(RecordingSide::agent, 160 * i, out);
    }
    const std::uint64_t after = allocations.load();

    EXPECT_EQ(after - before, 0U);
    EXPECT_GT(loud, 400U);
}

}  // namespace
}  // namespace jackfield::media
