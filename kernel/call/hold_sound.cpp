#include "call/hold_sound.hpp"

#include <algorithm>
#include <array>

#include "media/resampler.hpp"
#include "media/wav.hpp"

namespace jackfield::call {
namespace {

// Two seconds of tone in six: what a North American exchange sends; elsewhere it is understood.
constexpr std::size_t ring_samples = 2 * media::narrowband_hz;
constexpr std::size_t cadence_samples = 6 * media::narrowband_hz;
constexpr std::size_t edge_samples = 10 * media::narrowband_hz / 1000;
// Music for the ear of a caller is short, and each piece is held in memory.
constexpr std::size_t most_samples = 10 * 60 * media::narrowband_hz;

}  // namespace

base::Result<Music> load_music(const std::filesystem::path& file) {
    const auto wav = media::read_wav(file.string());
    if (!wav) return wav.error();
    std::vector<std::int16_t> audio = wav->channel(0);
    if (wav->info.rate_hz != media::narrowband_hz) {
        auto resampler = media::Resampler::create({wav->info.rate_hz, media::narrowband_hz});
        if (!resampler) return resampler.error();
        std::vector<std::int16_t> narrow((*resampler)->max_output(audio.size()));
        narrow.resize((*resampler)->process(audio, narrow).produced);
        audio = std::move(narrow);
    }
    if (audio.empty()) return base::Error(base::ErrorCode::invalid, file.string() + " holds no sound");
    audio.resize(std::min(audio.size(), most_samples));
    return Music(std::make_shared<const std::vector<std::int16_t>>(std::move(audio)));
}

Music MusicLibrary::find(const std::filesystem::path& file) {
    if (file.empty()) return nullptr;
    const std::lock_guard lock(mutex_);
    const auto [found, fresh] = music_.try_emplace(file);
    if (fresh)
        if (auto loaded = load_music(file)) found->second = std::move(*loaded);
    return found->second;
}

void HoldSound::fill(media::G711Law law, std::span<std::uint8_t, media::packet_samples> codes) {
    std::array<std::int16_t, media::packet_samples> pcm{};
    if (music_) {
        for (std::int16_t& sample : pcm) {
            sample = (*music_)[at_];
            at_ = (at_ + 1) % music_->size();
        }
    } else {
        if (at_ < ring_samples) ring_.fill(pcm);
        for (std::int16_t& sample : pcm) {
            const std::size_t edge = std::min(at_, at_ < ring_samples ? ring_samples - at_ : 0);
            if (edge < edge_samples) sample = static_cast<std::int16_t>(sample * static_cast<int>(edge) / static_cast<int>(edge_samples));
            at_ = (at_ + 1) % cadence_samples;
        }
    }
    media::encode(law, pcm, codes);
}

}  // namespace jackfield::call
