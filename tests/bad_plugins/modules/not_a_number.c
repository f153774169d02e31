/* Confidences that are no numbers. */
#define BAD_RUN run
#include "../bad.h"

#include <math.h>

static jf_status run(jf_instance* self, jf_op op, jf_error* error) {
    (void)error;
    const float values[] = {NAN, INFINITY, -INFINITY};
    for (size_t i = 0; i < 3; ++i) {
        jf_text text;
        memset(&text, 0, sizeof text);
        text.struct_size = sizeof text;
        text.confidence = text.end_probability = values[i];
        const jf_event event = bad_event(JF_EV_FINAL, &text, sizeof text);
        self->host->emit(self->host->ctx, op, &event, 1);
    }
    return bad_complete(self, op, JF_OK);
}
