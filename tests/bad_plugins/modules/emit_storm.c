/* Emits without credit until the host has had enough, small and large. */
#define BAD_RUN run
#include "../bad.h"

static jf_status run(jf_instance* self, jf_op op, jf_error* error) {
    (void)error;
    static char text[1u << 20];
    memset(text, 'x', sizeof text);
    int small = 0, large = 0;
    while (small < 1000000 && bad_token(self, op, text, 100) == JF_OK) ++small;
    while (large < 1000 && bad_token(self, op, text, sizeof text) == JF_OK) ++large;
    bad_note(self, small < 1000000 && large < 1000 ? "refused" : "taken");
    return bad_complete(self, op, JF_OK);
}
