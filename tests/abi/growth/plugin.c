/* A recogniser that hears as many words as it gets packets. Built against the headers of 1.0-rc0, of today, and of a later release that has grown
 * everywhere, it has to serve under every host. With JF_LATER it writes and asks what only the later headers have. */
#include <jackfield/llm.h>
#include <jackfield/module.h>
#include <jackfield/stt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct jf_instance {
    const jf_host_v1* host;
    jf_op start;  /* completed once the timer has run */
    jf_op stream;
    uint64_t packets;
    char phrase[64]; /* the first that was hinted */
    jf_str words[1];
};

static jf_str text_of(const char* text) {
    jf_str out = {text, strlen(text)};
    return out;
}

static void say(struct jf_instance* self, const char* event, const char* value) {
    const jf_pair field = {text_of("what"), text_of(value)};
    const jf_array fields = {&field, 1, sizeof field};
    self->host->log(self->host->ctx, JF_LOG_INFO, JF_NO_OP, text_of(event), fields);
}

static jf_event event_of(uint32_t type, const void* data, uint64_t size) {
    jf_event event;
    memset(&event, 0, sizeof event);
    event.struct_size = sizeof event;
    event.type = type;
    event.data = data;
    event.data_size = size;
#ifdef JF_LATER
    event.jf_later = 7;
#endif
    return event;
}

/* ---- what it uses of the host ---- */

static void on_event(void* user, jf_op op, const jf_event* events, uint32_t n, uint32_t stride) {
    (void)user, (void)op, (void)events, (void)n, (void)stride;
}

static void on_done(void* user, jf_op op, jf_status status, const jf_event* last, const jf_error* error) {
    struct jf_instance* self = user;
    (void)op, (void)last, (void)error;
    self->host->complete(self->host->ctx, self->start, status, NULL, NULL);
}

/* The host writes no byte behind the struct_size that it is given. */
static void ask_with_a_short_error(struct jf_instance* self) {
    const jf_host_providers_v1* providers = self->host->query(self->host->ctx, text_of(JF_FACILITY_PROVIDERS));
    jf_error error;
    jf_provider_ref ref;
    size_t i;
    memset(&error, 0x5a, sizeof error);
    memset(&ref, 0, sizeof ref);
    error.struct_size = 8;
    ref.struct_size = sizeof ref;
    if (!providers || providers->find(self->host->ctx, text_of("nobody"), text_of(JF_STT_V1), &ref, &error) != JF_E_NOT_FOUND)
        return say(self, "growth.wrong", "a provider that nobody configured");
    if (error.code != JF_E_NOT_FOUND) return say(self, "growth.wrong", "no code");
    for (i = 8; i < sizeof error; ++i)
        if (((const unsigned char*)&error)[i] != 0x5a) return say(self, "growth.wrong", "bytes behind struct_size");
}

#ifdef JF_LATER
static void on_answered(void* user, jf_op op, jf_status status, const jf_event* last, const jf_error* error) {
    (void)user, (void)op, (void)status, (void)last, (void)error;
}

/* The same through the host to another plugin, with the new member in an element of an array. */
static void ask_a_model_for_more(struct jf_instance* self) {
    const jf_host_providers_v1* providers = self->host->query(self->host->ctx, text_of(JF_FACILITY_PROVIDERS));
    jf_provider_ref ref = {sizeof ref, 0, NULL, NULL, 0};
    jf_error error;
    jf_sink sink = {sizeof sink, 0, self, on_event, on_answered, NULL, 0};
    jf_message message;
    jf_llm_request request;
    jf_op op = JF_NO_OP;
    jf_status status;
    memset(&error, 0, sizeof error);
    error.struct_size = sizeof error;
    if (providers->find(self->host->ctx, text_of("model"), text_of(JF_LLM_V1), &ref, &error) != JF_OK) return say(self, "growth.wrong", "no model");
    memset(&message, 0, sizeof message);
    message.struct_size = sizeof message;
    message.content = text_of("echo");
    message.jf_later = 7;
    memset(&request, 0, sizeof request);
    request.struct_size = sizeof request;
    request.messages.ptr = &message;
    request.messages.n = 1;
    request.messages.stride = sizeof message;
    self->host->op_open(self->host->ctx, JF_NO_OP, &sink, &op);
    status = ((const jf_llm_v1*)ref.table)->start(ref.instance, op, &request, &error);
    say(self, status == JF_E_TOO_NEW ? "growth.provider_too_new" : "growth.provider_understood", error.text);
    if (status != JF_OK) self->host->cancel(self->host->ctx, op);
}
#endif

static jf_status start(jf_instance* self, jf_op op, jf_error* error) {
    const jf_host_timer_v1* timer = self->host->query(self->host->ctx, text_of(JF_FACILITY_TIMER));
    jf_sink sink;
    jf_op child = JF_NO_OP;
    jf_status status;
    (void)error;
    ask_with_a_short_error(self);
#ifdef JF_LATER
    ask_a_model_for_more(self);
#endif
    memset(&sink, 0, sizeof sink);
    sink.struct_size = sizeof sink;
    sink.user = self;
    sink.on_event = on_event;
    sink.on_done = on_done;
#ifdef JF_LATER
    /* A request with what only a later host can do: refused as too new, and not half done. Zero, it is as the old one. */
    sink.jf_later = 7;
    status = self->host->op_open(self->host->ctx, op, &sink, &child);
    say(self, status == JF_E_TOO_NEW ? "growth.too_new" : "growth.understood", "sink");
    if (status == JF_OK) self->host->cancel(self->host->ctx, child);
    sink.jf_later = 0;
#endif
    self->start = op;
    status = self->host->op_open(self->host->ctx, op, &sink, &child);
    return status == JF_OK && timer ? timer->start(self->host->ctx, child, 0) : status;
}

