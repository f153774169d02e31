#include "media/echo_detector.hpp"

#include <algorithm>
#include <cmath>

namespace jackfield::media {
namespace {

// Measured on human prompts (tests/unit/kernel/media/echo_detector_test.cpp): of 100 ms of somebody else's speech, the likest of 4000 delays
// correlates with 0.20 on average and with 0.40 in one case of a hundred; echoes over a path with reflections and line noise with 0.79, and
// with 0.44 in the worst of a hundred. Without whitening the first would be 0.47 and 0.88: vowels resemble each other.
constexpr float is_alike = 0.42F;
constexpr float is_alike_where_expected = 0.28F; // few delays are tried then, so that chance has less to choose from
constexpr float most_gain = 0.4F;
/// Beyond what the known echo would be: somebody else sounds too.
constexpr float louder_by = 4.0F; // 6 dB
constexpr float least_heard = 20.0F * 20.0F; ///< mean square, -64 dBov: below there is nothing to compare
constexpr std::int64_t least_scaled = 64; ///< mean square of the scaled windows: below there is nothing but their rounding
/// Packets leave and come at two ends of a clock of 20 ms: the delay in samples jumps by whole packets.
constexpr std::array<int, 5> jumps = {0, -packet_samples, packet_samples, -2 * packet_samples, 2 * packet_samples};
constexpr int about = 12; ///< samples
constexpr int search_every = 5;
constexpr int window_packets = EchoDetector::window.count() / packet_ms;
constexpr int forgotten_after = 150; // 3 s
constexpr float scaled_peak = 1000.0F;

float energy(std::span<const std::int16_t> samples) {
    float sum = 0;
    for (const std::int16_t s : samples) sum += static_cast<float>(s) * static_cast<float>(s);
    return sum;
}

/// The compiler makes vector instructions of it: this is where the time goes.
std::int32_t product(const std::int16_t* a, const std::int16_t* b, std::size_t n) {
    std::int32_t sum = 0;
    for (std::size_t i = 0; i < n; ++i) sum += static_cast<std::int32_t>(a[i]) * b[i];
    return sum;
}

struct Whitener {
    float a1 = 0;
    float a2 = 0;
    float at(std::span<const std::int16_t> x, std::size_t i) const {
        return static_cast<float>(x[i]) - a1 * static_cast<float>(x[i - 1]) - a2 * static_cast<float>(x[i - 2]);
    }
};

/// Linear prediction of the second order: takes the tilt and the loudest resonance out.
Whitener whitener_for(std::span<const std::int16_t> x) {
    double r0 = 1;
    double r1 = 0;
    double r2 = 0;
    for (std::size_t i = 2; i < x.size(); ++i) {
        r0 += static_cast<double>(x[i]) * x[i];
        r1 += static_cast<double>(x[i]) * x[i - 1];
        r2 += static_cast<double>(x[i]) * x[i - 2];
    }
    r0 *= 1.001;
    const double k1 = r1 / r0;
    const double e1 = r0 * (1 - k1 * k1);
    const double k2 = (r2 - k1 * r1) / e1;
    return {static_cast<float>(k1 - k2 * k1), static_cast<float>(k2)};
}

/// Returns the factor that was applied.
float whiten(std::span<const std::int16_t> in, const Whitener& whitener, std::span<std::int16_t> out) {
    float peak = 1;
    for (std::size_t i = 2; i < in.size(); ++i) peak = std::max(peak, std::abs(whitener.at(in, i)));
    const float factor = scaled_peak / peak;
    out[0] = out[1] = 0;
    for (std::size_t i = 2; i < in.size(); ++i) out[i] = static_cast<std::int16_t>(std::lrintf(whitener.at(in, i) * factor));
    return factor;
}

void append(std::vector<std::int16_t>& ring, std::span<const std::int16_t> packet) {
    if (packet.size() > ring.size()) packet = packet.last(ring.size());
    std::copy(ring.begin() + static_cast<std::ptrdiff_t>(packet.size()), ring.end(), ring.begin());
    std::copy(packet.begin(), packet.end(), ring.end() - static_cast<std::ptrdiff_t>(packet.size()));
}

}  // namespace

EchoDetector::EchoDetector() : played_(played_samples), heard_(window_samples), white_played_(played_samples), white_heard_(window_samples) {}

void EchoDetector::played(std::span<const std::int16_t> packet) {
    append(played_, packet);
    silent_ = 0;
}

void EchoDetector::played_nothing() {
    // All of it is silence: nothing to move.
    if (silent_ >= played_samples) return;
    static constexpr std::array<std::int16_t, packet_samples> nothing{};
    append(played_, nothing);
    silent_ += packet_samples;
}

void EchoDetector::heard(std::span<const std::int16_t> packet) {
    append(heard_, packet);
    ++since_search_;
    ++since_hit_;
}

bool EchoDetector::is_echo() {
    if (!prepare()) return false;
    if (known_) {
        const Likeness found = best_near(known_->delay);
        if (found.correlation >= (seen() ? is_alike_where_expected : is_alike) && found.gain <= most_gain && !someone_is_louder(found.delay)) {
            keep(found);
            return true;
        }
        // A line's echo changes rarely, and a caller who speaks over it is no reason to look for another with each packet.
        if (seen() && since_search_ < search_every) return false;
    }
    since_search_ = 0;
    const Likeness found = best();
    if (found.correlation < is_alike || found.gain > most_gain) return false;
    if (known_ && seen() && someone_is_louder(found.delay)) return false;
    keep(found);
    return true;
}

std::optional<std::chrono::milliseconds> EchoDetector::delay() const {
    if (!known_) return std::nullopt;
    return std::chrono::milliseconds(known_->delay * 1000 / narrowband_hz);
}

/// False: there is nothing that could be compared.
bool EchoDetector::prepare() {
    if (silent_ >= played_samples) return false;
    heard_energy_ = energy(heard_);
    if (heard_energy_ < least_heard * window_samples) return false;
    const Whitener whitener = whitener_for(heard_);
    const float of_heard = whiten(heard_, whitener, white_heard_);
    const float of_played = whiten(played_, whitener, white_played_);
    scale_ratio_ = of_played / of_heard;
    return true;
}

EchoDetector::Likeness EchoDetector::compare(std::size_t delay) const {
    const std::size_t from = delay_samples - delay;
    const std::int16_t* const then = white_played_.data() + from;
    const auto own = static_cast<float>(product(white_heard_.data(), white_heard_.data(), window_samples));
    const auto other = static_cast<float>(product(then, then, window_samples));
    if (own <= 0 || other < static_cast<float>(least_scaled * window_samples)) return {};
    const float both = std::abs(static_cast<float>(product(white_heard_.data(), then, window_samples)));
    return {both / std::sqrt(own * other), both / other * scale_ratio_, delay};
}

EchoDetector::Likeness EchoDetector::best_near(std::size_t delay) const {
    Likeness best;
    for (const int jump : jumps)
        for (int off = -about; off <= about; ++off) {
            const auto at = static_cast<std::ptrdiff_t>(delay) + jump + off;
            if (at < 0 || at > static_cast<std::ptrdiff_t>(delay_samples)) continue;
            if (const Likeness found = compare(static_cast<std::size_t>(at)); found.correlation > best.correlation) best = found;
        }
    return best;
}

EchoDetector::Likeness EchoDetector::best() const {
    Likeness best;
    const auto own = static_cast<float>(product(white_heard_.data(), white_heard_.data(), window_samples));
    if (own <= 0) return best;
    // The energy of the window that slides, kept up to date at both of its ends.
    std::int64_t other = product(white_played_.data(), white_played_.data(), window_samples);
    for (std::size_t from = 0;; ++from) {
        if (other >= least_scaled * static_cast<std::int64_t>(window_samples)) {
            const float both = std::abs(static_cast<float>(product(white_heard_.data(), white_played_.data() + from, window_samples)));
            const auto energy_then = static_cast<float>(other);
            if (const float correlation = both / std::sqrt(own * energy_then); correlation > best.correlation)
                best = {correlation, both / energy_then * scale_ratio_, delay_samples - from};
        }
        if (from == delay_samples) return best;
        const std::int64_t out = white_played_[from];
        const std::int64_t in = white_played_[from + window_samples];
        other += in * in - out * out;
    }
}

void EchoDetector::keep(const Likeness& found) {
    const bool same = known_ && [&] {
        for (const int jump : jumps)
            if (std::abs(static_cast<int>(found.delay) - static_cast<int>(known_->delay) - jump) <= about) return true;
        return false;
    }();
    // Windows overlap, and what resembles by chance does so in several of them: only those count that share nothing.
    const bool apart = since_hit_ >= window_packets;
    if (same && apart && since_hit_ <= forgotten_after) hits_ = std::min(hits_ + 1, sure_hits);
    else if (!seen() && (!same || apart)) hits_ = 1;
    if (!same || apart) since_hit_ = 0;
    // The gain of the energies, since an echo with reflections is more than its likest copy.
    const std::span<const std::int16_t> then(played_.data() + (delay_samples - found.delay), window_samples);
    const float gain = std::sqrt(heard_energy_ / std::max(energy(then), 1.0F));
    const float smooth = same && known_->gain > 0 ? 0.8F * known_->gain + 0.2F * gain : gain;
    known_ = Likeness{found.correlation, std::min(smooth, most_gain), found.delay};
}

/// The last packet is louder than the known echo can be: the caller has begun to speak, though most of the window is echo still.
bool EchoDetector::someone_is_louder(std::size_t delay) const {
    if (!seen()) return false;
    const std::span<const std::int16_t> now(heard_.data() + (window_samples - packet_samples), packet_samples);
    const std::size_t end = played_samples - delay;
    const std::size_t length = 2 * packet_samples; // what reflections are late by
    const std::span<const std::int16_t> then(played_.data() + (end - length), length);
    const float expected = known_->gain * known_->gain * energy(then);
    return energy(now) > louder_by * expected + least_heard * packet_samples;
}

}  // namespace jackfield::media
