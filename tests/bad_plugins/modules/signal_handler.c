/* Installs a handler for SIGTERM, which was the host's. */
#define BAD_RUN run
#include "../bad.h"

#include <signal.h>

static void ignore(int number) { (void)number; }

static jf_status run(jf_instance* self, jf_op op, jf_error* error) {
    (void)self, (void)op, (void)error;
    signal(SIGTERM, ignore);
    return bad_complete(self, op, JF_OK);
}
