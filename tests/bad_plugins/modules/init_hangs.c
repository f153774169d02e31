/* init never returns. */
#define BAD_INIT hang
#include "../bad.h"

static jf_status hang(const jf_host_v1* host, jf_error* error) {
    (void)host, (void)error;
    bad_hang();
    return JF_OK;
}
