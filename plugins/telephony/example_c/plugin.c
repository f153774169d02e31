/* A carrier against the C headers alone: jf.telephony/1 with calls that come in and go out, over the host's UDP sockets.
 *
 * The protocol: a datagram is one letter, the call's number in eight bytes, and what belongs to it.
 *   C <to> \n <from>  a call, to the port that listens; the rest goes from leg to leg, to where the last datagram came from
 *   R                 it rings            A  it is answered
 *   M <samples>       G.711 mu-law, 20 ms
 *   D <digit>         a key was pressed   H <cause>  the end
 * Nothing is sent again when it gets lost.
 *
 * Calls and callbacks for one leg are serial, so a leg needs no lock. The list of legs does: two legs run side by side.
 */
#include <jackfield/module.h>
#include <jackfield/telephony.h>

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { head = 9, most_rest = 512, packet_samples = 160, rate_hz = 8000, most_text = 128, most_unsent = 64 };
#define MS 1000000u
static const char digits[] = "0123456789*#ABCD";

typedef struct leg leg;

struct jf_instance {
    const jf_host_v1* host;
    const jf_host_net_v1* net;
    const jf_host_timer_v1* timer;
    const jf_host_calls_v1* calls;
    jf_endpoint bind;
    char number[most_text];
    pthread_mutex_t lock;
    leg* legs; /* under lock, as is the rest */
    jf_op listener, quiesce;
    int closed; /* takes no new calls */
    uint64_t dialled;
};

/* An event that the host has not taken yet. */
typedef struct unsent {
    uint32_t type;  /* JF_EV_RINGING, _ANSWERED, _DTMF */
    uint32_t digit;
} unsent;

struct leg {
    leg* next; /* under the instance's lock */
    char key[most_text]; /* under it, too: which call this is, where the host says */
    jf_instance* owner;
    jf_op op, socket;
    uint64_t call;
    jf_endpoint peer;
    atomic_uint holders; /* the list, the socket, each timer on its way: the last one frees it. Atomic, since the listener takes hold as well */
    int incoming, answered, over, trying, pausing;
    unsent events[most_unsent];
    uint32_t n_events;
    char keys[most_unsent]; /* still to be sent */
    uint32_t n_keys;
    jf_answer media;
    uint32_t ring_timeout_ms;
    uint64_t began_ns, heard_ns, pts, packets_in, packets_out;
};

static int same(jf_str text, const char* other) { return text.len == strlen(other) && memcmp(text.ptr, other, text.len) == 0; }
static uint64_t now(const jf_instance* self) { return self->host->now_ns(self->host->ctx); }

static jf_status refuse(jf_error* error, jf_status code, uint32_t retry, const char* why) {
    if (error) {
        error->struct_size = sizeof *error;
        error->code = code;
        error->retry_class = retry;
        snprintf(error->text, sizeof error->text, "%s", why);
    }
    return code;
}

static void copy_text(char* to, size_t size, jf_str from) {
    const size_t n = from.len < size - 1 ? (size_t)from.len : size - 1;
    if (n > 0) memcpy(to, from.ptr, n);
    to[n] = 0;
}

/* ---- legs and their list -------------------------------------------------------------------------------------------------- */

static leg* find(jf_instance* self, jf_op op) {
    pthread_mutex_lock(&self->lock);
    leg* l = self->legs;
    while (l && l->op != op) l = l->next;
    pthread_mutex_unlock(&self->lock);
    return l;
}

/* Under the lock. */
static leg* new_leg(jf_instance* self, jf_op op, uint64_t call, const jf_endpoint* peer, int incoming) {
    leg* l = calloc(1, sizeof *l);
    if (!l) return NULL;
    l->owner = self;
    l->op = op;
    l->call = call;
    l->peer = *peer;
    l->incoming = incoming;
    l->holders = 1;
    l->next = self->legs;
    self->legs = l;
    return l;
}

static void release(leg* l) {
    if (atomic_fetch_sub(&l->holders, 1) == 1) free(l);
}

