/* Opens ops for ever and starts none of them. */
#define BAD_RUN run
#include "../bad.h"

static void no_event(void* user, jf_op op, const jf_event* events, uint32_t n, uint32_t stride) {
    (void)user, (void)op, (void)events, (void)n, (void)stride;
}
static void no_end(void* user, jf_op op, jf_status status, const jf_event* last, const jf_error* error) {
    (void)user, (void)op, (void)status, (void)last, (void)error;
}

static jf_status run(jf_instance* self, jf_op op, jf_error* error) {
    (void)error;
    const jf_sink sink = {sizeof sink, 0, NULL, no_event, no_end};
    jf_op leaked = JF_NO_OP;
    jf_status status = JF_OK;
    while (status == JF_OK) status = self->host->op_open(self->host->ctx, JF_NO_OP, &sink, &leaked);
    return bad_complete(self, op, status);
}
