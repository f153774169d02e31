/* Forks: the child has one thread, all of the host's descriptors, and no idea what to do. */
#define BAD_RUN run
#include "../bad.h"

#include <unistd.h>

static jf_status run(jf_instance* self, jf_op op, jf_error* error) {
    (void)self, (void)op, (void)error;
    const pid_t child = fork();
    if (child == 0) bad_hang();
    return bad_complete(self, op, child > 0 ? JF_OK : JF_E_INTERNAL);
}
