#include "media/recording_ring.hpp"

#include <algorithm>
#include <bit>
#include <cstring>

namespace jackfield::media {

RecordingRing::RecordingRing(std::size_t bytes)
    : capacity_(std::bit_ceil(std::max<std::size_t>(bytes, 4096))),
      bytes_(new std::uint8_t[capacity_]) {}

std::size_t RecordingRing::push(RecordingSide side,
                                SamplePos at,
                                std::span<const std::uint8_t> codes) {
    std::size_t pushed = 0;
    while (!codes.empty()) {
        const std::size_t n = std::min(codes.size(), RecordingChunk::most);
        const std::size_t begin = written_.load(std::memory_order_relaxed);
        const std::size_t used = begin - read_.load(std::memory_order_acquire);
        if (capacity_ - used < sizeof(Header) + n) break;
        const Header header{at, static_cast<std::uint16_t>(n), side};
        copy_in(begin, &header, sizeof header);
        copy_in(begin + sizeof header, codes.data(), n);
        written_.store(begin + sizeof header + n, std::memory_order_release);
        pushed += n;
        at += static_cast<SamplePos>(n);
        codes = codes.subspan(n);
    }
    return pushed;
}

bool RecordingRing::pop(RecordingChunk& chunk) {
    const std::size_t begin = read_.load(std::memory_order_relaxed);
    if (begin == written_.load(std::memory_order_acquire)) return false;
    Header header;
    copy_out(begin, &header, sizeof header);
    chunk.side = header.side;
    chunk.at = header.at;
    chunk.size = header.size;
    copy_out(begin + sizeof header, chunk.codes.data(), chunk.size);
    read_.store(begin + sizeof header + chunk.size, std::memory_order_release);
    return true;
}

void RecordingRing::copy_in(std::size_t at, const void* from, std::size_t n) {
    const std::size_t place = at & (capacity_ - 1);
    const std::size_t first = std::min(n, capacity_ - place);
    std::memcpy(bytes_.get() + place, from, first);
    std::memcpy(bytes_.get(), static_cast<const std::uint8_t*>(from) + first, n - first);
}

void RecordingRing::copy_out(std::size_t at, void* to, std::size_t n) const {
    const std::size_t place = at & (capacity_ - 1);
    const std::size_t first = std::min(n, capacity_ - place);
    std::memcpy(to, bytes_.get() + place, first);
    std::memcpy(static_cast<std::uint8_t*>(to) + first, bytes_.get(), n - first);
}

}  // namespace jackfield::media