/* Takes it out of the list; answers the quiesce op if it waited for this one. */
static jf_op forget(leg* l) {
    jf_instance* self = l->owner;
    jf_op waited = JF_NO_OP;
    pthread_mutex_lock(&self->lock);
    leg** link = &self->legs;
    while (*link != l) link = &(*link)->next;
    *link = l->next;
    if (!self->legs) {
        waited = self->quiesce;
        self->quiesce = JF_NO_OP;
    }
    pthread_mutex_unlock(&self->lock);
    return waited;
}

/* The one completion. With the op its socket and its timers end. */
static void end(leg* l, uint32_t cause, uint32_t by) {
    if (l->over) return;
    const jf_host_v1* host = l->owner->host;
    jf_call_end facts = {.struct_size = sizeof facts, .cause = cause, .by = by, .packets_in = l->packets_in, .packets_out = l->packets_out};
    const jf_event last = {.struct_size = sizeof last, .type = JF_EV_CALL_ENDED, .data = &facts, .data_size = sizeof facts};
    l->over = 1;
    const jf_op waited = forget(l);
    host->complete(host->ctx, l->op, JF_OK, &last, NULL);
    if (waited != JF_NO_OP) host->complete(host->ctx, waited, JF_OK, NULL, NULL);
    release(l);
}

/* ---- time ----------------------------------------------------------------------------------------------------------------- */

static void nothing(void* user, jf_op op, const jf_event* events, uint32_t n, uint32_t stride) {
    (void)user, (void)op, (void)events, (void)n, (void)stride;
}

/* Calls done(user, ...) on the strand of `parent` after so long. Where it answers an error nothing will be called. */
static jf_status after(jf_instance* self, jf_op parent, uint64_t ns, void* user,
                       void (*done)(void*, jf_op, jf_status, const jf_event*, const jf_error*)) {
    const jf_sink sink = {sizeof sink, 0, user, nothing, done};
    jf_op op;
    jf_status status = self->host->op_open(self->host->ctx, parent, &sink, &op);
    if (status != JF_OK) return status;
    status = self->timer->start(self->host->ctx, op, ns);
    if (status != JF_OK) self->host->cancel(self->host->ctx, op); /* never started */
    return status;
}

static void hang_up(leg* l, uint32_t cause);

static void watch(void* user, jf_op op, jf_status status, const jf_event* last, const jf_error* error);

/* Looks ten times a second whether it has rung, or been silent, for too long. */
static void keep_watching(leg* l) {
    ++l->holders;
    if (after(l->owner, l->op, 100 * MS, l, watch) != JF_OK) --l->holders;
}

static int passed(const leg* l, uint64_t since, uint32_t limit_ms) {
    return limit_ms != 0 && now(l->owner) - since >= (uint64_t)limit_ms * MS;
}

static void watch(void* user, jf_op op, jf_status status, const jf_event* last, const jf_error* error) {
    leg* l = user;
    (void)op, (void)last, (void)error;
    if (status == JF_OK && !l->over) {
        if (!l->answered && passed(l, l->began_ns, l->ring_timeout_ms)) hang_up(l, JF_CAUSE_NO_ANSWER);
        else if (l->answered && l->heard_ns == 0 && passed(l, l->began_ns, l->media.no_media_timeout_ms)) hang_up(l, JF_CAUSE_MEDIA_TIMEOUT);
        else if (l->answered && l->heard_ns != 0 && passed(l, l->heard_ns, l->media.media_timeout_ms)) hang_up(l, JF_CAUSE_MEDIA_TIMEOUT);
        else keep_watching(l);
    }
    release(l);
}

/* ---- a leg's socket --------------------------------------------------------------------------------------------------------- */

static jf_status emit(leg* l, uint32_t type, uint64_t pos, const void* data, uint64_t size) {
    const jf_event event = {.struct_size = sizeof event, .type = type, .pos = pos, .data = data, .data_size = size};
    return l->owner->host->emit(l->owner->host->ctx, l->op, &event, 1);
}

