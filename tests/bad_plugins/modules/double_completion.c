/* Completes its op twice. */
#define BAD_RUN run
#include "../bad.h"

static jf_status run(jf_instance* self, jf_op op, jf_error* error) {
    (void)error;
    bad_complete(self, op, JF_OK);
    if (bad_complete(self, op, JF_E_INTERNAL) == JF_E_INVALID) bad_note(self, "refused");
    return JF_OK;
}
