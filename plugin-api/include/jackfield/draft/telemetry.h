/* jackfield/draft/telemetry.h: jf.telemetry/1, where traces of calls and generations go. A draft until a provider and a consumer of it are
 * shipped.
 *
 * Telemetry never holds up a call: the host sends in batches from its own queue and drops, counted, what a provider does not take.
 *
 * Capabilities in the descriptor, under "telemetry": {"spans": true, "generations": true, "scores": true, "max_batch": 512}.
 */
#ifndef JACKFIELD_DRAFT_TELEMETRY_H
#define JACKFIELD_DRAFT_TELEMETRY_H

#include <jackfield/base.h>

#ifdef __cplusplus
extern "C" {
#endif

#define JF_TELEMETRY_V1 "jf.telemetry/1"

#define JF_EV_TELEMETRY_DONE 0x0cffu /* jf_telemetry_done, as `last` */

#define JF_SPAN_OK 0u
#define JF_SPAN_ERROR 1u
#define JF_SPAN_CANCELLED 2u

typedef struct jf_span {
    uint32_t struct_size;
    uint32_t status;      /* JF_SPAN_* */
    uint8_t trace_id[16]; /* W3C Trace Context */
    uint8_t span_id[8];
    uint8_t parent_id[8]; /* zero: the trace's root */
    jf_str name;
    int64_t start_us; /* UTC microseconds */
    int64_t end_us;
    jf_array attributes; /* jf_pair */
} jf_span;

/* A model's answer: a span with what went in and came out. Contents are empty where the tenant does not allow them to leave. */
typedef struct jf_generation {
    uint32_t struct_size;
    uint32_t reserved;
    const jf_span* span; /* by pointer: both structs can grow */
    jf_str session; /* the conversation */
    jf_str provider;
    jf_str model;
    jf_str input;  /* JSON */
    jf_str output; /* JSON */
    uint64_t tokens_in;
    uint64_t tokens_out;
    uint64_t tokens_cached;
    int64_t first_token_us; /* UTC microseconds, 0 none */
    double cost;            /* in `currency`, < 0 unknown */
    jf_str currency;        /* ISO 4217 */
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
    uint32_t rejected; /* malformed for the provider: not sent again */
    uint32_t reserved;
} jf_telemetry_done;

typedef struct jf_telemetry_v1 {
    uint32_t struct_size;
    uint32_t reserved;
    /* An error means that none of the batch was taken. AGAIN: too much waits; the host keeps the batch for later. */
    jf_status (*send)(jf_instance* self, jf_op op, const jf_telemetry_batch* batch, jf_error* error) JF_ON(stream);
} jf_telemetry_v1;

#ifdef __cplusplus
} /* extern "C" */
#endif
#endif
