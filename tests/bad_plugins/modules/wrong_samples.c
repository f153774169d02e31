/* Audio frames whose number of samples has nothing to do with their data. */
#define BAD_RUN run
#include "../bad.h"

static jf_status run(jf_instance* self, jf_op op, jf_error* error) {
    (void)error;
    static const unsigned char data[3] = {1, 2, 3};
    const uint32_t samples[] = {0, 160, 0xffffffffu};
    for (size_t i = 0; i < 3; ++i) {
        jf_frame frame;
        memset(&frame, 0, sizeof frame);
        frame.struct_size = sizeof frame;
        frame.codec = JF_CODEC_L16;
        frame.channels = i ? 1 : 0;
        frame.rate_hz = i ? 8000 : 0;
        frame.samples = samples[i];
        frame.data.ptr = data;
        frame.data.len = sizeof data;
        const jf_event event = bad_event(JF_EV_AUDIO, &frame, sizeof frame);
        self->host->emit(self->host->ctx, op, &event, 1);
    }
    return bad_complete(self, op, JF_OK);
}
