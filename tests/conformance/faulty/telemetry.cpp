#include <jackfield/sdk/telemetry.hpp>

#include "faulty.hpp"
#include "plugins/telemetry/example/plugin.cpp"

#include <atomic>

namespace {

using faulty::is;
const jf_telemetry_v1* right = nullptr;

/// A worker that was handed the spans' own memory comes to them later; the batch itself it has copied.
jf_status send_what_was_lent(jf_instance* self, jf_op op, const jf_telemetry_batch* batch) {
    static jf_instance* lender = nullptr;
    static std::vector<jf_span> spans;
    static jf_telemetry_batch kept{};
    static jf_op lent_op = JF_NO_OP;
    static const jf_sink sink = {sizeof sink, 0, nullptr, [](void*, jf_op, const jf_event*, std::uint32_t, std::uint32_t) {},
                                 [](void*, jf_op, jf_status, const jf_event*, const jf_error*) { right->send(lender, lent_op, &kept, nullptr); }};
    const auto* timer = static_cast<const jf_host_timer_v1*>(faulty::real.query(faulty::ctx_of_last, jackfield::sdk::str(JF_FACILITY_TIMER)));
    lender = self;
    kept = *batch;
    spans.clear();
    for (std::uint32_t i = 0; i < batch->spans.n; ++i) spans.push_back(*JF_AT(jf_span, batch->spans, i));
    kept.spans = jackfield::sdk::array(spans);
    lent_op = op;
    jf_op later = JF_NO_OP;
    if (faulty::real.op_open(faulty::ctx_of_last, op, &sink, &later) != JF_OK) return JF_E_INTERNAL;
    return timer->start(faulty::ctx_of_last, later, 1'000'000);
}

jf_status send(jf_instance* self, jf_op op, const jf_telemetry_batch* batch, jf_error* error) {
    static std::atomic<int> times{0};
    const std::uint32_t items = batch->spans.n + batch->generations.n;
    if (is("cancel_ignored")) return JF_OK;
    if (is("keeps_what_is_lent")) return send_what_was_lent(self, op, batch);
    if (is("refuses_the_second") && ++times > 1) return JF_E_CONFLICT;
    if (is("takes_small_batches") && items > 100) return JF_E_QUOTA;
    if (is("fails_empty_batches") && items == 0) return JF_E_INTERNAL;
    if (is("crashes_on_odd_spans"))
        for (std::uint32_t i = 0; i < batch->spans.n; ++i)
            if (JF_AT(jf_span, batch->spans, i)->name.len == 0) __builtin_trap();
    if (is("reads_beyond") && batch->scores.n) {
        const volatile std::uint32_t size = static_cast<const jf_score*>(batch->scores.ptr)->struct_size;
        (void)size;
    }
    jf_telemetry_batch changed = *batch;
    // What a plugin does that steps by its own sizeof.
    if (is("packs_spans") && changed.spans.n) changed.spans.stride = sizeof(jf_span);
    return right->send(self, op, &changed, error);
}

jf_status complete(jf_host_ctx* ctx, jf_op op, jf_status status, const jf_event* last, const jf_error* error) {
    static std::atomic<jf_op> first{JF_NO_OP};
    if (!last || last->type != JF_EV_TELEMETRY_DONE) return faulty::real.complete(ctx, op, status, last, error);
    jf_op none = JF_NO_OP;
    if (is("mixes_batches") && !first.compare_exchange_strong(none, op)) op = first;
    if (is("forgets_the_end")) return faulty::real.complete(ctx, op, status, nullptr, error);
    jf_telemetry_done done = *static_cast<const jf_telemetry_done*>(last->data);
    if (is("miscounts")) --done.accepted;
    if (is("rejects_everything")) done.rejected = std::exchange(done.accepted, 0u);
    const jf_event wrong = jackfield::sdk::Host::event_of(last->type, &done, sizeof done, 0, 0);
    return faulty::real.complete(ctx, op, status, &wrong, error);
}

const bool set = [] {
    faulty::host_faults = {nullptr, complete};
    faulty::query_fault = [](const void* table, std::string_view) -> const void* {
        static jf_telemetry_v1 wrong = *static_cast<const jf_telemetry_v1*>(table);
        right = static_cast<const jf_telemetry_v1*>(table);
        wrong.send = send;
        return &wrong;
    };
    return true;
}();

}  // namespace

FAULTY_MODULE
