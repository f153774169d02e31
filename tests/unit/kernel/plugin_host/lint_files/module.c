/* A plugin file for lint's tests. Nobody loads it; what LINT_* defines is its one fault. */
#include <jackfield/module.h>

#include <dlfcn.h>
#include <locale.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#ifdef LINT_CALL
JF_EXPORT const jf_module_v1* jf_module_entry_v1(void) {
    LINT_CALL;
    return 0;
}
#elif defined(LINT_NO_ENTRY)
int nothing_of_it_is_exported;
#else
JF_EXPORT const jf_module_v1* jf_module_entry_v1(void) { return 0; }
#endif

#ifdef LINT_EXPORT
JF_EXPORT int acme_helper(void) { return 7; }
#endif

#ifdef LINT_CONSTRUCTOR
__attribute__((constructor)) static void at_load(void) { (void)getpid(); }
#endif

#ifdef LINT_STATIC_TLS
extern __thread int elsewhere __attribute__((tls_model("initial-exec")));
__thread int elsewhere __attribute__((visibility("hidden"), tls_model("initial-exec"))) = 3;
int* lint_tls(void);
int* lint_tls(void) { return &elsewhere; }
#endif

#ifdef LINT_TEXT_RELOCATION
__asm__(".pushsection .text\n.balign 8\n.quad jf_module_entry_v1\n.popsection\n");
#endif

#ifdef LINT_TEXT
const char lint_text[] __attribute__((used)) = LINT_TEXT;
#endif
