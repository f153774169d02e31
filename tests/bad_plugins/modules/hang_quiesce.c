/* Hangs in quiesce (control). */
#define BAD_QUIESCE hang
#include "../bad.h"

static jf_status hang(jf_instance* self, jf_op op, uint32_t budget_ms) {
    (void)self, (void)op, (void)budget_ms;
    bad_hang();
    return JF_OK;
}
