/* A whole plugin in C, against the C headers alone. */
#include <jackfield/module.h>
#include <jackfield/stt.h>

#include <stdlib.h>
#include <string.h>

struct jf_instance {
    const jf_host_v1* host;
    uint64_t samples;
};

static jf_status open_stream(jf_instance* self, jf_op op, const jf_stt_open* options, jf_error* error) {
    (void)self, (void)op, (void)options, (void)error;
    return JF_OK;
}

static jf_status control(jf_instance* self, jf_op op, const jf_stt_control* verb) {
    (void)self, (void)op, (void)verb;
    return JF_E_UNSUPPORTED;
}

static jf_status push(jf_instance* self, jf_op op, const jf_frame* frame) {
    (void)op;
    self->samples += frame->samples;
    return JF_OK;
}

static jf_status close_stream(jf_instance* self, jf_op op) {
    self->host->complete(self->host->ctx, op, JF_OK, NULL, NULL);
    return JF_OK;
}

static const jf_stt_v1 stt = {sizeof stt, 0, open_stream, control, push, close_stream};

static jf_status start(jf_instance* self, jf_op op, jf_error* error) {
    (void)error;
    return self->host->complete(self->host->ctx, op, JF_OK, NULL, NULL);
}

static jf_status quiesce(jf_instance* self, jf_op op, uint32_t budget_ms) {
    (void)budget_ms;
    return self->host->complete(self->host->ctx, op, JF_OK, NULL, NULL);
}

static void destroy(jf_instance* self) { free(self); }

static const void* query(jf_instance* self, jf_str id) {
    (void)self;
    return id.len == strlen(JF_STT_V1) && memcmp(id.ptr, JF_STT_V1, id.len) == 0 ? &stt : NULL;
}

static jf_status cancel(jf_instance* self, jf_op op) { return self->host->complete(self->host->ctx, op, JF_E_CANCELLED, NULL, NULL); }

static const jf_instance_v1 functions = {sizeof functions, 0, start, quiesce, destroy, query, cancel, NULL};

static jf_status create(const jf_host_v1* host, jf_str plugin_id, jf_str config_json, jf_array config_pairs, jf_instance** out,
                        const jf_instance_v1** table, jf_error* error) {
    (void)plugin_id, (void)config_json, (void)config_pairs, (void)error;
    jf_instance* self = calloc(1, sizeof *self);
    if (!self) return JF_E_INTERNAL;
    self->host = host;
    *out = self;
    *table = &functions;
    return JF_OK;
}

static const jf_module_v1 module = {sizeof module, JF_ABI_MAJOR, 0, JF_ABI_MINOR, 0, {NULL, 0}, NULL, NULL, create};

JF_EXPORT const jf_module_v1* jf_module_entry_v1(void) { return &module; }

/* In the variant whose version script exports it, a second way in. */
JF_EXPORT int test_null_extra(void);
int test_null_extra(void) { return 1; }
