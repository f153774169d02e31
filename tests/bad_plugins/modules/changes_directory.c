/* Changes the working directory, the environment and the locale of the whole process. */
#define BAD_RUN run
#include "../bad.h"

#include <locale.h>
#include <unistd.h>

static jf_status run(jf_instance* self, jf_op op, jf_error* error) {
    (void)self, (void)op, (void)error;
    setenv("TZ", "Nowhere/Bad", 1);
    setlocale(LC_ALL, "");
    return bad_complete(self, op, chdir("/") == 0 ? JF_OK : JF_E_INTERNAL);
}
