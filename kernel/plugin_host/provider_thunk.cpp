#include "plugin_host/provider_thunk.hpp"

#include <cstdio>
#include <mutex>

namespace jackfield::plugin_host {
namespace {

/// Hangs on an op that goes to a provider, and goes with it: on the op's shard, where its timer lives.
struct UnderWay {
    Thunk& thunk;
    runtime::Shard& shard;
    base::Milliseconds deadline;
    runtime::TimerId timer = 0;

    ~UnderWay() {
        if (timer) shard.cancel_timer(timer);
        thunk.open.fetch_sub(1, std::memory_order_relaxed);
    }
};

}  // namespace

Thunk* keep_thunk(Instance& consumer, Instance& provider, const void* table) {
    static std::mutex mutex;
    static auto& kept = *new std::vector<std::unique_ptr<Thunk>>;
    const std::lock_guard lock(mutex);
    for (const auto& thunk : kept)
        if (thunk->consumer == &consumer && thunk->provider == &provider && thunk->table == table) return thunk.get();
    kept.push_back(std::make_unique<Thunk>(&consumer, &provider, table));
    return kept.back().get();
}

jf_status refuse(jf_error* error, jf_status code, const char* text) {
    if (error && JF_HAS(error, jf_error, code)) {
        error->code = code;
        if (JF_HAS(error, jf_error, text)) std::snprintf(error->text, sizeof error->text, "%s", text);
    }
    return code;
}

jf_status take_op(Thunk& thunk, jf_op op, ThunkLimits limits) {
    OpTable& ops = thunk.provider->host().ops();
    OpSlot* const slot = ops.find(op);
    if (!slot || slot->user != thunk.consumer) return JF_E_INVALID;
    if (thunk.open.fetch_add(1, std::memory_order_relaxed) >= limits.most_open && limits.most_open != 0) {
        thunk.open.fetch_sub(1, std::memory_order_relaxed);
        return JF_E_QUOTA;
    }
    if (!slot->take_start(op)) {
        thunk.open.fetch_sub(1, std::memory_order_relaxed);
        return JF_E_STATE;
    }
    slot->runner_object = std::make_shared<UnderWay>(thunk, ops.shard_of(op), limits.deadline);
    slot->check = std::move(limits.check);
    thunk.provider->op_opened();
    slot->executor = thunk.provider;
    return JF_OK;
}

void give_back_op(Thunk& thunk, jf_op op) {
    OpSlot* const slot = thunk.provider->host().ops().find(op);
    if (!slot) return;
    slot->executor = nullptr;
    slot->check.reset();
    slot->runner_object.reset();
    slot->give_start_back();
    thunk.provider->op_closed();
}

void begin_deadline(Thunk& thunk, jf_op op) {
    OpTable& ops = thunk.provider->host().ops();
    const auto begin = [&ops, op] {
        OpSlot* const slot = ops.find(op);
        if (!slot || !slot->runner_object || slot->runner) return;
        auto& under_way = *static_cast<UnderWay*>(slot->runner_object.get());
        if (under_way.deadline.count() == 0 || under_way.timer) return;
        under_way.timer = under_way.shard.start_timer(under_way.shard.now() + under_way.deadline, [&ops, op] {
            if (OpSlot* late = ops.find(op)) {
                static_cast<UnderWay*>(late->runner_object.get())->timer = 0;
                ops.expire(op);
            }
        });
    };
    if (ops.shard_of(op).is_current()) begin();
    else ops.shard_of(op).post(begin);
}

jf_str confined(const Thunk& thunk, jf_str asked) {
    const std::string& tenant = thunk.consumer->tenant();
    return tenant.empty() ? asked : jf_str{tenant.data(), tenant.size()};
}

bool owns_name(const Thunk& thunk, jf_str name) {
    const std::string& id = thunk.consumer->spec().plugin;
    const std::string prefix = id.substr(id.find('/') + 1) + ".";
    return name.len != 0 && std::string_view(name.ptr, name.len).starts_with(prefix);
}

}  // namespace jackfield::plugin_host
