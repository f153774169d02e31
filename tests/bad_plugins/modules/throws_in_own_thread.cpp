// Throws in a thread of its own, where nobody can catch it.
#define BAD_RUN run
#include "../bad.h"

#include <thread>

static jf_status run(jf_instance*, jf_op, jf_error*) {
    std::thread([] { throw 42; }).detach();
    return JF_OK;
}
