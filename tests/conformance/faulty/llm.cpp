#include <jackfield/sdk/llm.hpp>

#include "faulty.hpp"
#include "plugins/llm/example/plugin.cpp"

namespace {

using faulty::is;
const jf_llm_v1* right = nullptr;
jf_str lent{};
jf_op lent_op = JF_NO_OP;

/// As a plugin does that looks at the request when its worker has come to it.
void say_what_was_lent(void*, jf_op, jf_status, const jf_event*, const jf_error*) {
    const jf_event token = jackfield::sdk::Host::event_of(JF_EV_TOKEN, &lent, sizeof lent, 0, 0);
    faulty::real.emit(faulty::ctx_of_last, lent_op, &token, 1);
    jf_llm_usage usage = jackfield::sdk::make<jf_llm_usage>();
    const jf_event last = jackfield::sdk::Host::event_of(JF_EV_LLM_USAGE, &usage, sizeof usage, 0, 0);
    faulty::real.complete(faulty::ctx_of_last, lent_op, JF_OK, &last, nullptr);
}

jf_status answer_later(jf_op op, jf_str content) {
    static const jf_sink sink = {sizeof sink, 0, nullptr, [](void*, jf_op, const jf_event*, std::uint32_t, std::uint32_t) {}, say_what_was_lent};
    const auto* timer = static_cast<const jf_host_timer_v1*>(faulty::real.query(faulty::ctx_of_last, jackfield::sdk::str(JF_FACILITY_TIMER)));
    lent = content;
    lent_op = op;
    jf_op later = JF_NO_OP;
    if (faulty::real.op_open(faulty::ctx_of_last, op, &sink, &later) != JF_OK) return JF_E_INTERNAL;
    return timer->start(faulty::ctx_of_last, later, 1'000'000);
}

jf_status start(jf_instance* self, jf_op op, const jf_llm_request* request, jf_error* error) {
    if (is("crashes_without_messages") && request->messages.n == 0) __builtin_trap();
    if (is("reads_beyond") && request->now_local.len) {
        const volatile char first = request->now_local.ptr[0];
        (void)first;
    }
    if (is("fails_odd_turns"))
        for (std::uint32_t i = 0; i < request->messages.n; ++i)
            if (JF_AT(jf_message, request->messages, i)->flags & JF_MESSAGE_SILENCE) return JF_E_INTERNAL;
    if (is("fails_its_deadline") && request->deadline_ms == 1) return faulty::real.complete(faulty::ctx_of_last, op, JF_E_INTERNAL, nullptr, nullptr);
    if (is("keeps_what_is_lent")) return answer_later(op, JF_AT(jf_message, request->messages, request->messages.n - 1)->content);
    if (is("packs_messages") && request->messages.n) {
        // What a plugin does that steps by its own sizeof.
        jf_llm_request changed = *request;
        changed.messages.stride = sizeof(jf_message);
        return right->start(self, op, &changed, error);
    }
    return right->start(self, op, request, error);
}

jf_status emit(jf_host_ctx* ctx, jf_op op, const jf_event* events, std::uint32_t n) {
    if (events->type == JF_EV_TOKEN && is("cuts_characters")) {
        const jf_str half = jackfield::sdk::str("\xe2\x82");
        const jf_event event = jackfield::sdk::Host::event_of(JF_EV_TOKEN, &half, sizeof half, 0, 0);
        faulty::real.emit(ctx, op, &event, 1);
    }
    if (is("calls_unknown_tools") && events->type == JF_EV_TOKEN) {
        jf_tool_call call = jackfield::sdk::make<jf_tool_call>();
        call.id = jackfield::sdk::str("1");
        call.name = jackfield::sdk::str("format_disk");
        call.arguments = jackfield::sdk::str("{}");
        const jf_event event = jackfield::sdk::Host::event_of(JF_EV_TOOL_CALL, &call, sizeof call, 0, 0);
        return faulty::real.emit(ctx, op, &event, 1);
    }
    if (is("emits_inventions") && events->type == JF_EV_TOKEN) {
        const jf_event event = jackfield::sdk::Host::event_of(0x7f01, nullptr, 0, 0, 0);
        faulty::real.emit(ctx, op, &event, 1);
    }
    if (is("says_nothing") && events->type == JF_EV_TOKEN) return JF_OK;
    const jf_status status = faulty::real.emit(ctx, op, events, n);
    return status == JF_E_AGAIN && is("drops_what_is_refused") ? JF_OK : status;
}

jf_status complete(jf_host_ctx* ctx, jf_op op, jf_status status, const jf_event* last, const jf_error* error) {
    if (is("forgets_usage")) last = nullptr;
    if (is("lies_about_tools") && last && last->type == JF_EV_LLM_USAGE) {
        jf_llm_usage usage = *static_cast<const jf_llm_usage*>(last->data);
        usage.finish = JF_FINISH_TOOLS;
        const jf_event event = jackfield::sdk::Host::event_of(JF_EV_LLM_USAGE, &usage, sizeof usage, 0, 0);
        return faulty::real.complete(ctx, op, status, &event, error);
    }
    if (is("completes_twice")) faulty::real.complete(ctx, op, status, last, error);
    return faulty::real.complete(ctx, op, status, last, error);
}

const bool set = [] {
    faulty::host_faults = {emit, complete};
    faulty::query_fault = [](const void* table, std::string_view id) -> const void* {
        if (id != JF_LLM_V1) return table;
        static jf_llm_v1 wrong = *static_cast<const jf_llm_v1*>(table);
        right = static_cast<const jf_llm_v1*>(table);
        wrong.start = start;
        if (is("speaks_in_prewarm")) wrong.prewarm = start;
        return &wrong;
    };
    return true;
}();

}  // namespace

FAULTY_MODULE
