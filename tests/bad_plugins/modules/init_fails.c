/* init fails with an error text that does not end. */
#define BAD_INIT fail
#include "../bad.h"

static jf_status fail(const jf_host_v1* host, jf_error* error) {
    (void)host;
    memset(error->text, 'x', sizeof error->text);
    return JF_E_INTERNAL;
}
