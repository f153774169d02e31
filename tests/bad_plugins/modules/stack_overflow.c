/* Recurses without end. */
#define BAD_RUN run
#include "../bad.h"

static int deeper(volatile const char* above) {
    volatile char here[4096];
    here[0] = *above;
    return above ? deeper(here) + here[0] : 0;
}

static jf_status run(jf_instance* self, jf_op op, jf_error* error) {
    (void)self, (void)op, (void)error;
    const char first = 1;
    return bad_complete(self, op, deeper(&first));
}
