/* Sleeps in the start of a stream for ten times its budget. */
#define BAD_RUN run
#include "../bad.h"

static jf_status run(jf_instance* self, jf_op op, jf_error* error) {
    (void)error;
    const struct timespec moment = {0, 20000000};
    nanosleep(&moment, NULL);
    return bad_complete(self, op, JF_OK);
}
