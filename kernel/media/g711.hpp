#pragma once

#include <cstdint>
#include <span>

namespace jackfield::media {

/// The two companding laws of ITU-T G.711. Both are one byte a sample at 8 kHz.
enum class G711Law : std::uint8_t { mu, a };

/// 256 linear samples, indexed by the code.
std::span<const std::int16_t, 256> decode_table(G711Law law);

std::int16_t decode_sample(G711Law law, std::uint8_t code);
std::uint8_t encode_sample(G711Law law, std::int16_t sample);

/// Converts min(in, out) samples and returns how many.
std::size_t decode(G711Law law, std::span<const std::uint8_t> in, std::span<std::int16_t> out);
std::size_t encode(G711Law law, std::span<const std::int16_t> in, std::span<std::uint8_t> out);
/// Recodes in place or between buffers. With equal laws the bytes are copied untouched, negative
/// zero included.
std::size_t transcode(G711Law from,
                      G711Law to,
                      std::span<const std::uint8_t> in,
                      std::span<std::uint8_t> out);

/// The byte that digital silence is made of: 0xFF for mu-law, 0xD5 for A-law.
constexpr std::uint8_t silence_byte(G711Law law) {
    return law == G711Law::mu ? 0xFF : 0xD5;
}
void fill_silence(G711Law law, std::span<std::uint8_t> out);

}  // namespace jackfield::media
