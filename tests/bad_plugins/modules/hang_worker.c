/* Gives the host's pool work that never returns, and completes its op when that is done. */
#define BAD_RUN run
#include "../bad.h"

static void no_event(void* user, jf_op op, const jf_event* events, uint32_t n, uint32_t stride) {
    (void)user, (void)op, (void)events, (void)n, (void)stride;
}
static void no_end(void* user, jf_op op, jf_status status, const jf_event* last, const jf_error* error) {
    (void)user, (void)op, (void)status, (void)last, (void)error;
}
static jf_status hang(void* user, jf_op op) {
    (void)user, (void)op;
    bad_hang();
    return JF_OK;
}

static jf_status run(jf_instance* self, jf_op op, jf_error* error) {
    (void)error;
    const jf_sink sink = {sizeof sink, 0, self, no_event, no_end};
    const jf_host_worker_v1* worker = (const jf_host_worker_v1*)bad_facility(self, JF_FACILITY_WORKER);
    jf_op used = JF_NO_OP;
    self->host->op_open(self->host->ctx, op, &sink, &used);
    return worker->start(self->host->ctx, used, hang, self);
}
