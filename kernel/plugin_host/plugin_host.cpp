#include "plugin_host/plugin_host.hpp"

#include <algorithm>
#include <cstring>

#include "plugin_host/thunks.hpp"

namespace jackfield::plugin_host {
namespace {

std::string text_of(jf_str s) { return s.len ? std::string(s.ptr, s.len) : std::string(); }

OpTable& ops_of(jf_host_ctx* ctx) { return Instance::from(ctx).host().ops(); }

const void* host_query(jf_host_ctx* ctx, jf_str id) {
    return Instance::from(ctx).host().facility(std::string_view(id.ptr, id.len));
}

jf_status host_op_open(jf_host_ctx* ctx, jf_op parent, const jf_sink* sink, jf_op* out) {
    if (!out || !sink || !JF_HAS(sink, jf_sink, on_done) || !sink->on_event || !sink->on_done) return JF_E_INVALID;
    *out = ops_of(ctx).open_for_plugin(Instance::from(ctx), parent, *sink);
    return *out == JF_NO_OP ? JF_E_INVALID : JF_OK;
}

jf_status host_emit(jf_host_ctx* ctx, jf_op op, const jf_event* events, std::uint32_t n) {
    try {
        return ops_of(ctx).emit(Instance::from(ctx), op, events, n);
    } catch (...) {
        return JF_E_INTERNAL;
    }
}

jf_status host_complete(jf_host_ctx* ctx, jf_op op, jf_status status, const jf_event* last, const jf_error* error) {
    try {
        return ops_of(ctx).complete(Instance::from(ctx), op, status, last, error);
    } catch (...) {
        return JF_E_INTERNAL;
    }
}

jf_status host_cancel(jf_host_ctx* ctx, jf_op op) {
    OpSlot* const slot = ops_of(ctx).find(op);
    if (!slot || slot->user != &Instance::from(ctx)) return JF_E_INVALID;
    ops_of(ctx).cancel_from_anywhere(op);
    return JF_OK;
}

void host_log(jf_host_ctx* ctx, std::uint32_t level, jf_op op, jf_str event, jf_array fields) {
    try {
        Instance& instance = Instance::from(ctx);
        PluginLog entry{level, &instance, op, text_of(event), {}};
        for (std::uint32_t i = 0; i < fields.n; ++i) {
            const auto* pair = JF_AT(jf_pair, fields, i);
            entry.fields.emplace_back(text_of(pair->key), text_of(pair->value));
        }
        instance.host().log(entry);
    } catch (...) {
        // Out of memory while logging: the entry is lost, the caller goes on.
    }
}

std::uint64_t host_now_ns(jf_host_ctx* ctx) {
    return static_cast<std::uint64_t>(Instance::from(ctx).host().runtime().clock().now().ns);
}

std::uint32_t host_thread_class(jf_host_ctx*) { return static_cast<std::uint32_t>(CallGuard::current_class()); }

/// The strand of an op that the calling instance opened and has not started; null with the right answer otherwise.
OpSlot* startable(jf_host_ctx* ctx, jf_op op, jf_status& status) {
    OpSlot* const slot = ops_of(ctx).find(op);
    status = JF_E_INVALID;
    if (!slot || slot->user != &Instance::from(ctx)) return nullptr;
    if (!slot->take_start(op)) {
        status = JF_E_STATE;
        return nullptr;
    }
    status = JF_OK;
    return slot;
}

/// Runs `body(slot)` on the op's shard: at once when this is it. The op may have been cancelled in between: then it is finished.
template <typename Body>
void on_strand(OpTable& ops, jf_op op, Body body) {
    auto run = [&ops, op, body]() mutable {
        if (OpSlot* slot = ops.find(op)) body(*slot);
    };
    if (ops.shard_of(op).is_current()) run();
    else ops.shard_of(op).post(run);
}

/// A century: what is longer would overflow the clock.
constexpr std::uint64_t longest_delay_ns = 100ull * 365 * 86400 * 1'000'000'000;

/// jf.host.timer/1. runner_data is the shard's timer id.
class TimerRunner final : public OpRunner {
  public:
    explicit TimerRunner(OpTable& ops) : ops_(ops) {}
    void cancel(OpSlot& slot) override {
        ops_.shard_of(slot.id()).cancel_timer(slot.runner_data);
        // Not from inside the caller's stack: its user might be the one that is calling.
        const jf_op op = slot.id();
        ops_.shard_of(op).post([this, op] {
            if (OpSlot* s = ops_.find(op)) ops_.finish(*s, JF_E_CANCELLED, nullptr, nullptr);
        });
    }
    void start(OpSlot& slot, std::uint64_t delay_ns) {
        runtime::Shard& shard = ops_.shard_of(slot.id());
        slot.runner = this;
        if (slot.cancel_sent) return cancel(slot); // given up on its way here from a foreign thread
        const jf_op op = slot.id();
        const auto fire = [this, op] {
            if (OpSlot* s = ops_.find(op)) ops_.finish(*s, JF_OK, nullptr, nullptr);
        };
        if (delay_ns == 0) shard.post(fire);
        else slot.runner_data = shard.start_timer(shard.now() + std::chrono::nanoseconds(std::min(delay_ns, longest_delay_ns)), fire);
    }

