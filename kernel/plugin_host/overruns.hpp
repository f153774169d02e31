#pragma once

#include <jackfield/base.h>

#include <array>
#include <chrono>
#include <cstdint>
#include <mutex>
#include <optional>

#include "base/clock.hpp"
#include "plugin_host/call_guard.hpp"
#include "plugin_host/op_label.hpp"

namespace jackfield::plugin_host {

/// Which calls into one instance took longer than their budget. Noted on whatever thread it happened, also where packets are sent: noting never waits.
/// Told by somebody who may: the first of a thread class at once, then at most one a minute, the longest of that time.
class Overruns {
  public:
    struct Told {
        ThreadClass thread_class;
        std::chrono::nanoseconds longest;
        jf_op op;           ///< of the longest; JF_NO_OP: of none
        OpOwner owner;      ///< whose the op was
        std::uint64_t count; ///< since what was told before
    };

    void note(ThreadClass thread_class, std::chrono::nanoseconds elapsed, jf_op op, const OpOwner& owner) noexcept;
    /// The next one to tell; none: all has been told, or it is too early for it.
    std::optional<Told> take(base::MonoTime now);

  private:
    struct Class {
        std::uint64_t count = 0;
        std::chrono::nanoseconds longest{};
        jf_op op = JF_NO_OP;
        OpOwner owner;
        std::optional<base::MonoTime> told_at;
    };
    std::mutex mutex_;
    std::array<Class, 6> classes_; ///< by ThreadClass
};

}  // namespace jackfield::plugin_host
