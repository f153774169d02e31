/* Completes one op a million times. */
#define BAD_RUN run
#include "../bad.h"

static jf_status run(jf_instance* self, jf_op op, jf_error* error) {
    (void)error;
    int taken = 0;
    for (int i = 0; i < 1000000; ++i) taken += bad_complete(self, op, JF_OK) == JF_OK;
    bad_note(self, taken == 1 ? "one_taken" : "several_taken");
    return JF_OK;
}
