/* Writes through a null pointer. */
#define BAD_RUN run
#include "../bad.h"

static jf_status run(jf_instance* self, jf_op op, jf_error* error) {
    (void)self, (void)op, (void)error;
    volatile int* volatile nowhere = NULL;
    *nowhere = 1;
    return bad_complete(self, op, JF_OK);
}
