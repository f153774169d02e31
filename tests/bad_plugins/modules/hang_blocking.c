/* Hangs in a query (blocking). */
#define BAD_LOOKUP hang
#include "../bad.h"

static jf_status hang(jf_instance* self, jf_op op, const jf_query* query, jf_error* error) {
    (void)self, (void)op, (void)query, (void)error;
    bad_hang();
    return JF_OK;
}
