#pragma once

#include <cstdint>

#if defined(__x86_64__)
#include <x86intrin.h>
#else
#include <chrono>
#endif

namespace jackfield::plugin_host {

class Instance;

enum class ThreadClass : std::uint32_t { foreign = 0, control = 1, blocking = 2, stream = 3, media = 4, scan = 5 };

/// A cheap clock for budgets: counts of some constant rate.
inline std::uint64_t ticks() {
#if defined(__x86_64__)
    return __rdtsc();
#else
    return static_cast<std::uint64_t>(std::chrono::steady_clock::now().time_since_epoch().count());
#endif
}

/// Stands around every call into a plugin: says which thread class the call has, and measures it against its budget. Nests, since
/// a plugin may call the host, which calls another plugin.
class CallGuard {
  public:
    CallGuard(Instance& instance, ThreadClass thread_class)
        : outer_(top_), instance_(instance), thread_class_(thread_class), began_(ticks()) {
        top_ = this;
    }
    ~CallGuard() {
        top_ = outer_;
        if (ticks() - began_ > suspicious_ticks) report(ticks() - began_);
    }
    CallGuard(const CallGuard&) = delete;

    static ThreadClass current_class() { return top_ ? top_->thread_class_ : ThreadClass::foreign; }

  private:
    /// A quarter of the tightest budget (2 ms) at 4 GHz: below it no budget can be exceeded on any machine that runs this.
    static constexpr std::uint64_t suspicious_ticks = 2'000'000;
    void report(std::uint64_t elapsed_ticks) noexcept;

    static inline thread_local CallGuard* top_ = nullptr;
    CallGuard* outer_;
    Instance& instance_;
    ThreadClass thread_class_;
    std::uint64_t began_;
};

}  // namespace jackfield::plugin_host
