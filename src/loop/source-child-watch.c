/* SPDX-License-Identifier: MIT */
/* The end of a child process as a source: a pidfd, polled as any fd.
 *
 * The child is reaped right before the callback, so that a source destroyed before leaves it to the
 * program. No handler for SIGCHLD, which the program may want for itself. */
#include <errno.h>
#include <poll.h>
#include <string.h>

#include "base/log-private.h"
#include "base/object-private.h"
#include "loop/source-private.h"
#include "sys/file-private.h"
#include "sys/poll-private.h"
#include "sys/process-private.h"

/* Reaps the child; 1: its status is in *status, 0: it lives, or -errno. */
static int child_reap (EddySource *source, int *status)
{
    siginfo_t info;
    int answer = -ECHILD;
    if (source->as.child.pidfd >= 0)
        answer = eddy__sys_waitid_pidfd (source->as.child.pidfd, &info, WEXITED | WNOHANG);
    if (answer < 0 || info.si_pid == 0)
        return answer;
    *status = eddy__sys_wait_status (&info);
    return 1;
}

static bool child_dispatch (EddySource *source, EddySourceFunc function, void *user_data)
{
    EddyChildWatchFunc callback = (EddyChildWatchFunc) (void (*) (void)) function;
    int status = -1;
    int answer = child_reap (source, &status);
    if (answer == 0 || answer == -EINTR)
        return EDDY_SOURCE_CONTINUE;
    if (answer < 0)
        eddy__log (EDDY_LOG_WARNING, "child %d could not be reaped: %s", (int) source->as.child.pid,
                   strerror (-answer));
    callback (source->as.child.pid, status, user_data);
    return EDDY_SOURCE_REMOVE;
}

/* There was no such child when the source was made: the callback is to hear of it. */
static void child_look (EddySource *source)
{
    if (source->as.child.pidfd < 0)
        eddy__source_make_ready (source);
}

static void child_finalize (EddySource *source)
{
    if (source->as.child.pidfd >= 0)
        eddy__sys_close (source->as.child.pidfd);
}

static void child_dummy (pid_t pid, int wait_status, void *user_data)
{
    (void) pid, (void) wait_status, (void) user_data;
}

const EddySourceKind eddy__source_child_watch = { .name = "a child watch",
                                                  .dispatch = child_dispatch,
                                                  .look = child_look,
                                                  .finalize = child_finalize,
                                                  .dummy = EDDY_SOURCE_FUNC (child_dummy) };

EddySource *eddy_child_watch_source_new (pid_t pid)
{
    EDDY__EXPECT (pid > 0, NULL);
    int pidfd = eddy__sys_pidfd_open (pid);
    if (pidfd < 0 && pidfd != -ESRCH)
        return NULL;
    EddySource *source =
        eddy__source_new (&eddy__source_child_watch, EDDY_PRIORITY_DEFAULT, sizeof (EddySource));
    if (source == NULL) {
        if (pidfd >= 0)
            eddy__sys_close (pidfd);
        return NULL;
    }
    source->as.child.pid = pid;
    source->as.child.pidfd = pidfd;
    if (pidfd >= 0 && eddy__source_add_fd (source, pidfd, POLLIN) == NULL)
        return eddy_unref (source);
    return source;
}
