#include "plugin_host/call_guard.hpp"

#include <sys/resource.h>

#include <chrono>

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

}  // namespace

void CallGuard::report(std::uint64_t elapsed_ticks) noexcept {
    const auto elapsed = static_cast<std::int64_t>(static_cast<double>(elapsed_ticks) * nanoseconds_per_tick());
    // Wall time alone would blame a plugin for its neighbours: a thread that was preempted shows involuntary switches since the last
    // look, one that slept or waited shows voluntary ones.
    thread_local rusage before{};
    rusage now{};
    getrusage(RUSAGE_THREAD, &now);
    const bool preempted = now.ru_nivcsw > before.ru_nivcsw && now.ru_nvcsw == before.ru_nvcsw;
    before = now;
    instance_.overran(thread_class_, std::chrono::nanoseconds(elapsed), preempted);
}

}  // namespace jackfield::plugin_host
