/* Ignores cancel, and completes the op when the next one comes: the host has closed it long since. */
#define BAD_RUN run
#define BAD_CANCEL ignore
#include "../bad.h"

static jf_status run(jf_instance* self, jf_op op, jf_error* error) {
    (void)error;
    if (self->op) {
        if (bad_complete(self, self->op, JF_OK) == JF_E_INVALID) bad_note(self, "refused");
        return bad_complete(self, op, JF_OK);
    }
    self->op = op;
    return JF_OK;
}

static jf_status ignore(jf_instance* self, jf_op op) {
    (void)self, (void)op;
    return JF_OK;
}
