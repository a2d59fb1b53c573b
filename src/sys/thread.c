/* SPDX-License-Identifier: MIT */
/*
 * Threads.
 */
#include "sys/thread-private.h"

#include <signal.h>

#include "sys/fault-private.h"
#include "sys/signal-private.h"

int eddy__sys_thread_start (pthread_t *thread, void *(*function) (void *data), void *data)
{
    static const int faults[] = { SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP };
    int answer = eddy__sys_door (EDDY_SYS_THREAD_START);
    sigset_t taken_by_others, former;

    if (answer < 0)
        return answer;
    sigfillset (&taken_by_others);
    for (size_t i = 0; i < sizeof faults / sizeof *faults; i++)
        sigdelset (&taken_by_others, faults[i]);
    answer = eddy__sys_sigmask (SIG_SETMASK, &taken_by_others, &former);
    if (answer < 0)
        return answer;
    answer = -pthread_create (thread, NULL, function, data);
    eddy__sys_sigmask (SIG_SETMASK, &former, NULL);
    return answer;
}
