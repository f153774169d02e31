/* Never completes the op, not even after cancel. */
#define BAD_RUN run
#define BAD_CANCEL ignore
#include "../bad.h"

static jf_status run(jf_instance* self, jf_op op, jf_error* error) {
    (void)self, (void)op, (void)error;
    return JF_OK;
}

static jf_status ignore(jf_instance* self, jf_op op) {
    (void)self, (void)op;
    return JF_OK;
}
