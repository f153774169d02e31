/* start completes twice, the second time with a failure. */
#define BAD_START start_twice
#include "../bad.h"

static jf_status start_twice(jf_instance* self, jf_op op, jf_error* error) {
    (void)error;
    bad_complete(self, op, JF_OK);
    bad_complete(self, op, JF_E_INTERNAL);
    return JF_OK;
}
