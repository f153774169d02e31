#include "simulators/audio.hpp"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <numbers>
#include <stdexcept>

namespace jackfield::sim {
namespace {

constexpr int voiced_level = 300;

std::uint8_t encode_mulaw(int sample) {
    constexpr int bias = 0x84;
    const int sign = sample < 0 ? 0x80 : 0;
    const int biased = std::min(std::abs(sample), 32635) + bias;
    int exponent = 7;
    while (exponent > 0 && (biased & (0x80 << exponent)) == 0) --exponent;
    const int mantissa = (biased >> (exponent + 3)) & 0x0F;
    return static_cast<std::uint8_t>(~(sign | exponent << 4 | mantissa));
}

std::int16_t decode_mulaw(std::uint8_t byte) {
    const int code = static_cast<std::uint8_t>(~byte);
    const int magnitude = (((code & 0x0F) << 3) + 0x84) << ((code & 0x70) >> 4);
    return static_cast<std::int16_t>(code & 0x80 ? 0x84 - magnitude : magnitude - 0x84);
}

std::uint8_t encode_alaw(int sample) {
    const int sign = sample >= 0 ? 0x80 : 0;
    // The negative half is one off so that both halves cover the same magnitudes (ITU-T G.711).
    const int magnitude = std::min(sample >= 0 ? sample : -sample - 1, 32767);
    int exponent = 0;
    while (exponent < 7 && (magnitude >> (exponent + 8)) != 0) ++exponent;
    const int mantissa = (exponent == 0 ? magnitude >> 4 : magnitude >> (exponent + 3)) & 0x0F;
    return static_cast<std::uint8_t>((sign | exponent << 4 | mantissa) ^ 0x55);
}

std::int16_t decode_alaw(std::uint8_t byte) {
    const int code = byte ^ 0x55;
    const int exponent = (code & 0x70) >> 4;
    int magnitude = ((code & 0x0F) << 4) + 8;
    if (exponent > 0) magnitude = (magnitude + 0x100) << (exponent - 1);
    return static_cast<std::int16_t>(code & 0x80 ? magnitude : -magnitude);
}

std::uint32_t little(std::string_view bytes, std::size_t at, int count) {
    std::uint32_t value = 0;
    for (int i = 0; i < count; ++i) {
        value |= static_cast<std::uint32_t>(static_cast<std::uint8_t>(bytes[at + i])) << (8 * i);
    }
    return value;
}

void put_little(std::string& out, std::uint32_t value, int count) {
    for (int i = 0; i < count; ++i) out.push_back(static_cast<char>(value >> (8 * i)));
}

Pcm samples_of(std::string_view data, std::uint32_t format) {
    if (format == 7) return decode(Codec::pcmu, data);
    if (format == 6) return decode(Codec::pcma, data);
    Pcm samples(data.size() / 2);
    for (std::size_t i = 0; i < samples.size(); ++i) {
        samples[i] = static_cast<std::int16_t>(little(data, 2 * i, 2));
    }
    return samples;
}

}  // namespace

std::string_view codec_name(Codec codec) { return codec == Codec::pcmu ? "PCMU" : "PCMA"; }

std::uint8_t encode_sample(Codec codec, std::int16_t sample) {
    return codec == Codec::pcmu ? encode_mulaw(sample) : encode_alaw(sample);
}

std::int16_t decode_sample(Codec codec, std::uint8_t byte) {
    return codec == Codec::pcmu ? decode_mulaw(byte) : decode_alaw(byte);
}

std::string encode(Codec codec, std::span<const std::int16_t> samples) {
    std::string bytes;
    bytes.reserve(samples.size());
    for (std::int16_t sample : samples) bytes.push_back(static_cast<char>(encode_sample(codec, sample)));
    return bytes;
}

Pcm decode(Codec codec, std::string_view bytes) {
    Pcm samples;
    samples.reserve(bytes.size());
    for (char byte : bytes) samples.push_back(decode_sample(codec, static_cast<std::uint8_t>(byte)));
    return samples;
}

Wav read_wav(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    if (!file) throw std::runtime_error(path + ": cannot be opened");
    const std::string bytes((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
    const std::string_view view(bytes);
    if (view.size() < 12 || view.substr(0, 4) != "RIFF" || view.substr(8, 4) != "WAVE") {
        throw std::runtime_error(path + ": not a WAV file");
    }
    Wav wav;
    std::uint32_t format = 0;
    std::uint32_t bits = 0;
    for (std::size_t at = 12; at + 8 <= view.size();) {
        const std::string_view name = view.substr(at, 4);
        const std::size_t declared = little(view, at + 4, 4);
        at += 8;
        // A recorder that was killed leaves a size of 0 or of "everything": what the file holds counts.
        std::size_t size = std::min(declared, view.size() - at);
        if (name == "fmt " && size >= 16) {
            format = little(view, at, 2);
            wav.channels = static_cast<int>(little(view, at + 2, 2));
            wav.rate = static_cast<int>(little(view, at + 4, 4));
            bits = little(view, at + 14, 2);
            if (format == 0xFFFE && size >= 26) format = little(view, at + 24, 2);
        }
        if (name == "data") {
            if (size == 0) size = view.size() - at;
            const bool known = (format == 1 && bits == 16) || format == 6 || format == 7;
            if (!known || wav.channels < 1) {
                throw std::runtime_error(path + ": neither 16-bit PCM nor G.711");
            }
            wav.samples = samples_of(view.substr(at, size), format);
            return wav;
        }
        at += size + (size & 1);
    }
    throw std::runtime_error(path + ": has no data chunk");
}

void write_wav(const std::string& path, const Wav& wav) {
    std::string out = "RIFF";
    const auto data_bytes = static_cast<std::uint32_t>(wav.samples.size() * 2);
    put_little(out, 36 + data_bytes, 4);
    out += "WAVEfmt ";
    put_little(out, 16, 4);
    put_little(out, 1, 2);
    put_little(out, static_cast<std::uint32_t>(wav.channels), 2);
    put_little(out, static_cast<std::uint32_t>(wav.rate), 4);
    put_little(out, static_cast<std::uint32_t>(wav.rate * wav.channels * 2), 4);
    put_little(out, static_cast<std::uint32_t>(wav.channels * 2), 2);
    put_little(out, 16, 2);
    out += "data";
    put_little(out, data_bytes, 4);
    for (std::int16_t sample : wav.samples) put_little(out, static_cast<std::uint16_t>(sample), 2);
    std::ofstream file(path, std::ios::binary);
    if (!file.write(out.data(), static_cast<std::streamsize>(out.size()))) {
        throw std::runtime_error(path + ": cannot be written");
    }
}

Pcm read_speech(const std::string& path, int channel) {
    Wav wav = read_wav(path);
    if (wav.rate != rate_hz) {
        throw std::runtime_error(path + ": is at " + std::to_string(wav.rate) + " Hz, must be at 8000");
    }
    if (channel >= wav.channels) {
        throw std::runtime_error(path + ": has no channel " + std::to_string(channel));
    }
    if (wav.channels == 1) return std::move(wav.samples);
    Pcm one;
    for (std::size_t i = static_cast<std::size_t>(channel); i < wav.samples.size(); i += wav.channels) {
        one.push_back(wav.samples[i]);
    }
    return one;
}

Pcm silence(int ms) { return Pcm(static_cast<std::size_t>(ms) * rate_hz / 1000, 0); }

Pcm tone(int hz, int ms, int amplitude) {
    Pcm samples = silence(ms);
    for (std::size_t i = 0; i < samples.size(); ++i) {
        const double phase = 2 * std::numbers::pi * hz * static_cast<double>(i) / rate_hz;
        samples[i] = static_cast<std::int16_t>(amplitude * std::sin(phase));
    }
    return samples;
}

VoicedSpan find_voiced(std::span<const std::int16_t> frame) {
    VoicedSpan span;
    int loud = 0;
    for (std::size_t i = 0; i < frame.size(); ++i) {
        if (std::abs(static_cast<int>(frame[i])) <= voiced_level) continue;
        if (loud++ == 0) span.first = static_cast<int>(i);
        span.last = static_cast<int>(i);
    }
    span.voiced = loud * 20 >= static_cast<int>(frame.size()) && loud > 0;
    return span;
}

}  // namespace jackfield::sim
