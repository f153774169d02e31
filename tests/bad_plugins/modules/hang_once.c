/* Hangs in the start of its first stream; whoever creates it again gets a healthy one. */
#define BAD_RUN run
#include "../bad.h"

static int hung;

static jf_status run(jf_instance* self, jf_op op, jf_error* error) {
    (void)error;
    if (!hung) {
        hung = 1;
        bad_hang();
    }
    return bad_complete(self, op, JF_OK);
}
