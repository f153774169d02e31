/* A thread of its own emits on the op for as long as it is answered, and on while the op is being closed. */
#define BAD_RUN run
#include "../bad.h"

#include <pthread.h>

struct task {
    jf_instance self;
    jf_op op;
};

static void* emit_on(void* argument) {
    struct task* task = (struct task*)argument;
    int refused = 0;
    while (refused < 100) refused += bad_token(&task->self, task->op, "more", 4) == JF_E_INVALID;
    for (int i = 0; i < 100; ++i) refused += bad_complete(&task->self, task->op, JF_OK) == JF_E_INVALID;
    bad_note(&task->self, refused == 200 ? "refused" : "taken");
    free(task);
    return NULL;
}

static jf_status run(jf_instance* self, jf_op op, jf_error* error) {
    (void)error;
    struct task* task = (struct task*)malloc(sizeof *task);
    if (!task) return JF_E_INTERNAL;
    task->self = *self;
    task->op = op;
    pthread_t thread;
    if (pthread_create(&thread, NULL, emit_on, task) != 0) return JF_E_INTERNAL;
    pthread_detach(thread);
    return JF_OK;
}
