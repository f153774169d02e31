/* The module's table says that it is three bytes long. */
#define BAD_ENTRY of_three_bytes
#include "../bad.h"

static const jf_module_v1* of_three_bytes(void) {
    static jf_module_v1 module;
    module = bad_module;
    module.struct_size = 3;
    return &module;
}
