#include "media/audio_history.hpp"

#include <algorithm>
#include <array>
#include <cstring>

namespace jackfield::media {

AudioHistory::AudioHistory(G711Law law, std::chrono::milliseconds keep)
    : law_(law),
      capacity_(static_cast<std::size_t>(
          std::clamp<std::int64_t>(
              keep.count(), packet_ms, std::chrono::milliseconds(longest).count()) *
          narrowband_hz / 1000)),
      // Left unset: pages are touched as the call goes on, so a short call costs what it used.
      ring_(new std::uint8_t[capacity_]) {}

void AudioHistory::clear() {
    begin_ = 0;
    end_ = 0;
}

std::size_t AudioHistory::index_of(SamplePos position) const {
    const auto capacity = static_cast<SamplePos>(capacity_);
    return static_cast<std::size_t>(((position % capacity) + capacity) % capacity);
}

void AudioHistory::append(SamplePos pts, std::span<const std::uint8_t> codes) {
    if (codes.empty()) return;
    const auto capacity = static_cast<SamplePos>(capacity_);
    const bool empty = begin_ == end_;
    if (empty || pts - end_ >= capacity || pts < end_ - capacity) {
        begin_ = pts;
        end_ = pts;
    }
    if (pts < end_) {
        const auto known = static_cast<std::size_t>(end_ - pts);
        if (known >= codes.size()) return;
        codes = codes.subspan(known);
    }
    std::array<std::uint8_t, packet_samples> silence;
    fill_silence(law_, silence);
    while (end_ < pts) {
        const auto hole = static_cast<std::size_t>(pts - end_);
        put(std::span(silence).first(std::min(hole, silence.size())));
    }
    put(codes);
}

void AudioHistory::put(std::span<const std::uint8_t> codes) {
    if (codes.size() > capacity_) {
        const std::size_t surplus = codes.size() - capacity_;
        end_ += static_cast<SamplePos>(surplus);
        codes = codes.subspan(surplus);
    }
    const std::size_t at = index_of(end_);
    const std::size_t first = std::min(codes.size(), capacity_ - at);
    std::memcpy(ring_.get() + at, codes.data(), first);
    std::memcpy(ring_.get(), codes.data() + first, codes.size() - first);
    end_ += static_cast<SamplePos>(codes.size());
    begin_ = std::max(begin_, end_ - static_cast<SamplePos>(capacity_));
}

std::size_t AudioHistory::readable(SamplePos from, std::size_t wanted) const {
    if (from < begin_ || from >= end_) return 0;
    return std::min(wanted, static_cast<std::size_t>(end_ - from));
}

std::size_t AudioHistory::read(SamplePos from, std::span<std::uint8_t> out) const {
    const std::size_t n = readable(from, out.size());
    if (n == 0) return 0;
    const std::size_t at = index_of(from);
    const std::size_t first = std::min(n, capacity_ - at);
    std::memcpy(out.data(), ring_.get() + at, first);
    std::memcpy(out.data() + first, ring_.get(), n - first);
    return n;
}

std::size_t AudioHistory::read(SamplePos from, std::span<std::int16_t> out) const {
    const std::size_t n = readable(from, out.size());
    const auto table = decode_table(law_);
    std::size_t at = n == 0 ? 0 : index_of(from);
    for (std::size_t i = 0; i < n; ++i) {
        out[i] = table[ring_[at]];
        if (++at == capacity_) at = 0;
    }
    return n;
}

}  // namespace jackfield::media
