#include <atomic>

#include <jackfield/sdk/plugin.hpp>

#include "faulty.hpp"
#include "plugins/telephony/example/plugin.cpp"

namespace {

using faulty::is;
const jf_telephony_v1* right = nullptr;

jf_status dial(jf_instance* self, jf_op op, const jf_dial* dial, const jf_answer* media, jf_error* error) {
    if (is("dials_anything") && dial->to.len != 0 && jackfield::sdk::view(dial->to).find("127.0.0.1") == std::string_view::npos) return JF_OK;
    if (is("never_ends")) return JF_OK;
    static std::atomic<int> dialled{0};
    if (is("conflicts_with_all") && ++dialled > 1) return JF_E_CONFLICT;
    if (is("reads_beyond") && dial->idempotency_key.len) {
        const volatile char first = dial->idempotency_key.ptr[0];
        (void)first;
    }
    return right->dial(self, op, dial, media, error);
}

jf_status control(jf_instance* self, jf_op op, const jf_telephony_control* control) {
    if (is("sends_any_key") && control->verb == JF_TEL_DTMF) return JF_OK;
    return is("takes_any_verb") ? JF_OK : right->control(self, op, control);
}

jf_status media_out(jf_instance* self, jf_op op, const jf_frame* frame) {
    return is("takes_early_audio") ? JF_OK : right->media_out(self, op, frame);
}

jf_status answer(jf_instance* self, jf_op op, const jf_answer* options) {
    const jf_status status = is("answers_anything") ? JF_OK : right->answer(self, op, options);
    return status == JF_E_STATE && is("answers_twice") ? JF_OK : status;
}

jf_status emit(jf_host_ctx* ctx, jf_op op, const jf_event* events, std::uint32_t n) {
    if (is("answers_in_l16") && n == 1 && events->type == JF_EV_ANSWERED) {
        jf_format format = *static_cast<const jf_format*>(events->data);
        format.codec = JF_CODEC_L16;
        const jf_event event = jackfield::sdk::Host::event_of(JF_EV_ANSWERED, &format, sizeof format, 0, 0);
        return faulty::real.emit(ctx, op, &event, 1);
    }
    const jf_status status = faulty::real.emit(ctx, op, events, n);
    return status == JF_E_AGAIN && is("forgets_what_is_refused") ? JF_OK : status;
}

jf_status complete(jf_host_ctx* ctx, jf_op op, jf_status status, const jf_event* last, const jf_error* error) {
    if (is("forgets_the_end")) last = nullptr;
    if ((is("knows_no_cause") || is("tells_no_cause")) && last && last->type == JF_EV_CALL_ENDED) {
        jf_call_end end = *static_cast<const jf_call_end*>(last->data);
        end.cause = is("tells_no_cause") ? JF_CAUSE_NORMAL : 4000;
        const jf_event event = jackfield::sdk::Host::event_of(JF_EV_CALL_ENDED, &end, sizeof end, 0, 0);
        return faulty::real.complete(ctx, op, status, &event, error);
    }
    return faulty::real.complete(ctx, op, status, last, error);
}

const bool set = [] {
    faulty::host_faults = {emit, complete};
    faulty::query_fault = [](const void* table, std::string_view) -> const void* {
        static jf_telephony_v1 wrong = *static_cast<const jf_telephony_v1*>(table);
        right = static_cast<const jf_telephony_v1*>(table);
        wrong.dial = dial;
        wrong.control = control;
        wrong.media_out = media_out;
        wrong.answer = answer;
        if (is("has_no_hangup")) wrong.hangup = nullptr;
        if (is("crashes_on_reap")) wrong.reap = [](jf_instance*, jf_op, jf_bytes, jf_error*) -> jf_status { __builtin_trap(); };
        return &wrong;
    };
    return true;
}();

}  // namespace

FAULTY_MODULE
