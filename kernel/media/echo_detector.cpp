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
constexpr float least_played = 2.0F * 2.0F;  ///< the same of what could have come back, whitened: below it is its coding's noise
/// Packets leave and come at two ends of a clock of 20 ms: the delay in samples jumps by whole packets.
constexpr std::array<int, 4> jumps = {-packet_samples, packet_samples, -2 * packet_samples, 2 * packet_samples};
constexpr int about = 12; ///< samples
constexpr int forgotten_after = 150; // 3 s

// At a quarter of the rate the likest delays are chosen, at the full one they are judged. An echo that is alike there hardly ever is less
// than this here, and the rest is not worth a look.
constexpr std::size_t coarse = EchoSide::step;
constexpr float is_worth_a_look = 0.3F;
constexpr float most_gain_of_a_look = 2 * most_gain; // the path colours it, and half of the band is missing
constexpr std::size_t fine_delays = 8;               // two coarse samples
/// What is heard, with a caller or noise in it, beside the loudest that was played. What is louder is no echo that could still be told.
constexpr float most_heard = 0.5F;

// In packets. A search costs as much as three packets of the voice detector, and an echo that was missed once is found with the next.
constexpr int search_every = 2;
/// A line's echo changes rarely, and hardly comes up in mid-call; who speaks over it is no reason to look for another. When it does, it is
/// found before a caller would be believed (barge_in_echo_ms).
constexpr int search_rarely = 10;
constexpr int enough_in_vain = 60; // searches: seconds in which both were talking

/// Apart from what a jump explains.
bool is_near(std::size_t a, std::size_t b) {
    const auto between = static_cast<int>(a) - static_cast<int>(b);
    return std::abs(between) <= about || std::any_of(jumps.begin(), jumps.end(), [between](int jump) { return std::abs(between - jump) <= about; });
}

}  // namespace

EchoDetector::EchoDetector() : played_(played_packets), heard_(window_packets + 1) {}

void EchoDetector::played(Packet packet) {
    played_.append(packet);
    silent_ = 0;
}

void EchoDetector::played_nothing() {
    // All of it is silence: nothing to move.
    if (silent_ >= played_packets) return;
    static constexpr std::array<std::int16_t, packet_samples> nothing{};
    played_.append(nothing);
    ++silent_;
}

void EchoDetector::heard(Packet packet) {
    heard_.append(packet);
    ++since_search_;
    ++since_hit_;
}

bool EchoDetector::is_echo() {
    if (!comparable()) return false;
    if (!seen() && since_hit_ > forgotten_after) known_.reset();
    const bool search = worth_a_search();
    if (!known_ && !search) return false;
    whiten_heard();
    if (known_ && is_known_echo()) return true;
    if (!search) return false;
    const Likeness found = best();
    ++in_vain_;
    if (found.correlation < is_alike || found.gain > most_gain) return false;
    if (known_ && someone_is_louder(found.delay)) return false;
    keep(found);
    return true;
}

std::optional<std::chrono::milliseconds> EchoDetector::delay() const {
    if (!known_) return std::nullopt;
    return std::chrono::milliseconds(known_->delay * 1000 / narrowband_hz);
}

bool EchoDetector::comparable() const { return silent_ < played_packets && heard_.energy(window_packets) >= least_heard * window_samples; }

void EchoDetector::whiten_heard() {
    const auto samples = heard_.full().newest(window_samples + Whitener::order);
    whitener_ = whitener_for(samples);
    white_heard_.make(samples, whitener_);
}

bool EchoDetector::is_known_echo() {
    const Likeness found = best_near(known_->delay);
    if (found.correlation < (seen() ? is_alike_where_expected : is_alike) || found.gain > most_gain || someone_is_louder(found.delay)) return false;
    keep(found);
    return true;
}

bool EchoDetector::worth_a_search() const {
    const int every = seen() || in_vain_ >= enough_in_vain ? search_rarely : search_every;
    if (since_search_ < every) return false;
    // The packets of what was played needn't begin where the echo's do: one more holds all of them.
    return heard_.energy(window_packets) <= most_heard * played_.loudest(window_packets + 1);
}

/// The likest of so many delays (a multiple of four, and at most 28), the shortest being `first`.
EchoDetector::Likeness EchoDetector::likest(std::ptrdiff_t first, std::size_t delays) const {
    const std::span<const std::int16_t> all = played_.full().all();
    const auto furthest = static_cast<std::ptrdiff_t>(delay_samples + 2 * coarse - delays);
    const auto shortest = static_cast<std::size_t>(std::clamp<std::ptrdiff_t>(first, 0, furthest));
    const std::size_t longest = shortest + delays - 1;
    WhiteSamples white;
    white.make(all.last(window_samples + longest + Whitener::order).first(window_samples + delays - 1 + Whitener::order), whitener_);
    if (white_heard_.factor() <= 0 || white.factor() <= 0) return {};
    const float scale_ratio = white.factor() / white_heard_.factor();
    Likeness best;
    // The energy of the window that slides, kept up to date at both of its ends.
    std::int32_t other = product_of(white.data(), white.data(), window_samples);
    const float least = least_played * window_samples * white.factor() * white.factor();
    for (std::size_t from = 0; from < delays; from += 4) {
        const auto products = products_of(white_heard_.data(), white.data() + from, window_samples);
        for (std::size_t i = 0; i < products.size(); ++i) {
            const auto then = static_cast<float>(other);
            const float both = std::abs(static_cast<float>(products[i]));
            if (const float correlation = both / std::sqrt(WhiteSamples::energy * then); then >= least && correlation > best.correlation)
                best = {correlation, both / then * scale_ratio, longest - from - i};
            if (from + i + 1 == delays) break;
            const std::int32_t out = white.data()[from + i];
            const std::int32_t in = white.data()[from + i + window_samples];
            other += in * in - out * out;
        }
    }
    return best;
}