static jf_status send_packet(leg* l, char type, const void* rest, uint64_t n) {
    char packet[head + most_rest];
    if (n > most_rest) return JF_E_INVALID;
    packet[0] = type;
    memcpy(packet + 1, &l->call, sizeof l->call);
    if (n > 0) memcpy(packet + head, rest, n);
    return l->owner->net->udp_send(l->owner->host->ctx, l->socket, &l->peer, (jf_bytes){packet, head + n});
}

static jf_status emit_now(leg* l, unsent e) {
    const jf_format format = {sizeof format, JF_CODEC_PCMU, 1, 0, rate_hz, 20};
    const jf_dtmf key = {sizeof key, e.digit, 0, 0};
    if (e.type == JF_EV_ANSWERED) return emit(l, e.type, 0, &format, sizeof format);
    if (e.type == JF_EV_DTMF) return emit(l, e.type, 0, &key, sizeof key);
    return emit(l, e.type, 0, NULL, 0);
}

static void try_again(void* user, jf_op op, jf_status status, const jf_event* last, const jf_error* error);

/* What the host did not take waits, in its order, and is tried again: with the next datagram, at the latest after 10 ms. */
static void flush(leg* l) {
    uint32_t taken = 0;
    while (taken < l->n_events && emit_now(l, l->events[taken]) != JF_E_AGAIN) ++taken;
    l->n_events -= taken;
    memmove(l->events, l->events + taken, l->n_events * sizeof *l->events);
    if (l->n_events == 0 || l->trying) return;
    l->trying = 1;
    ++l->holders;
    if (after(l->owner, l->op, 10 * MS, l, try_again) == JF_OK) return;
    l->trying = 0;
    --l->holders;
}

static void try_again(void* user, jf_op op, jf_status status, const jf_event* last, const jf_error* error) {
    leg* l = user;
    (void)op, (void)last, (void)error;
    l->trying = 0;
    if (status == JF_OK && !l->over) flush(l);
    release(l);
}

static void report(leg* l, uint32_t type, uint32_t digit) {
    if (l->n_events == most_unsent) return; /* nobody presses so many keys while a host is behind: only who floods us */
    l->events[l->n_events++] = (unsent){type, digit};
    flush(l);
}

static void answered(leg* l) {
    l->answered = 1;
    l->began_ns = now(l->owner);
    l->heard_ns = 0;
    report(l, JF_EV_ANSWERED, 0);
}

static void take_media(leg* l, const char* samples, uint64_t n) {
    if (!l->answered || n != packet_samples) return;
    const jf_frame frame = {sizeof frame, JF_CODEC_PCMU, 1, 0, rate_hz, packet_samples, l->pts, {samples, n}};
    l->heard_ns = now(l->owner);
    l->pts += packet_samples;
    ++l->packets_in;
    /* AGAIN: the host is behind, and this frame is lost; so it is as long as ANSWERED waits, which comes first. */
    if (l->n_events == 0) emit(l, JF_EV_MEDIA, frame.pts, &frame, sizeof frame);
}

static void take(leg* l, char type, const char* rest, uint64_t n) {
    flush(l);
    if (type == 'R' && !l->answered && !l->incoming) report(l, JF_EV_RINGING, 0);
    if (type == 'A' && !l->answered && !l->incoming) answered(l);
    if (type == 'M') take_media(l, rest, n);
    if (type == 'D' && n == 1 && rest[0] && strchr(digits, rest[0])) report(l, JF_EV_DTMF, (uint32_t)rest[0]);
    if (type == 'H') {
        const uint32_t cause = n > 0 ? (unsigned char)rest[0] : JF_CAUSE_NORMAL;
        end(l, cause <= JF_CAUSE_FAILED ? cause : JF_CAUSE_FAILED, JF_ENDED_BY_FAR_END);
    }
}

