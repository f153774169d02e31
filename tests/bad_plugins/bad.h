/* What every bad module shares: a plugin that does everything right. A module names the functions it gets wrong by a BAD_* macro before it includes
 * this, and defines them after. C11 and C++20.
 *
 *   BAD_ENTRY   const jf_module_v1*(void)                        BAD_INIT     module init
 *   BAD_CREATE  module create                                    BAD_START    instance start
 *   BAD_QUIESCE instance quiesce                                 BAD_DESTROY  instance destroy
 *   BAD_CANCEL  instance cancel                                  BAD_QUERY    instance query
 *   BAD_RUN     jf_status(jf_instance*, jf_op, jf_error*): jf.llm/1 start
 *   BAD_PUSH    jf.stt/1 push                                    BAD_LOOKUP   jf.records/1 query
 *
 * A request to run answers one token, "here", and completes.
 */
#ifndef JACKFIELD_TESTS_BAD_H
#define JACKFIELD_TESTS_BAD_H

#include <jackfield/host.h>
#include <jackfield/llm.h>
#include <jackfield/module.h>
#include <jackfield/records.h>
#include <jackfield/stt.h>
#include <jackfield/tts.h>

#include <stdlib.h>
#include <string.h>

struct jf_instance {
    const jf_host_v1* host;
    jf_op op; /* whatever the module wants to remember */
};

#define BAD_UNUSED __attribute__((unused)) static

BAD_UNUSED jf_status bad_complete(jf_instance* self, jf_op op, jf_status status) {
    return self->host->complete(self->host->ctx, op, status, NULL, NULL);
}

BAD_UNUSED jf_event bad_event(uint32_t type, const void* data, uint64_t size) {
    jf_event event;
    memset(&event, 0, sizeof event);
    event.struct_size = sizeof event;
    event.type = type;
    event.data = data;
    event.data_size = size;
    return event;
}

BAD_UNUSED jf_status bad_token(jf_instance* self, jf_op op, const char* text, uint64_t length) {
    jf_str token;
    token.ptr = text;
    token.len = length;
    const jf_event event = bad_event(JF_EV_TOKEN, &token, sizeof token);
    return self->host->emit(self->host->ctx, op, &event, 1);
}

/* What the module saw, as a metric: the test reads it as `count NAME`. */
BAD_UNUSED void bad_note(jf_instance* self, const char* what) {
    const jf_str id = {JF_FACILITY_METRICS, sizeof JF_FACILITY_METRICS - 1};
    const jf_str name = {what, strlen(what)};
    const jf_host_metrics_v1* metrics = (const jf_host_metrics_v1*)self->host->query(self->host->ctx, id);
    if (metrics) metrics->count(self->host->ctx, name, 1);
}

BAD_UNUSED const void* bad_facility(jf_instance* self, const char* id) {
    const jf_str name = {id, strlen(id)};
    return self->host->query(self->host->ctx, name);
}

/* Never returns, and costs no processor. */
BAD_UNUSED void bad_hang(void);

#include <time.h>
BAD_UNUSED void bad_hang(void) {
    const struct timespec hour = {3600, 0};
    for (;;) nanosleep(&hour, NULL);
}

#ifdef BAD_RUN
static jf_status BAD_RUN(jf_instance* self, jf_op op, jf_error* error);
#else
#define BAD_RUN bad_run
static jf_status bad_run(jf_instance* self, jf_op op, jf_error* error) {
    (void)error;
    bad_token(self, op, "here", 4);
    return bad_complete(self, op, JF_OK);
}
#endif

static jf_status bad_llm_start(jf_instance* self, jf_op op, const jf_llm_request* request, jf_error* error) {
    (void)request;
    return BAD_RUN(self, op, error);
}

#ifdef BAD_PUSH
static jf_status BAD_PUSH(jf_instance* self, jf_op op, const jf_frame* frame);
#else
#define BAD_PUSH bad_push
static jf_status bad_push(jf_instance* self, jf_op op, const jf_frame* frame) {
    (void)self, (void)op, (void)frame;
    return JF_OK;
}
#endif
static jf_status bad_stt_open(jf_instance* self, jf_op op, const jf_stt_open* options, jf_error* error) {
    (void)self, (void)op, (void)options, (void)error;
    return JF_OK;
}
static jf_status bad_stt_control(jf_instance* self, jf_op op, const jf_stt_control* control) {
    (void)self, (void)op, (void)control;
    return JF_OK;
}
static jf_status bad_stt_close(jf_instance* self, jf_op op) { return bad_complete(self, op, JF_OK); }

