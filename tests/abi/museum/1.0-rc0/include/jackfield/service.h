/* jackfield/service.h: jf.service/1, product as a plugin. A service never runs on a call's shard.
 *
 * The descriptor says what it wants, under "service": {"events": ["call.ended"], "tick_ms": 60000}. Its collections are declared through
 * jf.host.records/1 while it starts.
 */
#ifndef JACKFIELD_SERVICE_H
#define JACKFIELD_SERVICE_H

#include <jackfield/base.h>

#ifdef __cplusplus
extern "C" {
#endif

#define JF_SERVICE_V1 "jf.service/1"

typedef struct jf_service_event {
    uint32_t struct_size;
    uint32_t attempt; /* 1 first; delivered again, with the same id, until it completes with OK or attempts run out */
    jf_str id;        /* unique: the key for doing things once */
    jf_str name;      /* "call.ended" */
    jf_str json;
} jf_service_event;

typedef struct jf_service_v1 {
    uint32_t struct_size;
    uint32_t reserved;
    /* Completes the op with OK when the event needs no second delivery. */
    jf_status (*on_event)(jf_instance* self, jf_op op, const jf_service_event* event, jf_error* error) JF_ON(stream);
    jf_status (*on_job)(jf_instance* self, jf_op op, const jf_service_event* job, jf_error* error) JF_ON(stream);
    /* About every tick_ms; never a second one before the first has completed. */
    jf_status (*on_tick)(jf_instance* self, jf_op op, jf_error* error) JF_ON(stream);
    /* An API request of one of the descriptor's routes. */
    jf_status (*on_request)(jf_instance* self, jf_op op, const jf_service_event* request, jf_error* error) JF_ON(stream);
} jf_service_v1;

#ifdef __cplusplus
} /* extern "C" */
#endif
#endif
