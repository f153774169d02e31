/* Guesses the ids of other instances' ops, and emits on and completes them all. */
#define BAD_RUN run
#include "../bad.h"

static jf_status run(jf_instance* self, jf_op op, jf_error* error) {
    (void)error;
    int taken = 0;
    for (jf_op generation = 1; generation < 64; generation += 2)
        for (jf_op shard = 0; shard < 4; ++shard)
            for (jf_op slot = 0; slot < 64; ++slot) {
                const jf_op other = generation << 32 | shard << 24 | slot;
                if (other == op) continue;
                taken += bad_token(self, other, "mine", 4) != JF_E_INVALID;
                taken += bad_complete(self, other, JF_E_INTERNAL) != JF_E_INVALID;
            }
    bad_note(self, taken ? "taken" : "refused");
    return bad_complete(self, op, JF_OK);
}
