/* Uses ids that are no open ops: of the past, of the future, of nothing. */
#define BAD_RUN run
#include "../bad.h"

static jf_status run(jf_instance* self, jf_op op, jf_error* error) {
    (void)error;
    const jf_op wrong[] = {0, 1, op ^ ((jf_op)1 << 40), op - ((jf_op)2 << 32), op | 0xff000000u, op + 1, ~(jf_op)0};
    int taken = 0;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; ++i) {
        taken += bad_complete(self, wrong[i], JF_OK) != JF_E_INVALID;
        taken += bad_token(self, wrong[i], "stale", 5) != JF_E_INVALID;
        taken += self->host->cancel(self->host->ctx, wrong[i]) != JF_E_INVALID;
    }
    bad_note(self, taken ? "taken" : "refused");
    return bad_complete(self, op, JF_OK);
}
