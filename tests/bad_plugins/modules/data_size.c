/* Event data that is shorter than its struct, and structs whose struct_size is a lie in both directions. */
#define BAD_RUN run
#include "../bad.h"

static jf_status run(jf_instance* self, jf_op op, jf_error* error) {
    (void)error;
    const uint32_t sizes[] = {0, 3, 8, 0x7fffffffu};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; ++i) {
        jf_text text;
        memset(&text, 0, sizeof text);
        text.struct_size = sizes[i];
        const jf_event whole = bad_event(JF_EV_FINAL, &text, sizeof text);
        const jf_event part = bad_event(JF_EV_FINAL, &text, 8);
        const jf_event nothing = bad_event(JF_EV_FINAL, &text, 0);
        self->host->emit(self->host->ctx, op, &whole, 1);
        self->host->emit(self->host->ctx, op, &part, 1);
        self->host->emit(self->host->ctx, op, &nothing, 1);
    }
    return bad_complete(self, op, JF_OK);
}
