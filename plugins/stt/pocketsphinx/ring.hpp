#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <cstring>
#include <memory>
#include <span>

namespace jackfield::pocketsphinx {

/// Audio packets on their way from the call to a worker: one writer, one reader, no lock, no allocation after construction.
/// Positions count bytes since the ring was made and never wrap in practice.
class PacketRing {
  public:
    struct Packet {
        std::uint64_t position = 0;  // the writer's: where the audio stands in the stream
        std::uint32_t bytes = 0;
        std::uint32_t reserved = 0;
    };

    explicit PacketRing(std::size_t capacity) : capacity_(capacity), data_(new std::uint8_t[capacity]) {}

    /// False when it doesn't fit: nothing was written.
    bool write(std::uint64_t position, std::span<const std::uint8_t> audio) {
        const std::uint64_t at = written_.load(std::memory_order_relaxed);
        const std::size_t need = sizeof(Packet) + audio.size();
        if (need > capacity_ - static_cast<std::size_t>(at - read_.load(std::memory_order_acquire))) return false;
        Packet packet;
        packet.position = position;
        packet.bytes = static_cast<std::uint32_t>(audio.size());
        copy_in(at, &packet, sizeof packet);
        copy_in(at + sizeof packet, audio.data(), audio.size());
        written_.store(at + need, std::memory_order_release);
        return true;
    }

    /// The next packet, if it was written before `until`. `audio` is resized to it.
    template <typename Buffer>
    bool read(std::uint64_t until, Packet& packet, Buffer& audio) {
        const std::uint64_t at = read_.load(std::memory_order_relaxed);
        if (at >= until) return false;
        copy_out(at, &packet, sizeof packet);
        audio.resize(packet.bytes);
        copy_out(at + sizeof packet, audio.data(), packet.bytes);
        read_.store(at + sizeof packet + packet.bytes, std::memory_order_release);
        return true;
    }

    std::uint64_t written() const { return written_.load(std::memory_order_acquire); }
    std::size_t capacity() const { return capacity_; }

  private:
    void copy_in(std::uint64_t at, const void* from, std::size_t n) {
        const auto offset = static_cast<std::size_t>(at % capacity_);
        const std::size_t first = std::min(n, capacity_ - offset);
        if (first) std::memcpy(data_.get() + offset, from, first);
        if (n > first) std::memcpy(data_.get(), static_cast<const std::uint8_t*>(from) + first, n - first);
    }
    void copy_out(std::uint64_t at, void* to, std::size_t n) const {
        const auto offset = static_cast<std::size_t>(at % capacity_);
        const std::size_t first = std::min(n, capacity_ - offset);
        if (first) std::memcpy(to, data_.get() + offset, first);
        if (n > first) std::memcpy(static_cast<std::uint8_t*>(to) + first, data_.get(), n - first);
    }

    const std::size_t capacity_;
    const std::unique_ptr<std::uint8_t[]> data_;
    std::atomic<std::uint64_t> written_{0};
    std::atomic<std::uint64_t> read_{0};
};

}  // namespace jackfield::pocketsphinx
