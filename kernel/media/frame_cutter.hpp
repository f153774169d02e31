#pragma once

#include "media/g711.hpp"
#include "media/types.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <span>

namespace jackfield::media {

/// Cuts pieces of any length into packets of exactly 20 ms, which the voice detector and the
/// recogniser want. What came before a jump of the position is completed with silence.
class FrameCutter {
  public:
    explicit FrameCutter(G711Law law = G711Law::mu) : law_(law) {}

    /// Calls sink(SamplePos, std::span<const std::uint8_t, packet_samples>) for each packet that is
    /// complete.
    template <typename Sink>
    void push(SamplePos position, std::span<const std::uint8_t> codes, Sink&& sink) {
        if (held_ > 0 && position != from_ + static_cast<SamplePos>(held_)) {
            fill_silence(law_, std::span(frame_).subspan(held_));
            give(sink);
        }
        while (!codes.empty()) {
            if (held_ == 0) from_ = position;
            const std::size_t n = std::min(codes.size(), frame_.size() - held_);
            std::memcpy(frame_.data() + held_, codes.data(), n);
            held_ += n;
            position += static_cast<SamplePos>(n);
            codes = codes.subspan(n);
            if (held_ == frame_.size()) give(sink);
        }
    }

    /// Samples that wait for the rest of their packet.
    std::size_t held() const { return held_; }

  private:
    template <typename Sink>
    void give(Sink& sink) {
        held_ = 0;
        sink(from_, std::span<const std::uint8_t, packet_samples>(frame_));
    }

    G711Law law_;
    SamplePos from_ = 0;
    std::size_t held_ = 0;
    std::array<std::uint8_t, packet_samples> frame_{};
};

}  // namespace jackfield::media