/* ---- jf.stt/1 ---- */

static jf_status stt_open(jf_instance* self, jf_op op, const jf_stt_open* options, jf_error* error) {
    if (options->format.rate_hz != 8000 || options->language.len != 5) {
        if (JF_HAS(error, jf_error, text)) snprintf(error->text, sizeof error->text, "8000 Hz are wanted");
        return JF_E_INVALID;
    }
#ifdef JF_LATER
    say(self, JF_HAS(options, jf_stt_open, jf_later) ? "growth.later_host" : "growth.older_host", "open");
#endif
    self->stream = op;
    self->packets = 0;
    return JF_OK;
}

static void hear(struct jf_instance* self, uint32_t type, const char* what) {
    jf_word word;
    jf_text text;
    jf_event event;
    memset(&word, 0, sizeof word);
    word.struct_size = sizeof word;
    word.confidence = 0.5f;
    word.text = text_of(what);
    memset(&text, 0, sizeof text);
    text.struct_size = sizeof text;
    text.text = text_of(what);
    text.language = text_of("en-US");
    text.words.ptr = &word;
    text.words.n = 1;
    text.words.stride = sizeof word;
    text.audio_to = self->packets * 160;
#ifdef JF_LATER
    word.jf_later = text.jf_later = 7;
#endif
    event = event_of(type, &text, sizeof text);
    self->host->emit(self->host->ctx, self->stream, &event, 1);
}

static jf_status stt_control(jf_instance* self, jf_op op, const jf_stt_control* control) {
    (void)op;
    if (control->verb == JF_STT_HINTS && control->hints && control->hints->phrases.n) {
        const jf_str* phrase = JF_AT(jf_str, control->hints->phrases, control->hints->phrases.n - 1);
        snprintf(self->phrase, sizeof self->phrase, "%.*s", (int)phrase->len, phrase->ptr);
    }
    if (control->verb == JF_STT_FINALIZE) hear(self, JF_EV_FINAL, self->phrase[0] ? self->phrase : "nothing hinted");
    return JF_OK;
}

static jf_status stt_push(jf_instance* self, jf_op op, const jf_frame* frame) {
    (void)op;
    self->packets += frame->samples == 160 && frame->data.len == 320;
    hear(self, JF_EV_PARTIAL, "partial");
    return JF_OK;
}

static jf_status stt_close(jf_instance* self, jf_op op) {
    jf_stt_usage usage;
    jf_event last;
    memset(&usage, 0, sizeof usage);
    usage.struct_size = sizeof usage;
    usage.audio_ms = self->packets * 20;
#ifdef JF_LATER
    usage.jf_later = 7;
#endif
    last = event_of(JF_EV_STT_USAGE, &usage, sizeof usage);
    return self->host->complete(self->host->ctx, op, JF_OK, &last, NULL);
}

/* ---- the module ---- */

static jf_status quiesce(jf_instance* self, jf_op op, uint32_t budget_ms) {
    (void)budget_ms;
    return self->host->complete(self->host->ctx, op, JF_OK, NULL, NULL);
}

static void destroy(jf_instance* self) { free(self); }

static jf_status cancel(jf_instance* self, jf_op op) { return self->host->complete(self->host->ctx, op, JF_E_CANCELLED, NULL, NULL); }

static const void* query(jf_instance* self, jf_str id) {
    static jf_stt_v1 table;
    (void)self;
    if (id.len != strlen(JF_STT_V1) || memcmp(id.ptr, JF_STT_V1, id.len) != 0) return NULL;
    table.struct_size = sizeof table;
    table.open = stt_open;
    table.control = stt_control;
    table.push = stt_push;
    table.close = stt_close;
    return &table;
}

static jf_status create(const jf_host_v1* host, jf_str plugin_id, jf_str config_json, jf_array config_pairs, jf_instance** out,
                        const jf_instance_v1** table, jf_error* error) {
    static jf_instance_v1 functions;
    struct jf_instance* self = calloc(1, sizeof *self);
    (void)plugin_id, (void)config_json, (void)config_pairs, (void)error;
    if (!self) return JF_E_INTERNAL;
    self->host = host;
    functions.struct_size = sizeof functions;
    functions.start = start;
    functions.quiesce = quiesce;
    functions.destroy = destroy;
    functions.query = query;
    functions.cancel = cancel;
    *out = self;
    *table = &functions;
    return JF_OK;
}

const jf_module_v1* jf_module_entry_v1(void) {
    static jf_module_v1 module;
    module.struct_size = sizeof module;
    module.abi_major = JF_ABI_MAJOR;
    module.create = create;
    return &module;
}
