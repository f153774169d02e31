// Throws through the C boundary, and not even a std::exception.
#define BAD_RUN run
#include "../bad.h"

static jf_status run(jf_instance*, jf_op, jf_error*) { throw 42; }
