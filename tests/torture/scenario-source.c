/* SPDX-License-Identifier: MIT */
/*
 * Sources of the kinds that watch something: fds, children, what a program makes of its own; ready
 * times, child sources, sources by id, work with priorities, a context run by hand.
 */
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "torture.h"

enum { POSTS = 12 };

typedef struct Seen {
    int calls;
    int wanted;
    int destroyed;
    int status;
    unsigned events;
    int finalized;
} Seen;

static void seen_destroy (void *data)
{
    Seen *seen = data;
    seen->destroyed++;
}

static bool seen_call (void *data)
{
    Seen *seen = data;
    return ++seen->calls < seen->wanted;
}

/* Attaches a source and gives it up; false, told, when there is none, or it cannot be attached. */
static bool source_start (EddySource *source, EddySourceFunc function, Seen *seen)
{
    if (torture_made ("a source", source) == NULL)
        return false;
    eddy_source_set_callback (source, function, seen, seen_destroy);
    bool is_attached = eddy_source_attach (source, NULL) != 0;
    if (!is_attached)
        torture_refused ("to attach a source");
    eddy_unref (source);
    return is_attached;
}

/* ---- Fds ------------------------------------------------------------------------------------- */

static bool fd_seen (int fd, unsigned events, void *data)
{
    Seen *seen = data;
    char byte;
    seen->events |= events;
    /* An fd that cannot be polled is told as an error of it. */
    if ((events & POLLIN) == 0) {
        torture_refused ("to poll");
        return false;
    }
    torture_require (read (fd, &byte, 1) == 1);
    return ++seen->calls < seen->wanted;
}

TORTURE_SCENARIO (source_fd)
{
    int fds[2];
    Seen seen = { .wanted = 3 };
    torture_require (pipe2 (fds, O_CLOEXEC) == 0 && write (fds[1], "abc", 3) == 3);
    torture_begin ();
    EddyContext *context = torture_context_begin ();
    if (context != NULL &&
        source_start (eddy_fd_source_new (fds[0], POLLIN), EDDY_SOURCE_FUNC (fd_seen), &seen)) {
        torture_run_until (context, &seen.destroyed, 1);
        torture_require (torture_has_failed () || (seen.calls == 3 && seen.events == POLLIN));
    }
    torture_context_end (context);
    close (fds[0]);
    close (fds[1]);
}

/* ---- Children -------------------------------------------------------------------------------- */

static void child_seen (pid_t pid, int status, void *data)
{
    Seen *seen = data;
    (void) pid;
    seen->status = status;
    seen->calls++;
}

TORTURE_SCENARIO (source_child)
{
    Seen seen = { .calls = 0 };
    pid_t child = fork ();
    if (child == 0)
        _exit (7);
    torture_begin ();
    EddyContext *context = torture_context_begin ();
    if (context != NULL &&
        source_start (eddy_child_watch_source_new (child), EDDY_SOURCE_FUNC (child_seen), &seen)) {
        torture_run_until (context, &seen.calls, 1);
        if (seen.status == -1)
            torture_refused ("to reap a child");
        else
            torture_require (WIFEXITED (seen.status) && WEXITSTATUS (seen.status) == 7);
    }
    torture_context_end (context);
    /* Whom nobody has watched is still there. */
    waitpid (child, NULL, 0);
}

/* ---- A program's own ------------------------------------------------------------------------- */

static bool own_prepare (EddySource *source, int64_t *timeout_ns)
{
    (void) source;
    *timeout_ns = 1000;
    return false;
}

static bool own_check (EddySource *source)
{
    int *looks = eddy_source_get_data (source);
    return ++*looks % 2 == 0;
}

static bool own_dispatch (EddySource *source, EddySourceFunc callback, void *data)
{
    (void) source;
    return callback (data);
}

static int own_finalized;

static void own_finalize (EddySource *source)
{
    (void) source;
    own_finalized++;
}

static const EddySourceFuncs own_funcs = { own_prepare, own_check, own_dispatch, own_finalize };

TORTURE_SCENARIO (source_own)
{
    Seen seen = { .wanted = 3 };
    torture_begin ();
    EddyContext *context = torture_context_begin ();
    EddySource *source = context == NULL ? NULL : eddy_source_new (&own_funcs, sizeof (int));
    if (context != NULL && source_start (source, seen_call, &seen)) {
        torture_run_until (context, &seen.calls, 3);
        torture_run_until (context, &seen.destroyed, 1);
    }
    torture_context_end (context);
    torture_require (own_finalized == (source != NULL));
}

