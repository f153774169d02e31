#include <algorithm>
#include <cstdio>
#include <optional>
#include <utility>

#include "plugin_host/plugin_host.hpp"

/// How instances come and go. Every step runs plugin code, so every step has an end of its own.
namespace jackfield::plugin_host {
namespace {

/// Cancelled ops get a second to complete (module.h), then the host completes them.
constexpr base::Milliseconds after_abandon{2000};
/// A shard that stands in a plugin does not answer any more.
constexpr base::Milliseconds shards_answer{2000};

/// A control call's op: reports its completion once, then deletes itself.
class ControlSink final : public OpSink {
  public:
    explicit ControlSink(std::function<void(base::Result<>)> done) : done_(std::move(done)) {}
    void on_event(jf_op, const jf_event&) override {}
    void on_done(jf_op, jf_status status, const jf_event*, const jf_error* error) override {
        const std::unique_ptr<ControlSink> self(this);
        if (status == JF_OK) done_(base::Result<>());
        else done_(error_from(status, error));
    }

  private:
    std::function<void(base::Result<>)> done_;
};

/// Parks the instance: what its plugin holds of it (the context) stays valid until the process ends.
void retire_and_keep(Instance* instance, void (*retire)(Instance&)) {
    static std::mutex mutex;
    static auto& kept = *new std::vector<Instance*>;
    retire(*instance);
    const std::lock_guard lock(mutex);
    kept.push_back(instance);
}

}  // namespace

base::Result<std::shared_ptr<Instance>> PluginHost::create_here(InstanceSpec spec) {
    auto plugin = loader_.load(spec.plugin, module_host_);
    if (!plugin) return plugin.error().with_context(spec.name);
    for (const std::string& id : (*plugin)->file.descriptor.needs)
        if (id.starts_with("jf.host.") && !facility(id))
            return base::Error(base::ErrorCode::unsupported, spec.plugin + " requires " + id + ", which this host does not have; a later host may")
                .with_context(spec.name);
    const std::shared_ptr<Instance> instance(new Instance(*this, std::move(*plugin), std::move(spec), home_shard_), [](Instance* gone) {
        retire_and_keep(gone, [](Instance& i) { i.retire(); });
    });
    if (auto made = instance->create(); !made) return made.error();
    return instance;
}

base::Result<std::shared_ptr<Instance>> PluginHost::create(InstanceSpec spec) {
    if (runtime_.simulated()) return create_here(std::move(spec));
    start_watch();
    // On a thread of its own: the file's constructors, its init and its create are the plugin's code, and whoever configures must go on.
    struct Made {
        std::mutex mutex;
        std::condition_variable ready;
        std::optional<base::Result<std::shared_ptr<Instance>>> result;
    };
    const auto made = std::make_shared<Made>();
    const std::string what = spec.name + " (" + spec.plugin + ")";
    std::thread([this, made, spec = std::move(spec)]() mutable {
        auto result = create_here(std::move(spec));
        {
            const std::lock_guard lock(made->mutex);
            made->result.emplace(std::move(result));
        }
        made->ready.notify_all();
    }).detach();
    std::unique_lock lock(made->mutex);
    if (!made->ready.wait_for(lock, limits_.control, [&] { return made->result.has_value(); }))
        return base::Error(base::ErrorCode::timeout, what + ": the plugin did not return from being loaded or created within " +
                                                         std::to_string(limits_.control.count()) + " ms; it is left where it stands");
    auto result = std::move(*made->result);
    made->result.reset();
    lock.unlock();
    if (result) watch(*result);
    return result;
}

void PluginHost::start(std::shared_ptr<Instance> instance, runtime::Shard& shard, std::function<void(base::Result<>)> done) {
    const auto refuse = [&](base::ErrorCode code, const char* why) { shard.post([done, error = base::Error(code, instance->name() + ": " + why)] { done(error); }); };
    if (const std::lock_guard lock(instance->idle_mutex_); instance->stop_ != Instance::Stop::none)
        return refuse(base::ErrorCode::state, "it has been stopped");
    if (!instance->lost()) return start_now(std::move(instance), shard, false, std::move(done));
    // One that never served is tried again by whoever wants it; the others the watch looks after.
    if (instance->started_) return refuse(base::ErrorCode::peer_lost, "the plugin hangs; the host will try it again by itself");
    if (!may_probe(*instance)) return refuse(base::ErrorCode::peer_lost, "the plugin still stands where it hung");
    instance->state_ = Instance::State::probing;
    start_now(std::move(instance), shard, true, std::move(done));
}

/// `again`: with a new plugin-side instance.
void PluginHost::start_now(std::shared_ptr<Instance> instance, runtime::Shard& shard, bool again, Started done) {
    struct Limit {
        runtime::TimerId timer = 0;
        bool over = false;
    };
    const auto limit = std::make_shared<Limit>(); // of the shard alone
    auto* sink = new ControlSink([this, instance, &shard, limit, again, done = std::move(done)](base::Result<> result) {
        if (limit->timer) shard.cancel_timer(limit->timer);
        if (!result && limit->over)
            result = base::Error(base::ErrorCode::timeout, "the plugin's start did not complete within " + std::to_string(limits_.start.count()) + " ms");
        if (again) {
            auto expected = Instance::State::probing;
            instance->state_.compare_exchange_strong(expected, result ? Instance::State::serving : Instance::State::lost);
            if (!result) instance->abandoned_ = true; // nothing was under way but this
        }
        if (result) instance->started_ = true;
        done(result ? result : base::Result<>(result.error().with_context(instance->name())));
    });
    const jf_op op = ops_.open(shard, sink, instance.get());
    instance->run_control([this, instance, op, again] {
        jf_error error{};
        error.struct_size = sizeof error;
        if (again) {
            if (const auto made = instance->create_again(); !made) {
                error.code = static_cast<jf_status>(made.error().code());
                std::snprintf(error.text, sizeof error.text, "%s", made.error().text().c_str());
                return static_cast<void>(ops_.complete(*instance, op, error.code, nullptr, &error));
            }
        }
        const jf_status status = instance->contained(
            ThreadClass::control, op, [&] { return instance->functions_.load()->start(instance->self_, op, &error); });
        if (status != JF_OK) ops_.complete(*instance, op, status, nullptr, &error);
    });
    shard.post([this, &shard, op, limit, weak = std::weak_ptr(instance)] {
        if (!ops_.find(op)) return;
        limit->timer = shard.start_timer(shard.now() + limits_.start, [this, op, limit, weak] {
            limit->timer = 0;
            limit->over = true;
            if (const auto slow = weak.lock()) slow->mark("start_timeout", JF_LOG_ERROR);
            ops_.cancel(op);
        });
    });
}

/// Ends what a lost instance has under way. `then` may never come: a shard that hangs does not answer.
void PluginHost::give_up(Instance& instance, std::function<void()> then) {
    ops_.abandon(instance, [&instance, then = std::move(then)] {
        instance.abandoned_ = true;
        then();
    });
}

void PluginHost::stopped(Instance& instance) {
    std::vector<std::function<void()>> waiters;
    {
        const std::lock_guard lock(instance.idle_mutex_);
        instance.stop_ = Instance::Stop::over;
        waiters.swap(instance.stop_waiters_);
    }
    for (const auto& waiter : waiters) waiter();
}

void PluginHost::stop(std::shared_ptr<Instance> instance, runtime::Shard& shard, base::Milliseconds budget,
                      std::function<void()> done) {
    {
        const std::lock_guard lock(instance->idle_mutex_);
        if (instance->stop_ == Instance::Stop::over) return shard.post(std::move(done));
        instance->stop_waiters_.push_back([&shard, done = std::move(done)] { shard.post(done); });
        if (std::exchange(instance->stop_, Instance::Stop::begun) == Instance::Stop::begun) return;
    }
    if (instance->lost()) return leave(std::move(instance), shard);
    // What is open on a shard that stands will not end, however long it is waited for.
    if (shard_stands()) budget = std::min(budget, base::Milliseconds(200));
    quiesce(instance, shard, budget, [this, instance, &shard, budget] {
        when_idle(instance, shard, budget, [this, instance, &shard] { destroy(instance, shard); });
    });
}

/// The end of an instance that is lost: it stays where it stands.
void PluginHost::leave(std::shared_ptr<Instance> instance, runtime::Shard& shard) {
    give_up(*instance, [this, instance] { stopped(*instance); });
    shard.post([this, instance, &shard] { shard.start_timer(shard.now() + shards_answer, [this, instance] { stopped(*instance); }); });
}

/// `then` runs when the plugin has completed it, or has not for too long.
void PluginHost::quiesce(std::shared_ptr<Instance> instance, runtime::Shard& shard, base::Milliseconds budget, std::function<void()> then) {
    const jf_op op = ops_.open(shard, new ControlSink([then = std::move(then)](const base::Result<>&) { then(); }), instance.get());
    instance->run_control([this, instance, op, budget] {
        const jf_status status = instance->contained(ThreadClass::control, op, [&] {
            return instance->functions_.load()->quiesce(instance->self_, op, static_cast<std::uint32_t>(budget.count()));
        });
        if (status != JF_OK) ops_.complete(*instance, op, status, nullptr, nullptr);
    });
    shard.start_timer(shard.now() + budget + base::Milliseconds(2000), [this, op, weak = std::weak_ptr(instance)] {
        OpSlot* const slot = ops_.find(op);
        if (!slot) return;
        if (const auto slow = weak.lock()) {
            const auto calls = standing(base::Milliseconds(0));
            const auto in_it = std::find_if(calls.begin(), calls.end(), [&](const StandingCall& c) {
                return c.instance == slow.get() && c.thread_class == ThreadClass::control;
            });
            // Where it stands now nothing more of it can be asked.
            if (in_it != calls.end()) slow->lose("control_hang", &*in_it);
            else slow->mark("quiesce_timeout");
        }
        ops_.finish(*slot, JF_E_TIMEOUT, nullptr, nullptr);
    });
}

/// `then` runs when nothing of the instance is open any more; what is still open after `budget` is given up.
void PluginHost::when_idle(std::shared_ptr<Instance> instance, runtime::Shard& shard, base::Milliseconds budget, std::function<void()> then) {
    auto once = std::make_shared<std::atomic<bool>>(false);
    // Taken out by whoever comes first, so that the timer below does not keep the instance until its time has come.
    auto last_step = std::make_shared<std::function<void()>>(std::move(then));
    const auto finish = [once, last_step] {
        if (once->exchange(true)) return;
        const auto run = std::exchange(*last_step, nullptr);
        run();
    };
    {
        const std::lock_guard lock(instance->idle_mutex_);
        instance->on_idle_ = finish;
    }
    instance->op_opened();
    instance->op_closed();
    shard.start_timer(shard.now() + budget, [this, weak = std::weak_ptr(instance), &shard, once, finish] {
        const auto still = once->load() ? nullptr : weak.lock();
        if (!still) return;
        ops_.abandon(*still, [] {});
        // What is open even now (a worker that does not return) will never close: the instance is left where it stands.
        shard.start_timer(shard.now() + after_abandon, [still, once, finish] {
            if (once->load()) return;
            still->lose("not_idle");
            finish();
        });
    });
}

void PluginHost::destroy(std::shared_ptr<Instance> instance, runtime::Shard& shard) {
    if (instance->lost()) return leave(std::move(instance), shard);
    if (!instance->close_for_good()) return when_idle(instance, shard, after_abandon, [this, instance, &shard] { destroy(instance, shard); });
    const auto destroyed = std::make_shared<std::atomic<bool>>(false);
    instance->run_control([this, instance, &shard, destroyed] {
        instance->destroy_self();
        if (destroyed->exchange(true)) return;
        if (instance->lost()) leave(instance, shard);
        else stopped(*instance);
    });
    if (runtime_.simulated()) return;
    // Its thread may use up one limit, destroy another. On the shard, which this may not be: the last op closes anywhere.
    shard.post([this, instance, &shard, destroyed] {
        shard.start_timer(shard.now() + 2 * limits_.stream + base::Milliseconds(500), [this, weak = std::weak_ptr(instance), &shard, destroyed] {
            const auto still = weak.lock();
            if (!still || destroyed->exchange(true)) return;
            still->lose("control_hang");
            leave(still, shard);
        });
    });
}

}  // namespace jackfield::plugin_host
