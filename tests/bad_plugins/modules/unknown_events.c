/* Emits events of types that no host knows. */
#define BAD_RUN run
#include "../bad.h"

static jf_status run(jf_instance* self, jf_op op, jf_error* error) {
    (void)error;
    const uint32_t types[] = {0, 0x7f01, 0xffffffffu};
    for (size_t i = 0; i < 3; ++i) {
        const jf_event event = bad_event(types[i], &types[i], sizeof types[i]);
        self->host->emit(self->host->ctx, op, &event, 1);
    }
    return bad_complete(self, op, JF_OK);
}
