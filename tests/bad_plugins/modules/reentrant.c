/* Does from inside a call everything that could make the host call it back at once. */
#define BAD_RUN run
#include "../bad.h"

static int inside;

static void no_event(void* user, jf_op op, const jf_event* events, uint32_t n, uint32_t stride) {
    (void)op, (void)events, (void)n, (void)stride;
    bad_note((jf_instance*)user, inside ? "entered_again" : "event");
}
static void on_end(void* user, jf_op op, jf_status status, const jf_event* last, const jf_error* error) {
    (void)op, (void)status, (void)last, (void)error;
    bad_note((jf_instance*)user, inside ? "entered_again" : "end_later");
}

static jf_status run(jf_instance* self, jf_op op, jf_error* error) {
    (void)error;
    inside = 1;
    const jf_sink sink = {sizeof sink, 0, self, no_event, on_end};
    const jf_host_timer_v1* timer = (const jf_host_timer_v1*)bad_facility(self, JF_FACILITY_TIMER);
    jf_op used[3] = {JF_NO_OP, JF_NO_OP, JF_NO_OP};
    for (int i = 0; i < 3; ++i) self->host->op_open(self->host->ctx, i ? JF_NO_OP : op, &sink, &used[i]);
    timer->start(self->host->ctx, used[0], 3600000000000ull);
    timer->start(self->host->ctx, used[1], 0);
    timer->start(self->host->ctx, used[2], 3600000000000ull);
    self->host->cancel(self->host->ctx, used[2]);
    bad_token(self, op, "here", 4);
    bad_complete(self, op, JF_OK); /* closes used[0], its child */
    inside = 0;
    return JF_OK;
}
