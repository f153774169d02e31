#pragma once

#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>

#include "plugin_host/call_guard.hpp"
#include "plugin_host/instance.hpp"
#include "plugin_host/plugin_host.hpp"

/// What the host's facilities have in common: whose the op is, and how to get to its shard.
namespace jackfield::plugin_host {

/// A plugin's thread that outlives its instance must not reach a host that may be gone as well.
inline bool is_gone(jf_host_ctx* ctx) { return Instance::from(ctx).retired(); }

inline PluginHost& host_of(jf_host_ctx* ctx) { return Instance::from(ctx).host(); }
inline OpTable& ops_of(jf_host_ctx* ctx) { return host_of(ctx).ops(); }

/// The strand of an op that the calling instance opened and has not started; null with the right answer otherwise.
inline OpSlot* startable(jf_host_ctx* ctx, jf_op op, jf_status& status) {
    status = JF_E_INVALID;
    if (is_gone(ctx)) return nullptr;
    OpSlot* const slot = ops_of(ctx).find(op);
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
    auto run = [&ops, op, body = std::move(body)]() mutable {
        if (OpSlot* slot = ops.find(op)) body(*slot);
    };
    if (ops.shard_of(op).is_current()) run();
    else ops.shard_of(op).post(std::move(run));
}

/// The calling thread may wait for a shard: an instance's own, or one of the pools'. In simulation there is one thread for all.
inline bool may_wait_for_shard(jf_host_ctx* ctx) {
    const Instance& instance = Instance::from(ctx);
    const ThreadClass here = CallGuard::current_class();
    const bool patient =
        instance.spec().placement == Placement::thread || here == ThreadClass::control || here == ThreadClass::blocking;
    return patient && (instance.host().runtime().simulated() || !runtime::Shard::current());
}

constexpr std::chrono::milliseconds longest_wait_for_shard{2000};

/// Runs `body(host, slot, value)` on the op's shard and waits for its answer. A shard that does not answer in time finds the caller gone: `body` may
/// hold nothing of its stack.
template <typename Value, typename Body>
jf_status on_shard_of(PluginHost& host, jf_op op, Value* out, Body body) {
    if (host.runtime().simulated()) {
        OpSlot* const slot = host.ops().find(op);
        return slot ? body(host, *slot, out) : JF_E_INVALID;
    }
    struct Answer {
        std::mutex mutex;
        std::condition_variable there;
        std::optional<jf_status> status;
        Value value{};
        bool given_up = false;
    };
    const auto answer = std::make_shared<Answer>();
    host.ops().shard_of(op).post([&host, op, answer, body = std::move(body)]() mutable {
        const std::lock_guard lock(answer->mutex);
        if (answer->given_up) return;
        OpSlot* const slot = host.ops().find(op);
        answer->status = slot ? body(host, *slot, &answer->value) : JF_E_INVALID;
        answer->there.notify_one();
    });
    std::unique_lock lock(answer->mutex);
    if (!answer->there.wait_for(lock, longest_wait_for_shard, [&] { return answer->status.has_value(); })) {
        answer->given_up = true;
        return JF_E_TIMEOUT;
    }
    *out = answer->value;
    return *answer->status;
}

}  // namespace jackfield::plugin_host
