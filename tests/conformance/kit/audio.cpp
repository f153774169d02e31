#include "conformance/kit/audio.hpp"

#include "conformance/kit/check.hpp"
#include "media/g711.hpp"
#include "media/resampler.hpp"
#include "media/wav.hpp"

#include <jackfield/base.h>

#include <cmath>
#include <cstring>
#include <numbers>
#include <string>

#include <fmt/format.h>

namespace jackfield::conformance {

std::uint16_t codec_named(std::string_view name) {
    if (name == "L16") return JF_CODEC_L16;
    if (name == "PCMU") return JF_CODEC_PCMU;
    if (name == "PCMA") return JF_CODEC_PCMA;
    if (name == "G722") return JF_CODEC_G722;
    return 0;
}

std::vector<std::byte> encode(std::span<const std::int16_t> samples, std::uint16_t codec) {
    if (codec != JF_CODEC_PCMU && codec != JF_CODEC_PCMA) {
        std::vector<std::byte> out(samples.size_bytes());
        if (!out.empty()) std::memcpy(out.data(), samples.data(), out.size());
        return out;
    }
    std::vector<std::byte> out(samples.size());
    media::encode(codec == JF_CODEC_PCMU ? media::G711Law::mu : media::G711Law::a, samples,
                  {reinterpret_cast<std::uint8_t*>(out.data()), out.size()});
    return out;
}

std::vector<std::int16_t> babble(std::uint32_t rate_hz, unsigned ms) {
    std::vector<std::int16_t> out(static_cast<std::size_t>(rate_hz) * ms / 1000);
    for (std::size_t i = 0; i < out.size(); ++i) {
        const double t = static_cast<double>(i) / rate_hz;
        const double syllable = std::max(0.0, std::sin(2 * std::numbers::pi * 4 * t));
        const double voice = std::sin(2 * std::numbers::pi * 150 * t) + 0.5 * std::sin(2 * std::numbers::pi * 700 * t) +
                             0.25 * std::sin(2 * std::numbers::pi * 1900 * t);
        out[i] = static_cast<std::int16_t>(5000 * syllable * voice);
    }
    return out;
}

std::vector<std::int16_t> read_wav(const std::filesystem::path& file, std::uint32_t rate_hz) {
    const auto read = media::read_wav(file.string());
    if (!read) fail(fmt::format("{}: {}", file.string(), read.error().text()));
    std::vector<std::int16_t> samples = read->channel(0);
    if (read->info.rate_hz == static_cast<int>(rate_hz)) return samples;
    media::ResamplerOptions options;
    options.in_hz = read->info.rate_hz;
    options.out_hz = static_cast<int>(rate_hz);
    auto resampler = media::Resampler::create(options);
    if (!resampler) fail(fmt::format("{}: {}", file.string(), resampler.error().text()));
    std::vector<std::int16_t> out((*resampler)->max_output(samples.size()));
    out.resize((*resampler)->process(samples, out).produced);
    return out;
}

bool same_words(std::string_view a, std::string_view b) {
    const auto plain = [](std::string_view text) {
        std::string out;
        for (const char c : text) {
            if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || (c & 0x80)) out += c;
            else if (c >= 'A' && c <= 'Z') out += static_cast<char>(c - 'A' + 'a');
            else if (!out.empty() && out.back() != ' ' && c != '\'') out += ' ';
        }
        while (!out.empty() && out.back() == ' ') out.pop_back();
        return out;
    };
    return plain(a) == plain(b);
}

}  // namespace jackfield::conformance
