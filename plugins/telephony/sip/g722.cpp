#include "g722.hpp"

#include <algorithm>
#include <array>

#include <inttypes.h>

extern "C" {
// clang-format off: the others use what the first one defines.
#include <spandsp/telephony.h>
#include <spandsp/bit_operations.h>
#include <spandsp/g711.h>
#include <spandsp/g722.h>
// clang-format on
}

namespace jackfield::sip {
namespace {

constexpr int bits_per_second = 64000;
constexpr std::size_t at_once = 160;

}  // namespace

void G722::Free::operator()(g722_encode_state_s* state) const {
    (void)g722_encode_free(state);
}
void G722::Free::operator()(g722_decode_state_s* state) const {
    (void)g722_decode_free(state);
}

bool G722::start() {
    encoder_.reset(g722_encode_init(nullptr, bits_per_second, G722_SAMPLE_RATE_8000));
    decoder_.reset(g722_decode_init(nullptr, bits_per_second, G722_SAMPLE_RATE_8000));
    return encoder_ && decoder_;
}

void G722::encode(std::span<const std::uint8_t> codes, std::uint8_t* out) {
    std::array<std::int16_t, at_once> samples;
    while (!codes.empty()) {
        const std::size_t size = std::min(codes.size(), at_once);
        for (std::size_t i = 0; i < size; ++i) samples[i] = ulaw_to_linear(codes[i]);
        out += g722_encode(encoder_.get(), out, samples.data(), static_cast<int>(size));
        codes = codes.subspan(size);
    }
}

void G722::decode(std::span<const std::uint8_t> octets, std::uint8_t* codes) {
    std::array<std::int16_t, at_once> samples;
    while (!octets.empty()) {
        const std::size_t size = std::min(octets.size(), at_once);
        const int made =
            g722_decode(decoder_.get(), samples.data(), octets.data(), static_cast<int>(size));
        for (int i = 0; i < made; ++i)
            *codes++ = linear_to_ulaw(samples[static_cast<std::size_t>(i)]);
        octets = octets.subspan(size);
    }
}

}  // namespace jackfield::sip
