/* libre's archive comes in whole objects. Some functions in them that we never call (its own main loop with signal handlers, core dump
 * limits) would change the host's process. These stand in for libc's at link time, so that nothing in this file can reach the real ones. */
#include <errno.h>

typedef void (*handler)(int);
handler __sysv_signal(int number, handler wanted);
int setrlimit(int resource, const void* limits);

handler __sysv_signal(int number, handler wanted) {
    (void)number;
    (void)wanted;
    errno = ENOSYS;
    return (handler)-1; /* SIG_ERR */
}

int setrlimit(int resource, const void* limits) {
    (void)resource;
    (void)limits;
    errno = EPERM;
    return -1;
}
