/* Closes every descriptor of the host. */
#define BAD_RUN run
#include "../bad.h"

#include <unistd.h>

static jf_status run(jf_instance* self, jf_op op, jf_error* error) {
    (void)self, (void)op, (void)error;
    for (int fd = 3; fd < 256; ++fd) close(fd);
    return bad_complete(self, op, JF_OK);
}
