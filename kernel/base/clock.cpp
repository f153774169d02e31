#include "base/clock.hpp"

namespace jackfield::base {

MonoTime SystemClock::now() const {
    return {std::chrono::duration_cast<std::chrono::nanoseconds>(
                std::chrono::steady_clock::now().time_since_epoch())
                .count()};
}

UtcTime SystemClock::utc_now() const {
    return {std::chrono::duration_cast<std::chrono::microseconds>(
                std::chrono::system_clock::now().time_since_epoch())
                .count()};
}

}  // namespace jackfield::base
