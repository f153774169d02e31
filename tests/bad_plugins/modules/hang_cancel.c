/* Hangs in cancel. */
#define BAD_RUN run
#define BAD_CANCEL hang
#include "../bad.h"

static jf_status run(jf_instance* self, jf_op op, jf_error* error) {
    (void)self, (void)op, (void)error;
    return JF_OK;
}
static jf_status hang(jf_instance* self, jf_op op) {
    (void)self, (void)op;
    bad_hang();
    return JF_OK;
}
