#pragma once

#include <cstdint>
#include <iterator>

namespace jackfield::sim {

/// SplitMix64, the same on every machine.
class Random {
  public:
    explicit Random(std::uint64_t seed) : state_(seed) {}
    std::uint64_t next() {
        std::uint64_t z = state_ += 0x9e3779b97f4a7c15;
        z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
        z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
        return z ^ (z >> 31);
    }
    /// Of [from, to].
    std::uint64_t between(std::uint64_t from, std::uint64_t to) { return from + next() % (to - from + 1); }
    bool chance(std::uint64_t permille) { return next() % 1000 < permille; }
    template <typename List>
    const auto& one_of(const List& list) {
        return list[next() % std::size(list)];
    }

  private:
    std::uint64_t state_;
};

}  // namespace jackfield::sim
