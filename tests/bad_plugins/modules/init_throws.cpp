// init throws a C++ exception through the C boundary.
#define BAD_INIT fail
#include "../bad.h"

static jf_status fail(const jf_host_v1*, jf_error*) { throw 1; }
