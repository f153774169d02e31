#include "media/g711.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>

namespace jackfield::media {
namespace {

constexpr int mu_bias = 0x84;
constexpr int mu_clip = 32635;
constexpr std::uint8_t a_even_bits = 0x55;

constexpr std::int16_t mu_to_linear(std::uint8_t code) {
    const int inverted = ~code & 0xFF;
    int magnitude = ((inverted & 0x0F) << 3) + mu_bias;
    magnitude <<= (inverted & 0x70) >> 4;
    return static_cast<std::int16_t>((inverted & 0x80) != 0 ? mu_bias - magnitude
                                                            : magnitude - mu_bias);
}

constexpr std::int16_t a_to_linear(std::uint8_t code) {
    const int plain = code ^ a_even_bits;
    const int segment = (plain & 0x70) >> 4;
    int magnitude = (plain & 0x0F) << 4;
    magnitude += segment == 0 ? 8 : 0x108;
    if (segment > 1) magnitude <<= segment - 1;
    return static_cast<std::int16_t>((plain & 0x80) != 0 ? magnitude : -magnitude);
}

constexpr std::array<std::int16_t, 256> make_decode_table(G711Law law) {
    std::array<std::int16_t, 256> table{};
    for (int code = 0; code < 256; ++code) {
        const auto byte = static_cast<std::uint8_t>(code);
        table[static_cast<std::size_t>(code)] =
            law == G711Law::mu ? mu_to_linear(byte) : a_to_linear(byte);
    }
    return table;
}

// Both encoders depend on the upper bits of the magnitude alone, so a few kilobytes that stay in
// the first-level cache do the work of a 64 kB table: mu-law on the biased magnitude without its
// last three bits, A-law without four.
constexpr std::array<std::uint8_t, 4096> make_mu_encode_table() {
    std::array<std::uint8_t, 4096> table{};
    for (unsigned i = 0; i < table.size(); ++i) {
        const unsigned biased = std::max<unsigned>(i << 3, mu_bias);
        const unsigned exponent = static_cast<unsigned>(std::bit_width(biased)) - 8;
        const unsigned mantissa = (biased >> (exponent + 3)) & 0x0F;
        table[i] = static_cast<std::uint8_t>(exponent << 4 | mantissa);
    }
    return table;
}

constexpr std::array<std::uint8_t, 2048> make_a_encode_table() {
    std::array<std::uint8_t, 2048> table{};
    for (unsigned i = 0; i < table.size(); ++i) {
        const unsigned width = static_cast<unsigned>(std::bit_width(i));
        const unsigned segment = width <= 4 ? 0 : width - 4;
        const unsigned mantissa = (segment <= 1 ? i : i >> (segment - 1)) & 0x0F;
        table[i] = static_cast<std::uint8_t>(segment << 4 | mantissa);
    }
    return table;
}

constexpr auto mu_decode = make_decode_table(G711Law::mu);
constexpr auto a_decode = make_decode_table(G711Law::a);
constexpr auto mu_encode = make_mu_encode_table();
constexpr auto a_encode = make_a_encode_table();

inline std::uint8_t linear_to_mu(std::int16_t sample) {
    const int magnitude = std::min(sample < 0 ? -static_cast<int>(sample) : sample, mu_clip);
    const auto code = mu_encode[static_cast<std::size_t>(magnitude + mu_bias) >> 3];
    return static_cast<std::uint8_t>(~(code | (sample < 0 ? 0x80 : 0)));
}

inline std::uint8_t linear_to_a(std::int16_t sample) {
    // One's complement for negatives, as ITU's reference does: -32768 needs no special case.
    const int magnitude = sample < 0 ? ~static_cast<int>(sample) : sample;
    const auto code = a_encode[static_cast<std::size_t>(magnitude) >> 4];
    return static_cast<std::uint8_t>((code | (sample < 0 ? 0 : 0x80)) ^ a_even_bits);
}

}  // namespace

std::span<const std::int16_t, 256> decode_table(G711Law law) {
    return law == G711Law::mu ? mu_decode : a_decode;
}

std::int16_t decode_sample(G711Law law, std::uint8_t code) {
    return decode_table(law)[code];
}

std::uint8_t encode_sample(G711Law law, std::int16_t sample) {
    return law == G711Law::mu ? linear_to_mu(sample) : linear_to_a(sample);
}

std::size_t decode(G711Law law, std::span<const std::uint8_t> in, std::span<std::int16_t> out) {
    const std::size_t n = std::min(in.size(), out.size());
    const std::int16_t* table = decode_table(law).data();
    for (std::size_t i = 0; i < n; ++i) out[i] = table[in[i]];
    return n;
}

std::size_t encode(G711Law law, std::span<const std::int16_t> in, std::span<std::uint8_t> out) {
    const std::size_t n = std::min(in.size(), out.size());
    if (law == G711Law::mu) {
        for (std::size_t i = 0; i < n; ++i) out[i] = linear_to_mu(in[i]);
    } else {
        for (std::size_t i = 0; i < n; ++i) out[i] = linear_to_a(in[i]);
    }
    return n;
}

std::size_t transcode(G711Law from,
                      G711Law to,
                      std::span<const std::uint8_t> in,
                      std::span<std::uint8_t> out) {
    const std::size_t n = std::min(in.size(), out.size());
    if (from == to) {
        if (n > 0) std::memmove(out.data(), in.data(), n);
        return n;
    }
    for (std::size_t i = 0; i < n; ++i) out[i] = encode_sample(to, decode_sample(from, in[i]));
    return n;
}

void fill_silence(G711Law law, std::span<std::uint8_t> out) {
    std::fill(out.begin(), out.end(), silence_byte(law));
}

}  // namespace jackfield::media
