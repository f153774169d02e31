#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace jackfield::sim {

/// Telephone audio: 16-bit samples, 8000 a second, one channel.
using Pcm = std::vector<std::int16_t>;

inline constexpr int rate_hz = 8000;
inline constexpr int frame_samples = 160;  // 20 ms, what one RTP packet carries

enum class Codec : std::uint8_t { pcmu = 0, pcma = 8 };  // the static RTP payload types

std::string_view codec_name(Codec codec);

std::uint8_t encode_sample(Codec codec, std::int16_t sample);
std::int16_t decode_sample(Codec codec, std::uint8_t byte);
std::string encode(Codec codec, std::span<const std::int16_t> samples);
Pcm decode(Codec codec, std::string_view bytes);

struct Wav {
    int rate = rate_hz;
    int channels = 1;
    Pcm samples;  // interleaved
};

/// Reads PCM 16 bit, mu-law or A-law. Throws std::runtime_error that names the file and what is wrong.
Wav read_wav(const std::string& path);
void write_wav(const std::string& path, const Wav& wav);

/// One channel of a file that must be at 8000 Hz.
Pcm read_speech(const std::string& path, int channel = 0);

Pcm silence(int ms);
Pcm tone(int hz, int ms, int amplitude = 8000);

/// Which samples of a frame belong to speech: a frame counts when at least one sample in twenty is louder than a threshold
/// (-41 dBFS), which neither line noise nor a single click reaches.
struct VoicedSpan {
    bool voiced = false;
    int first = 0;
    int last = 0;
};
VoicedSpan find_voiced(std::span<const std::int16_t> frame);

}  // namespace jackfield::sim
