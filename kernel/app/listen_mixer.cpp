#include "app/listen_mixer.hpp"

#include <algorithm>
#include <string_view>

#include "media/types.hpp"

namespace jackfield::app {
namespace {

/// A position this far ahead is a mistake of somebody's, not a hole to be filled with memory.
constexpr media::SamplePos most_ahead = 60 * media::narrowband_hz;

}  // namespace

void ListenMixer::add(media::RecordingSide side, media::SamplePos at, std::span<const std::int16_t> samples) {
    if (!begun_) {
        begun_ = true;
        from_ = agent_end_ = at;
    }
    if (at < from_) {
        // Too late: that time has been taken already.
        const auto late = static_cast<std::size_t>(std::min<media::SamplePos>(from_ - at, static_cast<media::SamplePos>(samples.size())));
        samples = samples.subspan(late);
        at = from_;
    }
    if (samples.empty() || at - from_ > most_ahead) return;
    std::vector<std::int16_t>& into = sides_[static_cast<std::size_t>(side)];
    const auto begin = static_cast<std::size_t>(at - from_);
    if (into.size() < begin + samples.size()) into.resize(begin + samples.size(), 0);
    std::copy(samples.begin(), samples.end(), into.begin() + static_cast<std::ptrdiff_t>(begin));
    if (side == media::RecordingSide::agent) agent_end_ = std::max(agent_end_, at + static_cast<media::SamplePos>(samples.size()));
}

std::vector<std::int16_t> ListenMixer::take(bool over) {
    if (!begun_) return {};
    const auto whole = static_cast<media::SamplePos>(std::max(sides_[0].size(), sides_[1].size()));
    const media::SamplePos ready = std::clamp<media::SamplePos>(over ? whole : agent_end_ - from_ - patience, 0, whole);
    const auto n = static_cast<std::size_t>(ready);
    for (auto& side : sides_) side.resize(std::max(side.size(), n), 0);
    std::vector<std::int16_t> out;
    out.reserve(n * static_cast<std::size_t>(channels()));
    for (std::size_t i = 0; i < n; ++i) {
        if (stereo_) {
            out.push_back(sides_[0][i]);
            out.push_back(sides_[1][i]);
        } else {
            out.push_back(static_cast<std::int16_t>(std::clamp(int{sides_[0][i]} + int{sides_[1][i]}, -32768, 32767)));
        }
    }
    for (auto& side : sides_) side.erase(side.begin(), side.begin() + static_cast<std::ptrdiff_t>(n));
    from_ += ready;
    return out;
}

std::vector<std::uint8_t> pcm_wav_header(int channels, std::uint64_t frames) {
    std::vector<std::uint8_t> out;
    out.reserve(44);
    const auto text = [&](std::string_view four) {
        for (const char letter : four) out.push_back(static_cast<std::uint8_t>(letter)); // insert() makes GCC 12 warn of an overflow
    };
    const auto number = [&](std::uint32_t value, int bytes) {
        for (int i = 0; i < bytes; ++i) out.push_back(static_cast<std::uint8_t>(value >> (8 * i)));
    };
    const auto width = static_cast<std::uint32_t>(channels * 2);
    // Players take the largest length for "until it ends".
    const std::uint32_t data = frames == 0 ? 0xffffffffU - 36 : static_cast<std::uint32_t>(std::min<std::uint64_t>(frames * width, 0xffffffffU - 36));
    text("RIFF");
    number(data + 36, 4);
    text("WAVE");
    text("fmt ");
    number(16, 4);
    number(1, 2);
    number(static_cast<std::uint32_t>(channels), 2);
    number(media::narrowband_hz, 4);
    number(media::narrowband_hz * width, 4);
    number(width, 2);
    number(16, 2);
    text("data");
    number(data, 4);
    return out;
}

}  // namespace jackfield::app
