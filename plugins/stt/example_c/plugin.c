/* A recogniser of beeps against the C headers alone: jf.stt/1. A stretch of sound of 60 ms or more is the word "beep".
 *
 * Calls for one stream are serial, so a stream needs no lock. Two streams may be served on two threads at the same time, so the
 * list of streams needs one.
 */
#include <jackfield/module.h>
#include <jackfield/stt.h>

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { block_ms = 20, blocks_of_a_beep = 3, most_beeps = 100, most_answers = 8 };
static const char word[] = "beep";

typedef struct stream stream;

struct jf_instance {
    const jf_host_v1* host;
    const jf_host_timer_v1* timer;
    long threshold;
    pthread_mutex_t lock;
    stream* streams; /* under lock, as is the next */
    int quiescing;
    jf_op quiesce; /* waits until streams is empty */
};

/* So many beeps between two places of the stream. */
typedef struct heard {
    uint32_t type, beeps; /* JF_EV_PARTIAL, _FINAL, _NO_MATCH */
    uint64_t from, to, pos;
} heard;

struct stream {
    stream* next; /* under the instance's lock */
    jf_instance* owner;
    jf_op op;
    uint32_t holders; /* the list, and the timer on its way: the last one frees it */
    uint32_t rate_hz, partials;
    uint64_t samples;
    uint64_t sum;     /* of the block's loudness */
    uint32_t n, loud; /* samples in the block; loud blocks in a row */
    heard now;        /* since the last answer */
    heard answers[most_answers]; /* that the host had no room for yet */
    uint32_t waiting_answers;
    int timer_runs, closing, ended;
};

static int same(jf_str text, const char* other) { return text.len == strlen(other) && memcmp(text.ptr, other, text.len) == 0; }

static jf_status refuse(jf_error* error, jf_status code, const char* why) {
    if (error) {
        error->struct_size = sizeof *error;
        error->code = code;
        error->retry_class = JF_RETRY_OTHER_PROVIDER;
        snprintf(error->text, sizeof error->text, "%s", why);
    }
    return code;
}

/* The stream stays while its op is open, and calls for one op are serial: no lock is needed to use it. */
static stream* find(jf_instance* self, jf_op op) {
    pthread_mutex_lock(&self->lock);
    stream* s = self->streams;
    while (s && s->op != op) s = s->next;
    pthread_mutex_unlock(&self->lock);
    return s;
}

static void release(stream* s) {
    if (--s->holders == 0) free(s);
}

static void end(stream* s, jf_status status);

/* ---- answers ---------------------------------------------------------------------------------------------------------------- */

static jf_status emit(stream* s, const heard* what) {
    char words[most_beeps * sizeof word];
    size_t n = 0;
    for (uint32_t i = 0; i < what->beeps && i < most_beeps; ++i) {
        if (n > 0) words[n++] = ' ';
        memcpy(words + n, word, sizeof word - 1);
        n += sizeof word - 1;
    }
    const jf_text text = {.struct_size = sizeof text,
                          .text = {words, n},
                          .confidence = -1,
                          .end_probability = -1,
                          .audio_from = what->from,
                          .audio_to = what->to};
    const jf_event event = {.struct_size = sizeof event, .type = what->type, .pos = what->pos, .data = &text, .data_size = sizeof text};
    return s->owner->host->emit(s->owner->host->ctx, s->op, &event, 1);
}

static void nothing(void* user, jf_op op, const jf_event* events, uint32_t n, uint32_t stride) {
    (void)user, (void)op, (void)events, (void)n, (void)stride;
}

static void flush(stream* s);

static void on_timer(void* user, jf_op op, jf_status status, const jf_event* last, const jf_error* error) {
    stream* s = user;
    (void)op, (void)last, (void)error;
    s->timer_runs = 0;
    if (status == JF_OK && !s->ended) flush(s);
    release(s);
}

/* The host's queue is full: again in 5 ms, on this stream's strand. Where the host has no timer, at the next answer. */
static void try_again_soon(stream* s) {
    jf_instance* self = s->owner;
    const jf_sink sink = {sizeof sink, 0, s, nothing, on_timer};
    jf_op op;
    if (s->timer_runs || self->host->op_open(self->host->ctx, s->op, &sink, &op) != JF_OK) return;
    s->timer_runs = 1;
    ++s->holders;
    if (self->timer->start(self->host->ctx, op, 5 * 1000000) == JF_OK) return;
    self->host->cancel(self->host->ctx, op); /* never started: nothing is called back */
    s->timer_runs = 0;
    --s->holders;
}

