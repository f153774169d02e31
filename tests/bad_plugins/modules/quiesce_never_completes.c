/* quiesce answers OK and never completes. */
#define BAD_QUIESCE quiesce_never
#include "../bad.h"

static jf_status quiesce_never(jf_instance* self, jf_op op, uint32_t budget_ms) {
    (void)self, (void)op, (void)budget_ms;
    return JF_OK;
}
