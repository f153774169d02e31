/* Fails with an error text that does not end and a retry class that there is none of. */
#define BAD_RUN run
#include "../bad.h"

static jf_status run(jf_instance* self, jf_op op, jf_error* error) {
    (void)self, (void)op;
    error->code = JF_E_QUOTA;
    error->retry_class = 99;
    memset(error->text, 'x', sizeof error->text);
    return JF_E_QUOTA;
}
