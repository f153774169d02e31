#include "call/bridge.hpp"

namespace jackfield::call {

void Bridge::push(Side from, media::SamplePos pts, media::G711Law law, std::span<const std::uint8_t> codes, base::MonoTime now) {
    std::array<std::int16_t, media::packet_samples> pcm;
    while (!codes.empty()) {
        const std::size_t n = media::decode(law, codes, pcm);
        buffers_[index(from)].push(pts, std::span(pcm).first(n), now);
        pts += static_cast<media::SamplePos>(n);
        codes = codes.subspan(n);
    }
}

bool Bridge::pop(Side to, media::G711Law law, std::span<std::uint8_t, media::packet_samples> codes) {
    std::array<std::int16_t, media::packet_samples> pcm;
    const auto kind = buffers_[index(to == Side::caller ? Side::other : Side::caller)].pop(pcm);
    if (kind == media::JitterOutput::nothing) {
        media::fill_silence(law, codes);
        return false;
    }
    media::encode(law, pcm, codes);
    return true;
}

}  // namespace jackfield::call
