#include <jackfield/sdk/tts.hpp>

#include "faulty.hpp"
#include "plugins/tts/example/plugin.cpp"

namespace {

using faulty::is;
const jf_tts_v1* right = nullptr;

jf_status open(jf_instance* self, jf_op op, const jf_tts_open* options, jf_error* error) {
    jf_tts_open changed = *options;
    if (is("refuses_its_format")) return JF_E_UNSUPPORTED;
    if (is("takes_any_format")) {
        changed.format.codec = JF_CODEC_L16;
        changed.format.channels = 1;
        changed.format.rate_hz = 8000;
    }
    if (is("ignores_credit")) changed.credit = 0;
    if (is("reads_beyond") && options->voice.len) {
        const volatile char first = options->voice.ptr[0];
        (void)first;
    }
    return right->open(self, op, &changed, error);
}

jf_status text(jf_instance* self, jf_op op, const jf_tts_text* text) {
    jf_tts_text changed = *text;
    if (is("completes_on_flush") && text->flush == JF_TTS_FLUSH) changed.flush = JF_TTS_END;
    if (is("takes_text_after_end")) {
        const jf_status status = right->text(self, op, text);
        return status == JF_E_STATE ? JF_OK : status;
    }
    if (is("takes_endless_text") && text->flush == JF_TTS_MORE) {
        right->text(self, op, text);
        return JF_OK;
    }
    if (is("speaks_of_nothing") && text->text.len == 0) changed.text = jackfield::sdk::str("mm");
    if (is("crashes_on_odd_text") && text->text.len && text->text.ptr[0] == '\xff') __builtin_trap();
    return right->text(self, op, &changed);
}

jf_status clear(jf_instance* self, jf_op op) {
    return is("forgets_nothing") ? JF_OK : right->clear(self, op);
}

jf_status credit(jf_instance* self, jf_op op, std::uint64_t samples) {
    if (is("knows_no_end")) {
        right->credit(self, op, samples);
        return JF_OK;
    }
    return right->credit(self, op, samples);
}

jf_status emit(jf_host_ctx* ctx, jf_op op, const jf_event* events, std::uint32_t n) {
    if (is("says_all_at_once") && events->type == JF_EV_AUDIO) return faulty::emit_at(ctx, op, *events, 1'000'000);
    if (is("clears_twice") && events->type == JF_EV_CLEARED) faulty::real.emit(ctx, op, events, 1);
    if (events->type == JF_EV_AUDIO && (is("leaves_gaps") || is("is_silent"))) {
        jf_frame frame = *static_cast<const jf_frame*>(events->data);
        std::string quiet(static_cast<std::size_t>(frame.data.len), '\0');
        if (is("leaves_gaps")) frame.pts *= 2;
        else frame.data.ptr = quiet.data();
        jf_event event = *events;
        event.data = &frame;
        return faulty::real.emit(ctx, op, &event, 1);
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
        static jf_tts_v1 wrong = *static_cast<const jf_tts_v1*>(table);
        right = static_cast<const jf_tts_v1*>(table);
        wrong.open = open;
        wrong.text = text;
        wrong.clear = clear;
        wrong.credit = credit;
        return &wrong;
    };
    return true;
}();

}  // namespace

FAULTY_MODULE
