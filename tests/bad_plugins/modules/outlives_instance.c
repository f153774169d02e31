/* Leaves a thread behind that calls the host with the context of an instance that was destroyed. */
#define BAD_DESTROY leave_thread
#include "../bad.h"

#include <pthread.h>

static void* call_on(void* argument) {
    jf_instance* self = (jf_instance*)argument;
    const jf_str timer = {JF_FACILITY_TIMER, sizeof JF_FACILITY_TIMER - 1};
    jf_sink sink;
    memset(&sink, 0, sizeof sink);
    sink.struct_size = sizeof sink;
    for (;;) {
        jf_op op = JF_NO_OP;
        self->host->op_open(self->host->ctx, JF_NO_OP, &sink, &op);
        bad_token(self, (jf_op)1 << 32, "more", 4);
        bad_complete(self, (jf_op)1 << 32, JF_OK);
        self->host->query(self->host->ctx, timer);
        self->host->now_ns(self->host->ctx);
    }
    return NULL;
}

static void leave_thread(jf_instance* self) {
    pthread_t thread;
    if (pthread_create(&thread, NULL, call_on, self) == 0) pthread_detach(thread);
    const struct timespec moment = {0, 20000000};
    nanosleep(&moment, NULL);
}