/* Answers are kept until the host has taken them, in their order. Nothing may use the stream after it: it may be gone. */
static void flush(stream* s) {
    while (s->waiting_answers > 0) {
        if (emit(s, &s->answers[0]) == JF_E_AGAIN) {
            try_again_soon(s);
            return;
        }
        memmove(s->answers, s->answers + 1, --s->waiting_answers * sizeof s->answers[0]);
    }
    if (s->closing) end(s, JF_OK);
}

/* ---- hearing ---------------------------------------------------------------------------------------------------------------- */

static void hear_block(stream* s, int loud) {
    if (!loud) {
        s->loud = 0;
        return;
    }
    if (++s->loud != blocks_of_a_beep) return;
    if (s->now.beeps == 0) s->now.from = s->samples;
    s->now.to = s->samples;
    ++s->now.beeps;
    s->now.type = JF_EV_PARTIAL;
    if (s->partials) emit(s, &s->now); /* AGAIN costs one: the next one replaces it */
}

static void discard(stream* s) {
    memset(&s->now, 0, sizeof s->now);
    s->loud = 0;
}

/* For every frame: no allocation. A real recogniser copies into a ring here and works elsewhere. */
static jf_status push(jf_instance* self, jf_op op, const jf_frame* frame) {
    stream* s = find(self, op);
    if (!s || !JF_HAS(frame, jf_frame, data)) return JF_E_INVALID;
    if (s->closing) return JF_E_STATE;
    const int16_t* samples = frame->data.ptr;
    const uint64_t n = frame->samples < frame->data.len / 2 ? frame->samples : frame->data.len / 2;
    for (uint64_t i = 0; i < n; ++i) {
        s->sum += (uint64_t)(samples[i] < 0 ? -(int32_t)samples[i] : samples[i]);
        ++s->samples;
        if (++s->n < s->rate_hz * block_ms / 1000) continue;
        hear_block(s, s->sum > (uint64_t)self->threshold * s->n);
        s->sum = s->n = 0;
    }
    return JF_OK;
}

static jf_status control(jf_instance* self, jf_op op, const jf_stt_control* control) {
    stream* s = find(self, op);
    if (!s || !JF_HAS(control, jf_stt_control, value)) return JF_E_INVALID;
    if (s->closing) return JF_E_STATE;
    switch (control->verb) {
        case JF_STT_FINALIZE:
            if (s->waiting_answers == most_answers) return JF_E_AGAIN;
            s->now.type = s->now.beeps > 0 ? JF_EV_FINAL : JF_EV_NO_MATCH;
            s->now.pos = control->value;
            s->answers[s->waiting_answers++] = s->now;
            discard(s);
            flush(s);
            return JF_OK;
        case JF_STT_DISCARD: discard(s); return JF_OK;
        case JF_STT_HINTS:
        case JF_STT_MUTE:
        case JF_STT_LANGUAGE: return JF_OK; /* a beep is a beep */
        default: return JF_E_UNSUPPORTED;
    }
}

/* ---- streams ---------------------------------------------------------------------------------------------------------------- */

static jf_status stt_open(jf_instance* self, jf_op op, const jf_stt_open* options, jf_error* error) {
    if (!JF_HAS(options, jf_stt_open, language)) return refuse(error, JF_E_INVALID, "there are no options");
    const jf_format* format = &options->format;
    if (format->codec != JF_CODEC_L16 || format->channels > 1 || format->rate_hz < 8000 || format->rate_hz > 48000)
        return refuse(error, JF_E_UNSUPPORTED, "this ear hears one channel of L16 at 8000 to 48000 Hz");
    stream* s = calloc(1, sizeof *s);
    if (!s) return refuse(error, JF_E_INTERNAL, "out of memory");
    s->owner = self;
    s->op = op;
    s->holders = 1;
    s->rate_hz = format->rate_hz;
    s->partials = options->flags & JF_STT_PARTIALS;
    pthread_mutex_lock(&self->lock);
    const int refused = self->quiescing;
    if (!refused) {
        s->next = self->streams;
        self->streams = s;
    }
    pthread_mutex_unlock(&self->lock);
    if (!refused) return JF_OK;
    free(s);
    return refuse(error, JF_E_STATE, "this instance takes no more streams");
}

