/* jackfield/service.h: jf.service/1, product as a plugin. A service never runs on a call's shard.
 *
 * The descriptor says what it wants, in its capabilities under "service": {"events": ["call.ended"], "tick_ms": 60000, "jobs": ["remind"]},
 * and in a member of its own what it answers over HTTP:
 *   "routes": [{"method": "GET", "path": "/leads/{id}", "scope": "leads.read", "request": {...}, "response": {...}}]
 * Its collections are declared through jf.host.records/1 while it starts. A route's path stands below "/<plugin name>"; `{word}` matches one
 * segment; two routes of one service never match the same request. `request` and `response` are JSON Schemas and may be left out.
 *
 * What a service does for one op it does through ops of its own below it (records, providers, timers), so that a cancelled op takes them with it.
 * Ops run side by side; the order of two events is not kept.
 */
#ifndef JACKFIELD_SERVICE_H
#define JACKFIELD_SERVICE_H

#include <jackfield/base.h>
#include <jackfield/webhook.h>

#ifdef __cplusplus
extern "C" {
#endif

#define JF_SERVICE_V1 "jf.service/1"

/* Of an event, a job, or a request. Borrowed until the function that gets it returns. */
typedef struct jf_service_event {
    uint32_t struct_size;
    uint32_t attempt; /* 1 first; delivered again, with the same id, until it completes with OK or attempts run out. Of requests always 1 */
    jf_str id;        /* unique: the key for doing things once. Of a request: the request's id */
    jf_str name;      /* "call.ended"; the job's name; a request's route as the descriptor has it: "GET /leads/{id}" */
    /* An object. Of a request: {"path": {"id": "7"}, "query": {"q": "x"}, "body": ..., "principal": "..."}, which the host has checked against
     * the route's scope and schema. */
    jf_str json;
} jf_service_event;

typedef struct jf_service_v1 {
    uint32_t struct_size;
    uint32_t reserved;
    /* At least once. Completes the op with OK when the event needs no second delivery, and so also for events that it cannot use. An error brings it
     * again with back-off, until five attempts have failed. Not after a restart of the host: what must survive one, a service writes down first and
     * finishes on its tick. */
    jf_status (*on_event)(jf_instance* self, jf_op op, const jf_service_event* event, jf_error* error) JF_ON(stream);
    /* One of the descriptor's jobs is due. As on_event. Hosts of this minor have no job queue and never call it; null is allowed where the
     * descriptor names no job. */
    jf_status (*on_job)(jf_instance* self, jf_op op, const jf_service_event* job, jf_error* error) JF_ON(stream);
    /* About every tick_ms; never a second one before the first has completed. What it answers is logged and otherwise ignored. */
    jf_status (*on_tick)(jf_instance* self, jf_op op, jf_error* error) JF_ON(stream);
    /* An API request of one of the descriptor's routes. Completes with OK and JF_EV_HTTP_REPLY (webhook.h) as `last`, whose body is JSON; or with
     * an error, which the host turns into a status: INVALID 400, AUTH 403, NOT_FOUND 404, CONFLICT 409, RATE and QUOTA 429, AGAIN and STATE
     * 503, TIMEOUT 504, others 500. The host cancels it when the client has gone, or after 30 s. Hosts of this minor serve no API and never
     * call it; null is allowed where the descriptor names no route. */
    jf_status (*on_request)(jf_instance* self, jf_op op, const jf_service_event* request, jf_error* error) JF_ON(stream);
} jf_service_v1;

#ifdef __cplusplus
} /* extern "C" */
#endif
#endif
