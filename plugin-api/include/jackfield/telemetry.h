/* jackfield/telemetry.h: jf.telemetry/1, where traces of calls and generations go.
 *
 * Telemetry never holds up a call: the host sends batches from a bounded queue of its own, after the calls that they tell of, and drops, counted,
 * what a provider does not take. Contents (what was said, what a model was given) are in them only where the tenant allows it; numbers of callers and
 * secrets never are.
 *
 * Capabilities in the descriptor, under "telemetry": {"spans": true, "generations": true, "scores": true, "max_batch": 512}. What a provider does
 * not name is not sent to it. max_batch: items of one batch, 1 to 4096.
 */
#ifndef JACKFIELD_TELEMETRY_H
#define JACKFIELD_TELEMETRY_H

#include <jackfield/base.h>

#ifdef __cplusplus
extern "C" {
#endif

#define JF_TELEMETRY_V1 "jf.telemetry/1"

#define JF_EV_TELEMETRY_DONE 0x0cffu /* jf_telemetry_done, as `last` of a completion with OK, always */

#define JF_SPAN_OK 0u
#define JF_SPAN_ERROR 1u
#define JF_SPAN_CANCELLED 2u

typedef struct jf_span {
    uint32_t struct_size;
    uint32_t status;      /* JF_SPAN_* */
    uint8_t trace_id[16]; /* W3C Trace Context; one trace is one call */
    uint8_t span_id[8];   /* the same when the span is sent again: the key for storing it once */
    uint8_t parent_id[8]; /* zero: the trace's root. A parent may come in a later batch than its children */
    jf_str name;
    int64_t start_us; /* UTC microseconds */
    int64_t end_us;   /* never before start_us */
    jf_array attributes; /* jf_pair, at most 64 */
} jf_span;

/* A model's answer: a span with what went in and came out. It is not among the batch's spans besides. Contents are empty where the tenant
 * does not allow them to leave. */
typedef struct jf_generation {
    uint32_t struct_size;
    uint32_t reserved;
    const jf_span* span; /* never null; by pointer, since both structs can grow */
    jf_str session; /* the conversation: the call's id */
    jf_str provider;
    jf_str model;  /* empty: the provider does not say */
    jf_str input;  /* JSON, or empty */
    jf_str output; /* JSON, or empty */
    uint64_t tokens_in;
    uint64_t tokens_out;
    uint64_t tokens_cached;
    int64_t first_token_us; /* UTC microseconds, 0 none */
    double cost;            /* in `currency`, < 0 unknown */
    jf_str currency;        /* ISO 4217, empty where cost is unknown */
} jf_generation;

typedef struct jf_score {
    uint32_t struct_size;
    uint32_t reserved;
    jf_str id; /* the same when it is sent again */
    uint8_t trace_id[16];
    uint8_t span_id[8]; /* zero: the whole trace */
    jf_str name;
    double value;
    jf_str label; /* of scores that are categories */
    jf_str comment;
} jf_score;

typedef struct jf_telemetry_batch {
    uint32_t struct_size;
    uint32_t reserved;
    jf_str environment;   /* "production" */
    jf_array spans;       /* jf_span */
    jf_array generations; /* jf_generation */
    jf_array scores;      /* jf_score */
} jf_telemetry_batch;

typedef struct jf_telemetry_done {
    uint32_t struct_size;
    uint32_t accepted;
    uint32_t rejected; /* malformed for the provider: not sent again. accepted + rejected is the number of items that the batch had */
    uint32_t reserved;
} jf_telemetry_done;

typedef struct jf_telemetry_v1 {
    uint32_t struct_size;
    uint32_t reserved;
    /* Takes one batch of at least one item, borrowed until this returns. The op completes when the far end has it, or has it durably in its own
     * queue. An error means that none of the batch was taken.
     * AGAIN: too much waits; the host keeps the batch for later. RATE, PEER_LOST, TIMEOUT: the host sends it again, a few times, then drops it;
     * what did arrive after all is known by its ids. AUTH, INVALID: dropped at once, counted. The host has at most one batch per instance
     * under way, and cancels one that takes longer than 30 s. */
    jf_status (*send)(jf_instance* self, jf_op op, const jf_telemetry_batch* batch, jf_error* error) JF_ON(stream);
} jf_telemetry_v1;

#ifdef __cplusplus
} /* extern "C" */
#endif
#endif
