/* SPDX-License-Identifier: MIT */
/* Children whose objects have gone before they ended. One worker waits for all of them, as long as
 * there are any, so that none stays a zombie. */
#include <errno.h>
#include <poll.h>

#include "base/alloc-private.h"
#include "engine/engine-private.h"
#include "engine/operation-private.h"
#include "process/subprocess-private.h"
#include "sys/file-private.h"
#include "sys/poll-private.h"
#include "sys/process-private.h"

enum {
    ORPHANS_ROOM = 64,                  /* waited for at once where memory is out for more */
    ORPHANS_LOOK_NS = 100 * 1000 * 1000 /* how often to look where not all can be waited for */
};

static struct {
    EddyLock lock;
    EddyList children; /* of EddyChild */
    size_t n_children;
    bool has_waiter; /* a worker has, or is about to have, `op` */
    int wake_fd;     /* an eventfd that tells the waiter of one more; -1: it looks now and then */
    EddyOp op;
} orphans = { .children = { &orphans.children, &orphans.children }, .wake_fd = -1 };

/* --- the worker ------------------------------------------------------------------------------- */

/* The fds to wait for, at most so many; `all` says whether that is enough. */
static size_t orphans_list_fds (struct pollfd *fds, size_t most, bool *all)
{
    size_t n = 0;
    bool locked = eddy__lock (&orphans.lock);
    fds[n++] = (struct pollfd){ orphans.wake_fd, POLLIN, 0 };
    *all = orphans.wake_fd >= 0 && orphans.n_children < most;
    for (EddyList *link = orphans.children.next; link != &orphans.children && n < most;
         link = link->next)
        fds[n++] = (struct pollfd){ EDDY__CONTAINER (link, EddyChild, member)->pidfd, POLLIN, 0 };
    eddy__unlock (&orphans.lock, locked);
    return n;
}

/* Waits until one of so many has ended, or another has come. */
static void orphans_sleep (size_t n_children)
{
    struct pollfd room[ORPHANS_ROOM];
    size_t most = n_children + 1;
    bool all;
    struct pollfd *more = most > ORPHANS_ROOM ? eddy__alloc (most * sizeof *more) : NULL;
    struct pollfd *fds = more != NULL ? more : room;
    size_t n = orphans_list_fds (fds, more != NULL ? most : ORPHANS_ROOM, &all);
    (void) eddy__sys_ppoll (fds, (unsigned) n, all ? -1 : ORPHANS_LOOK_NS);
    if (fds[0].fd >= 0)
        (void) eddy__sys_eventfd_read (fds[0].fd, NULL);
    eddy__free (more);
}

/* Whether it has ended, and is reaped now, by us or by somebody else. */
static bool orphan_has_ended (const EddyChild *child)
{
    siginfo_t info;
    int answer = eddy__sys_waitid_pidfd (child->pidfd, &info, WEXITED | WNOHANG);
    return answer == 0 ? info.si_pid != 0 : answer != -EINTR;
}

/* Reaps all that have ended; returns how many have not. */
static size_t orphans_reap (void)
{
    bool locked = eddy__lock (&orphans.lock);
    for (EddyList *link = orphans.children.next, *next; link != &orphans.children; link = next) {
        EddyChild *child = EDDY__CONTAINER (link, EddyChild, member);
        next = link->next;
        if (!orphan_has_ended (child))
            continue;
        eddy__list_remove (link);
        orphans.n_children--;
        eddy__sys_close (child->pidfd);
        eddy__free (child);
    }
    size_t n_left = orphans.n_children;
    eddy__unlock (&orphans.lock, locked);
    return n_left;
}

static void orphans_wait (void *data)
{
    (void) data;
    size_t n_left;
    while ((n_left = orphans_reap ()) > 0)
        orphans_sleep (n_left);
}

static void orphans_publish (void);

/* On the worker, when none is left: but one may have come since. */
static void orphans_waited (EddyOp *op)
{
    (void) op;
    bool locked = eddy__lock (&orphans.lock);
    bool is_last = orphans.n_children == 0;
    if (is_last) {
        if (orphans.wake_fd >= 0)
            eddy__sys_close (orphans.wake_fd);
        orphans.wake_fd = -1;
        orphans.has_waiter = false;
    }
    eddy__unlock (&orphans.lock, locked);
    if (!is_last)
        orphans_publish ();
}

static void orphans_publish (void)
{
    eddy__op_init (&orphans.op, EDDY_OP_LONG_CALL, -1);
    orphans.op.as.call.function = orphans_wait;
    orphans.op.complete = orphans_waited;
    eddy__workers_publish_one (&orphans.op);
}

/* --- one more --------------------------------------------------------------------------------- */

void eddy__orphans_add (EddyChild *child)
{
    if (eddy__engine_is_orphaned ()) {
        /* After a fork the workers, and who has the lock, are our parent's: nobody waits here. */
        eddy__sys_close (child->pidfd);
        eddy__free (child);
        return;
    }
    bool locked = eddy__lock (&orphans.lock);
    bool begins = !orphans.has_waiter;
    eddy__list_append (&orphans.children, &child->member);
    orphans.n_children++;
    if (begins) {
        int fd = eddy__sys_eventfd ();
        orphans.wake_fd = fd < 0 ? -1 : fd;
        orphans.has_waiter = true;
    } else if (orphans.wake_fd >= 0) {
        (void) eddy__sys_eventfd_write (orphans.wake_fd);
    }
    eddy__unlock (&orphans.lock, locked);
    if (begins)
        orphans_publish ();
}