/* The datagram of an event, null when it is none of ours. */
static const char* read_packet(const jf_event* event, uint64_t* n, uint64_t* call, jf_endpoint* from) {
    const jf_datagram* datagram = event->data;
    if (event->type != JF_EV_DATAGRAM || !JF_HAS(datagram, jf_datagram, data) || datagram->data.len < head) return NULL;
    *n = datagram->data.len - head;
    *from = datagram->from;
    memcpy(call, (const char*)datagram->data.ptr + 1, sizeof *call);
    return datagram->data.ptr;
}

static void on_leg_event(void* user, jf_op op, const jf_event* events, uint32_t n, uint32_t stride) {
    leg* l = user;
    const jf_array all = {events, n, stride};
    (void)op;
    for (uint32_t i = 0; i < n && !l->over; ++i) {
        uint64_t rest = 0, call = 0;
        jf_endpoint from;
        const char* packet = read_packet(JF_AT(jf_event, all, i), &rest, &call, &from);
        if (!packet || call != l->call) continue; /* whoever does not know the call's number has no say in it */
        l->peer = from;
        take(l, packet[0], packet + head, rest);
    }
}

static void on_leg_socket_done(void* user, jf_op op, jf_status status, const jf_event* last, const jf_error* error) {
    (void)op, (void)status, (void)last, (void)error;
    release(user);
}

/* The socket is the leg's child: it closes with it. */
static jf_status open_socket(leg* l) {
    jf_instance* self = l->owner;
    const jf_sink sink = {sizeof sink, 0, l, on_leg_event, on_leg_socket_done};
    jf_udp_open options = {.struct_size = sizeof options, .bind = self->bind, .dscp = 46};
    jf_endpoint local;
    jf_op op;
    if (l->socket != JF_NO_OP) return JF_OK;
    options.bind.port = 0;
    jf_status status = self->host->op_open(self->host->ctx, l->op, &sink, &op);
    if (status != JF_OK) return status;
    status = self->net->udp_open(self->host->ctx, op, &options, &local);
    if (status != JF_OK) {
        self->host->cancel(self->host->ctx, op);
        return status;
    }
    l->socket = op;
    ++l->holders;
    return JF_OK;
}

static void hang_up(leg* l, uint32_t cause) {
    if (l->over) return;
    const char byte = (char)cause;
    if (open_socket(l) == JF_OK) send_packet(l, 'H', &byte, 1); /* else the far end is not told; the leg ends all the same */
    end(l, cause, JF_ENDED_BY_US);
}

/* ---- the port that listens -------------------------------------------------------------------------------------------------- */

static void end_far(void* user, jf_op op, jf_status status, const jf_event* last, const jf_error* error) {
    (void)op, (void)last, (void)error;
    if (status == JF_OK) end(user, JF_CAUSE_CANCELLED, JF_ENDED_BY_FAR_END);
    release(user);
}

/* The caller gave up before anybody here answered, and knows this port only. The leg is on a strand of its own: a timer gets there. */
static void take_end(jf_instance* self, uint64_t call) {
    pthread_mutex_lock(&self->lock);
    leg* l = self->legs;
    while (l && (l->call != call || !l->incoming)) l = l->next;
    if (l) {
        ++l->holders;
        if (after(self, l->op, 0, l, end_far) != JF_OK) --l->holders;
    }
    pthread_mutex_unlock(&self->lock);
}

static void take_call(jf_instance* self, uint64_t call, const jf_endpoint* from, const char* rest, uint64_t n) {
    const char* line = n > 0 && n <= 200 ? memchr(rest, '\n', n) : NULL;
    if (!line || line == rest) return;
    char id[64];
    snprintf(id, sizeof id, "%u.%u.%u.%u:%u/%llu", from->ip[0], from->ip[1], from->ip[2], from->ip[3], from->port, (unsigned long long)call);
    const jf_str to = {rest, (uint64_t)(line - rest)};
    const jf_incoming incoming = {.struct_size = sizeof incoming,
                                  .leg = {id, strlen(id)},
                                  .from = {line + 1, n - to.len - 1},
                                  .to = to,
                                  .keys = {&to, 1, sizeof to}};
    jf_op op;
    /* The host may call for the new op on another thread before incoming() has returned here: find() waits for this lock. */
    pthread_mutex_lock(&self->lock);
    const jf_status taken = self->closed ? JF_E_STATE : self->calls->incoming(self->host->ctx, &incoming, &op);
    const int kept = taken == JF_OK && new_leg(self, op, call, from, 1) != NULL;
    pthread_mutex_unlock(&self->lock);
    /* A call that the host does not take stays unanswered: the caller's time runs out. */
    if (taken == JF_OK && !kept) self->host->complete(self->host->ctx, op, JF_E_INTERNAL, NULL, NULL);
}

