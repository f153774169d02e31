#pragma once

#include "media/types.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

// What the echo detector reckons with: two signals, and how alike stretches of them are.
namespace jackfield::media {

/// The newest samples of a signal in one piece, the last one being the newest. There is room behind them, so that not each packet moves all.
class RecentSamples {
  public:
    explicit RecentSamples(std::size_t size) : size_(size), samples_(2 * size), end_(size) {}
    /// At most as many as it holds.
    void append(std::span<const std::int16_t> samples);
    std::span<const std::int16_t> all() const { return {samples_.data() + (end_ - size_), size_}; }
    std::span<const std::int16_t> newest(std::size_t n) const { return all().last(n); }

  private:
    std::size_t size_;
    std::vector<std::int16_t> samples_;
    std::size_t end_;
};

/// One side of a line: its newest samples, the same at a quarter of the rate, and how loud its packets are.
class EchoSide {
  public:
    static constexpr std::size_t step = 4;
    using Packet = std::span<const std::int16_t, packet_samples>;

    /// Holds at least so many packets.
    explicit EchoSide(std::size_t packets);
    void append(Packet packet);
    const RecentSamples& full() const { return full_; }
    /// Sample for sample at the end of each four of `full`. Filtered when it is asked for: much of a call nobody does.
    const RecentSamples& coarse();
    /// Sum of squares of the newest `packets`.
    float energy(std::size_t packets) const;
    /// The most that `packets` in a row have.
    float loudest(std::size_t packets) const;

  private:
    RecentSamples full_;
    RecentSamples coarse_;
    std::size_t unfiltered_ = 0; ///< samples of full_, at its end
    std::vector<float> energies_; ///< of the newest packets, as a ring
    std::size_t next_ = 0;
};

/// Linear prediction of the second order: takes the tilt and the loudest resonance out.
struct Whitener {
    static constexpr std::size_t order = 2;
    float a1 = 0;
    float a2 = 0;
};
Whitener whitener_for(std::span<const std::int16_t> x);

/// A stretch of whitened samples, scaled to one energy: however loud they were, a product of two such stretches fits 32 bits (Cauchy-Schwarz).
class WhiteSamples {
  public:
    static constexpr std::size_t most = 1216;

    /// Whitened `in`, without its first two samples, which only the ones behind them need.
    void make(std::span<const std::int16_t> in, const Whitener& whitener);
    const std::int16_t* data() const { return samples_.data(); }
    std::size_t size() const { return size_; }
    /// What each sample was multiplied with; 0: it was silence.
    float factor() const { return factor_; }
    /// Sum of the squares of all samples, scaled as they are.
    static constexpr float norm = 32000.0F; // no sample exceeds it, and its square fits 31 bits
    static constexpr float energy = norm * norm;

  private:
    std::array<std::int16_t, most> samples_; // written by make()
    std::size_t size_ = 0;
    float factor_ = 0;
};

float energy_of(std::span<const std::int16_t> samples);
std::int32_t product_of(const std::int16_t* a, const std::int16_t* b, std::size_t n);
/// The products of `a` with `b`, and with the three stretches that begin one, two and three samples later: `a` is loaded once for all of them.
std::array<std::int32_t, 4> products_of(const std::int16_t* a, const std::int16_t* b, std::size_t n);

}  // namespace jackfield::media
