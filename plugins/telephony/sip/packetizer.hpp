#pragma once

// From the host's packets of 20 ms to those that the far end wants. Pure, and allocates nothing.

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <span>

namespace jackfield::sip {

/// For codecs with one octet for each unit of the timestamp: G.711 and, as RTP counts it, G.722.
class Packetizer {
  public:
    static constexpr std::size_t octets_per_ms = 8;
    static constexpr std::size_t most_packet = 60 * octets_per_ms;
    static constexpr std::size_t most_pushed = most_packet;

    /// What has been waiting is dropped: it was meant for another codec or another place.
    void set(std::uint32_t ptime_ms) {
        packet_ = std::min(most_packet, ptime_ms * octets_per_ms);
        waiting_ = 0;
    }
    void clear() { waiting_ = 0; }

    /// Takes up to most_pushed octets that begin at `timestamp`. `send(timestamp, marker, octets)`
    /// is called for each packet that is full; what remains waits for the next push, and goes out
    /// alone when that one doesn't follow on.
    template <typename Send>
    void push(std::span<const std::uint8_t> octets,
              std::uint32_t timestamp,
              bool marker,
              Send&& send) {
        if (waiting_ > 0 && timestamp != begin_ + waiting_) flush(send);
        if (waiting_ == 0 && octets.size() == packet_) return send(timestamp, marker, octets);
        if (waiting_ == 0) {
            begin_ = timestamp;
            marker_ = marker;
        }
        octets = octets.first(std::min(octets.size(), most_pushed));
        std::memcpy(&buffer_[waiting_], octets.data(), octets.size());
        waiting_ += octets.size();
        std::size_t at = 0;
        for (; waiting_ - at >= packet_; at += packet_) {
            send(begin_, marker_, std::span<const std::uint8_t>(&buffer_[at], packet_));
            begin_ += static_cast<std::uint32_t>(packet_);
            marker_ = false;
        }
        waiting_ -= at;
        std::memmove(buffer_.data(), &buffer_[at], waiting_);
    }

  private:
    template <typename Send>
    void flush(Send&& send) {
        send(begin_, marker_, std::span<const std::uint8_t>(buffer_.data(), waiting_));
        waiting_ = 0;
    }

    std::size_t packet_ = 20 * octets_per_ms;
    std::size_t waiting_ = 0;
    std::uint32_t begin_ = 0;
    bool marker_ = false;
    std::array<std::uint8_t, most_packet + most_pushed> buffer_;
};

}  // namespace jackfield::sip
