#pragma once

#include "base/result.hpp"
#include "media/g711.hpp"

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace jackfield::media {

/// RIFF format tags of what is read here; only the companded ones are written.
enum class WavCodec : std::uint16_t { pcm16 = 1, a_law = 6, mu_law = 7 };

struct WavInfo {
    WavCodec codec = WavCodec::pcm16;
    int channels = 1;
    int rate_hz = 8000;
    std::uint64_t data_offset = 0;
    /// What lies in the file, whole frames only.
    std::uint64_t data_size = 0;
    /// The header promises more audio than the file holds.
    bool torn = false;

    int bytes_per_sample() const { return codec == WavCodec::pcm16 ? 2 : 1; }
    std::uint64_t frames() const {
        return data_size / static_cast<std::uint64_t>(channels * bytes_per_sample());
    }
};

/// Reads the chunks of a whole file. INVALID: not a WAV file; UNSUPPORTED: a codec or layout that
/// is not read here.
base::Result<WavInfo> parse_wav(std::span<const std::uint8_t> file);

struct WavFile {
    WavInfo info;
    std::vector<std::uint8_t> data;

    /// One channel as linear samples; empty when there is no such channel.
    std::vector<std::int16_t> channel(int index) const;
    /// One channel's companded bytes as they were recorded; empty for PCM.
    std::vector<std::uint8_t> channel_codes(int index) const;
};

/// Reads a file of at most 1 GB.
base::Result<WavFile> read_wav(const std::string& path);

/// What the recorder writes: RIFF, fmt with an empty extension, fact, data.
inline constexpr std::size_t g711_wav_header_size = 58;
std::array<std::uint8_t, g711_wav_header_size> g711_wav_header(G711Law law,
                                                               int channels,
                                                               std::uint64_t frames);

/// Makes the sizes in the header of a recording that was interrupted fit what the file holds, and
/// returns the frames. Only touches files that the recorder wrote. NOT_FOUND: the file was torn
/// before its first sample.
base::Result<std::uint64_t> repair_wav(const std::string& path);

struct RepairSummary {
    int repaired = 0;
    /// Files without a single sample, removed.
    int removed = 0;
    /// Left as they were: not ours, or not writable.
    int refused = 0;
};
/// What a crash left in a folder of recordings: each `<name>.part` is repaired and becomes
/// `<name>`.
RepairSummary repair_recordings(const std::string& folder);

}  // namespace jackfield::media