static void on_listener_event(void* user, jf_op op, const jf_event* events, uint32_t n, uint32_t stride) {
    const jf_array all = {events, n, stride};
    (void)op;
    for (uint32_t i = 0; i < n; ++i) {
        uint64_t rest = 0, call = 0;
        jf_endpoint from;
        const char* packet = read_packet(JF_AT(jf_event, all, i), &rest, &call, &from);
        if (packet && packet[0] == 'C') take_call(user, call, &from, packet + head, rest);
        if (packet && packet[0] == 'H') take_end(user, call);
    }
}

static void on_listener_done(void* user, jf_op op, jf_status status, const jf_event* last, const jf_error* error) {
    (void)user, (void)op, (void)status, (void)last, (void)error;
}

static jf_status listen_at(jf_instance* self) {
    const jf_sink sink = {sizeof sink, 0, self, on_listener_event, on_listener_done};
    jf_udp_open options = {.struct_size = sizeof options, .port_first = self->bind.port, .port_last = self->bind.port, .bind = self->bind};
    jf_endpoint local;
    jf_op op;
    /* Below no op: it belongs to the instance, which cancels it in quiesce. */
    jf_status status = self->host->op_open(self->host->ctx, JF_NO_OP, &sink, &op);
    if (status != JF_OK) return status;
    status = self->net->udp_open(self->host->ctx, op, &options, &local);
    if (status != JF_OK) {
        self->host->cancel(self->host->ctx, op);
        return status;
    }
    pthread_mutex_lock(&self->lock);
    self->listener = op;
    self->closed = 0;
    pthread_mutex_unlock(&self->lock);
    return JF_OK;
}

/* ---- jf.telephony/1 --------------------------------------------------------------------------------------------------------- */

/* "127.0.0.1:5090/reception" */
static int read_address(jf_str text, jf_endpoint* at, char* who, size_t size) {
    char copy[most_text];
    unsigned ip[4], port;
    int used = 0;
    if (text.len >= sizeof copy) return 0;
    copy_text(copy, sizeof copy, text);
    if (sscanf(copy, "%3u.%3u.%3u.%3u:%5u/%n", &ip[0], &ip[1], &ip[2], &ip[3], &port, &used) != 5 || used == 0 || !copy[used]) return 0;
    memset(at, 0, sizeof *at);
    for (int i = 0; i < 4; ++i) {
        if (ip[i] > 255) return 0;
        at->ip[i] = (uint8_t)ip[i];
    }
    if (port == 0 || port > 65535) return 0;
    at->port = (uint16_t)port;
    at->family = JF_NET_IPV4;
    snprintf(who, size, "%s", copy + used);
    return 1;
}

/* Under the lock. Whether a leg that is open has been dialled with that key. */
static int dialled_already(const jf_instance* self, jf_str key) {
    for (const leg* l = self->legs; l && key.len > 0; l = l->next)
        if (same(key, l->key)) return 1;
    return 0;
}

