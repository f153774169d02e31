// What a peer's packets can do to the reorder window: any lengths, any time stamps, any order.

#include "media/frame_cutter.hpp"
#include "media/reorder_window.hpp"

#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <span>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace jackfield;
    media::ReorderWindow window;
    media::FrameCutter cutter;
    base::MonoTime now;
    media::SamplePos next = 0;
    media::SamplePos pts = 1000;
    const auto sink = [](media::SamplePos, std::span<const std::uint8_t, media::packet_samples>) {};
    // Each packet takes four bytes: how its time stamp moves (16 bits, signed, or a long jump), its
    // length, the wait.
    for (; size >= 4; data += 4, size -= 4) {
        std::int16_t move = 0;
        std::memcpy(&move, data, sizeof move);
        pts += move == 0x7FFF ? 1'000'000 : move;
        if (pts < 0) pts = 0;
        now = now + base::Milliseconds(data[3] % 64);
        std::uint8_t payload[1024];
        std::memset(payload, data[2], sizeof payload);
        (void)window.push(pts, std::span(payload).first(data[2] * 4U), now);
        while (const auto piece = window.pop(now)) {
            if (piece->codes.empty() || piece->codes.size() > media::packet_samples) std::abort();
            if (piece->resync ? piece->position < next : piece->position != next) std::abort();
            next = piece->position + static_cast<media::SamplePos>(piece->codes.size());
            cutter.push(piece->position, piece->codes, sink);
        }
        if (window.next_deadline() && *window.next_deadline() <= now) std::abort();
    }
    return 0;
}
