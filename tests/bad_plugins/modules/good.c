/* Breaks nothing: who stands beside the others and must go on serving. */
#include "../bad.h"