static jf_status dial(jf_instance* self, jf_op op, const jf_dial* dial, const jf_answer* media, jf_error* error) {
    jf_endpoint to;
    char who[most_text], from[most_text], rest[2 * most_text + 2];
    if (!JF_HAS(dial, jf_dial, from) || !JF_HAS(media, jf_answer, media_timeout_ms)) return refuse(error, JF_E_INVALID, JF_RETRY_NO, "there are no options");
    if (!read_address(dial->to, &to, who, sizeof who))
        return refuse(error, JF_E_INVALID, JF_RETRY_NO, "whom to call is written as 127.0.0.1:5090/reception");
    copy_text(from, sizeof from, dial->from);
    const jf_str key = JF_HAS(dial, jf_dial, idempotency_key) ? dial->idempotency_key : (jf_str){NULL, 0};
    pthread_mutex_lock(&self->lock);
    const int closed = self->closed, again = dialled_already(self, key);
    leg* l = closed || again ? NULL : new_leg(self, op, (now(self) << 16) ^ op ^ ++self->dialled, &to, 0);
    if (l && key.len < sizeof l->key) copy_text(l->key, sizeof l->key, key);
    pthread_mutex_unlock(&self->lock);
    if (closed) return refuse(error, JF_E_STATE, JF_RETRY_OTHER_PROVIDER, "this instance takes no more calls");
    if (again) return refuse(error, JF_E_CONFLICT, JF_RETRY_NO, "this call has been dialled already");
    if (!l) return refuse(error, JF_E_INTERNAL, JF_RETRY_OTHER_PROVIDER, "out of memory");
    l->media = *media;
    l->media.struct_size = sizeof l->media;
    l->ring_timeout_ms = dial->ring_timeout_ms;
    l->began_ns = now(self);
    const int n = snprintf(rest, sizeof rest, "%s\n%s", who, from[0] ? from : self->number);
    if (open_socket(l) == JF_OK && send_packet(l, 'C', rest, (uint64_t)n) == JF_OK) {
        keep_watching(l);
        return JF_OK;
    }
    const jf_op waited = forget(l); /* refused: there is no such leg, and its socket goes with the op */
    if (waited != JF_NO_OP) self->host->complete(self->host->ctx, waited, JF_OK, NULL, NULL);
    release(l);
    return refuse(error, JF_E_AGAIN, JF_RETRY_AFTER, "the call cannot go out at present");
}

static jf_status answer(jf_instance* self, jf_op op, const jf_answer* options) {
    leg* l = find(self, op);
    if (!l || !JF_HAS(options, jf_answer, media_timeout_ms)) return JF_E_INVALID;
    if (!l->incoming || l->answered) return JF_E_STATE;
    const jf_status status = open_socket(l);
    if (status != JF_OK) return status;
    l->media = *options;
    send_packet(l, 'A', NULL, 0);
    answered(l);
    keep_watching(l);
    return JF_OK;
}

static void pause_over(void* user, jf_op op, jf_status status, const jf_event* last, const jf_error* error);

/* Keys go out one by one, up to a `w`: what is behind it half a second later. */
static void send_keys(leg* l) {
    while (l->n_keys > 0 && !l->pausing) {
        const char key = l->keys[0];
        memmove(l->keys, l->keys + 1, --l->n_keys);
        if (key != 'w') {
            send_packet(l, 'D', &key, 1);
            continue;
        }
        l->pausing = 1;
        ++l->holders;
        if (after(l->owner, l->op, 500 * MS, l, pause_over) == JF_OK) return;
        l->pausing = 0; /* no timer to spare: without the pause, then */
        --l->holders;
    }
}

static void pause_over(void* user, jf_op op, jf_status status, const jf_event* last, const jf_error* error) {
    leg* l = user;
    (void)op, (void)last, (void)error;
    l->pausing = 0;
    if (status == JF_OK && !l->over) send_keys(l);
    release(l);
}

static jf_status press(leg* l, jf_str keys) {
    for (uint64_t i = 0; i < keys.len; ++i)
        if (!keys.ptr[i] || (keys.ptr[i] != 'w' && !strchr(digits, keys.ptr[i]))) return JF_E_INVALID;
    if (keys.len == 0 || keys.len > most_unsent) return JF_E_INVALID;
    if (!l->answered) return JF_E_STATE;
    if (keys.len > most_unsent - l->n_keys) return JF_E_AGAIN; /* those before have to go out first */
    memcpy(l->keys + l->n_keys, keys.ptr, keys.len);
    l->n_keys += (uint32_t)keys.len;
    send_keys(l);
    return JF_OK;
}