  private:
    OpTable& ops_;
};

/// jf.host.worker/1. Work that was accepted runs, cancelled or not.
class WorkerRunner final : public OpRunner {
  public:
    explicit WorkerRunner(OpTable& ops) : ops_(ops) {}
    void cancel(OpSlot&) override {}
    OpTable& ops() { return ops_; }

  private:
    OpTable& ops_;
};

/// jf.host.net/1. The socket hangs on the op.
class UdpRunner final : public OpRunner {
  public:
    UdpRunner(OpTable& ops, net::Network& network) : ops_(ops), network_(network) {}
    void cancel(OpSlot& slot) override {
        slot.runner_object.reset();
        const jf_op op = slot.id();
        ops_.shard_of(op).post([this, op] {
            if (OpSlot* s = ops_.find(op)) ops_.finish(*s, JF_E_CANCELLED, nullptr, nullptr);
        });
    }
    jf_status open(OpSlot& slot, const jf_udp_open& options, jf_endpoint* local);
    jf_status send(OpSlot& slot, const jf_endpoint& to, jf_bytes data);

  private:
    OpTable& ops_;
    net::Network& network_;
};

net::Endpoint endpoint_from(const jf_endpoint& e) {
    net::Endpoint out;
    std::memcpy(out.bytes, e.ip, sizeof out.bytes);
    out.port = e.port;
    out.ipv6 = e.family == JF_NET_IPV6;
    out.scope_id = e.scope_id;
    return out;
}

jf_endpoint endpoint_to(const net::Endpoint& e) {
    jf_endpoint out{};
    std::memcpy(out.ip, e.bytes, sizeof out.ip);
    out.port = e.port;
    out.family = e.ipv6 ? JF_NET_IPV6 : JF_NET_IPV4;
    out.scope_id = e.scope_id;
    return out;
}

jf_status UdpRunner::open(OpSlot& slot, const jf_udp_open& options, jf_endpoint* local) {
    net::UdpOptions wanted;
    wanted.bind = endpoint_from(options.bind);
    wanted.port_first = options.port_first;
    wanted.port_last = options.port_last;
    wanted.dscp = options.dscp;
    wanted.receive_bytes = options.receive_bytes;
    const jf_op op = slot.id();
    auto socket = network_.open_udp(ops_.shard_of(op), wanted,
                                    [this, op](const net::Endpoint& from, std::span<const std::byte> data) {
        OpSlot* const s = ops_.find(op);
        if (!s) return;
        jf_datagram datagram{};
        datagram.struct_size = sizeof datagram;
        datagram.from = endpoint_to(from);
        datagram.data = {data.data(), data.size()};
        jf_event event{};
        event.struct_size = sizeof event;
        event.type = JF_EV_DATAGRAM;
        event.mono_ns = static_cast<std::uint64_t>(ops_.shard_of(op).now().ns);
        event.data = &datagram;
        event.data_size = sizeof datagram;
        ops_.deliver(*s, event);
    });
    if (!socket) return static_cast<jf_status>(socket.error().code());
    *local = endpoint_to((*socket)->local());
    slot.runner = this;
    slot.runner_object = std::shared_ptr<net::UdpSocket>(std::move(*socket));
    return JF_OK;
}

jf_status UdpRunner::send(OpSlot& slot, const jf_endpoint& to, jf_bytes data) {
    if (slot.runner != this || !slot.runner_object) return JF_E_INVALID;
    auto& socket = *static_cast<net::UdpSocket*>(slot.runner_object.get());
    return static_cast<jf_status>(socket.send(endpoint_from(to), {static_cast<const std::byte*>(data.ptr), data.len}));
}

}  // namespace

struct PluginHost::Facilities {
    Facilities(OpTable& ops, net::Network& network) : timer(ops), worker(ops), udp(ops, network) {}
    TimerRunner timer;
    WorkerRunner worker;
    UdpRunner udp;
};

namespace {

PluginHost& host_of(jf_host_ctx* ctx) { return Instance::from(ctx).host(); }

}  // namespace

base::Error error_from(jf_status status, const jf_error* error) {
    std::string text = error && error->text[0] ? std::string(error->text, strnlen(error->text, sizeof error->text))
                                               : "status " + std::to_string(status);
    const auto code = status <= -1 && status >= -14 ? static_cast<base::ErrorCode>(status) : base::ErrorCode::internal;
    base::Error out(code, std::move(text));
    if (error)
        out = out.with_vendor_code(error->vendor_code)
                  .with_retry(static_cast<base::RetryClass>(std::min(error->retry_class, 3u)), error->retry_after_ms);
    return out;
}

void fill_host_table(jf_host_v1& table, jf_host_ctx* ctx) {
    table.struct_size = sizeof table;
    table.abi_minor = JF_ABI_MINOR;
    table.ctx = ctx;
    table.query = host_query;
    table.op_open = host_op_open;
    table.emit = host_emit;
    table.complete = host_complete;
    table.cancel = host_cancel;
    table.log = host_log;
    table.now_ns = host_now_ns;
    table.thread_class = host_thread_class;
}

PluginHost::PluginHost(runtime::Runtime& runtime, net::Network& network, Loader& loader, PluginHostHooks hooks)
    : runtime_(runtime),
      loader_(loader),
      hooks_(std::move(hooks)),
      ops_(runtime),
      built_in_(std::make_unique<Facilities>(ops_, network)) {
    // The tables outlive every instance; the runners are found through the calling instance's host.
    static const jf_host_timer_v1 timer = {
        sizeof timer, 0, [](jf_host_ctx* ctx, jf_op op, std::uint64_t delay_ns) -> jf_status {
            jf_status status;
            if (!startable(ctx, op, status)) return status;
            PluginHost& host = host_of(ctx);
            on_strand(host.ops(), op, [&host, delay_ns](OpSlot& slot) { host.built_in_->timer.start(slot, delay_ns); });
            return JF_OK;
        }};
    static const jf_host_worker_v1 worker = {
        sizeof worker, 0,
        [](jf_host_ctx* ctx, jf_op op, jf_status (*work)(void*, jf_op), void* user) -> jf_status {
            if (!work) return JF_E_INVALID;
            jf_status status;
            OpSlot* const slot = startable(ctx, op, status);
            if (!slot) return status;
            PluginHost& host = host_of(ctx);
            Instance& instance = Instance::from(ctx);
            slot->runner = &host.built_in_->worker;
            const bool taken = host.runtime().pool().submit([&host, &instance, op, work, user] {
                jf_status result;
                {
                    const CallGuard guard(instance, ThreadClass::blocking);
                    try {
                        result = work(user, op);
                    } catch (...) {
                        instance.counters().exceptions.fetch_add(1, std::memory_order_relaxed);
                        result = JF_E_INTERNAL;
                    }
                }
                host.ops().shard_of(op).post([&host, op, result] {
                    if (OpSlot* s = host.ops().find(op)) host.ops().finish(*s, result, nullptr, nullptr);
                });
            });
            if (taken) return JF_OK;
            slot->runner = nullptr;
            slot->give_start_back();
            return JF_E_AGAIN;
        }};
    static const jf_host_net_v1 net_table = {
        sizeof net_table, 0,
        [](jf_host_ctx* ctx, jf_op op, const jf_udp_open* options, jf_endpoint* local) -> jf_status {
            if (!options || !local) return JF_E_INVALID;
            PluginHost& host = host_of(ctx);
            // A socket belongs to its shard from birth, and the caller wants to know its port: only from the strand.
            if (!host.ops().knows_shard(op) || !host.ops().shard_of(op).is_current()) return JF_E_STATE;
            jf_status status;
            OpSlot* const slot = startable(ctx, op, status);
            if (!slot) return status;
            status = host.built_in_->udp.open(*slot, *options, local);
            if (status != JF_OK) slot->give_start_back();
            return status;
        },
        [](jf_host_ctx* ctx, jf_op op, const jf_endpoint* to, jf_bytes data) -> jf_status {
            PluginHost& host = host_of(ctx);
            OpSlot* const slot = host.ops().find(op);
            if (!slot || !to || slot->user != &Instance::from(ctx)) return JF_E_INVALID;
            if (!host.ops().shard_of(op).is_current()) return JF_E_STATE;
            return host.built_in_->udp.send(*slot, *to, data);
        }};
    static const jf_host_calls_v1 calls = {
        sizeof calls, 0, [](jf_host_ctx* ctx, const jf_incoming* call, jf_op* out) -> jf_status {
            if (!call || !out || call->leg_state.len > 4096) return JF_E_INVALID;
            try {
                PluginHost& host = host_of(ctx);
                if (host.draining()) return JF_E_STATE;
                *out = host.ops().incoming(Instance::from(ctx), *call);
                return *out == JF_NO_OP ? JF_E_QUOTA : JF_OK;
            } catch (...) {
                return JF_E_INTERNAL;
            }
        }};
    static const jf_host_metrics_v1 metrics = {
        sizeof metrics, 0,
        [](jf_host_ctx* ctx, jf_str name, std::uint64_t n) {
            const auto& count = host_of(ctx).hooks().count;
            if (count) count(Instance::from(ctx), std::string_view(name.ptr, name.len), n);
        },
        [](jf_host_ctx* ctx, jf_str name, double value) {
            const auto& gauge = host_of(ctx).hooks().gauge;
            if (gauge) gauge(Instance::from(ctx), std::string_view(name.ptr, name.len), value);
        }};
    add_facility(JF_FACILITY_TIMER, &timer);
    add_facility(JF_FACILITY_WORKER, &worker);
    add_facility(JF_FACILITY_NET, &net_table);
    add_facility(JF_FACILITY_CALLS, &calls);
    add_facility(JF_FACILITY_METRICS, &metrics);
    add_provider_facilities(*this);

    fill_host_table(module_host_, reinterpret_cast<jf_host_ctx*>(this));
    module_host_.query = [](jf_host_ctx*, jf_str) -> const void* { return nullptr; };
    module_host_.op_open = [](jf_host_ctx*, jf_op, const jf_sink*, jf_op*) -> jf_status { return JF_E_STATE; };
    module_host_.emit = [](jf_host_ctx*, jf_op, const jf_event*, std::uint32_t) -> jf_status { return JF_E_STATE; };
    module_host_.complete = [](jf_host_ctx*, jf_op, jf_status, const jf_event*, const jf_error*) -> jf_status {
        return JF_E_STATE;
    };
    module_host_.cancel = [](jf_host_ctx*, jf_op) -> jf_status { return JF_E_STATE; };
    module_host_.log = [](jf_host_ctx* ctx, std::uint32_t level, jf_op op, jf_str event, jf_array) {
        reinterpret_cast<PluginHost*>(ctx)->log({level, nullptr, op, text_of(event), {}});
    };
    module_host_.now_ns = [](jf_host_ctx* ctx) {
        return static_cast<std::uint64_t>(reinterpret_cast<PluginHost*>(ctx)->runtime_.clock().now().ns);
    };
}

PluginHost::~PluginHost() = default;

void PluginHost::add_facility(std::string id, const void* table) { facilities_[std::move(id)] = table; }

const void* PluginHost::facility(std::string_view id) const {
    const auto found = facilities_.find(id);
    return found == facilities_.end() ? nullptr : found->second;
}

void PluginHost::log(const PluginLog& entry) const {
    if (hooks_.log) hooks_.log(entry);
}

base::Result<std::shared_ptr<Instance>> PluginHost::create(InstanceSpec spec) {
    auto plugin = loader_.load(spec.plugin, module_host_);
    if (!plugin) return plugin.error().with_context(spec.name);
    std::shared_ptr<Instance> instance(new Instance(*this, std::move(*plugin), std::move(spec), home_shard_));
    if (auto made = instance->create(); !made) return made.error();
    if (instance->thread_.joinable()) watch(instance);
    return instance;
}

void PluginHost::watch(const std::shared_ptr<Instance>& instance) {
    bool first;
    {
        const std::lock_guard lock(watched_mutex_);
        first = watched_.empty();
        watched_.push_back(instance);
    }
    if (first) runtime_.shard(home_shard_).post([this] { look_for_hangs(); });
}

void PluginHost::look_for_hangs() {
    {
        const std::lock_guard lock(watched_mutex_);
        std::erase_if(watched_, [](const auto& instance) { return instance.expired(); });
        for (const auto& weak : watched_)
            if (auto instance = weak.lock(); instance && instance->check_hang()) give_up(std::move(instance), [] {});
        if (watched_.empty()) return; // the next watch() begins again
    }
    runtime::Shard& shard = runtime_.shard(home_shard_);
    shard.start_timer(shard.now() + std::max(hang_limit_ / 4, base::Milliseconds(1)), [this] { look_for_hangs(); });
}

/// Ends what a lost instance has under way. It stays in memory: its thread stands somewhere in it.
void PluginHost::give_up(std::shared_ptr<Instance> instance, std::function<void()> then) {
    static std::mutex mutex;
    static auto& lost = *new std::vector<std::shared_ptr<Instance>>;
    {
        const std::lock_guard lock(mutex);
        if (std::find(lost.begin(), lost.end(), instance) == lost.end()) lost.push_back(instance);
    }
    instance->let_thread_go();
    ops_.abandon(*instance, std::move(then));
}

namespace {

/// Cancelled ops get a second to complete (module.h), then the host completes them.
constexpr base::Milliseconds after_abandon{2000};

/// A control call's op: reports its completion once, then deletes itself.
class ControlSink final : public OpSink {
  public:
    explicit ControlSink(std::function<void(base::Result<>)> done) : done_(std::move(done)) {}
    void on_event(jf_op, const jf_event&) override {}
    void on_done(jf_op, jf_status status, const jf_event*, const jf_error* error) override {
        if (status == JF_OK) done_(base::Result<>());
        else done_(error_from(status, error));
        delete this;
    }

