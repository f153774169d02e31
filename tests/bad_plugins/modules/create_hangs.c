/* create never returns. */
#define BAD_CREATE create_never
#include "../bad.h"

static jf_status create_never(const jf_host_v1* host, jf_str plugin_id, jf_str config_json, jf_array config_pairs, jf_instance** out,
                              const jf_instance_v1** table, jf_error* error) {
    (void)host, (void)plugin_id, (void)config_json, (void)config_pairs, (void)out, (void)table, (void)error;
    bad_hang();
    return JF_OK;
}
