#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string_view>
#include <vector>

namespace jackfield::conformance {

/// JF_CODEC_*, 0 for a name that is none.
std::uint16_t codec_named(std::string_view name);
/// Samples as the codec has them (L16, PCMU, PCMA).
std::vector<std::byte> encode(std::span<const std::int16_t> samples, std::uint16_t codec);
/// Tones that come and go like syllables: speech to a level meter, and no words.
std::vector<std::int16_t> babble(std::uint32_t rate_hz, unsigned ms);
/// A mono WAV file's samples at the wanted rate. Fails the check when it can't be read.
std::vector<std::int16_t> read_wav(const std::filesystem::path& file, std::uint32_t rate_hz);
/// Equal but for case and punctuation.
bool same_words(std::string_view a, std::string_view b);

}  // namespace jackfield::conformance
