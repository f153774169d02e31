#pragma once

#include <algorithm>

#include "base/clock.hpp"
#include "base/random.hpp"

namespace jackfield::resilience {

/// Doubling waits with jitter: between half and the whole of min(first * 2^n, longest), so that hosts that failed together don't
/// come back together.
class Backoff {
  public:
    Backoff(base::Milliseconds first, base::Milliseconds longest) : next_(first), longest_(longest) {}

    base::Milliseconds next(base::Random& random) {
        const base::Milliseconds whole = next_;
        next_ = std::min(next_ * 2, longest_);
        const auto half = static_cast<std::uint64_t>(whole.count() / 2);
        return base::Milliseconds(whole.count() - static_cast<std::int64_t>(half ? random.below(half + 1) : 0));
    }

  private:
    base::Milliseconds next_;
    base::Milliseconds longest_;
};

}  // namespace jackfield::resilience
