/* The entry point answers null. */
#define BAD_ENTRY no_module
#include "../bad.h"

static const jf_module_v1* no_module(void) { return NULL; }
