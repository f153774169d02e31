#pragma once

// Speech of a person at telephone rate: Debian's package of Asterisk's English prompts. It is CC-BY-SA, so it is installed and
// not copied into this repository.

#include <cstdint>
#include <cstring>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <string>
#include <vector>

namespace jackfield::test {

inline const std::string recordings = "/usr/share/asterisk/sounds/en_US_f_Allison/";

/// "digits/9" as L16 at 8 kHz. Throws with the apt line when it isn't there.
inline std::vector<std::int16_t> recording(const std::string& name) {
    std::ifstream file(recordings + name + ".wav", std::ios::binary);
    const std::vector<char> bytes{std::istreambuf_iterator<char>(file), {}};
    if (bytes.size() < 44)
        throw std::runtime_error(recordings + name + ".wav is missing: apt install asterisk-core-sounds-en-wav");
    std::size_t at = 12;
    while (at + 8 <= bytes.size()) {
        std::uint32_t size = 0;
        std::memcpy(&size, &bytes[at + 4], 4);
        if (std::memcmp(&bytes[at], "data", 4) == 0) {
            std::vector<std::int16_t> samples(std::min<std::size_t>(size, bytes.size() - at - 8) / 2);
            std::memcpy(samples.data(), &bytes[at + 8], samples.size() * 2);
            return samples;
        }
        at += 8 + size + (size & 1);
    }
    throw std::runtime_error(recordings + name + ".wav has no audio");
}

inline std::uint8_t to_mu_law(std::int16_t sample) {
    const int sign = sample < 0 ? 0x80 : 0;
    const int magnitude = std::min(32635, sample < 0 ? -static_cast<int>(sample) : static_cast<int>(sample)) + 132;
    int exponent = 7;
    while (exponent > 0 && !(magnitude & (1 << (exponent + 7)))) --exponent;
    return static_cast<std::uint8_t>(~(sign | (exponent << 4) | ((magnitude >> (exponent + 3)) & 15)));
}

}  // namespace jackfield::test
