/* create answers with the same instance each time: two tenants' providers would be one, and destroyed twice. */
#define BAD_CREATE create_the_one
#define BAD_DESTROY keep
#include "../bad.h"

static jf_instance the_one;

static jf_status create_the_one(const jf_host_v1* host, jf_str plugin_id, jf_str config_json, jf_array config_pairs, jf_instance** out,
                                const jf_instance_v1** table, jf_error* error) {
    (void)plugin_id, (void)config_json, (void)config_pairs, (void)error;
    if (!the_one.host) the_one.host = host;
    *out = &the_one;
    *table = &bad_functions;
    return JF_OK;
}

static void keep(jf_instance* self) { (void)self; }
