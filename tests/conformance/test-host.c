/* SPDX-License-Identifier: MIT */
/*
 * A context in a plain poll loop: everything it can do, and no wakeup without a reason.
 */
#include <errno.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "host.h"

static int64_t now_ms (void)
{
    struct timespec now;
    clock_gettime (CLOCK_MONOTONIC, &now);
    return now.tv_sec * INT64_C (1000) + now.tv_nsec / 1000000;
}

/* Waits once, for so long at most, and iterates if it was woken. */
static bool wait_once (Host *host, int milliseconds)
{
    struct pollfd fd = { host->fd, POLLIN, 0 };
    int n;
    do /* a signal may meet this thread */
        n = poll (&fd, 1, milliseconds);
    while (n < 0 && errno == EINTR);
    if (n == 1)
        host_iterate (host);
    return n == 1;
}

static void poll_run (Host *host, const bool *done)
{
    while (!*done)
        ck_assert_msg (wait_once (host, 5000), "nothing woke the foreign loop");
}

static void poll_run_for (Host *host, int milliseconds)
{
    int64_t end = now_ms () + milliseconds;
    for (int64_t left; (left = end - now_ms ()) > 0;)
        wait_once (host, (int) left);
}

static Host poll_begin (void)
{
    Host host = host_begin ();
    host.run = poll_run;
    host.run_for = poll_run_for;
    return host;
}

EDDY_TEST (D_host_in_a_poll_loop)
{
    Host host = poll_begin ();
    host_check_everything (&host);
    host_end (&host);
}

EDDY_TEST_TIMEOUT (D_host_idle_for_ten_seconds_is_not_woken, 40)
{
    Host host = poll_begin ();
    host_check_idle (&host, (int) eddy_test_reduced (10000, 1000, "idle milliseconds"));
    host_end (&host);
}

static bool add_one (void *data)
{
    ++*(int *) data;
    return false;
}

/* The fd is level-triggered: readable as long as there is anything to do, and not longer. */
EDDY_TEST (D_host_fd_is_readable_while_there_is_work)
{
    Host host = poll_begin ();
    int runs = 0;
    EddySource *urgent = eddy_idle_source_new (), *late = eddy_idle_source_new ();
    host_iterate (&host);
    ck_assert (!host_is_readable (&host));
    eddy_source_set_callback (urgent, add_one, &runs, NULL);
    eddy_source_set_priority (urgent, EDDY_PRIORITY_HIGH);
    eddy_source_set_callback (late, add_one, &runs, NULL);
    ck_assert (eddy_source_attach (urgent, NULL));
    ck_assert (eddy_source_attach (late, NULL));
    ck_assert (host_is_readable (&host));
    ck_assert (eddy_context_iteration (host.context, false));
    ck_assert_int_eq (runs, 1);
    ck_assert (host_is_readable (&host)); /* for who iterates once a wakeup */
    ck_assert (eddy_context_iteration (host.context, false));
    ck_assert_int_eq (runs, 2);
    ck_assert (!eddy_context_iteration (host.context, false));
    ck_assert (!host_is_readable (&host));
    eddy_context_wakeup (host.context);
    ck_assert (host_is_readable (&host));
    ck_assert (!eddy_context_iteration (host.context, false));
    ck_assert (!host_is_readable (&host));
    eddy_unref (urgent);
    eddy_unref (late);
    host_end (&host);
}

static bool set_true (void *data)
{
    *(bool *) data = true;
    return false;
}

/* A hosted context may be run by its own loop, too, and sleeps there as usual. */
EDDY_TEST (D_host_context_still_runs_by_itself)
{
    Host host = poll_begin ();
    EddyContextStatistics before, after;
    for (int i = 0; i < 3; i++) {
        bool fired = false;
        EddySource *timeout = eddy_timeout_source_new (20000000);
        eddy_source_set_callback (timeout, set_true, &fired, NULL);
        ck_assert (eddy_source_attach (timeout, NULL));
        eddy_context_get_statistics (host.context, &before);
        while (!fired)
            eddy_context_iteration (host.context, true);
        eddy_context_get_statistics (host.context, &after);
        ck_assert_uint_le (after.waits - before.waits, 20);
        eddy_unref (timeout);
        host_iterate (&host);
        ck_assert (!host_is_readable (&host));
    }
    host_check_everything (&host);
    host_end (&host);
}

typedef struct Letter {
    EddyPost post;
    int *runs;
} Letter;

static void letter_run (EddyPost *post)
{
    ++*((Letter *) post)->runs;
}

typedef struct Poster {
    EddyContext *context;
    Letter *letters;
    int count;
} Poster;

static void *post_many (void *data)
{
    const Poster *poster = data;
    for (int i = 0; i < poster->count; i++)
        eddy_context_post (poster->context, &poster->letters[i].post);
    return NULL;
}

