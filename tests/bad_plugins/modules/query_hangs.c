/* query never returns. */
#define BAD_QUERY hang
#include "../bad.h"

static const void* hang(jf_instance* self, jf_str id) {
    (void)self, (void)id;
    bad_hang();
    return NULL;
}
