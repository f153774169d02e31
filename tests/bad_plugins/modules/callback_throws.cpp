// Throws out of a callback that the host makes.
#define BAD_RUN run
#include "../bad.h"

static void no_event(void*, jf_op, const jf_event*, uint32_t, uint32_t) {}
static void throw_up(void* user, jf_op, jf_status, const jf_event*, const jf_error*) {
    auto* self = static_cast<jf_instance*>(user);
    bad_complete(self, self->op, JF_OK);
    throw 42;
}

static jf_status run(jf_instance* self, jf_op op, jf_error*) {
    jf_sink sink{};
    sink.struct_size = sizeof sink;
    sink.user = self;
    sink.on_event = no_event;
    sink.on_done = throw_up;
    self->op = op;
    jf_op used = JF_NO_OP;
    self->host->op_open(self->host->ctx, JF_NO_OP, &sink, &used);
    const auto* timer = static_cast<const jf_host_timer_v1*>(bad_facility(self, JF_FACILITY_TIMER));
    return timer->start(self->host->ctx, used, 1);
}
