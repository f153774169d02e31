/* Hangs in push (media). */
#define BAD_PUSH hang
#include "../bad.h"

static jf_status hang(jf_instance* self, jf_op op, const jf_frame* frame) {
    (void)self, (void)op, (void)frame;
    bad_hang();
    return JF_OK;
}
