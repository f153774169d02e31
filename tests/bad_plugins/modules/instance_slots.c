/* The instance's table has no cancel. */
#define BAD_CREATE create_without
#include "../bad.h"

static jf_status create_without(const jf_host_v1* host, jf_str plugin_id, jf_str config_json, jf_array config_pairs, jf_instance** out,
                                const jf_instance_v1** table, jf_error* error) {
    (void)plugin_id, (void)config_json, (void)config_pairs, (void)error;
    static jf_instance_v1 functions;
    functions = bad_functions;
    functions.cancel = NULL;
    *out = bad_new(host);
    *table = &functions;
    return JF_OK;
}
