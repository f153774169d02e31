/* Hangs in destroy (control). */
#define BAD_DESTROY hang
#include "../bad.h"

static void hang(jf_instance* self) {
    (void)self;
    bad_hang();
}