  private:
    std::function<void(base::Result<>)> done_;
};

}  // namespace

void PluginHost::start(std::shared_ptr<Instance> instance, runtime::Shard& shard, std::function<void(base::Result<>)> done) {
    auto* sink = new ControlSink([instance, done = std::move(done)](base::Result<> result) {
        done(result ? result : base::Result<>(result.error().with_context(instance->name())));
    });
    const jf_op op = ops_.open(shard, sink, instance.get());
    const bool taken = runtime_.control_pool().submit([this, instance, op] {
        jf_error error{};
        error.struct_size = sizeof error;
        const jf_status status =
            instance->contained(ThreadClass::control, [&] { return instance->functions_->start(instance->self_, op, &error); });
        if (status != JF_OK) ops_.complete(*instance, op, status, nullptr, &error);
    });
    if (!taken) ops_.complete(*instance, op, JF_E_AGAIN, nullptr, nullptr);
}

void PluginHost::stop(std::shared_ptr<Instance> instance, runtime::Shard& shard, base::Milliseconds budget,
                      std::function<void()> done) {
    if (instance->lost()) return give_up(instance, [&shard, done = std::move(done)] { shard.post(done); });
    // Last step, reached once: nothing of the instance is open any more.
    auto destroy = [this, instance, &shard, done = std::move(done)] {
        const bool taken = runtime_.control_pool().submit([this, instance, &shard, done] {
            instance->destroy_self();
            if (instance->lost()) return give_up(instance, [&shard, done] { shard.post(done); });
            // A shard may stand at the instance's mailbox still: the last reference goes when each has moved on.
            for (unsigned i = 0; i < runtime_.shard_count(); ++i) runtime_.shard(i).post([instance] {});
            shard.post(done);
        });
        if (!taken) shard.post(done);
    };
    auto when_idle = [this, instance, &shard, budget, destroy = std::move(destroy)](base::Result<>) {
        auto once = std::make_shared<std::atomic<bool>>(false);
        // Taken out by whoever comes first, so that the timer below does not keep the instance until its time has come.
        auto last_step = std::make_shared<std::function<void()>>(destroy);
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
    };
    auto* sink = new ControlSink(std::move(when_idle));
    const jf_op op = ops_.open(shard, sink, instance.get());
    const bool taken = runtime_.control_pool().submit([this, instance, op, budget] {
        const jf_status status = instance->contained(ThreadClass::control, [&] {
            return instance->functions_->quiesce(instance->self_, op, static_cast<std::uint32_t>(budget.count()));
        });
        if (status != JF_OK) ops_.complete(*instance, op, status, nullptr, nullptr);
    });
    if (!taken) ops_.complete(*instance, op, JF_E_AGAIN, nullptr, nullptr);
    // A plugin that never completes its quiesce is not waited for.
    shard.start_timer(shard.now() + budget + base::Milliseconds(2000), [this, op] {
        if (OpSlot* slot = ops_.find(op)) ops_.finish(*slot, JF_E_TIMEOUT, nullptr, nullptr);
    });
}

}  // namespace jackfield::plugin_host
