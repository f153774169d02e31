#include "base/random.hpp"

#include <sys/random.h>

#include "base/assert.hpp"

namespace jackfield::base {

std::uint64_t Random::below(std::uint64_t bound) {
    JF_ASSERT(bound > 0, "the caller");
    // Rejection keeps the distribution uniform for every bound.
    const std::uint64_t limit = UINT64_MAX - UINT64_MAX % bound;
    std::uint64_t value = next();
    while (value >= limit) value = next();
    return value % bound;
}

std::uint64_t SystemRandom::next() {
    std::uint64_t value = 0;
    JF_ASSERT(getrandom(&value, sizeof value, 0) == sizeof value, "getrandom(2) for 8 bytes");
    return value;
}

std::uint64_t SeededRandom::next() {
    state_ += 0x9e3779b97f4a7c15u;
    std::uint64_t z = state_;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

}  // namespace jackfield::base
