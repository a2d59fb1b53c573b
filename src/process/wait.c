/* SPDX-License-Identifier: MIT */
/* Waiting for a child's end, and ending it first where a cancel is to do so. */
#include <eddy/subprocess-bodies.h>

#include <eddy/fd-bodies.h>
#include <eddy/fiber.h>
#include <errno.h>
#include <poll.h>
#include <string.h>

#include "base/object-private.h"
#include "engine/operation-private.h"
#include "fiber/fiber-private.h"
#include "process/subprocess-private.h"
#include "sys/process-private.h"

/* Whether it has ended; false, with the wait's error, when the wait was cut short. */
static bool wait_once (EddySubprocess *self, EddyCancellable *cancellable, EddyError **error)
{
    if (eddy__subprocess_reap (self))
        return true;
    if (eddy_fd_wait (self->child->pidfd, POLLIN, cancellable, error) < 0)
        return false;
    eddy__subprocess_reap_ended (self);
    return true;
}

/* The wait was cancelled, and the child is to end: asked to, and after its grace made to. */
static void wait_for_the_killed (EddySubprocess *self, int64_t grace_ns)
{
    EDDY_SHIELD (-1)
    {
        EDDY_AUTO (EddyCancellable) grace = eddy_cancellable_new_with_timeout (NULL, grace_ns);
        eddy__subprocess_end (self, SIGTERM);
        bool has_ended = grace != NULL && wait_once (self, grace, NULL);
        if (!has_ended) {
            eddy__subprocess_end (self, SIGKILL);
            (void) wait_once (self, NULL, NULL);
        }
    }
}

static int64_t wait_get_grace (const EddySubprocess *self)
{
    return __atomic_load_n (&self->kill_grace_ns, __ATOMIC_RELAXED);
}

void eddy__subprocess_end_cancelled (EddySubprocess *self)
{
    int64_t grace_ns = wait_get_grace (self);
    if (grace_ns >= 0)
        wait_for_the_killed (self, grace_ns);
}

bool eddy_subprocess_wait_body (EddySubprocess *subprocess, EddyCancellable *cancellable,
                                EddyError **error)
{
    EDDY__EXPECT (subprocess != NULL, false);
    if (wait_once (subprocess, cancellable, error))
        return true;
    eddy__subprocess_end_cancelled (subprocess);
    return false;
}

/* One request, where nothing is to be done after a cancel. */
bool eddy_subprocess_wait_request (EddyOp *op, EddySubprocess *subprocess, EddyError **error)
{
    (void) error;
    EDDY__EXPECT (subprocess != NULL, false);
    if (wait_get_grace (subprocess) >= 0)
        return false;
    eddy_fd_wait_prepare (op, subprocess->child->pidfd, POLLIN);
    return true;
}

bool eddy_subprocess_wait_result (const EddyOp *op, EddySubprocess *subprocess, EddyError **error)
{
    if (op->result < 0) {
        eddy_error_set_errno (error, (int) -op->result, "%s", subprocess->name);
        return false;
    }
    eddy__subprocess_reap_ended (subprocess);
    return true;
}

/* --- how it has ended ------------------------------------------------------------------------- */

static bool wait_check (EddySubprocess *self, EddyError **error)
{
    int status = eddy_subprocess_get_status (self);
    if (status == 0)
        return true;
    if (status < 0)
        eddy_error_set (error, EDDY_IO_ERROR, EDDY_IO_ERROR_FAILED,
                        "%s: its exit status is not known, since it was reaped by somebody else",
                        self->name);
    else if (WIFEXITED (status))
        eddy_error_set (error, EDDY_SPAWN_EXIT_ERROR, WEXITSTATUS (status),
                        "%s: exited with status %d", self->name, WEXITSTATUS (status));
    else
        eddy_error_set (error, EDDY_IO_ERROR, EDDY_IO_ERROR_FAILED, "%s: ended by signal %d (%s)",
                        self->name, WTERMSIG (status), strsignal (WTERMSIG (status)));
    return false;
}

bool eddy_subprocess_wait_check_body (EddySubprocess *subprocess, EddyCancellable *cancellable,
                                      EddyError **error)
{
    return eddy_subprocess_wait_body (subprocess, cancellable, error) &&
           wait_check (subprocess, error);
}

bool eddy_subprocess_wait_check_request (EddyOp *op, EddySubprocess *subprocess, EddyError **error)
{
    return eddy_subprocess_wait_request (op, subprocess, error);
}

bool eddy_subprocess_wait_check_result (const EddyOp *op, EddySubprocess *subprocess,
                                        EddyError **error)
{
    return eddy_subprocess_wait_result (op, subprocess, error) && wait_check (subprocess, error);
}
