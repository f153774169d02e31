#include "media/echo_signal.hpp"

#include <algorithm>
#include <cmath>

namespace jackfield::media {
namespace {

// Sums are kept in so many parts, since the compiler may not reorder a sum of floats on its own and would make no vectors of it.
constexpr std::size_t lanes = 8;
using Lanes = std::array<float, lanes>;

float sum_of(const Lanes& parts) {
    float sum = 0;
    for (const float part : parts) sum += part;
    return sum;
}

// Passes what is below 800 Hz of 8 kHz; a windowed sinc. Where it aliases it does so on both sides, and echoes still stand out.
constexpr std::size_t taps = 24;
constexpr int unity = 1 << 14;
constexpr double gain = 0.75; // it overshoots by less than a third: nothing leaves the 16 bits
using Filter = std::array<std::int16_t, taps>;

Filter low_pass() {
    constexpr double pi = 3.14159265358979323846;
    constexpr double cutoff = 800.0 / narrowband_hz;
    std::array<double, taps> response{};
    double sum = 0;
    for (std::size_t i = 0; i < taps; ++i) {
        const double t = static_cast<double>(i) - (taps - 1) / 2.0;
        const double window = 0.54 + 0.46 * std::cos(2 * pi * t / taps);
        response[i] = std::sin(2 * pi * cutoff * t) / (pi * t) * window;
        sum += response[i];
    }
    Filter filter;
    for (std::size_t i = 0; i < taps; ++i) filter[i] = static_cast<std::int16_t>(std::lround(gain * response[i] / sum * unity));
    return filter;
}

}  // namespace

void RecentSamples::append(std::span<const std::int16_t> samples) {
    if (end_ + samples.size() > samples_.size()) {
        const auto end = samples_.begin() + static_cast<std::ptrdiff_t>(end_);
        std::copy(end - static_cast<std::ptrdiff_t>(size_), end, samples_.begin());
        end_ = size_;
    }
    std::copy(samples.begin(), samples.end(), samples_.begin() + static_cast<std::ptrdiff_t>(end_));
    end_ += samples.size();
}

EchoSide::EchoSide(std::size_t packets) : full_(packets * packet_samples), coarse_((packets * packet_samples - taps) / step), energies_(packets) {}

void EchoSide::append(Packet packet) {
    full_.append(packet);
    unfiltered_ += packet_samples;
    energies_[next_] = energy_of(packet);
    next_ = (next_ + 1) % energies_.size();
}

const RecentSamples& EchoSide::coarse() {
    static const Filter filter = low_pass();
    const std::span<const std::int16_t> samples = full_.all();
    // Of the oldest ones, which nothing is left to filter with, nobody asks any more.
    unfiltered_ = std::min(unfiltered_, samples.size() - taps);
    while (unfiltered_ >= step) {
        std::array<std::int16_t, packet_samples / step> made;
        const std::size_t n = std::min(made.size(), unfiltered_ / step);
        const std::int16_t* from = samples.data() + (samples.size() - unfiltered_ + step - taps);
        for (std::size_t i = 0; i < n; ++i, from += step) made[i] = static_cast<std::int16_t>(product_of(filter.data(), from, taps) / unity);
        coarse_.append(std::span(made).first(n));
        unfiltered_ -= n * step;
    }
    return coarse_;
}

float EchoSide::energy(std::size_t packets) const {
    float sum = 0;
    for (std::size_t i = 1; i <= packets; ++i) sum += energies_[(next_ + energies_.size() - i) % energies_.size()];
    return sum;
}

float EchoSide::loudest(std::size_t packets) const {
    float most = 0;
    // All sums are made anew: what is added and taken away again leaves its rounding behind.
    for (std::size_t first = 0; first + packets <= energies_.size(); ++first) {
        float sum = 0;
        for (std::size_t i = 0; i < packets; ++i) {
            const std::size_t at = next_ + first + i;
            sum += energies_[at < energies_.size() ? at : at - energies_.size()];
        }
        most = std::max(most, sum);
    }
    return most;
}

Whitener whitener_for(std::span<const std::int16_t> x) {
    Lanes zero{};
    Lanes one{};
    Lanes two{};
    const std::int16_t* const now = x.data() + 2;
    const std::size_t n = (x.size() - 2) / lanes * lanes;
    for (std::size_t at = 0; at < n; at += lanes)
        for (std::size_t i = 0; i < lanes; ++i) {
            const auto value = static_cast<float>(now[at + i]);
            zero[i] += value * value;
            one[i] += value * static_cast<float>(now[at + i - 1]);
            two[i] += value * static_cast<float>(now[at + i - 2]);
        }
    const double r0 = (1.0 + static_cast<double>(sum_of(zero))) * 1.001;
    const auto r1 = static_cast<double>(sum_of(one));
    const auto r2 = static_cast<double>(sum_of(two));
    const double k1 = r1 / r0;
    const double e1 = r0 * (1 - k1 * k1);
    const double k2 = (r2 - k1 * r1) / e1;
    return {static_cast<float>(k1 - k2 * k1), static_cast<float>(k2)};
}

void WhiteSamples::make(std::span<const std::int16_t> in, const Whitener& whitener) {
    std::array<float, most> white;
    const std::size_t n = std::min(in.size() - Whitener::order, most);
    const std::int16_t* const now = in.data() + Whitener::order;
    for (std::size_t i = 0; i < n; ++i)
        white[i] = static_cast<float>(now[i]) - whitener.a1 * static_cast<float>(*(now + i - 1)) - whitener.a2 * static_cast<float>(*(now + i - 2));
    Lanes squares{};
    const std::size_t whole = n / lanes * lanes;
    for (std::size_t at = 0; at < whole; at += lanes)
        for (std::size_t i = 0; i < lanes; ++i) squares[i] += white[at + i] * white[at + i];
    float before = sum_of(squares);
    for (std::size_t i = whole; i < n; ++i) before += white[i] * white[i];
    size_ = n;
    factor_ = before > 0 ? norm / std::sqrt(before) : 0;
    for (std::size_t i = 0; i < n; ++i) samples_[i] = static_cast<std::int16_t>(white[i] * factor_);
}

float energy_of(std::span<const std::int16_t> samples) {
    Lanes squares{};
    const std::size_t whole = samples.size() / lanes * lanes;
    for (std::size_t at = 0; at < whole; at += lanes)
        for (std::size_t i = 0; i < lanes; ++i) {
            const auto value = static_cast<float>(samples[at + i]);
            squares[i] += value * value;
        }
    float energy = sum_of(squares);
    for (std::size_t i = whole; i < samples.size(); ++i) energy += static_cast<float>(samples[i]) * static_cast<float>(samples[i]);
    return energy;
}

std::int32_t product_of(const std::int16_t* a, const std::int16_t* b, std::size_t n) {
    std::int32_t sum = 0;
    for (std::size_t i = 0; i < n; ++i) sum += static_cast<std::int32_t>(a[i]) * b[i];
    return sum;
}

std::array<std::int32_t, 4> products_of(const std::int16_t* a, const std::int16_t* b, std::size_t n) {
    std::int32_t s0 = 0;
    std::int32_t s1 = 0;
    std::int32_t s2 = 0;
    std::int32_t s3 = 0;
    for (std::size_t i = 0; i < n; ++i) {
        const std::int32_t value = a[i];
        s0 += value * b[i];
        s1 += value * b[i + 1];
        s2 += value * b[i + 2];
        s3 += value * b[i + 3];
    }
    return {s0, s1, s2, s3};
}

}  // namespace jackfield::media
