/* SPDX-License-Identifier: MIT */
/*
 * A dump: of fibers, a task and an operation, one of them in a circle, while things fail.
 */
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "torture.h"

typedef struct Circle {
    EddyFuture *fibers[2];
    int fd;
    int pipe[2];
    bool complete; /* all that is to be told was made */
    bool dumped;
} Circle;

static void *await_second (void *data, EddyError **error)
{
    eddy_fiber_yield ();
    return eddy_await (((Circle *) data)->fibers[1], error);
}

static void *await_first (void *data, EddyError **error)
{
    eddy_fiber_yield ();
    return eddy_await (((Circle *) data)->fibers[0], error);
}

static void circle_dump (Circle *circle)
{
    EddyError *error = NULL;
    EddyFuture *waiting = eddy_fd_wait_future (circle->pipe[0], POLLIN, 0, NULL);
    EddyTask *task = torture_made ("a task", eddy_task_new (NULL, NULL, NULL, NULL));
    for (int i = 0; i < 3; i++)
        eddy_fiber_yield ();
    circle->complete = task != NULL && !eddy_future_is_complete (waiting) &&
                       !eddy_future_is_complete (circle->fibers[0]) &&
                       !eddy_future_is_complete (circle->fibers[1]);
    circle->dumped = eddy_context_dump (NULL, circle->fd, &error);
    if (!circle->dumped)
        torture_error ("a dump", &error);
    if (task != NULL) {
        eddy_task_return_boolean (task, true);
        eddy_task_unref (task);
    }
    eddy_future_cancel (waiting);
    if (!eddy_await_complete (waiting, &error))
        torture_error_or_cancelled ("a wait", &error);
    eddy_unref (waiting);
}

static void circle_step (void *data)
{
    Circle *circle = data;
    circle->fibers[0] = eddy_spawn (NULL, await_second, circle, NULL);
    circle->fibers[1] = eddy_spawn (NULL, await_first, circle, NULL);
    circle_dump (circle);
    for (int i = 0; i < 2; i++)
        eddy_future_cancel (circle->fibers[i]);
    for (int i = 0; i < 2; i++) {
        EddyError *error = NULL;
        if (!eddy_await_complete (circle->fibers[i], &error))
            torture_error_or_cancelled ("a fiber", &error);
    }
    for (int i = 0; i < 2; i++)
        eddy_unref (circle->fibers[i]);
}

static void expect_text (int fd, const char *word)
{
    static char text[16384];
    ssize_t len = pread (fd, text, sizeof text - 1, 0);
    text[len > 0 ? len : 0] = '\0';
    if (strstr (text, word) == NULL)
        torture_fail ("'%s' is not in:\n%s", word, text);
}

TORTURE_SCENARIO (dump_circle)
{
    Circle circle = { .fd = memfd_create ("dump", MFD_CLOEXEC) };
    torture_require (pipe (circle.pipe) == 0);
    torture_begin ();
    torture_await (circle_step, &circle);
    if (circle.complete && circle.dumped) {
        expect_text (circle.fd, "deadlock: 'circle_step' (");
        expect_text (circle.fd, "operation 'eddy_fd_wait'");
        /* A task that its roster has no memory for is not told. */
        if (!torture_was_hit ())
            expect_text (circle.fd, "task 'circle_dump'");
    }
    torture_require (torture_has_failed () || (circle.complete && circle.dumped));
    close (circle.fd);
    close (circle.pipe[0]);
    close (circle.pipe[1]);
}
