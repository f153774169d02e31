#pragma once

#include <jackfield/base.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <vector>

#if defined(__x86_64__)
#include <x86intrin.h>
#endif

namespace jackfield::plugin_host {

class Instance;

enum class ThreadClass : std::uint32_t { foreign = 0, control = 1, blocking = 2, stream = 3, media = 4, scan = 5 };

/// "control", as logs name it.
const char* name_of(ThreadClass thread_class);

/// A cheap clock for budgets: counts of some constant rate.
inline std::uint64_t ticks() {
#if defined(__x86_64__)
    return __rdtsc();
#else
    return static_cast<std::uint64_t>(std::chrono::steady_clock::now().time_since_epoch().count());
#endif
}

/// What one thread does inside plugins, readable from outside: a plugin that hangs can't be asked. Kept for ever, and used again by later threads.
struct ThreadRecord {
    std::atomic<Instance*> instance{nullptr}; ///< null: in no plugin. Instances are never freed
    std::atomic<std::uint32_t> thread_class{0};
    std::atomic<jf_op> op{0};
    std::atomic<std::uint64_t> began{0};  ///< ticks
    std::atomic<std::uint64_t> number{0}; ///< changes with every call
    std::atomic<bool> instances_own{false}; ///< Placement::thread's: what stands on it holds up nobody else
};

/// A call into a plugin that has not returned.
struct StandingCall {
    Instance* instance;
    ThreadClass thread_class;
    jf_op op;
    std::chrono::nanoseconds since;
    const ThreadRecord* thread;
    std::uint64_t number;
};
/// Those that have lasted at least so long, of all threads.
std::vector<StandingCall> standing_calls(std::chrono::nanoseconds at_least);

/// Stands around every call into a plugin: says which thread class the call has, and measures it against its budget. Nests, since
/// a plugin may call the host, which calls another plugin.
class CallGuard {
  public:
    CallGuard(Instance& instance, ThreadClass thread_class, jf_op op = JF_NO_OP)
        : outer_(top_), instance_(instance), thread_class_(thread_class), op_(op), began_(ticks()) {
        top_ = this;
        if (!record_) record_ = &record_of_thread();
        show(this);
    }
    ~CallGuard() {
        top_ = outer_;
        show(outer_);
        if (ticks() - began_ > suspicious_ticks) report(ticks() - began_);
    }
    CallGuard(const CallGuard&) = delete;

    /// The calling thread belongs to one instance, until it ends.
    static void on_instances_own_thread() { record_of_thread().instances_own.store(true, std::memory_order_relaxed); }

    static ThreadClass current_class() { return top_ ? top_->thread_class_ : ThreadClass::foreign; }

  private:
    /// A quarter of the tightest budget (2 ms) at 4 GHz: below it no budget can be exceeded on any machine that runs this.
    static constexpr std::uint64_t suspicious_ticks = 2'000'000;
    void report(std::uint64_t elapsed_ticks) noexcept;
    static ThreadRecord& record_of_thread();

    static void show(const CallGuard* guard) {
        ThreadRecord& r = *record_;
        r.instance.store(guard ? &guard->instance_ : nullptr, std::memory_order_relaxed);
        if (guard) {
            r.thread_class.store(static_cast<std::uint32_t>(guard->thread_class_), std::memory_order_relaxed);
            r.op.store(guard->op_, std::memory_order_relaxed);
            r.began.store(guard->began_, std::memory_order_relaxed);
        }
        r.number.store(r.number.load(std::memory_order_relaxed) + 1, std::memory_order_release);
    }

    friend struct RecordHolder;
    static inline thread_local CallGuard* top_ = nullptr;
    static inline thread_local ThreadRecord* record_ = nullptr;
    CallGuard* outer_;
    Instance& instance_;
    ThreadClass thread_class_;
    jf_op op_;
    std::uint64_t began_;
};

}  // namespace jackfield::plugin_host
