/* Hangs in the start of a stream (stream). */
#define BAD_RUN hang
#include "../bad.h"

static jf_status hang(jf_instance* self, jf_op op, jf_error* error) {
    (void)self, (void)op, (void)error;
    bad_hang();
    return JF_OK;
}