static jf_status control(jf_instance* self, jf_op op, const jf_telephony_control* control) {
    leg* l = find(self, op);
    if (!l || !JF_HAS(control, jf_telephony_control, text)) return JF_E_INVALID;
    switch (control->verb) {
        case JF_TEL_RING:
        case JF_TEL_REJECT:
            if (!l->incoming || l->answered) return JF_E_STATE;
            if (control->verb == JF_TEL_REJECT) {
                hang_up(l, (uint32_t)control->value);
                return JF_OK;
            }
            return open_socket(l) == JF_OK ? send_packet(l, 'R', NULL, 0) : JF_E_QUOTA;
        case JF_TEL_DTMF: return press(l, control->text);
        default: return JF_E_UNSUPPORTED;
    }
}

/* Once a packet: no allocation, and the list's lock is held for a look-up only. */
static jf_status media_out(jf_instance* self, jf_op op, const jf_frame* frame) {
    leg* l = find(self, op);
    if (!l || !JF_HAS(frame, jf_frame, data)) return JF_E_INVALID;
    if (!l->answered) return JF_E_STATE;
    if (frame->codec != JF_CODEC_PCMU || frame->data.len > most_rest) return JF_E_INVALID;
    const jf_status status = send_packet(l, 'M', frame->data.ptr, frame->data.len);
    if (status == JF_OK) ++l->packets_out;
    return status;
}

static jf_status hangup(jf_instance* self, jf_op op, uint32_t cause) {
    leg* l = find(self, op);
    if (!l) return JF_E_INVALID;
    hang_up(l, cause);
    return JF_OK;
}

/* No early media, nothing played ahead, no bridge, legs that die with the process. */
static const jf_telephony_v1 telephony = {.struct_size = sizeof telephony, .dial = dial, .answer = answer, .control = control,
                                          .media_out = media_out, .hangup = hangup};

/* ---- the instance ----------------------------------------------------------------------------------------------------------- */

typedef struct begun {
    jf_instance* self;
    jf_op op;
} begun;

static void start_on_strand(void* user, jf_op op, jf_status status, const jf_event* last, const jf_error* error) {
    begun what = *(begun*)user;
    (void)op, (void)last, (void)error;
    free(user);
    jf_error problem = {.struct_size = sizeof problem};
    if (status == JF_OK && (status = listen_at(what.self)) != JF_OK) refuse(&problem, status, JF_RETRY_AFTER, "the port is not free");
    what.self->host->complete(what.self->host->ctx, what.op, status, NULL, status == JF_OK ? NULL : &problem);
}

/* Sockets are opened on a strand, and a control call is on none: a timer without delay gets there. */
static jf_status start(jf_instance* self, jf_op op, jf_error* error) {
    begun* what = malloc(sizeof *what);
    if (!what) return refuse(error, JF_E_INTERNAL, JF_RETRY_AFTER, "out of memory");
    *what = (begun){self, op};
    const jf_status status = after(self, JF_NO_OP, 0, what, start_on_strand);
    if (status == JF_OK) return JF_OK;
    free(what);
    return refuse(error, status, JF_RETRY_AFTER, "the host has no timer to spare");
}

static void on_budget_over(void* user, jf_op op, jf_status status, const jf_event* last, const jf_error* error) {
    jf_instance* self = user;
    (void)op, (void)last, (void)error;
    if (status != JF_OK) return; /* the calls ended in time */
    pthread_mutex_lock(&self->lock);
    const jf_op waited = self->quiesce;
    self->quiesce = JF_NO_OP;
    pthread_mutex_unlock(&self->lock);
    if (waited != JF_NO_OP) self->host->complete(self->host->ctx, waited, JF_OK, NULL, NULL);
}

