/* The note says major 1, the module's table says 2. */
#define BAD_ENTRY of_major_2
#include "../bad.h"

static const jf_module_v1* of_major_2(void) {
    static jf_module_v1 module;
    module = bad_module;
    module.abi_major = 2;
    return &module;
}
