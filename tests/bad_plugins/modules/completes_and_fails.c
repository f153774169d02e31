/* Completes its op with OK and then answers the start with an error. */
#define BAD_RUN run
#include "../bad.h"

static jf_status run(jf_instance* self, jf_op op, jf_error* error) {
    (void)error;
    bad_complete(self, op, JF_OK);
    return JF_E_INTERNAL;
}