#ifdef BAD_LOOKUP
static jf_status BAD_LOOKUP(jf_instance* self, jf_op op, const jf_query* query, jf_error* error);
#else
#define BAD_LOOKUP bad_lookup
static jf_status bad_lookup(jf_instance* self, jf_op op, const jf_query* query, jf_error* error) {
    (void)query, (void)error;
    return bad_complete(self, op, JF_OK);
}
#endif

BAD_UNUSED int bad_is(jf_str id, const char* name) { return id.len == strlen(name) && memcmp(id.ptr, name, id.len) == 0; }

BAD_UNUSED const void* bad_tables(jf_instance* self, jf_str id) {
    (void)self;
    static jf_llm_v1 llm;
    static jf_stt_v1 stt;
    static jf_records_v1 records;
    llm.struct_size = sizeof llm;
    llm.start = bad_llm_start;
    stt.struct_size = sizeof stt;
    stt.open = bad_stt_open;
    stt.control = bad_stt_control;
    stt.push = BAD_PUSH;
    stt.close = bad_stt_close;
    records.struct_size = sizeof records;
    records.query = BAD_LOOKUP;
    if (bad_is(id, JF_LLM_V1)) return &llm;
    if (bad_is(id, JF_STT_V1)) return &stt;
    if (bad_is(id, JF_RECORDS_V1)) return &records;
    return NULL;
}

#ifdef BAD_QUERY
static const void* BAD_QUERY(jf_instance* self, jf_str id);
#else
#define BAD_QUERY bad_tables
#endif

#ifdef BAD_START
static jf_status BAD_START(jf_instance* self, jf_op op, jf_error* error);
#else
#define BAD_START bad_start
static jf_status bad_start(jf_instance* self, jf_op op, jf_error* error) {
    (void)error;
    return bad_complete(self, op, JF_OK);
}
#endif

#ifdef BAD_QUIESCE
static jf_status BAD_QUIESCE(jf_instance* self, jf_op op, uint32_t budget_ms);
#else
#define BAD_QUIESCE bad_quiesce
static jf_status bad_quiesce(jf_instance* self, jf_op op, uint32_t budget_ms) {
    (void)budget_ms;
    return bad_complete(self, op, JF_OK);
}
#endif

#ifdef BAD_DESTROY
static void BAD_DESTROY(jf_instance* self);
#else
#define BAD_DESTROY bad_destroy
static void bad_destroy(jf_instance* self) { free(self); }
#endif

#ifdef BAD_CANCEL
static jf_status BAD_CANCEL(jf_instance* self, jf_op op);
#else
#define BAD_CANCEL bad_cancel
static jf_status bad_cancel(jf_instance* self, jf_op op) { return bad_complete(self, op, JF_E_CANCELLED); }
#endif

static const jf_instance_v1 bad_functions = {sizeof bad_functions, 0, BAD_START, BAD_QUIESCE, BAD_DESTROY, BAD_QUERY, BAD_CANCEL, NULL};

BAD_UNUSED jf_instance* bad_new(const jf_host_v1* host) {
    jf_instance* self = (jf_instance*)calloc(1, sizeof *self);
    if (self) self->host = host;
    return self;
}

#ifdef BAD_CREATE
static jf_status BAD_CREATE(const jf_host_v1* host, jf_str plugin_id, jf_str config_json, jf_array config_pairs, jf_instance** out,
                            const jf_instance_v1** table, jf_error* error);
#else
#define BAD_CREATE bad_create
static jf_status bad_create(const jf_host_v1* host, jf_str plugin_id, jf_str config_json, jf_array config_pairs, jf_instance** out,
                            const jf_instance_v1** table, jf_error* error) {
    (void)plugin_id, (void)config_json, (void)config_pairs, (void)error;
    *out = bad_new(host);
    *table = &bad_functions;
    return *out ? JF_OK : JF_E_INTERNAL;
}
#endif

#ifdef BAD_INIT
static jf_status BAD_INIT(const jf_host_v1* host, jf_error* error);
#else
#define BAD_INIT NULL
#endif

static const jf_module_v1 bad_module = {sizeof bad_module, JF_ABI_MAJOR, 0, JF_ABI_MINOR, 0, {NULL, 0}, BAD_INIT, NULL, BAD_CREATE};

#ifdef BAD_ENTRY
static const jf_module_v1* BAD_ENTRY(void);
#else
#define BAD_ENTRY bad_entry
static const jf_module_v1* bad_entry(void) { return &bad_module; }
#endif

#ifdef __cplusplus
extern "C"
#endif
JF_EXPORT const jf_module_v1* jf_module_entry_v1(void) { return BAD_ENTRY(); }

#endif
