/* SPDX-License-Identifier: MIT */
/* The fd of a cancellable, for those who poll themselves: one, shared by all who ask for it.
 *
 * With a deadline it is a timerfd, so that it is readable in time though no loop runs; without one
 * an eventfd. */
#include <errno.h>

#include "base/object-private.h"
#include "loop/cancellable-private.h"
#include "sys/file-private.h"
#include "sys/poll-private.h"

/* Of the clock's first nanosecond, which is over: at once. */
enum { CANCEL_FD_AT_ONCE = 0 };

static bool cancel_fd_is_timer (EddyCancellable *cancellable)
{
    return eddy__cancellable_deadline (cancellable) != INT64_MAX;
}

/* Makes an fd, and readable if it is late; -errno. Under the lock. */
static int cancel_fd_new (EddyCancellable *cancellable)
{
    bool timer = cancel_fd_is_timer (cancellable);
    bool late = eddy__cancellable_is_told (cancellable);
    int fd = timer ? eddy__sys_timerfd_create () : eddy__sys_eventfd ();
    if (fd < 0)
        return fd;
    int answer = 0;
    if (timer)
        answer = eddy__sys_timerfd_settime (fd, late ? CANCEL_FD_AT_ONCE
                                                     : eddy__cancellable_deadline (cancellable));
    else if (late)
        answer = eddy__sys_eventfd_write (fd);
    if (answer == 0)
        return fd;
    eddy__sys_close (fd);
    return answer;
}

int eddy__cancellable_open_fd (EddyCancellable *cancellable)
{
    pthread_mutex_lock (&cancellable->mutex);
    int fd = cancellable->fd_users > 0 ? cancellable->fd : cancel_fd_new (cancellable);
    if (fd >= 0) {
        cancellable->fd = fd;
        cancellable->fd_users++;
    }
    pthread_mutex_unlock (&cancellable->mutex);
    return fd;
}

void eddy__cancel_fd_signal (EddyCancellable *cancellable)
{
    if (cancellable->fd_users == 0)
        return;
    if (cancel_fd_is_timer (cancellable))
        eddy__sys_timerfd_settime (cancellable->fd, CANCEL_FD_AT_ONCE);
    else
        eddy__sys_eventfd_write (cancellable->fd);
}

void eddy__cancel_fd_drop (EddyCancellable *cancellable)
{
    if (cancellable->fd_users > 0)
        eddy__sys_close (cancellable->fd);
    cancellable->fd_users = 0;
}

int eddy_cancellable_get_fd (EddyCancellable *cancellable)
{
    int fd = cancellable == NULL ? -1 : eddy__cancellable_open_fd (cancellable);
    return fd < 0 ? -1 : fd;
}

void eddy_cancellable_release_fd (EddyCancellable *cancellable)
{
    if (cancellable == NULL)
        return;
    pthread_mutex_lock (&cancellable->mutex);
    bool held = cancellable->fd_users > 0;
    bool last = held && --cancellable->fd_users == 0;
    int fd = cancellable->fd;
    pthread_mutex_unlock (&cancellable->mutex);
    if (last)
        eddy__sys_close (fd);
    EDDY__EXPECT (held);
}

bool eddy_cancellable_make_pollfd (EddyCancellable *cancellable, struct pollfd *pollfd)
{
    EDDY__EXPECT (pollfd != NULL, false);
    int fd = eddy_cancellable_get_fd (cancellable);
    *pollfd = (struct pollfd){ .fd = fd, .events = POLLIN };
    return fd >= 0;
}