/* Many posters against a loop that is just going to sleep: no wakeup is lost. */
EDDY_TEST (D_host_loses_no_wakeup)
{
    enum { POSTERS = 3 };
    Host host = poll_begin ();
    int count = (int) eddy_test_reduced (50000, 5000, "posts to a foreign loop"), runs = 0;
    pthread_t threads[POSTERS];
    Poster posters[POSTERS];
    Letter *letters = calloc ((size_t) (POSTERS * count), sizeof *letters);
    ck_assert_ptr_nonnull (letters);
    for (int i = 0; i < POSTERS * count; i++)
        letters[i] = (Letter){ { .run = letter_run, .priority = EDDY_PRIORITY_DEFAULT }, &runs };
    for (int i = 0; i < POSTERS; i++) {
        posters[i] = (Poster){ host.context, letters + i * count, count };
        ck_assert_int_eq (pthread_create (&threads[i], NULL, post_many, &posters[i]), 0);
    }
    while (runs < POSTERS * count)
        ck_assert_msg (wait_once (&host, 5000), "%d of %d ran, and nothing woke the foreign loop",
                       runs, POSTERS * count);
    for (int i = 0; i < POSTERS; i++)
        pthread_join (threads[i], NULL);
    free (letters);
    host_iterate (&host);
    ck_assert (!host_is_readable (&host));
    host_end (&host);
}

static void *run_elsewhere (void *data)
{
    Host *host = data;
    ck_assert (eddy_context_push_thread_default (host->context));
    ck_assert_int_eq (eddy_context_get_fd (host->context), host->fd);
    host_check_everything (host);
    eddy_context_pop_thread_default (host->context);
    return NULL;
}

/* Another thread means another engine, but the fd is the same, and still tells. */
EDDY_TEST (D_host_fd_stays_when_the_thread_changes)
{
    Host host = poll_begin ();
    pthread_t thread;
    host_check_everything (&host);
    eddy_context_pop_thread_default (host.context);
    ck_assert_int_eq (pthread_create (&thread, NULL, run_elsewhere, &host), 0);
    pthread_join (thread, NULL);
    ck_assert (eddy_context_push_thread_default (host.context));
    host_check_everything (&host);
    host_end (&host);
}

typedef struct Taken {
    int64_t value;
    EddyError *error;
    bool done;
} Taken;

static void take_wait (void *source, EddyAsyncResult *result, void *data)
{
    Taken *taken = data;
    (void) source;
    taken->value = eddy_fd_wait_finish (result, &taken->error);
    taken->done = true;
}

/* What is in flight when the fd is asked for is told by it: also an eventfd, and a cancel that
 * meets the move. */
EDDY_TEST (D_host_takes_over_what_is_under_way)
{
    enum { N = 4 };
    EddyContext *context = eddy_test_context_begin ();
    EddyCancellable *cancellable = eddy_cancellable_new ();
    int fds[N];
    Taken taken[N] = { { .value = 0 } };
    for (int i = 0; i < N; i++) {
        fds[i] = eventfd (0, EFD_CLOEXEC | EFD_NONBLOCK);
        eddy_fd_wait_async (fds[i], POLLIN, 0, i == 1 || i == 3 ? cancellable : NULL, take_wait,
                            &taken[i]);
        if (i < 2)
            eddy_context_iteration (context, false);
    }
    Host host = { .context = context, .fd = eddy_context_get_fd (context), .run = poll_run };
    ck_assert_int_ge (host.fd, 0);
    eddy_cancellable_cancel (cancellable);
    host.run (&host, &taken[1].done);
    host.run (&host, &taken[3].done);
    eddy_test_expect_error (&taken[1].error, EDDY_IO_ERROR_CANCELLED);
    eddy_test_expect_error (&taken[3].error, EDDY_IO_ERROR_CANCELLED);
    host_iterate (&host);
    ck_assert (!host_is_readable (&host));
    ck_assert (!taken[0].done && !taken[2].done);
    for (int i = 0; i < N; i += 2) {
        ck_assert_int_eq (eventfd_write (fds[i], 1), 0);
        host.run (&host, &taken[i].done);
        ck_assert_int_eq (taken[i].value, POLLIN);
    }
    for (int i = 0; i < N; i++)
        close (fds[i]);
    eddy_unref (cancellable);
    host_end (&host);
}

static void *yield_until (void *data, EddyError **error)
{
    const Taken *taken = data;
    (void) error;
    while (!taken->done)
        eddy_fiber_yield ();
    return NULL;
}

/* Fibers that are always ready do not keep a hosted context from looking at its fds. */
EDDY_TEST (D_host_looks_while_fibers_yield)
{
    Host host = poll_begin ();
    Taken taken = { .value = 0 };
    int fd = eventfd (0, EFD_CLOEXEC | EFD_NONBLOCK);
    eddy_fd_wait_async (fd, POLLIN, 0, NULL, take_wait, &taken);
    EddyFuture *fiber = eddy_spawn (NULL, yield_until, &taken, NULL);
    for (int i = 0; i < 10; i++)
        eddy_context_iteration (host.context, false);
    ck_assert (!taken.done);
    ck_assert_int_eq (eventfd_write (fd, 1), 0);
    poll_run (&host, &taken.done);
    ck_assert (eddy_block_on_complete (host.context, fiber, NULL));
    eddy_unref (fiber);
    close (fd);
    host_end (&host);
}
