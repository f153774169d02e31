/* Writes far beyond a block of the heap, over its neighbours. */
#define BAD_RUN run
#include "../bad.h"

static jf_status run(jf_instance* self, jf_op op, jf_error* error) {
    (void)self, (void)op, (void)error;
    volatile char* volatile block = (volatile char*)malloc(24);
    for (int i = 0; i < 65536; ++i) block[i] = 0x55;
    free((void*)block);
    return bad_complete(self, op, JF_OK);
}
