#include "plugin_host/call_guard.hpp"

#include <sys/resource.h>

#include <mutex>

#include "plugin_host/instance.hpp"

namespace jackfield::plugin_host {
namespace {

struct Origin {
    std::uint64_t at_ticks = ticks();
    std::chrono::steady_clock::time_point at = std::chrono::steady_clock::now();
};
const Origin origin;

double nanoseconds_per_tick() {
    const double elapsed = std::chrono::duration<double, std::nano>(std::chrono::steady_clock::now() - origin.at).count();
    const auto counted = static_cast<double>(ticks() - origin.at_ticks);
    return counted > 0 ? elapsed / counted : 1.0;
}

/// Every record there is. Never freed: a thread that hangs keeps its own until the process ends.
struct Records {
    std::mutex mutex;
    std::vector<ThreadRecord*> all;
    std::vector<ThreadRecord*> unused;
};
Records& records() {
    static auto& only = *new Records;
    return only;
}

}  // namespace

/// Gives the record back when the thread ends.
struct RecordHolder {
    RecordHolder() {
        Records& known = records();
        const std::lock_guard lock(known.mutex);
        if (known.unused.empty()) {
            record = new ThreadRecord;
            known.all.push_back(record);
        } else {
            record = known.unused.back();
            known.unused.pop_back();
        }
    }
    ~RecordHolder() {
        Records& known = records();
        const std::lock_guard lock(known.mutex);
        CallGuard::record_ = nullptr;
        record->instances_own.store(false, std::memory_order_relaxed);
        known.unused.push_back(record);
    }
    ThreadRecord* record;
};

ThreadRecord& CallGuard::record_of_thread() {
    thread_local const RecordHolder holder;
    return *holder.record;
}

const char* name_of(ThreadClass thread_class) {
    switch (thread_class) {
        case ThreadClass::control: return "control";
        case ThreadClass::blocking: return "blocking";
        case ThreadClass::stream: return "stream";
        case ThreadClass::media: return "media";
        case ThreadClass::scan: return "scan";
        case ThreadClass::foreign: break;
    }
    return "any";
}

std::vector<StandingCall> standing_calls(std::chrono::nanoseconds at_least) {
    std::vector<StandingCall> out;
    const double scale = nanoseconds_per_tick();
    const std::uint64_t now = ticks();
    Records& known = records();
    const std::lock_guard lock(known.mutex);
    for (const ThreadRecord* record : known.all) {
        const std::uint64_t number = record->number.load(std::memory_order_acquire);
        StandingCall call{record->instance.load(std::memory_order_relaxed),
                          static_cast<ThreadClass>(record->thread_class.load(std::memory_order_relaxed)),
                          record->op.load(std::memory_order_relaxed),
                          {},
                          record,
                          number};
        const std::uint64_t began = record->began.load(std::memory_order_relaxed);
        std::atomic_thread_fence(std::memory_order_acquire);
        if (!call.instance || began >= now || record->number.load(std::memory_order_relaxed) != number) continue;
        call.since = std::chrono::nanoseconds(static_cast<std::int64_t>(static_cast<double>(now - began) * scale));
        if (call.since >= at_least) out.push_back(call);
    }
    return out;
}

void CallGuard::report(std::uint64_t elapsed_ticks) noexcept {
    const auto elapsed = static_cast<std::int64_t>(static_cast<double>(elapsed_ticks) * nanoseconds_per_tick());
    // Wall time alone would blame a plugin for its neighbours: a thread that was preempted shows involuntary switches since the last
    // look, one that slept or waited shows voluntary ones.
    thread_local rusage before{};
    rusage now{};
    getrusage(RUSAGE_THREAD, &now);
    const bool preempted = now.ru_nivcsw > before.ru_nivcsw && now.ru_nvcsw == before.ru_nvcsw;
    before = now;
    instance_.overran(thread_class_, std::chrono::nanoseconds(elapsed), preempted, op_);
}

}  // namespace jackfield::plugin_host
