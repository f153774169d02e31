/* Hangs in start (control). */
#define BAD_START hang
#include "../bad.h"

static jf_status hang(jf_instance* self, jf_op op, jf_error* error) {
    (void)self, (void)op, (void)error;
    bad_hang();
    return JF_OK;
}
