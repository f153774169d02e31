#include "plugin_host/plugin_host.hpp"

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <cstring>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <vector>

#include "plugin_host/facility_support.hpp"
#include "plugin_host/net_facility.hpp"
#include "plugin_host/thunks.hpp"

namespace jackfield::plugin_host {
namespace {

/// A plugin's string, if it can be one: a null pointer with a length is the emptiness that it points to, and no name is that long.
std::string_view view_of(jf_str s) {
    constexpr std::uint64_t longest = 64 * 1024;
    return s.ptr && s.len <= longest ? std::string_view(s.ptr, s.len) : std::string_view();
}
std::string text_of(jf_str s) { return std::string(view_of(s)); }

const void* host_query(jf_host_ctx* ctx, jf_str id) {
    return is_gone(ctx) ? nullptr : Instance::from(ctx).host().facility(view_of(id));
}

jf_status host_op_open(jf_host_ctx* ctx, jf_op parent, const jf_sink* sink, jf_op* out) {
    if (!out || !sink || !JF_HAS(sink, jf_sink, on_done)) return JF_E_INVALID;
    jf_sink own;
    if (const jf_status status = take_request(sink, own); status != JF_OK) return status;
    if (!own.on_event || !own.on_done) return JF_E_INVALID;
    if (is_gone(ctx)) return JF_E_STATE;
    if (Instance::from(ctx).open_ops() >= Instance::most_open_ops) return JF_E_QUOTA;
    *out = ops_of(ctx).open_for_plugin(Instance::from(ctx), parent, own);
    return *out == JF_NO_OP ? JF_E_INVALID : JF_OK;
}

jf_status host_emit(jf_host_ctx* ctx, jf_op op, const jf_event* events, std::uint32_t n) {
    if (is_gone(ctx)) return JF_E_STATE;
    try {
        return ops_of(ctx).emit(Instance::from(ctx), op, events, n);
    } catch (const std::length_error&) {
        return JF_E_INVALID;
    } catch (...) {
        return JF_E_INTERNAL;
    }
}

jf_status host_complete(jf_host_ctx* ctx, jf_op op, jf_status status, const jf_event* last, const jf_error* error) {
    if (is_gone(ctx)) return JF_E_STATE;
    try {
        return ops_of(ctx).complete(Instance::from(ctx), op, status, last, error);
    } catch (...) {
        return JF_E_INTERNAL;
    }
}

jf_status host_cancel(jf_host_ctx* ctx, jf_op op) {
    if (is_gone(ctx)) return JF_E_STATE;
    OpSlot* const slot = ops_of(ctx).find(op);
    if (!slot || slot->user != &Instance::from(ctx)) return JF_E_INVALID;
    ops_of(ctx).cancel_from_anywhere(op);
    return JF_OK;
}

void host_log(jf_host_ctx* ctx, std::uint32_t level, jf_op op, jf_str event, jf_array fields) {
    if (is_gone(ctx)) return;
    constexpr std::uint32_t most_fields = 64;
    try {
        Instance& instance = Instance::from(ctx);
        PluginLog entry{level, &instance, op, text_of(event), {}};
        const std::uint32_t n = fields.ptr && fields.stride >= sizeof(jf_pair) ? std::min(fields.n, most_fields) : 0;
        for (std::uint32_t i = 0; i < n; ++i) {
            const auto* pair = JF_AT(jf_pair, fields, i);
            entry.fields.emplace_back(text_of(pair->key), text_of(pair->value));
        }
        instance.host().log(entry);
    } catch (...) {
        // Out of memory while logging: the entry is lost, the caller goes on.
    }
}

std::uint64_t host_now_ns(jf_host_ctx* ctx) {
    if (is_gone(ctx)) return 0;
    return static_cast<std::uint64_t>(Instance::from(ctx).host().runtime().clock().now().ns);
}

std::uint32_t host_thread_class(jf_host_ctx*) { return static_cast<std::uint32_t>(CallGuard::current_class()); }

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
    bool may_never_end() const override { return true; }
    OpTable& ops() { return ops_; }

  private:
    OpTable& ops_;
};

}  // namespace

struct PluginHost::Facilities {
    Facilities(OpTable& ops, net::Network& network) : timer(ops), worker(ops), net(ops, network) {}
    TimerRunner timer;
    WorkerRunner worker;
    NetFacility net;
};

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
                    const CallGuard guard(instance, ThreadClass::blocking, op);
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
    static const jf_host_calls_v1 calls = {
        sizeof calls, 0, [](jf_host_ctx* ctx, const jf_incoming* call, jf_op* out) -> jf_status {
            if (!call || !out) return JF_E_INVALID;
            if (const jf_status known = check_request(layout_of<jf_incoming>(), call, call->struct_size); known != JF_OK) return known;
            if (JF_HAS(call, jf_incoming, leg_state) && call->leg_state.len > 4096) return JF_E_INVALID;
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
            if (is_gone(ctx)) return;
            const auto& count = host_of(ctx).hooks().count;
            if (count) count(Instance::from(ctx), view_of(name), n);
        },
        [](jf_host_ctx* ctx, jf_str name, double value) {
            if (is_gone(ctx)) return;
            const auto& gauge = host_of(ctx).hooks().gauge;
            if (gauge) gauge(Instance::from(ctx), view_of(name), value);
        }};
    add_facility(JF_FACILITY_TIMER, &timer);
    add_facility(JF_FACILITY_WORKER, &worker);
    add_facility(JF_FACILITY_NET, &NetFacility::table());
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

NetFacility& PluginHost::net() { return built_in_->net; }

PluginHost::~PluginHost() {
    {
        const std::lock_guard lock(watch_mutex_);
        watch_ends_ = true;
    }
    watch_wake_.notify_all();
    if (watch_.joinable()) watch_.join();
}

void PluginHost::add_facility(std::string id, const void* table) { facilities_[std::move(id)] = table; }

const void* PluginHost::facility(std::string_view id) const {
    const auto found = facilities_.find(id);
    return found == facilities_.end() ? nullptr : found->second;
}

void PluginHost::log(const PluginLog& entry) const {
    if (hooks_.log) hooks_.log(entry);
}

}  // namespace jackfield::plugin_host
