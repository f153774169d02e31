#pragma once

// The audio side of a voice: samples into frames of the wanted codec, with the position in the text
// that each one speaks up to.

#include <jackfield/base.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace jackfield::sdk::tts {

/// ITU-T G.711 mu-law.
inline std::uint8_t encode_pcmu(std::int16_t sample) {
    constexpr int bias = 132, clip = 32635;
    const int sign = sample < 0 ? 0x80 : 0;
    const int magnitude =
        std::min(sample < 0 ? -static_cast<int>(sample) : static_cast<int>(sample), clip) + bias;
    int segment = 7;
    while (segment > 0 && magnitude < (0x80 << segment)) --segment;
    return static_cast<std::uint8_t>(
        ~(sign | (segment << 4) | ((magnitude >> (segment + 3)) & 0x0f)));
}

/// ITU-T G.711 A-law.
inline std::uint8_t encode_pcma(std::int16_t sample) {
    const int mask = sample >= 0 ? 0xd5 : 0x55;
    const int magnitude =
        (sample >= 0 ? static_cast<int>(sample) : -static_cast<int>(sample) - 1) >> 3;
    int segment = 0;
    while (segment < 7 && magnitude >= (0x20 << segment)) ++segment;
    const int step = (magnitude >> std::max(segment, 1)) & 0x0f;
    return static_cast<std::uint8_t>(((segment << 4) | step) ^ mask);
}

/// What the stream's listener wants.
struct Format {
    std::uint16_t codec = JF_CODEC_L16;
    std::uint32_t rate_hz = 8000;
    std::uint32_t frame_samples = 160;
};

struct EncodedFrame {
    std::vector<std::uint8_t> data;
    std::uint32_t samples = 0;
    std::uint64_t pos = 0;
};

/// Cuts samples into frames. The last frame of a piece may be short: silence that nobody asked for
/// is not added.
class Framer {
  public:
    Framer(const Format& format, float gain) : format_(format), gain_(gain) {
        pending_.reserve(format.frame_samples);
    }

    /// `pos` is how far the text has been spoken at the end of these samples.
    void add(const std::int16_t* samples,
             std::size_t n,
             std::uint64_t pos,
             std::vector<EncodedFrame>& out) {
        while (n > 0) {
            const std::size_t take =
                std::min<std::size_t>(n, format_.frame_samples - pending_.size());
            for (std::size_t i = 0; i < take; ++i) pending_.push_back(scaled(samples[i]));
            samples += take;
            n -= take;
            pos_ = std::max(pos_, pos);
            if (pending_.size() == format_.frame_samples) out.push_back(encode());
        }
    }
    /// What is left, as a frame that speaks up to `pos`.
    void finish(std::uint64_t pos, std::vector<EncodedFrame>& out) {
        pos_ = std::max(pos_, pos);
        if (!pending_.empty()) out.push_back(encode());
    }

  private:
    std::int16_t scaled(std::int16_t sample) const {
        if (gain_ == 1.0F) return sample;
        return static_cast<std::int16_t>(
            std::clamp(std::lround(static_cast<float>(sample) * gain_), -32768L, 32767L));
    }

    EncodedFrame encode() {
        EncodedFrame frame;
        frame.samples = static_cast<std::uint32_t>(pending_.size());
        frame.pos = pos_;
        if (format_.codec == JF_CODEC_L16) {
            const auto* bytes = reinterpret_cast<const std::uint8_t*>(pending_.data());
            frame.data.assign(bytes, bytes + pending_.size() * sizeof(std::int16_t));
        } else {
            frame.data.resize(pending_.size());
            std::transform(pending_.begin(),
                           pending_.end(),
                           frame.data.begin(),
                           format_.codec == JF_CODEC_PCMU ? encode_pcmu : encode_pcma);
        }
        pending_.clear();
        return frame;
    }

    Format format_;
    float gain_;
    std::vector<std::int16_t> pending_;
    std::uint64_t pos_ = 0;
};

inline float gain_of_db(double db) {
    return static_cast<float>(std::pow(10.0, db / 20.0));
}

}  // namespace jackfield::sdk::tts
