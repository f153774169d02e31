/* Completes its op with a last event that nobody can carry. */
#define BAD_RUN run
#include "../bad.h"

static jf_status run(jf_instance* self, jf_op op, jf_error* error) {
    (void)error;
    jf_str token;
    token.ptr = "four";
    token.len = (uint64_t)1 << 40;
    const jf_event last = bad_event(JF_EV_TOKEN, &token, sizeof token);
    return self->host->complete(self->host->ctx, op, JF_OK, &last, NULL);
}
