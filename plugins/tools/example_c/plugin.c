/* One tool for a language model, against the C headers alone: jf.tools/1. */
#include <jackfield/module.h>
#include <jackfield/tools.h>

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct jf_instance {
    const jf_host_v1* host;
    long minutes_each;
    atomic_int quiescing; /* calls run side by side, on several threads */
};

static jf_str str(const char* text) { return (jf_str){text, strlen(text)}; }
static int same(jf_str text, const char* other) { return text.len == strlen(other) && memcmp(text.ptr, other, text.len) == 0; }

static jf_status refuse(jf_error* error, jf_status code, const char* why) {
    if (error) {
        error->struct_size = sizeof *error;
        error->code = code;
        error->retry_class = JF_RETRY_NO;
        snprintf(error->text, sizeof error->text, "%s", why);
    }
    return code;
}

/* ---- jf.tools/1 ----------------------------------------------------------------------------------------------------------- */

static const char parameters[] =
    "{\"type\":\"object\",\"properties\":{\"ahead\":{\"type\":\"integer\",\"minimum\":0,\"maximum\":1000,"
    "\"description\":\"How many callers wait before this one\"}},\"required\":[\"ahead\"],\"additionalProperties\":false}";

static jf_status list(jf_instance* self, jf_op op, jf_error* error) {
    (void)error;
    const jf_tool tool = {sizeof tool, JF_TOOL_READ_ONLY, str("waiting_time"), str("How long a caller will have to wait"), str(parameters)};
    const jf_tool_list all = {sizeof all, 0, {&tool, 1, sizeof tool}};
    const jf_event last = {.struct_size = sizeof last, .type = JF_EV_TOOL_LIST, .data = &all, .data_size = sizeof all};
    self->host->complete(self->host->ctx, op, JF_OK, &last, NULL); /* copied: all of the above may go when it returns */
    return JF_OK;
}

/* The host has checked the arguments against the parameters: one object with one whole number. That takes no JSON library. */
static int read_ahead(jf_str arguments, long* ahead) {
    char text[256];
    if (arguments.len >= sizeof text) return 0;
    if (arguments.len > 0) memcpy(text, arguments.ptr, arguments.len);
    text[arguments.len] = 0;
    const char* at = strstr(text, "\"ahead\"");
    at = at ? strchr(at, ':') : NULL;
    char* end = NULL;
    if (at) *ahead = strtol(at + 1, &end, 10);
    return end && end != at + 1 && *ahead >= 0 && *ahead <= 1000;
}

static jf_status call(jf_instance* self, jf_op op, const jf_tool_request* request, jf_error* error) {
    if (!JF_HAS(request, jf_tool_request, arguments)) return refuse(error, JF_E_INVALID, "there is no request");
    if (atomic_load(&self->quiescing)) return refuse(error, JF_E_STATE, "this instance takes no more calls");
    if (!same(request->name, "waiting_time")) return refuse(error, JF_E_NOT_FOUND, "the only function is waiting_time");
    long ahead = 0;
    if (!read_ahead(request->arguments, &ahead)) return refuse(error, JF_E_INVALID, "ahead has to be a whole number");
    char json[64];
    snprintf(json, sizeof json, "{\"minutes\":%ld}", ahead * self->minutes_each);
    const jf_tool_result result = {sizeof result, 0, str(json)};
    const jf_event last = {.struct_size = sizeof last, .type = JF_EV_TOOL_RESULT, .data = &result, .data_size = sizeof result};
    self->host->complete(self->host->ctx, op, JF_OK, &last, NULL);
    return JF_OK;
}

static const jf_tools_v1 tools = {sizeof tools, 0, list, call};

/* ---- the instance --------------------------------------------------------------------------------------------------------- */

static jf_status start(jf_instance* self, jf_op op, jf_error* error) {
    (void)error;
    atomic_store(&self->quiescing, 0);
    return self->host->complete(self->host->ctx, op, JF_OK, NULL, NULL);
}

static jf_status quiesce(jf_instance* self, jf_op op, uint32_t budget_ms) {
    (void)budget_ms; /* calls are over when they return: there is nothing to wait for */
    atomic_store(&self->quiescing, 1);
    return self->host->complete(self->host->ctx, op, JF_OK, NULL, NULL);
}

static void destroy(jf_instance* self) { free(self); }

static const void* query(jf_instance* self, jf_str id) {
    (void)self;
    return same(id, JF_TOOLS_V1) ? &tools : NULL;
}

/* Every op completes in the call that opens it, so there is none left to give up. */
static jf_status cancel(jf_instance* self, jf_op op) {
    (void)self, (void)op;
    return JF_E_INVALID;
}

static const jf_instance_v1 functions = {sizeof functions, 0, start, quiesce, destroy, query, cancel, NULL};

/* ---- the module ----------------------------------------------------------------------------------------------------------- */

static jf_status init(const jf_host_v1* host, jf_error* error) {
    (void)host, (void)error;
    return JF_OK;
}

static void deinit(void) {}

static jf_status create(const jf_host_v1* host, jf_str plugin_id, jf_str config_json, jf_array config_pairs, jf_instance** out,
                        const jf_instance_v1** table, jf_error* error) {
    (void)plugin_id, (void)config_json;
    jf_instance* self = calloc(1, sizeof *self);
    if (!self) return refuse(error, JF_E_INTERNAL, "out of memory");
    self->host = host;
    self->minutes_each = 4;
    for (uint32_t i = 0; i < config_pairs.n; ++i) {
        const jf_pair* pair = JF_AT(jf_pair, config_pairs, i);
        char number[24] = "";
        if (!same(pair->key, "minutes_each") || pair->value.len >= sizeof number) continue;
        if (pair->value.len > 0) memcpy(number, pair->value.ptr, pair->value.len);
        const long minutes = strtol(number, NULL, 10);
        if (minutes >= 1 && minutes <= 60) self->minutes_each = minutes;
    }
    *out = self;
    *table = &functions;
    return JF_OK;
}

static const jf_module_v1 module = {sizeof module, JF_ABI_MAJOR, 0, JF_ABI_MINOR, 0, {NULL, 0}, init, deinit, create};

JF_EXPORT const jf_module_v1* jf_module_entry_v1(void) { return &module; }
