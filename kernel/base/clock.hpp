#pragma once

#include <chrono>
#include <cstdint>

namespace jackfield::base {

using Nanoseconds = std::chrono::nanoseconds;
using Milliseconds = std::chrono::milliseconds;

/// A point on the host's monotonic clock. In simulation it is simulated time, which starts at zero.
struct MonoTime {
    std::int64_t ns = 0;

    friend auto operator<=>(const MonoTime&, const MonoTime&) = default;
    friend MonoTime operator+(MonoTime t, std::chrono::nanoseconds d) { return {t.ns + d.count()}; }
    friend MonoTime operator-(MonoTime t, std::chrono::nanoseconds d) { return {t.ns - d.count()}; }
    friend std::chrono::nanoseconds operator-(MonoTime a, MonoTime b) {
        return std::chrono::nanoseconds(a.ns - b.ns);
    }
};

/// Microseconds since 1970-01-01T00:00:00Z: what is stored.
struct UtcTime {
    std::int64_t us = 0;

    friend auto operator<=>(const UtcTime&, const UtcTime&) = default;
};

/// The only source of time in the kernel, so that a whole host can run on a simulated one.
class Clock {
  public:
    virtual ~Clock() = default;
    virtual MonoTime now() const = 0;
    virtual UtcTime utc_now() const = 0;
};

class SystemClock final : public Clock {
  public:
    MonoTime now() const override;
    UtcTime utc_now() const override;
};

}  // namespace jackfield::base
