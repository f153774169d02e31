/* A voice of beeps against the C headers alone: jf.tts/1 with credit, clear, marks, a host that answers AGAIN, cancel and quiesce.
 *
 * Calls for one stream are serial, so a stream needs no lock. Two streams may be served on two threads at the same time, so the
 * list of streams needs one.
 */
#include <jackfield/module.h>
#include <jackfield/tts.h>

#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    most_waiting = 2000,  /* bytes of text; more is refused while something waits */
    most_text = 65536,    /* in one call, as tts.h says */
    frames_per_turn = 25, /* then other streams of this thread get theirs */
    most_rate_hz = 16000,
    most_frame = most_rate_hz / 50,
};

typedef struct stream stream;

struct jf_instance {
    const jf_host_v1* host;
    const jf_host_timer_v1* timer;
    uint32_t letter_ms;
    pthread_mutex_t lock;
    stream* streams; /* under lock, as are the next two */
    jf_op quiesce;   /* waits until streams is empty */
    int quiescing;
};

struct stream {
    stream* next; /* under the instance's lock */
    jf_instance* owner;
    jf_op op;
    uint32_t holders; /* the list, and each timer on its way: the last one frees it */
    int ended;        /* completed: nothing may be emitted any more */
    int end_given;
    int flushed; /* no rest of a sentence is on its way */
    int waiting; /* a timer is on its way */
    int limited; /* by credit */
    int talking;
    uint32_t owes_cleared; /* one per clear() */
    int told_again;
    uint64_t credit;
    uint32_t rate_hz, frame_samples;
    char* text;
    uint32_t from, to;      /* what of text waits: [from, to) */
    uint64_t given, spoken; /* bytes since the stream opened; their difference is to - from */
    uint64_t characters, emitted;
    uint32_t left;          /* samples of the sound under way */
    int sounding;           /* a letter is under way (or a pause) */
    double swing, before, twice_cos;
    int16_t frame[most_frame];
    uint32_t filled;
    int unmarked; /* a letter sounded since the last mark */
    int owes_mark;
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

/* ---- the list of streams -------------------------------------------------------------------------------------------------- */

/* The stream stays while its op is open, and calls for one op are serial: no lock is needed to use it. */
static stream* find(jf_instance* self, jf_op op) {
    pthread_mutex_lock(&self->lock);
    stream* s = self->streams;
    while (s && s->op != op) s = s->next;
    pthread_mutex_unlock(&self->lock);
    return s;
}

static void release(stream* s) {
    if (--s->holders > 0) return;
    free(s->text);
    free(s);
}

/* Takes it out of the list; answers the quiesce op if it waited for this one. */
static jf_op forget(stream* s) {
    jf_instance* self = s->owner;
    jf_op waited = JF_NO_OP;
    pthread_mutex_lock(&self->lock);
    stream** link = &self->streams;
    while (*link != s) link = &(*link)->next;
    *link = s->next;
    if (!self->streams) {
        waited = self->quiesce;
        self->quiesce = JF_NO_OP;
    }
    pthread_mutex_unlock(&self->lock);
    return waited;
}

/* The one completion. */
static void end(stream* s, jf_status status) {
    const jf_host_v1* host = s->owner->host;
    jf_tts_usage usage = {sizeof usage, 0, s->characters, s->emitted * 1000 / s->rate_hz};
    jf_event last = {.struct_size = sizeof last, .type = JF_EV_TTS_USAGE, .data = &usage, .data_size = sizeof usage};
    s->ended = 1;
    const jf_op waited = forget(s);
    host->complete(host->ctx, s->op, status, &last, NULL);
    if (waited != JF_NO_OP) host->complete(host->ctx, waited, JF_OK, NULL, NULL);
    release(s);
}

/* ---- beeps ---------------------------------------------------------------------------------------------------------------- */

static int is_letter(unsigned char c) { return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c >= 0xc0; }
static int is_continuation(unsigned char c) { return (c & 0xc0) == 0x80; } /* of a UTF-8 character */
static int ends_sentence(unsigned char c) { return c == '.' || c == '!' || c == '?'; }

/* All audio of the text so far goes out, then a mark says so. */
static void mark(stream* s) {
    s->owes_mark = 1;
    s->unmarked = 0;
}

/* The next character's sound: a letter has a pitch, a gap between words is silence, and before the first letter there is none. */
static void begin_sound(stream* s) {
    const unsigned char c = (unsigned char)s->text[s->from];
    do {
        ++s->from;
        ++s->spoken;
    } while (s->from < s->to && is_continuation((unsigned char)s->text[s->from]));
    ++s->characters;
    if (is_letter(c)) {
        const double step = 2 * 3.14159265358979 * (300 + 30 * (c & 31)) / s->rate_hz;
        s->left = s->rate_hz * s->owner->letter_ms / 1000;
        s->twice_cos = 2 * cos(step);
        s->before = 0;
        s->swing = 6000 * sin(step);
        s->sounding = s->talking = s->unmarked = 1;
    } else if (s->talking) {
        s->left = s->rate_hz / 50;
        s->sounding = 0;
        if (ends_sentence(c) && s->unmarked) mark(s);
    }
}

static int16_t sample(stream* s) {
    if (!s->sounding) return 0;
    const double now = s->swing;
    s->swing = s->twice_cos * now - s->before;
    s->before = now;
    return (int16_t)now;
}

/* Fills the frame as far as there is text. */
static void fill(stream* s) {
    while (s->filled < s->frame_samples && !s->owes_mark) {
        if (s->left == 0 && s->from == s->to) {
            if (s->flushed && s->unmarked) mark(s);
            return;
        }
        if (s->left == 0) begin_sound(s);
        for (; s->left > 0 && s->filled < s->frame_samples; --s->left) s->frame[s->filled++] = sample(s);
    }
}

/* ---- out ------------------------------------------------------------------------------------------------------------------ */

static void pump(stream* s);

static void on_timer(void* user, jf_op op, jf_status status, const jf_event* last, const jf_error* error) {
    stream* s = user;
    (void)op, (void)last, (void)error;
    s->waiting = 0;
    if (status == JF_OK && !s->ended) pump(s);
    release(s);
}

static void on_event(void* user, jf_op op, const jf_event* events, uint32_t n, uint32_t stride) {
    (void)user, (void)op, (void)events, (void)n, (void)stride;
}

/* Goes on later, on this stream's strand. The timer is the stream's child: it ends with it. */
static void go_on_after(stream* s, uint64_t ns) {
    jf_instance* self = s->owner;
    const jf_sink sink = {sizeof sink, 0, s, on_event, on_timer};
    jf_op op;
    if (s->waiting) return;
    if (self->host->op_open(self->host->ctx, s->op, &sink, &op) != JF_OK) {
        end(s, JF_E_QUOTA);
        return;
    }
    s->waiting = 1;
    ++s->holders;
    if (self->timer->start(self->host->ctx, op, ns) == JF_OK) return;
    self->host->cancel(self->host->ctx, op); /* never started: nothing is called back */
    s->waiting = 0;
    --s->holders;
    end(s, JF_E_QUOTA);
}

static jf_status emit(stream* s, uint32_t type, uint64_t pos, const void* data, uint64_t size) {
    const jf_event event = {.struct_size = sizeof event, .type = type, .pos = pos, .data = data, .data_size = size};
    return s->owner->host->emit(s->owner->host->ctx, s->op, &event, 1);
}

static jf_status emit_frame(stream* s) {
    jf_frame frame = {sizeof frame, JF_CODEC_L16, 1, s->emitted == 0 ? JF_FRAME_TALKSPURT : 0, s->rate_hz, s->filled, s->emitted,
                      {s->frame, s->filled * sizeof(int16_t)}};
    const jf_status status = emit(s, JF_EV_AUDIO, s->spoken, &frame, sizeof frame);
    if (status != JF_OK) return status;
    s->emitted += s->filled;
    if (s->limited) s->credit -= s->filled;
    s->filled = 0;
    return JF_OK;
}

/* The next thing that can go out; 1: something did, 0: nothing can now, else a failure. */
static jf_status step(stream* s) {
    jf_status status = JF_OK;
    if (s->owes_cleared) {
        if ((status = emit(s, JF_EV_CLEARED, s->spoken, NULL, 0)) == JF_OK) --s->owes_cleared;
        return status == JF_OK ? 1 : status;
    }
    if (s->told_again && s->to - s->from < most_waiting / 2) {
        if ((status = emit(s, JF_EV_CREDIT, most_waiting - (s->to - s->from), NULL, 0)) == JF_OK) s->told_again = 0;
        return status == JF_OK ? 1 : status;
    }
    fill(s);
    const int whole = s->filled == s->frame_samples || (s->filled > 0 && (s->owes_mark || s->from == s->to));
    if (whole) {
        if (s->limited && s->credit < s->filled) return 0;
        return (status = emit_frame(s)) == JF_OK ? 1 : status;
    }
    if (s->owes_mark) {
        if ((status = emit(s, JF_EV_TTS_MARK, s->spoken, NULL, 0)) == JF_OK) s->owes_mark = 0;
        return status == JF_OK ? 1 : status;
    }
    return 0;
}

/* Whatever can go out now, goes. Nothing may use the stream after it: it may be gone. */
static void pump(stream* s) {
    for (int i = 0; i < frames_per_turn; ++i) {
        const jf_status did = step(s);
        if (did == 1) continue;
        if (did == JF_E_AGAIN) {
            go_on_after(s, 10 * 1000000); /* the host's queue is full */
        } else if (did < 0) {
            end(s, did);
        } else if (s->end_given && s->from == s->to && s->left == 0 && s->filled == 0) {
            end(s, JF_OK);
        }
        return;
    }
    go_on_after(s, 0);
}

/* ---- jf.tts/1 ------------------------------------------------------------------------------------------------------------- */

static jf_status tts_open(jf_instance* self, jf_op op, const jf_tts_open* options, jf_error* error) {
    if (!JF_HAS(options, jf_tts_open, credit)) return refuse(error, JF_E_INVALID, "there are no options");
    const jf_format* format = &options->format;
    if (format->codec != JF_CODEC_L16 || format->channels > 1 || (format->rate_hz != 8000 && format->rate_hz != most_rate_hz))
        return refuse(error, JF_E_UNSUPPORTED, "this voice beeps in L16, one channel, at 8000 or 16000 Hz");
    if (options->voice.len > 0 && !same(options->voice, "beep")) return refuse(error, JF_E_NOT_FOUND, "the only voice is called beep");
    stream* s = calloc(1, sizeof *s);
    if (!s) return refuse(error, JF_E_INTERNAL, "out of memory");
    s->owner = self;
    s->op = op;
    s->holders = 1;
    s->limited = options->credit != 0;
    s->credit = options->credit;
    s->rate_hz = format->rate_hz;
    s->frame_samples = format->rate_hz / 50;
    /* A frame larger than all the credit there is could never go out. */
    if (s->limited && s->credit < s->frame_samples) s->frame_samples = (uint32_t)s->credit;
    pthread_mutex_lock(&self->lock);
    const int refused = self->quiescing;
    if (!refused) {
        s->next = self->streams;
        self->streams = s;
    }
    pthread_mutex_unlock(&self->lock);
    if (!refused) return JF_OK;
    free(s);
    return refuse(error, JF_E_STATE, "this instance takes no more speech");
}

static jf_status tts_text(jf_instance* self, jf_op op, const jf_tts_text* given) {
    stream* s = find(self, op);
    if (!s || !JF_HAS(given, jf_tts_text, text) || given->text.len > most_text) return JF_E_INVALID;
    if (s->end_given) return JF_E_STATE;
    const uint32_t n = (uint32_t)given->text.len, waits = s->to - s->from;
    if (waits > 0 && waits + n > most_waiting) {
        s->told_again = 1;
        return JF_E_AGAIN;
    }
    if (waits > 0) memmove(s->text, s->text + s->from, waits);
    s->from = 0;
    s->to = waits;
    if (n > 0) {
        char* grown = realloc(s->text, waits + n);
        if (!grown) return JF_E_AGAIN;
        s->text = grown;
        memcpy(s->text + waits, given->text.ptr, n);
    }
    s->to += n;
    s->given += n;
    s->flushed = given->flush != JF_TTS_MORE;
    if (given->flush == JF_TTS_END) s->end_given = 1;
    pump(s);
    return JF_OK;
}

static jf_status tts_clear(jf_instance* self, jf_op op) {
    stream* s = find(self, op);
    if (!s) return JF_E_INVALID;
    s->spoken = s->given;
    s->from = s->to = s->left = s->filled = 0;
    s->owes_mark = s->unmarked = s->talking = 0;
    ++s->owes_cleared;
    pump(s);
    return JF_OK;
}

static jf_status tts_credit(jf_instance* self, jf_op op, uint64_t samples) {
    stream* s = find(self, op);
    if (!s) return JF_E_INVALID;
    s->credit = s->credit > UINT64_MAX - samples ? UINT64_MAX : s->credit + samples;
    if (!s->waiting) pump(s);
    return JF_OK;
}

static jf_status tts_close(jf_instance* self, jf_op op) {
    stream* s = find(self, op);
    if (!s) return JF_E_INVALID;
    end(s, JF_OK);
    return JF_OK;
}

static const jf_tts_v1 tts = {sizeof tts, 0, tts_open, tts_text, tts_clear, tts_credit, tts_close};

/* ---- the instance --------------------------------------------------------------------------------------------------------- */

static jf_status start(jf_instance* self, jf_op op, jf_error* error) {
    (void)error;
    pthread_mutex_lock(&self->lock);
    self->quiescing = 0;
    pthread_mutex_unlock(&self->lock);
    return self->host->complete(self->host->ctx, op, JF_OK, NULL, NULL);
}

static void on_budget_over(void* user, jf_op op, jf_status status, const jf_event* last, const jf_error* error) {
    jf_instance* self = user;
    (void)op, (void)last, (void)error;
    if (status != JF_OK) return; /* the streams ended in time */
    pthread_mutex_lock(&self->lock);
    const jf_op waited = self->quiesce;
    self->quiesce = JF_NO_OP;
    pthread_mutex_unlock(&self->lock);
    if (waited != JF_NO_OP) self->host->complete(self->host->ctx, waited, JF_OK, NULL, NULL);
}

static jf_status quiesce(jf_instance* self, jf_op op, uint32_t budget_ms) {
    const jf_sink sink = {sizeof sink, 0, self, on_event, on_budget_over};
    jf_op timer;
    pthread_mutex_lock(&self->lock);
    const int busy = self->streams != NULL;
    self->quiescing = 1;
    if (busy) self->quiesce = op;
    pthread_mutex_unlock(&self->lock);
    if (!busy) return self->host->complete(self->host->ctx, op, JF_OK, NULL, NULL);
    if (self->host->op_open(self->host->ctx, op, &sink, &timer) != JF_OK) return JF_OK; /* without a budget then */
    if (self->timer->start(self->host->ctx, timer, (uint64_t)budget_ms * 1000000) != JF_OK) self->host->cancel(self->host->ctx, timer);
    return JF_OK;
}

static void destroy(jf_instance* self) {
    pthread_mutex_destroy(&self->lock);
    free(self);
}

static const void* query(jf_instance* self, jf_str id) {
    (void)self;
    return same(id, JF_TTS_V1) ? &tts : NULL;
}

static jf_status cancel(jf_instance* self, jf_op op) {
    stream* s = find(self, op);
    if (s) {
        end(s, JF_E_CANCELLED);
        return JF_OK;
    }
    pthread_mutex_lock(&self->lock);
    const int waits = self->quiesce == op;
    if (waits) self->quiesce = JF_NO_OP;
    pthread_mutex_unlock(&self->lock);
    if (!waits) return JF_E_INVALID; /* it has completed just now */
    return self->host->complete(self->host->ctx, op, JF_E_CANCELLED, NULL, NULL);
}

static const jf_instance_v1 functions = {sizeof functions, 0, start, quiesce, destroy, query, cancel, NULL};

/* ---- the module ----------------------------------------------------------------------------------------------------------- */

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
    self->letter_ms = 50;
    pthread_mutex_init(&self->lock, NULL);
    for (uint32_t i = 0; i < config_pairs.n; ++i) {
        const jf_pair* pair = JF_AT(jf_pair, config_pairs, i);
        char number[24] = "";
        if (!same(pair->key, "letter_ms") || pair->value.len >= sizeof number) continue;
        memcpy(number, pair->value.ptr, pair->value.len);
        const long ms = strtol(number, NULL, 10); /* the host has held it against the schema's bounds */
        if (ms > 0) self->letter_ms = (uint32_t)ms;
    }
    *out = self;
    *table = &functions;
    return JF_OK;
}

static const jf_module_v1 module = {sizeof module, JF_ABI_MAJOR, 0, JF_ABI_MINOR, 0, {NULL, 0}, init, deinit, create};

JF_EXPORT const jf_module_v1* jf_module_entry_v1(void) { return &module; }
