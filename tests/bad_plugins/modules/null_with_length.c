/* Null pointers with lengths: in an event, a log line, a metric's name, a facility's id. */
#define BAD_RUN run
#include "../bad.h"

static jf_status run(jf_instance* self, jf_op op, jf_error* error) {
    (void)error;
    const jf_host_v1* host = self->host;
    const jf_str null_text = {NULL, 16};
    const jf_array null_array = {NULL, 16, 32};
    bad_token(self, op, NULL, 16);
    host->log(host->ctx, JF_LOG_INFO, op, null_text, null_array);
    host->query(host->ctx, null_text);
    const jf_host_metrics_v1* metrics = (const jf_host_metrics_v1*)bad_facility(self, JF_FACILITY_METRICS);
    metrics->count(host->ctx, null_text, 1);
    return bad_complete(self, op, JF_OK);
}
