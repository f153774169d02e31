/* Runs code when it is loaded, before anybody asked it for anything. */
#include "../bad.h"

__attribute__((constructor)) static void at_load(void) { setenv("JACKFIELD_BAD_CONSTRUCTOR", "ran", 1); }
