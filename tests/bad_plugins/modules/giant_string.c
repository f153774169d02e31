/* Emits a token of eight megabytes, which is its right, and then one of forty. */
#define BAD_RUN run
#include "../bad.h"

static jf_status run(jf_instance* self, jf_op op, jf_error* error) {
    (void)error;
    const size_t size = 40u << 20;
    char* text = (char*)malloc(size);
    if (!text) return JF_E_INTERNAL;
    memset(text, 'x', size);
    if (bad_token(self, op, text, 8u << 20) == JF_OK) bad_note(self, "large_taken");
    if (bad_token(self, op, text, size) == JF_E_INVALID) bad_note(self, "refused");
    free(text);
    return bad_complete(self, op, JF_OK);
}
