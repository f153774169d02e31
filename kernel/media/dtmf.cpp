#include "media/dtmf.hpp"

#include "media/level.hpp"

#include <algorithm>
#include <cctype>
#include <cmath>
#include <numbers>
#include <string_view>

namespace jackfield::media {
namespace {

constexpr std::array<float, 8> tones_hz = {697, 770, 852, 941, 1209, 1336, 1477, 1633};
constexpr std::string_view keys = "123A456B789C*0#D";

// Each of the two tones at least at about -42 dBov.
constexpr float least_tone_dbov = -42.0F;
// The high tone may be 8 dB weaker or 6 dB stronger than the low one: lines attenuate high
// frequencies more.
constexpr float weakest_high = 0.158F;
constexpr float strongest_high = 4.0F;
// The best tone of a group stands 8 dB above the others, or it is a voice.
constexpr float above_others = 6.3F;
// Both tones together hold four fifths of all energy, or it is a voice.
constexpr float share_of_energy = 0.80F;

const std::array<float, 8>& coefficients() {
    static const std::array<float, 8> values = [] {
        std::array<float, 8> made{};
        for (std::size_t i = 0; i < made.size(); ++i) {
            made[i] = static_cast<float>(
                2.0 * std::cos(2.0 * std::numbers::pi * static_cast<double>(tones_hz[i]) /
                               narrowband_hz));
        }
        return made;
    }();
    return values;
}

/// A tenth of what two tones of the least level have together.
float quiet_square() {
    static const float value = 32768.0F * 32768.0F * std::pow(10.0F, least_tone_dbov / 10.0F) / 5.0F;
    return value;
}

std::size_t strongest(const std::array<float, 8>& power, std::size_t from) {
    const auto first = power.begin() + static_cast<std::ptrdiff_t>(from);
    return static_cast<std::size_t>(std::max_element(first, first + 4) - power.begin());
}

bool stands_out(const std::array<float, 8>& power, std::size_t best) {
    const std::size_t group = best / 4 * 4;
    for (std::size_t i = group; i < group + 4; ++i) {
        if (i != best && power[i] * above_others > power[best]) return false;
    }
    return true;
}

/// Of a stretch and itself, none, one and two samples later.
struct Likeness {
    float energy = 0;
    float one = 0;
    float two = 0;
};

Likeness likeness_of(std::span<const std::int16_t> samples) {
    // In parts, of which the compiler makes vectors.
    std::array<float, 8> zero{};
    std::array<float, 8> one{};
    std::array<float, 8> two{};
    std::size_t at = 0;
    const std::int16_t* const x = samples.data();
    for (; at + zero.size() + 2 <= samples.size(); at += zero.size())
        for (std::size_t i = 0; i < zero.size(); ++i) {
            const auto value = static_cast<float>(x[at + i]);
            zero[i] += value * value;
            one[i] += value * static_cast<float>(x[at + i + 1]);
            two[i] += value * static_cast<float>(x[at + i + 2]);
        }
    Likeness sum;
    for (std::size_t i = 0; i < zero.size(); ++i) {
        sum.energy += zero[i];
        sum.one += one[i];
        sum.two += two[i];
    }
    for (; at < samples.size(); ++at) {
        const auto value = static_cast<float>(x[at]);
        sum.energy += value * value;
        if (at + 1 < samples.size()) sum.one += value * static_cast<float>(x[at + 1]);
        if (at + 2 < samples.size()) sum.two += value * static_cast<float>(x[at + 2]);
    }
    return sum;
}

/// False for most voices, which spares the filters. A pair of tones that judge() lets pass has, by the cosines of its frequencies and the
/// differences in level that it allows, 0.37 to 0.82 of its energy one sample later, and at most 0.35 two; four fifths of the energy are the
/// pair's, and the rest may be anything. So the bounds are 0.1 to 0.86, and 0.48; a bit more for the ends of a stretch that is cut off.
bool may_be_two_tones(const Likeness& likeness) {
    return likeness.one > 0.05F * likeness.energy && likeness.one < 0.9F * likeness.energy && likeness.two < 0.53F * likeness.energy;
}

/// Goertzel's filters. All eight at once: as arrays of their own the states stay in two vectors each, which halves the time.
/// Mean square of a tone at the filter's frequency: 2 |X|^2 / N^2, N being a whole block.
std::array<float, 8> power_of_tones(std::span<const std::int16_t> samples, float block) {
    const std::array<float, 8> factor = coefficients();
    std::array<float, 8> before{};
    std::array<float, 8> last{};
    for (const std::int16_t sample : samples) {
        const auto value = static_cast<float>(sample);
        std::array<float, 8> next;
        for (std::size_t i = 0; i < next.size(); ++i) next[i] = value + factor[i] * last[i] - before[i];
        before = last;
        last = next;
    }
    std::array<float, 8> power{};
    for (std::size_t i = 0; i < power.size(); ++i)
        power[i] = (last[i] * last[i] + before[i] * before[i] - factor[i] * last[i] * before[i]) * 2.0F / (block * block);
    return power;
}

std::size_t to_samples(std::chrono::milliseconds duration) {
    return static_cast<std::size_t>(std::max<std::int64_t>(0, duration.count()) * narrowband_hz /
                                    1000);
}

}  // namespace

std::optional<DtmfPair> dtmf_pair(char digit) {
    const auto upper = static_cast<char>(std::toupper(static_cast<unsigned char>(digit)));
    const std::size_t key = keys.find(upper);
    if (key == std::string_view::npos) return std::nullopt;
    return DtmfPair{tones_hz[key / 4], tones_hz[4 + key % 4]};
}

bool DtmfGenerator::start(char digit, const DtmfTiming& timing) {
    const std::optional<DtmfPair> pair = dtmf_pair(digit);
    if (!pair) return false;
    tone_.emplace(pair->low_hz, pair->high_hz, timing.level_dbov);
    tone_left_ = to_samples(timing.tone);
    gap_left_ = to_samples(timing.gap);
    return true;
}

std::size_t DtmfGenerator::fill(std::span<std::int16_t> out) {
    const std::size_t tone = std::min(out.size(), tone_left_);
    if (tone > 0) tone_->fill(out.first(tone));
    tone_left_ -= tone;
    std::fill(out.begin() + static_cast<std::ptrdiff_t>(tone), out.end(), std::int16_t{0});
    const std::size_t gap = std::min(out.size() - tone, gap_left_);
    gap_left_ -= gap;
    return tone + gap;
}

std::optional<char> DtmfDetector::feed(std::span<const std::int16_t> frame) {
    std::optional<char> digit;
    while (!frame.empty()) {
        const auto n = std::min(frame.size(), static_cast<std::size_t>(block - filled_));
        // Most of a call is no key, and much of it hardly a sound: what is too quiet for a tone is passed over.
        const bool quiet = begin_ == filled_ && mean_square(frame.first(n)) < quiet_square();
        if (!quiet) std::copy_n(frame.begin(), n, samples_.begin() + filled_);
        filled_ += static_cast<int>(n);
        if (quiet) begin_ = filled_;
        frame = frame.subspan(n);
        if (filled_ == block) {
            if (const std::optional<char> begun = end_block()) digit = begun;
        }
    }
    return digit;
}

/// The digit of this block, 0 when there is none.
char DtmfDetector::judge() const {
    const auto samples = std::span(samples_).subspan(static_cast<std::size_t>(begin_));
    if (samples.empty()) return 0;
    const Likeness likeness = likeness_of(samples);
    if (!may_be_two_tones(likeness)) return 0;
    const std::array<float, 8> power = power_of_tones(samples, block);
    static const float least = 32768.0F * 32768.0F * std::pow(10.0F, least_tone_dbov / 10.0F);
    const std::size_t low = strongest(power, 0);
    const std::size_t high = strongest(power, 4);
    if (power[low] < least || power[high] < least) return 0;
    if (power[high] < power[low] * weakest_high || power[high] > power[low] * strongest_high)
        return 0;
    if (!stands_out(power, low) || !stands_out(power, high)) return 0;
    if (power[low] + power[high] < share_of_energy * likeness.energy / block) return 0;
    return keys[low * 4 + (high - 4)];
}

std::optional<char> DtmfDetector::end_block() {
    const char heard = judge();
    filled_ = 0;
    begin_ = 0;
    std::optional<char> begun;
    if (heard != 0 && heard == last_block_ && heard != sounding_) {
        sounding_ = heard;
        begun = heard;
    } else if (heard != sounding_ && last_block_ != sounding_) {
        // Two blocks without it: a single one may be a drop-out within a long key press.
        sounding_ = 0;
    }
    last_block_ = heard;
    return begun;
}

}  // namespace jackfield::media
