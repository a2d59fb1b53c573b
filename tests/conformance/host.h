/* SPDX-License-Identifier: MIT */
/*
 * What a context must do in a foreign loop, the same for each of them: everything is begun by the
 * foreign loop's own code, between two iterations, and ends without any other wakeup than the fd's.
 * Public headers only.
 */
#pragma once

#include <poll.h>

#include "context.h"

typedef struct Host {
    EddyContext *context;
    int fd; /* of the context */
    unsigned wakeups;
    /* Runs the foreign loop until *done. */
    void (*run) (struct Host *host, const bool *done);
    /* Runs it for so long, whatever happens. */
    void (*run_for) (struct Host *host, int milliseconds);
    void *loop;
} Host;

/* What the foreign loop calls when the fd is readable: the whole of hosting. */
static inline void host_iterate (Host *host)
{
    host->wakeups++;
    while (eddy_context_iteration (host->context, false))
        ;
}

/* Whether the fd is readable now. */
static inline bool host_is_readable (const Host *host)
{
    struct pollfd poll_fd = { host->fd, POLLIN, 0 };
    return poll (&poll_fd, 1, 0) == 1;
}

/* Makes a context that is the thread's default, with its fd. */
Host host_begin (void);
/* Asserts that nothing is left, and frees the context. */
void host_end (Host *host);

/* Timers, fds, jobs, other threads, fibers, tasks, cancels. */
void host_check_everything (Host *host);
/* With idle fds and a far timer, nothing wakes the foreign loop. */
void host_check_idle (Host *host, int milliseconds);
