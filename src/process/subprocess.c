/* SPDX-License-Identifier: MIT */
/* EddySubprocess: a child, its status, signals to it.
 *
 * The child is known by its pidfd: no signal meets another process that has got its number, and
 * its end is an fd that becomes readable. Whoever sees that first reaps it, under the object's
 * lock. The pidfd is open as long as the object lives, since waits on other threads may be about to
 * use it. */
#include "process/subprocess-private.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc-private.h"
#include "base/object-private.h"
#include "sys/file-private.h"
#include "sys/process-private.h"
#include "sys/signal-private.h"

/* --- life ------------------------------------------------------------------------------------- */

static void child_free (EddyChild *child)
{
    if (child != NULL && child->pidfd >= 0)
        eddy__sys_close (child->pidfd);
    eddy__free (child);
}

static void subprocess_dispose (void *object)
{
    EddySubprocess *self = object;
    eddy_clear (&self->stdin_pipe);
    eddy_clear (&self->stdout_pipe);
    eddy_clear (&self->stderr_pipe);
    /* After a fork the child is our parent's. */
    if (self->child == NULL || self->child->pidfd < 0 || self->child->maker != eddy__sys_getpid ())
        return;
    if (self->kill_grace_ns >= 0)
        eddy__subprocess_end (self, SIGKILL);
    if (!eddy__subprocess_reap (self))
        eddy__orphans_add (EDDY_TAKE (self->child));
}

static void subprocess_finalize (void *object)
{
    EddySubprocess *self = object;
    child_free (self->child);
    eddy__free (self);
}

static const EddyClass subprocess_class = { .name = "EddySubprocess",
                                            .size = 0,
                                            .dispose = subprocess_dispose,
                                            .finalize = subprocess_finalize };

EddySubprocess *eddy__subprocess_new (const char *name)
{
    size_t size = strlen (name) + 1;
    EddySubprocess *self = eddy__alloc (sizeof *self + size);
    EddyChild *child = eddy__alloc (sizeof *child);
    if (self == NULL || child == NULL) {
        eddy__free (self);
        eddy__free (child);
        return NULL;
    }
    memset (self, 0, sizeof *self);
    eddy__object_init (self, &subprocess_class);
    eddy__lock_init (&self->lock);
    memcpy (self->name, name, size);
    *child = (EddyChild){ .pidfd = -1 };
    self->child = child;
    self->kill_grace_ns = -1;
    return self;
}

void eddy__subprocess_set_child (EddySubprocess *self, pid_t pid, int pidfd)
{
    self->child->maker = eddy__sys_getpid ();
    self->child->pid = pid;
    self->child->pidfd = pidfd;
    snprintf (self->identifier, sizeof self->identifier, "%d", (int) pid);
}

/* --- its end ---------------------------------------------------------------------------------- */

/* With the lock. */
static void subprocess_take_status (EddySubprocess *self, bool is_known)
{
    siginfo_t info;
    int answer;
    do
        answer = eddy__sys_waitid_pidfd (self->child->pidfd, &info,
                                         is_known ? WEXITED : WEXITED | WNOHANG);
    while (answer == -EINTR);
    if (answer == 0 && info.si_pid == 0)
        return;
    self->has_ended = true;
    /* Somebody else has reaped it: SIGCHLD is ignored, or the program waits for any child. */
    self->status = answer < 0 ? -1 : eddy__sys_wait_status (&info);
}

static bool subprocess_reap (EddySubprocess *self, bool is_known)
{
    bool locked = eddy__lock (&self->lock);
    if (!self->has_ended)
        subprocess_take_status (self, is_known);
    bool has_ended = self->has_ended;
    eddy__unlock (&self->lock, locked);
    return has_ended;
}

bool eddy__subprocess_reap (EddySubprocess *self)
{
    return subprocess_reap (self, /* is_known= */ false);
}

/* Who traces it (strace, a debugger) is told first, and the status is ours a moment later. */
void eddy__subprocess_reap_ended (EddySubprocess *self)
{
    (void) subprocess_reap (self, /* is_known= */ true);
}

/* --- signals ---------------------------------------------------------------------------------- */

/* Until it is reaped the number of the child is its own, and so is that of its group. */
static void subprocess_signal (EddySubprocess *self, int number, bool whole_group)
{
    bool locked = eddy__lock (&self->lock);
    if (!self->has_ended && whole_group)
        (void) eddy__sys_kill (-self->child->pid, number);
    else if (!self->has_ended)
        (void) eddy__sys_pidfd_send_signal (self->child->pidfd, number);
    eddy__unlock (&self->lock, locked);
}

void eddy__subprocess_end (EddySubprocess *self, int number)
{
    subprocess_signal (self, number, self->leads_group);
}

void eddy_subprocess_send_signal (EddySubprocess *self, int signal_number)
{
    EDDY__EXPECT (self != NULL);
    subprocess_signal (self, signal_number, /* whole_group= */ false);
}

void eddy_subprocess_force_exit (EddySubprocess *self)
{
    EDDY__EXPECT (self != NULL);
    subprocess_signal (self, SIGKILL, /* whole_group= */ false);
}

void eddy_subprocess_set_kill_on_cancel (EddySubprocess *self, int64_t grace_ns)
{
    EDDY__EXPECT (self != NULL);
    __atomic_store_n (&self->kill_grace_ns, grace_ns, __ATOMIC_RELAXED);
}

/* --- what is known of it ---------------------------------------------------------------------- */

EddyOutputStream *eddy_subprocess_get_stdin_pipe (EddySubprocess *self)
{
    EDDY__EXPECT (self != NULL, NULL);
    return self->stdin_pipe;
}

EddyInputStream *eddy_subprocess_get_stdout_pipe (EddySubprocess *self)
{
    EDDY__EXPECT (self != NULL, NULL);
    return self->stdout_pipe;
}

EddyInputStream *eddy_subprocess_get_stderr_pipe (EddySubprocess *self)
{
    EDDY__EXPECT (self != NULL, NULL);
    return self->stderr_pipe;
}

static bool subprocess_has_ended (EddySubprocess *self)
{
    bool locked = eddy__lock (&self->lock);
    bool has_ended = self->has_ended;
    eddy__unlock (&self->lock, locked);
    return has_ended;
}

const char *eddy_subprocess_get_identifier (EddySubprocess *self)
{
    EDDY__EXPECT (self != NULL, NULL);
    return subprocess_has_ended (self) ? NULL : self->identifier;
}

int eddy_subprocess_get_status (EddySubprocess *self)
{
    EDDY__EXPECT (self != NULL && subprocess_has_ended (self), -1);
    return self->status;
}

bool eddy_subprocess_get_successful (EddySubprocess *self)
{
    return eddy_subprocess_get_status (self) == 0;
}

bool eddy_subprocess_get_if_exited (EddySubprocess *self)
{
    int status = eddy_subprocess_get_status (self);
    return status >= 0 && WIFEXITED (status);
}

int eddy_subprocess_get_exit_status (EddySubprocess *self)
{
    EDDY__EXPECT (eddy_subprocess_get_if_exited (self), -1);
    return WEXITSTATUS (self->status);
}

bool eddy_subprocess_get_if_signaled (EddySubprocess *self)
{
    int status = eddy_subprocess_get_status (self);
    return status >= 0 && WIFSIGNALED (status);
}

int eddy_subprocess_get_term_sig (EddySubprocess *self)
{
    EDDY__EXPECT (eddy_subprocess_get_if_signaled (self), -1);
    return WTERMSIG (self->status);
}