/* With an fd and a ready time of its own, and a child that makes it ready, too. */
TORTURE_SCENARIO (source_with_child)
{
    int fds[2];
    Seen seen = { .wanted = 2 };
    torture_require (pipe2 (fds, O_CLOEXEC) == 0 && write (fds[1], "x", 1) == 1);
    torture_begin ();
    EddyContext *context = torture_context_begin ();
    EddySource *source = context == NULL ? NULL : eddy_source_new (&own_funcs, sizeof (int));
    EddySource *child = source == NULL ? NULL : eddy_timeout_source_new (1000);
    if (child != NULL) {
        eddy_source_set_dummy_callback (child);
        if (!eddy_source_add_child_source (source, child))
            torture_refused ("to add a child");
        if (eddy_source_add_fd (source, fds[0], POLLIN) == NULL)
            torture_refused ("to add an fd");
        eddy_source_set_ready_time (source, 0);
        if (source_start (source, seen_call, &seen)) {
            torture_run_until (context, &seen.calls, 2);
            torture_run_until (context, &seen.destroyed, 1);
        }
    } else if (context != NULL) {
        torture_refused ("a source");
        eddy_unref (source);
    }
    eddy_unref (child);
    torture_context_end (context);
    close (fds[0]);
    close (fds[1]);
}

/* ---- In a line ------------------------------------------------------------------------------- */

static void once_call (void *data)
{
    Seen *seen = data;
    seen->calls++;
}

TORTURE_SCENARIO (source_by_id)
{
    Seen seen = { .wanted = 1 }, removed = { .wanted = 1 };
    int added = 0;
    torture_begin ();
    EddyContext *context = torture_context_begin ();
    if (context == NULL)
        return;
    added += eddy_idle_add (seen_call, &seen) != 0;
    added += eddy_timeout_add (1000, seen_call, &seen) != 0;
    added += eddy_idle_add_once (once_call, &seen) != 0;
    added += eddy_timeout_add_once (500, once_call, &seen) != 0;
    if (added < 4)
        torture_refused ("to add a source");
    uint64_t id =
        eddy_timeout_add_full (EDDY_PRIORITY_HIGH, 1000, seen_call, &removed, seen_destroy);
    if (id != 0)
        torture_require (eddy_source_remove (id));
    else
        torture_refused ("to add a source");
    torture_run_until (context, &seen.calls, added);
    torture_end ();
    torture_run_out (context);
    torture_require (seen.calls == added && removed.calls == 0);
    torture_require (id == 0 || removed.destroyed == 1);
    torture_context_end (context);
}

/* ---- Work from other threads ----------------------------------------------------------------- */

typedef struct Letter {
    EddyPost post;
    Seen *seen;
} Letter;

typedef struct Sender {
    EddyContext *context;
    Seen seen;
    Letter letters[POSTS];
} Sender;

static void letter_read (EddyPost *post)
{
    Letter *letter = (Letter *) (void *) post;
    letter->seen->calls++;
}

static void *send_all (void *data)
{
    Sender *sender = data;
    for (int i = 0; i < POSTS; i++) {
        sender->letters[i] =
            (Letter){ { .run = letter_read, .priority = EDDY_PRIORITY_HIGH }, &sender->seen };
        torture_require (eddy_context_post (sender->context, &sender->letters[i].post));
        eddy_context_invoke_full (sender->context, EDDY_PRIORITY_LOW, seen_call, &sender->seen,
                                  seen_destroy);
    }
    return NULL;
}

TORTURE_SCENARIO (loop_posts)
{
    Sender sender = { .seen = { .wanted = 0 } };
    pthread_t thread;
    torture_begin ();
    sender.context = torture_context_begin ();
    if (sender.context == NULL)
        return;
    torture_require (pthread_create (&thread, NULL, send_all, &sender) == 0);
    torture_run_until (sender.context, &sender.seen.destroyed, POSTS);
    pthread_join (thread, NULL);
    torture_require (sender.seen.calls == 2 * POSTS);
    torture_context_end (sender.context);
}

/* ---- By hand --------------------------------------------------------------------------------- */

static void pass_by_hand (EddyContext *context)
{
    struct pollfd fd;
    int64_t timeout_ns;
    int priority;
    eddy_context_prepare (context, &priority);
    int n = eddy_context_query (context, priority, &timeout_ns, &fd, 1);
    torture_require (n <= 1);
    if (timeout_ns != 0 && n == 1)
        poll (&fd, 1, 10);
    if (eddy_context_check (context, priority, &fd, n < 1 ? 0 : 1))
        eddy_context_dispatch (context);
}

TORTURE_SCENARIO (loop_by_hand)
{
    Seen seen = { .wanted = 3 };
    torture_begin ();
    EddyContext *context = torture_context_begin ();
    if (context != NULL && source_start (eddy_timeout_source_new (100000), seen_call, &seen)) {
        for (int i = 0; i < 20 && seen.calls < 3; i++)
            pass_by_hand (context);
        /* Where the fault keeps it from being run by hand, it runs as ever afterwards. */
        if (seen.calls < 3 && !torture_was_hit ())
            torture_fail ("%d of 3 calls came", seen.calls);
        torture_run_until (context, &seen.calls, 3);
    }
    torture_context_end (context);
}
