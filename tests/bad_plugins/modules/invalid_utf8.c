/* Text that is no UTF-8: in a token, in a log line, in the name of a metric. */
#define BAD_RUN run
#include "../bad.h"

static jf_status run(jf_instance* self, jf_op op, jf_error* error) {
    (void)error;
    static const char text[] = "caf\xe9 \xff\xfe \xc0\x80 \xed\xa0\x80";
    const jf_str name = {text, sizeof text - 1};
    const jf_pair field = {name, name};
    const jf_array fields = {&field, 1, sizeof field};
    self->host->log(self->host->ctx, JF_LOG_INFO, op, name, fields);
    bad_note(self, text);
    bad_token(self, op, text, sizeof text - 1);
    return bad_complete(self, op, JF_OK);
}