/* The one completion: out of the list first, so that nothing finds the stream any more. */
static void end(stream* s, jf_status status) {
    jf_instance* self = s->owner;
    const jf_host_v1* host = self->host;
    jf_op waited = JF_NO_OP;
    s->ended = 1;
    pthread_mutex_lock(&self->lock);
    stream** link = &self->streams;
    while (*link != s) link = &(*link)->next;
    *link = s->next;
    if (!self->streams) {
        waited = self->quiesce;
        self->quiesce = JF_NO_OP;
    }
    pthread_mutex_unlock(&self->lock);
    const jf_stt_usage usage = {sizeof usage, 0, s->samples * 1000 / s->rate_hz};
    const jf_event last = {.struct_size = sizeof last, .type = JF_EV_STT_USAGE, .data = &usage, .data_size = sizeof usage};
    host->complete(host->ctx, s->op, status, &last, NULL);
    if (waited != JF_NO_OP) host->complete(host->ctx, waited, JF_OK, NULL, NULL);
    release(s);
}

/* Answers that wait go out first. */
static jf_status stt_close(jf_instance* self, jf_op op) {
    stream* s = find(self, op);
    if (!s) return JF_E_INVALID;
    s->closing = 1;
    flush(s);
    return JF_OK;
}

static const jf_stt_v1 stt = {sizeof stt, 0, stt_open, control, push, stt_close};

/* ---- the instance ----------------------------------------------------------------------------------------------------------- */

static jf_status start(jf_instance* self, jf_op op, jf_error* error) {
    (void)error;
    pthread_mutex_lock(&self->lock);
    self->quiescing = 0;
    pthread_mutex_unlock(&self->lock);
    return self->host->complete(self->host->ctx, op, JF_OK, NULL, NULL);
}

/* Completes when the last stream has ended. The host ends those that are left when the budget is over. */
static jf_status quiesce(jf_instance* self, jf_op op, uint32_t budget_ms) {
    (void)budget_ms;
    pthread_mutex_lock(&self->lock);
    self->quiescing = 1;
    const int busy = self->streams != NULL;
    if (busy) self->quiesce = op;
    pthread_mutex_unlock(&self->lock);
    return busy ? JF_OK : self->host->complete(self->host->ctx, op, JF_OK, NULL, NULL);
}

static void destroy(jf_instance* self) {
    pthread_mutex_destroy(&self->lock);
    free(self);
}

static const void* query(jf_instance* self, jf_str id) {
    (void)self;
    return same(id, JF_STT_V1) ? &stt : NULL;
}

static jf_status cancel(jf_instance* self, jf_op op) {
    stream* s = find(self, op);
    if (s) {
        end(s, JF_E_CANCELLED);
        return JF_OK;
    }
    pthread_mutex_lock(&self->lock);
    const int waits = self->quiesce == op && op != JF_NO_OP;
    if (waits) self->quiesce = JF_NO_OP;
    pthread_mutex_unlock(&self->lock);
    if (!waits) return JF_E_INVALID; /* it has completed just now */
    return self->host->complete(self->host->ctx, op, JF_E_CANCELLED, NULL, NULL);
}

static const jf_instance_v1 functions = {sizeof functions, 0, start, quiesce, destroy, query, cancel, NULL};

/* ---- the module ------------------------------------------------------------------------------------------------------------- */

static jf_status init(const jf_host_v1* host, jf_error* error) {
    (void)host, (void)error;
    return JF_OK;
}

static void deinit(void) {}

static jf_status create(const jf_host_v1* host, jf_str plugin_id, jf_str config_json, jf_array config_pairs, jf_instance** out,
                        const jf_instance_v1** table, jf_error* error) {
    (void)plugin_id, (void)config_json;
    const jf_host_timer_v1* timer = host->query(host->ctx, (jf_str){JF_FACILITY_TIMER, strlen(JF_FACILITY_TIMER)});
    if (!timer) return refuse(error, JF_E_UNSUPPORTED, "this host has no " JF_FACILITY_TIMER);
    jf_instance* self = calloc(1, sizeof *self);
    if (!self) return refuse(error, JF_E_INTERNAL, "out of memory");
    self->host = host;
    self->timer = timer;
    self->threshold = 500;
    pthread_mutex_init(&self->lock, NULL);
    for (uint32_t i = 0; i < config_pairs.n; ++i) {
        const jf_pair* pair = JF_AT(jf_pair, config_pairs, i);
        char number[24] = "";
        if (!same(pair->key, "threshold") || pair->value.len >= sizeof number) continue;
        if (pair->value.len > 0) memcpy(number, pair->value.ptr, pair->value.len);
        const long threshold = strtol(number, NULL, 10);
        if (threshold > 0) self->threshold = threshold;
    }
    *out = self;
    *table = &functions;
    return JF_OK;
}

static const jf_module_v1 module = {sizeof module, JF_ABI_MAJOR, 0, JF_ABI_MINOR, 0, {NULL, 0}, init, deinit, create};

JF_EXPORT const jf_module_v1* jf_module_entry_v1(void) { return &module; }