/* No new calls; those that there are go on until they end, or the budget does. */
static jf_status quiesce(jf_instance* self, jf_op op, uint32_t budget_ms) {
    pthread_mutex_lock(&self->lock);
    const jf_op listener = self->listener;
    const int busy = self->legs != NULL;
    self->listener = JF_NO_OP;
    self->closed = 1;
    if (busy) self->quiesce = op;
    pthread_mutex_unlock(&self->lock);
    if (listener != JF_NO_OP) self->host->cancel(self->host->ctx, listener);
    if (!busy) return self->host->complete(self->host->ctx, op, JF_OK, NULL, NULL);
    after(self, op, (uint64_t)budget_ms * MS, self, on_budget_over); /* without a timer it takes as long as the calls do */
    return JF_OK;
}

static void destroy(jf_instance* self) {
    pthread_mutex_destroy(&self->lock);
    free(self);
}

static const void* query(jf_instance* self, jf_str id) {
    (void)self;
    return same(id, JF_TELEPHONY_V1) ? &telephony : NULL;
}

static jf_status cancel(jf_instance* self, jf_op op) {
    leg* l = find(self, op);
    if (!l) return JF_E_INVALID; /* it has completed just now */
    hang_up(l, JF_CAUSE_NORMAL);
    return JF_OK;
}

static const jf_instance_v1 functions = {sizeof functions, 0, start, quiesce, destroy, query, cancel, NULL};

/* ---- the module --------------------------------------------------------------------------------------------------------------- */

static jf_status init(const jf_host_v1* host, jf_error* error) {
    (void)host, (void)error;
    return JF_OK;
}

static void deinit(void) {}

static const void* facility(const jf_host_v1* host, const char* id) { return host->query(host->ctx, (jf_str){id, strlen(id)}); }

static jf_status create(const jf_host_v1* host, jf_str plugin_id, jf_str config_json, jf_array config_pairs, jf_instance** out,
                        const jf_instance_v1** table, jf_error* error) {
    (void)plugin_id, (void)config_json;
    char bind[most_text] = "127.0.0.1", port[most_text] = "5090", address[2 * most_text + 4], who[4];
    jf_instance* self = calloc(1, sizeof *self);
    if (!self) return refuse(error, JF_E_INTERNAL, JF_RETRY_NO, "out of memory");
    self->host = host;
    self->net = facility(host, JF_FACILITY_NET);
    self->timer = facility(host, JF_FACILITY_TIMER);
    self->calls = facility(host, JF_FACILITY_CALLS);
    copy_text(self->number, sizeof self->number, (jf_str){"nobody", 6});
    for (uint32_t i = 0; i < config_pairs.n; ++i) {
        const jf_pair* pair = JF_AT(jf_pair, config_pairs, i);
        if (same(pair->key, "bind")) copy_text(bind, sizeof bind, pair->value);
        if (same(pair->key, "port")) copy_text(port, sizeof port, pair->value);
        if (same(pair->key, "number")) copy_text(self->number, sizeof self->number, pair->value);
    }
    /* Port 0 is any: read_address() knows no such port. */
    const int any = strcmp(port, "0") == 0;
    const int n = snprintf(address, sizeof address, "%s:%s/x", bind, any ? "1" : port);
    const int right = read_address((jf_str){address, (uint64_t)n}, &self->bind, who, sizeof who);
    if (!right || !self->net || !self->timer || !self->calls) {
        free(self);
        return right ? refuse(error, JF_E_UNSUPPORTED, JF_RETRY_NO, "this host has no network, no timers or no calls")
                     : refuse(error, JF_E_INVALID, JF_RETRY_NO, "bind and port are no IPv4 address");
    }
    if (any) self->bind.port = 0;
    self->closed = 1; /* until start */
    pthread_mutex_init(&self->lock, NULL);
    *out = self;
    *table = &functions;
    return JF_OK;
}

static const jf_module_v1 module = {sizeof module, JF_ABI_MAJOR, 0, JF_ABI_MINOR, 0, {NULL, 0}, init, deinit, create};

JF_EXPORT const jf_module_v1* jf_module_entry_v1(void) { return &module; }
