#include <algorithm>

#include "plugin_host/plugin_host.hpp"

/// The watch over calls that do not return (rules 6 and 19): who hangs is taken out of service, named in the log, and tried again.
namespace jackfield::plugin_host {
namespace {

constexpr unsigned most_standing = 4; ///< threads that one instance may lose before it is tried no more
constexpr base::Milliseconds slowest_probe{60'000};

bool holds_a_shard(const StandingCall& call) {
    return call.instance->spec().placement == Placement::inline_ && call.thread_class != ThreadClass::control &&
           call.thread_class != ThreadClass::blocking;
}

const char* name_of_loss(const StandingCall& call) {
    if (call.thread_class == ThreadClass::control) return "control_hang";
    // An instance with a thread of its own may stand in the host's pool all the same: its worker's jobs run there.
    if (call.thread->instances_own.load(std::memory_order_relaxed)) return "thread_hang";
    return call.thread_class == ThreadClass::blocking ? "pool_hang" : "shard_hang";
}

}  // namespace

void PluginHost::start_watch() {
    const std::lock_guard lock(watch_mutex_);
    if (!watch_.joinable()) watch_ = std::thread([this] { run_watch(); });
}

void PluginHost::watch(const std::shared_ptr<Instance>& instance) {
    const std::lock_guard lock(watch_mutex_);
    watched_.push_back(instance);
}

void PluginHost::run_watch() {
    const base::Milliseconds step =
        std::max(std::min({limits_.stream, limits_.control, limits_.blocking, limits_.probe}) / 4, base::Milliseconds(1));
    std::unique_lock lock(watch_mutex_);
    while (!watch_wake_.wait_for(lock, step, [this] { return watch_ends_; })) {
        lock.unlock();
        look_for_hangs();
        look_after_lost();
        tell_overruns();
        lock.lock();
    }
}

base::Milliseconds PluginHost::limit_of(ThreadClass thread_class) const {
    switch (thread_class) {
        case ThreadClass::control: return limits_.control;
        case ThreadClass::blocking: return limits_.blocking;
        default: return limits_.stream;
    }
}

std::vector<StandingCall> PluginHost::standing(base::Milliseconds at_least) const {
    auto calls = standing_calls(at_least);
    std::erase_if(calls, [this](const StandingCall& call) { return &call.instance->host() != this; });
    return calls;
}

bool PluginHost::shard_stands() const {
    const auto calls = standing(limits_.stream);
    return std::any_of(calls.begin(), calls.end(), holds_a_shard);
}

void PluginHost::look_for_hangs() {
    const auto calls = standing(std::min({limits_.stream, limits_.control, limits_.blocking}));
    std::erase_if(seen_, [&](const auto& seen) {
        return std::none_of(calls.begin(), calls.end(), [&](const StandingCall& c) { return c.thread == seen.first && c.number == seen.second; });
    });
    for (const StandingCall& call : calls)
        if (call.since >= limit_of(call.thread_class) && seen_.emplace(call.thread, call.number).second) hangs(call);
}

void PluginHost::hangs(const StandingCall& call) {
    Instance& instance = *call.instance;
    if (call.thread_class == ThreadClass::blocking && !call.thread->instances_own.load(std::memory_order_relaxed)) {
        // A job of the plugin's stands in the one, a request to it in the other, and the call doesn't tell.
        runtime_.pool().replace_stuck_thread();
        if (&runtime_.storage_pool() != &runtime_.pool()) runtime_.storage_pool().replace_stuck_thread();
    }
    // Without the store there is no host: what hangs in it is told, and waited for.
    if (&instance == records_.load())
        return instance.mark("storage_hang", JF_LOG_ERROR, {{"thread_class", name_of(call.thread_class)}});
    if (instance.lose(name_of_loss(call), &call)) give_up(instance, [] {});
}

/// A lost instance may be tried again when nothing of it goes on, and not too many threads of the host stand in it for good.
bool PluginHost::may_probe(Instance& instance) const {
    if (!instance.abandoned_) return false;
    instance.clear_inbox();
    if (instance.open_ops() != 0) return false;
    unsigned threads = 0;
    for (const StandingCall& call : standing(base::Milliseconds(0))) {
        if (call.instance != &instance) continue;
        if (holds_a_shard(call) || ++threads >= most_standing) return false;
    }
    return true;
}

void PluginHost::look_after_lost() {
    std::vector<std::shared_ptr<Instance>> lost;
    {
        const std::lock_guard lock(watch_mutex_);
        std::erase_if(watched_, [](const auto& instance) { return instance.expired(); });
        for (const auto& weak : watched_)
            if (auto instance = weak.lock(); instance && instance->lost() && instance->started_) lost.push_back(std::move(instance));
    }
    const base::MonoTime now = runtime_.clock().now();
    for (const auto& instance : lost) {
        if (instance->next_probe_.ns == 0) instance->next_probe_ = now + limits_.probe;
        if (now < instance->next_probe_ || !may_probe(*instance)) continue;
        {
            const std::lock_guard lock(instance->idle_mutex_);
            if (instance->stop_ != Instance::Stop::none) continue;
            auto expected = Instance::State::lost;
            if (!instance->state_.compare_exchange_strong(expected, Instance::State::probing)) continue;
        }
        const unsigned failed = std::min(++instance->probes_, 16u);
        instance->next_probe_ = now + std::min(limits_.probe * (1u << failed), slowest_probe);
        probe(instance);
    }
}

/// Here, since a log may make its writer wait and the threads of calls must not.
void PluginHost::tell_overruns() {
    std::vector<std::shared_ptr<Instance>> all;
    {
        const std::lock_guard lock(watch_mutex_);
        for (const auto& weak : watched_)
            if (auto instance = weak.lock()) all.push_back(std::move(instance));
    }
    for (const auto& instance : all) instance->tell_overruns();
}

void PluginHost::probe(const std::shared_ptr<Instance>& instance) {
    runtime::Shard& shard = runtime_.shard(home_shard_);
    start_now(instance, shard, true, [this, instance](base::Result<> result) {
        if (!result)
            return log({JF_LOG_WARN, instance.get(), JF_NO_OP, "plugin.probe_failed", {{"error", result.error().text()}}});
        log({JF_LOG_INFO, instance.get(), JF_NO_OP, "plugin.recovered", {{"probes", std::to_string(instance->probes_.exchange(0))}}});
    });
}

}  // namespace jackfield::plugin_host
