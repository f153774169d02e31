#include <jackfield/sdk/stt.hpp>

#include "faulty.hpp"
#include "plugins/stt/example/plugin.cpp"

namespace {

using faulty::is;
const jf_stt_v1* right = nullptr;
jf_op last_closed = JF_NO_OP;

jf_text words(std::string_view said) {
    jf_text text = jackfield::sdk::make<jf_text>();
    text.text = jackfield::sdk::str(said);
    text.confidence = text.end_probability = -1;
    return text;
}

jf_event event_of(std::uint32_t type, const jf_text& text, std::uint64_t pos) {
    return jackfield::sdk::Host::event_of(type, &text, sizeof text, pos, 0);
}

jf_status open(jf_instance* self, jf_op op, const jf_stt_open* options, jf_error* error) {
    jf_stt_open changed = *options;
    if (is("refuses_its_format")) return JF_E_UNSUPPORTED;
    if (is("takes_any_format")) {
        changed.format.codec = JF_CODEC_L16;
        changed.format.channels = 1;
        changed.format.rate_hz = 8000;
    }
    if (is("reads_beyond")) {
        // What a plugin does that never looks at struct_size.
        const volatile auto* hints = options->hints;
        if (hints) (void)hints->struct_size;
    }
    return right->open(self, op, &changed, error);
}

jf_status control(jf_instance* self, jf_op op, const jf_stt_control* control) {
    if (is("takes_any_verb") && control->verb > JF_STT_DISCARD) return JF_OK;
    if (is("crashes_on_hints") && control->verb == JF_STT_HINTS && control->hints && control->hints->grammar.len > 100'000) __builtin_trap();
    if (is("answers_discard") && control->verb == JF_STT_DISCARD) {
        const jf_text none = words("");
        const jf_event event = event_of(JF_EV_NO_MATCH, none, 0);
        faulty::real.emit(faulty::ctx_of_last, op, &event, 1);
    }
    return right->control(self, op, control);
}

jf_status push(jf_instance* self, jf_op op, const jf_frame* frame) {
    if (is("takes_late_audio")) {
        right->push(self, op, frame);
        return JF_OK;
    }
    if (is("positions_from_count") && frame->flags & JF_FRAME_DISCONTINUITY) {
        jf_event event = jackfield::sdk::make<jf_event>();
        event.type = JF_EV_SPEECH_START;
        event.pos = 160;
        faulty::real.emit(faulty::ctx_of_last, op, &event, 1);
    }
    if (is("sleeps_in_push")) {
        const timespec nap{0, 120'000'000};
        nanosleep(&nap, nullptr);
    }
    return right->push(self, op, frame);
}

jf_status close(jf_instance* self, jf_op op) {
    last_closed = op;
    return right->close(self, op);
}

jf_status emit(jf_host_ctx* ctx, jf_op op, const jf_event* events, std::uint32_t n) {
    if (is("mixes_streams")) {
        // Two streams whose answers are told apart by nothing but who came first.
        static jf_op first = JF_NO_OP;
        if (first == JF_NO_OP) first = op;
        op = first;
    }
    if (events->type == JF_EV_FINAL && is("hears_other_words")) {
        const jf_text other = words("zebra");
        const jf_event event = event_of(JF_EV_FINAL, other, events->pos);
        return faulty::real.emit(ctx, op, &event, 1);
    }
    if (events->type == JF_EV_NO_MATCH) {
        const jf_text said = words("hello");
        const jf_event final = event_of(JF_EV_FINAL, said, events->pos);
        if (is("hears_words_in_silence")) return faulty::real.emit(ctx, op, &final, 1);
        if (is("finalize_twice")) faulty::real.emit(ctx, op, events, 1);
        if (is("forgets_the_value")) return faulty::emit_at(ctx, op, *events, 0);
        if (is("text_from_the_future")) {
            jf_text late = said;
            late.audio_to = 1'000'000'000;
            const jf_event event = event_of(JF_EV_FINAL, late, events->pos);
            return faulty::real.emit(ctx, op, &event, 1);
        }
    }
    const jf_status status = faulty::real.emit(ctx, op, events, n);
    return status == JF_E_AGAIN && is("drops_what_is_refused") ? JF_OK : status;
}

jf_status complete(jf_host_ctx* ctx, jf_op op, jf_status status, const jf_event* last, const jf_error* error) {
    if (is("forgets_usage")) last = nullptr;
    return faulty::real.complete(ctx, op, status, last, error);
}

const bool set = [] {
    faulty::host_faults = {emit, complete};
    faulty::query_fault = [](const void* table, std::string_view) -> const void* {
        static jf_stt_v1 wrong = *static_cast<const jf_stt_v1*>(table);
        right = static_cast<const jf_stt_v1*>(table);
        wrong.open = open;
        wrong.control = control;
        wrong.push = push;
        wrong.close = close;
        return &wrong;
    };
    return true;
}();

}  // namespace

FAULTY_MODULE
