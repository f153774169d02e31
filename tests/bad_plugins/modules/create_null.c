/* create answers OK with a null instance. */
#define BAD_CREATE create_nothing
#include "../bad.h"

static jf_status create_nothing(const jf_host_v1* host, jf_str plugin_id, jf_str config_json, jf_array config_pairs, jf_instance** out,
                                const jf_instance_v1** table, jf_error* error) {
    (void)host, (void)plugin_id, (void)config_json, (void)config_pairs, (void)error;
    *out = NULL;
    *table = &bad_functions;
    return JF_OK;
}
