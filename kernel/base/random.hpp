#pragma once

#include <cstdint>

namespace jackfield::base {

/// The only source of randomness in the kernel: the system's in production, a seeded one in simulation.
class Random {
  public:
    virtual ~Random() = default;
    virtual std::uint64_t next() = 0;
    /// Uniform in [0, bound); bound > 0.
    std::uint64_t below(std::uint64_t bound);
};

/// getrandom(2). Safe from any thread.
class SystemRandom final : public Random {
  public:
    std::uint64_t next() override;
};

/// SplitMix64: the same sequence for the same seed on every machine. One thread only.
class SeededRandom final : public Random {
  public:
    explicit SeededRandom(std::uint64_t seed) : state_(seed) {}
    std::uint64_t next() override;

  private:
    std::uint64_t state_;
};

}  // namespace jackfield::base
