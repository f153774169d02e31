// What a peer's packets can do to the jitter buffer: any lengths, any time stamps, any order, at any time.

#include "media/jitter_buffer.hpp"

#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <span>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace jackfield;
    media::JitterBuffer buffer;
    base::MonoTime now;
    media::SamplePos pts = 1000;
    std::int16_t pcm[2048];
    std::array<std::int16_t, media::packet_samples> out;
    // Each packet takes four bytes: how its time stamp moves (16 bits, signed, or a long jump), its length, how many packets are taken
    // behind it.
    for (; size >= 4; data += 4, size -= 4) {
        std::int16_t move = 0;
        std::memcpy(&move, data, sizeof move);
        pts += move == 0x7FFF ? 1'000'000 : move;
        if (pts < 0) pts = 0;
        for (std::size_t i = 0; i < std::size(pcm); ++i) pcm[i] = static_cast<std::int16_t>(data[2] * 257 * (i % 2 ? 1 : -1));
        buffer.push(pts, std::span(pcm).first(data[2] * 8U), now);
        for (int pops = data[3] % 16; pops > 0; --pops) {
            buffer.pop(out);
            now = now + base::Milliseconds(media::packet_ms);
        }
        if (buffer.depth() > base::Milliseconds(512)) std::abort();
        if (buffer.wanted() < base::Milliseconds(40) || buffer.wanted() > base::Milliseconds(120)) std::abort();
    }
    return 0;
}
