/* Events whose struct_size is nothing, three bytes, and two gigabytes. */
#define BAD_RUN run
#include "../bad.h"

static jf_status run(jf_instance* self, jf_op op, jf_error* error) {
    (void)error;
    const uint32_t sizes[] = {0, 3, 0x7fffffffu};
    int taken = 0;
    for (size_t i = 0; i < 3; ++i) {
        jf_event events[2] = {bad_event(JF_EV_CREDIT, NULL, 0), bad_event(JF_EV_CREDIT, NULL, 0)};
        events[0].struct_size = sizes[i];
        taken += self->host->emit(self->host->ctx, op, events, 1) != JF_E_INVALID;
        taken += self->host->emit(self->host->ctx, op, events, 2) != JF_E_INVALID;
    }
    bad_note(self, taken ? "taken" : "refused");
    return bad_complete(self, op, JF_OK);
}
