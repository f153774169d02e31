/* Exports a second symbol. */
#include "../bad.h"

JF_EXPORT int extra_entry(void);
int extra_entry(void) { return 1; }
