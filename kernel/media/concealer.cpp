#include "media/concealer.hpp"

#include <algorithm>
#include <cmath>

namespace jackfield::media {
namespace {

constexpr float quietest_dbov = -78.0F;
constexpr float loudest_dbov = -45.0F;   // louder than this it is no noise of the line
constexpr float rise_db = 0.06F;         // a packet: 3 dB a second, so that words don't count as noise

std::int16_t clamp16(int sample) { return static_cast<std::int16_t>(std::clamp(sample, -32768, 32767)); }

}  // namespace

int Concealer::pitch_period(std::span<const std::int16_t> audio, int window) {
    const auto size = static_cast<int>(audio.size());
    window = std::min(window, size - most_period);
    const std::int16_t* const end = audio.data() + size;
    int best = least_period;
    float best_score = -1.0F;
    for (int lag = least_period; lag <= most_period && lag + window <= size; ++lag) {
        // Every second sample: the period is found to the sample all the same, in half the time.
        float product = 0;
        float energy = 1;
        for (int i = 1; i <= window; i += 2) {
            const auto now = static_cast<float>(end[-i]);
            const auto before = static_cast<float>(end[-i - lag]);
            product += now * before;
            energy += before * before;
        }
        const float score = product / std::sqrt(energy);
        if (score > best_score) {
            best_score = score;
            best = lag;
        }
    }
    return best;
}

void Concealer::remember(std::span<const std::int16_t> audio) {
    if (audio.size() >= history_.size()) {
        std::copy(audio.end() - history_samples, audio.end(), history_.begin());
        return;
    }
    std::copy(history_.begin() + static_cast<std::ptrdiff_t>(audio.size()), history_.end(), history_.begin());
    std::copy(audio.begin(), audio.end(), history_.end() - static_cast<std::ptrdiff_t>(audio.size()));
}

/// Follows the quietest level of the line: down at once, up slowly.
void Concealer::listen(std::span<const std::int16_t> audio) {
    if (audio.size() < packet_samples / 2) return;
    float power = 0;
    for (const std::int16_t sample : audio) power += static_cast<float>(sample) * static_cast<float>(sample);
    power /= static_cast<float>(audio.size());
    const float dbov = std::clamp(10.0F * std::log10(power / (32768.0F * 32768.0F) + 1e-12F), quietest_dbov, loudest_dbov);
    if (!heard_ || dbov < noise_dbov_) noise_dbov_ = heard_ ? 0.5F * (noise_dbov_ + dbov) : dbov;
    else noise_dbov_ = std::min(dbov, noise_dbov_ + rise_db);
    heard_ = true;
}

void Concealer::begin() {
    period_size_ = pitch_period(history_);
    const auto last = history_.end() - period_size_;
    std::copy(last, history_.end(), period_.begin());
    // The end of the period runs into its beginning: its last quarter becomes what stood before the beginning.
    const int quarter = period_size_ / 4;
    for (int i = 0; i < quarter; ++i) {
        const int before = *(last - quarter + i);
        const int gain = (i + 1) * 256 / (quarter + 1);
        const auto place = static_cast<std::size_t>(period_size_ - quarter + i);
        period_[place] = clamp16((period_[place] * (256 - gain) + before * gain) / 256);
    }
    at_ = 0;
    // Where the period continues the voice, the difference between the two is taken out over the same quarter.
    seam_ = history_.back() - *(last - 1);
    noise_ = ComfortNoise(noise_dbov_, noise_seed_++);
}

std::int16_t Concealer::next() {
    std::array<std::int16_t, 1> noise{};
    noise_.fill(noise);
    if (filled_ >= fade_samples) {
        ++filled_;
        return noise[0];
    }
    const int quarter = std::max(period_size_ / 4, 1);
    int voice = period_[static_cast<std::size_t>(at_)];
    if (filled_ < quarter) voice += seam_ * (quarter - filled_) / quarter;
    at_ = (at_ + 1) % period_size_;
    const int gain = filled_ <= level_samples ? 256 : 256 * (fade_samples - filled_) / (fade_samples - level_samples);
    ++filled_;
    return clamp16((voice * gain + noise[0] * (256 - gain)) / 256);
}

void Concealer::fill(std::span<std::int16_t> out) {
    if (out.empty()) return;
    if (filled_ == 0) begin();
    for (std::int16_t& sample : out) sample = next();
    // Its own fading voice is no ground for the next period; noise is.
    if (faded()) remember(out);
    filled_ = std::min(filled_, 1 << 24);
}

void Concealer::cut() {
    if (filled_ > 0) return;
    begin();
    filled_ = 1;
}

void Concealer::pass(std::span<std::int16_t> audio) {
    if (audio.empty()) return;
    listen(audio);
    if (filled_ > 0) {
        const int n = std::min<int>(blend_samples, static_cast<int>(audio.size()));
        for (int i = 0; i < n; ++i) {
            const int gain = (i + 1) * 256 / (n + 1);
            std::int16_t& sample = audio[static_cast<std::size_t>(i)];
            sample = clamp16((next() * (256 - gain) + sample * gain) / 256);
        }
        filled_ = 0;
    }
    remember(audio);
}

}  // namespace jackfield::media
