// Throws out of the work that it gave to the host's pool.
#define BAD_RUN run
#include "../bad.h"

static void no_event(void*, jf_op, const jf_event*, uint32_t, uint32_t) {}
static void done(void* user, jf_op, jf_status status, const jf_event*, const jf_error*) {
    auto* self = static_cast<jf_instance*>(user);
    bad_complete(self, self->op, status);
}
static jf_status throw_up(void*, jf_op) { throw 42; }

static jf_status run(jf_instance* self, jf_op op, jf_error*) {
    jf_sink sink{};
    sink.struct_size = sizeof sink;
    sink.user = self;
    sink.on_event = no_event;
    sink.on_done = done;
    self->op = op;
    jf_op used = JF_NO_OP;
    self->host->op_open(self->host->ctx, JF_NO_OP, &sink, &used);
    const auto* worker = static_cast<const jf_host_worker_v1*>(bad_facility(self, JF_FACILITY_WORKER));
    return worker->start(self->host->ctx, used, throw_up, self);
}