EchoDetector::Likeness EchoDetector::best_near(std::size_t delay) const {
    // Where it was it is again, most of the time.
    const auto here = static_cast<std::ptrdiff_t>(delay);
    Likeness best = likest(here - about, (2 * about + 1 + 3) / 4 * 4);
    if (best.correlation >= is_alike) return best;
    for (const int jump : jumps) {
        const std::ptrdiff_t there = here + jump;
        if (there < 0 || there > static_cast<std::ptrdiff_t>(delay_samples)) continue;
        if (const Likeness found = likest(there - static_cast<std::ptrdiff_t>(fine_delays / 2), fine_delays); found.correlation > best.correlation) best = found;
    }
    return best;
}

/// The likest delays at a quarter of the rate, each better than its neighbours.
EchoDetector::Candidates EchoDetector::candidates() {
    static constexpr std::size_t delays = delay_samples / coarse + 4; // a multiple of four
    static constexpr std::size_t length = window_samples / coarse;
    const auto now = heard_.coarse().newest(length + Whitener::order);
    const Whitener whitener = whitener_for(now);
    WhiteSamples own;
    WhiteSamples other;
    own.make(now, whitener);
    other.make(played_.coarse().newest(length + delays - 1 + Whitener::order), whitener);
    Candidates chosen{};
    if (own.factor() <= 0 || other.factor() <= 0) return chosen;
    const float scale_ratio = other.factor() / own.factor();
    // Squares of the likeness; a delay that can't be an echo's has none.
    std::array<float, delays + 2> likeness{};
    std::int64_t energy = product_of(other.data(), other.data(), length);
    for (std::size_t from = 0; from < delays; from += 4) {
        // For four delays that are next to each other, one energy will do here.
        const float then = std::max(static_cast<float>(energy), 1.0F);
        const auto products = products_of(own.data(), other.data() + from, length);
        for (std::size_t i = 0; i < products.size(); ++i) {
            const auto both = static_cast<float>(products[i]);
            const float gain = both / then * scale_ratio;
            likeness[1 + from + i] = gain * gain <= most_gain_of_a_look * most_gain_of_a_look ? both * both / (WhiteSamples::energy * then) : 0;
        }
        if (from + 4 == delays) break;
        energy += product_of(other.data() + from + length, other.data() + from + length, 4) - product_of(other.data() + from, other.data() + from, 4);
    }
    for (std::size_t at = 1; at <= delays; ++at) {
        const float here = likeness[at];
        if (here < std::max(is_worth_a_look * is_worth_a_look, chosen.back().likeness) || here < likeness[at - 1] || here < likeness[at + 1]) continue;
        std::size_t place = chosen.size() - 1;
        for (; place > 0 && chosen[place - 1].likeness < here; --place) chosen[place] = chosen[place - 1];
        chosen[place] = {here, (delays - at) * coarse};
    }
    return chosen;
}

EchoDetector::Likeness EchoDetector::best() {
    since_search_ = 0;
    ++searches_;
    Likeness best;
    for (const Candidate& candidate : candidates()) {
        if (candidate.likeness <= 0) break;
        const std::ptrdiff_t first = static_cast<std::ptrdiff_t>(candidate.delay) - static_cast<std::ptrdiff_t>(fine_delays / 2);
        if (const Likeness found = likest(first, fine_delays); found.correlation > best.correlation) best = found;
    }
    return best;
}

void EchoDetector::keep(const Likeness& found) {
    const bool same = known_ && is_near(found.delay, known_->delay);
    // Windows overlap, and what resembles by chance does so in several of them: only those count that share nothing.
    const bool apart = since_hit_ >= static_cast<int>(window_packets);
    if (same && apart && since_hit_ <= forgotten_after) hits_ = std::min(hits_ + 1, sure_hits);
    else if (!seen() && (!same || apart)) hits_ = 1;
    if (!same || apart) since_hit_ = 0;
    // What resembles once and never again is no reason to search more.
    if (seen()) in_vain_ = 0;
    // The gain of the energies, since an echo with reflections is more than its likest copy.
    const auto then = played_.full().newest(window_samples + found.delay).first(window_samples);
    const float gain = std::sqrt(heard_.energy(window_packets) / std::max(energy_of(then), 1.0F));
    const float smooth = same && known_->gain > 0 ? 0.8F * known_->gain + 0.2F * gain : gain;
    known_ = Likeness{found.correlation, std::min(smooth, most_gain), found.delay};
}

/// The last packet is louder than the known echo can be: the caller has begun to speak, though most of the window is echo still.
bool EchoDetector::someone_is_louder(std::size_t delay) const {
    if (!seen()) return false;
    static constexpr std::size_t length = 2 * packet_samples; // what reflections are late by
    const float expected = known_->gain * known_->gain * energy_of(played_.full().newest(length + delay).first(length));
    return heard_.energy(1) > louder_by * expected + least_heard * packet_samples;
}

}  // namespace jackfield::media
