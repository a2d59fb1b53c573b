/* SPDX-License-Identifier: MIT */
/*
 * Cancellables beyond GIO: children, causes, deadlines.
 */
#include <poll.h>
#include <pthread.h>
#include <sys/wait.h>
#include <unistd.h>

#include "context.h"

#define MILLISECOND INT64_C (1000000)
#define HOUR (INT64_C (3600) * 1000 * MILLISECOND)

static int calls, destroyed;

static void count_call (EddyCancellable *cancellable, void *user_data)
{
    ck_assert (eddy_cancellable_is_cancelled (cancellable));
    (void) user_data;
    __atomic_add_fetch (&calls, 1, __ATOMIC_SEQ_CST);
}

static void count_destroy (void *data)
{
    (void) data;
    destroyed++;
}

static void expect_timed_out (EddyCancellable *cancellable)
{
    EddyError *error = NULL;
    ck_assert (eddy_cancellable_set_error_if_cancelled (cancellable, &error));
    ck_assert_str_eq (eddy_error_get_message (error), "operation timed out");
    eddy_test_expect_error (&error, EDDY_IO_ERROR_TIMED_OUT);
}

/* A default context, which connecting to what has a deadline needs. The one for everybody would be
 * made for that, and stay for good. */
static EddyContext *place_begin (void)
{
    EddyContext *context = eddy_test_context_begin ();
    eddy_context_iteration (context, false);
    return context;
}

/* Runs a context until the cancellable is known to be cancelled, without asking it. */
static void run_until (EddyContext *context, int *count)
{
    while (__atomic_load_n (count, __ATOMIC_SEQ_CST) == 0)
        eddy_context_iteration (context, true);
}

/* ---- children -------------------------------------------------------------------------------- */

EDDY_TEST (D_child_follows_its_parent_and_not_the_other_way)
{
    EddyCancellable *parent = eddy_cancellable_new ();
    EddyCancellable *one = eddy_cancellable_new_child (parent);
    EddyCancellable *other = eddy_cancellable_new_child (parent);
    EddyCancellable *grandchild = eddy_cancellable_new_child (other);
    EddyCancellable *gone = eddy_cancellable_new_child (parent);
    eddy_unref (gone);
    eddy_cancellable_cancel (one);
    ck_assert (!eddy_cancellable_is_cancelled (parent));
    ck_assert (!eddy_cancellable_is_cancelled (other));
    eddy_cancellable_cancel (parent);
    ck_assert (eddy_cancellable_is_cancelled (other));
    ck_assert (eddy_cancellable_is_cancelled (grandchild));
    EddyCancellable *late = eddy_cancellable_new_child (parent);
    ck_assert (eddy_cancellable_is_cancelled (late));
    eddy_unref (late);
    eddy_unref (grandchild);
    eddy_unref (one);
    eddy_unref (other);
    eddy_unref (parent);
}

static void *churn_children (void *parent)
{
    for (int i = 0; i < 2000; i++) {
        EddyCancellable *child = eddy_cancellable_new_child (parent);
        eddy_cancellable_connect (child, count_call, NULL, NULL);
        eddy_unref (child);
    }
    return NULL;
}

EDDY_TEST (D_child_may_die_while_its_parent_cancels)
{
    for (int round = 0; round < 20; round++) {
        EddyCancellable *parent = eddy_cancellable_new ();
        pthread_t thread;
        pthread_create (&thread, NULL, churn_children, parent);
        eddy_cancellable_cancel (parent);
        pthread_join (thread, NULL);
        eddy_unref (parent);
    }
}

static void *cancel_and_let_go (void *cancellable)
{
    eddy_cancellable_cancel (cancellable);
    eddy_unref (cancellable);
    return NULL;
}

/* Parent and child are cancelled at once, each from a thread of its own that also drops them. */
EDDY_TEST (D_child_and_parent_cancelled_together_run_each_handler_once)
{
    enum { ROUNDS = 200 };
    for (int round = 0; round < ROUNDS; round++) {
        EddyCancellable *parent = eddy_cancellable_new ();
        EddyCancellable *child = eddy_cancellable_new_child (parent);
        eddy_cancellable_connect (parent, count_call, NULL, NULL);
        eddy_cancellable_connect (child, count_call, NULL, NULL);
        pthread_t threads[2];
        pthread_create (&threads[0], NULL, cancel_and_let_go, parent);
        pthread_create (&threads[1], NULL, cancel_and_let_go, child);
        pthread_join (threads[0], NULL);
        pthread_join (threads[1], NULL);
        ck_assert_int_le (calls, 2 * (round + 1));
    }
    /* A child that has died before its parent came to it has no handler left to run; each is
     * cancelled by its own thread, so none has. */
    ck_assert_int_eq (calls, 2 * ROUNDS);
}

/* ---- causes ---------------------------------------------------------------------------------- */

EDDY_TEST (D_cause_is_inherited_and_reported)
{
    EddyCancellable *parent = eddy_cancellable_new ();
    EddyCancellable *child = eddy_cancellable_new_child (parent);
    EddyError *error = NULL;
    ck_assert (!eddy_cancellable_set_error_if_cancelled (child, &error));
    ck_assert_ptr_null (eddy_cancellable_get_cause (child));
    EddyError *cause = eddy_error_new ("weather", 3, "the %s has risen", "river");
    eddy_cancellable_cancel_with_cause (parent, cause);
    ck_assert_ptr_eq (eddy_cancellable_get_cause (parent), cause);
    ck_assert_ptr_eq (eddy_cancellable_get_cause (child), cause);
    ck_assert (eddy_cancellable_set_error_if_cancelled (child, &error));
    ck_assert (eddy_error_matches (error, "weather", 3));
    ck_assert_str_eq (eddy_error_get_message (error), "the river has risen");
    eddy_clear_error (&error);
    eddy_unref (child);
    eddy_unref (parent);
}

EDDY_TEST (D_cause_of_the_first_cancel_stays)
{
    EddyCancellable *cancellable = eddy_cancellable_new ();
    eddy_cancellable_cancel (cancellable);
    eddy_cancellable_cancel_with_cause (cancellable, eddy_error_new ("weather", 3, "too late"));
    ck_assert_ptr_null (eddy_cancellable_get_cause (cancellable));
    eddy_cancellable_cancel_with_cause (NULL, eddy_error_new ("weather", 3, "to nobody"));
    ck_assert_ptr_null (eddy_cancellable_get_cause (NULL));
    eddy_unref (cancellable);
}

static void *read_with_cause (void *data, EddyError **error)
{
    char byte;
    ck_assert_int_eq (eddy_fd_read (*(int *) data, &byte, 1, -1, NULL, error), -1);
    return NULL;
}

/* A job that a fiber waits for hears of the scope's cause, too. */
EDDY_TEST (D_cause_reaches_operations_of_every_form)
{
    EddyContext *context = eddy_test_context_begin ();
    int fds[2];
    ck_assert_int_eq (pipe (fds), 0);
    EddyCancellable *cancellable = eddy_cancellable_new ();
    EddyFuture *future = eddy_fd_wait_future (fds[0], POLLIN, EDDY_PRIORITY_DEFAULT, cancellable);
    EddyFuture *fiber = eddy_spawn (context, read_with_cause, &fds[0], NULL);
    eddy_context_iteration (context, false);
    eddy_cancellable_cancel_with_cause (cancellable, eddy_error_new ("weather", 3, "rain"));
    eddy_future_cancel (fiber);
    EddyError *error = NULL;
    ck_assert (!eddy_block_on_complete (context, future, &error));
    ck_assert (eddy_error_matches (error, "weather", 3));
    eddy_clear_error (&error);
    ck_assert (!eddy_block_on_complete (context, fiber, &error));
    eddy_test_expect_error (&error, EDDY_IO_ERROR_CANCELLED);
    ck_assert_int_eq (eddy_fd_wait (fds[0], POLLIN, cancellable, &error), -1);
    ck_assert (eddy_error_matches (error, "weather", 3));
    eddy_clear_error (&error);
    eddy_unref (future);
    eddy_unref (fiber);
    eddy_unref (cancellable);
    close (fds[0]);
    close (fds[1]);
    eddy_test_context_end (context);
}

/* ---- deadlines: the clock -------------------------------------------------------------------- */

EDDY_TEST (D_deadline_none)
{
    EddyCancellable *plain = eddy_cancellable_new ();
    EddyCancellable *never = eddy_cancellable_new_with_timeout (NULL, INT64_MAX);
    ck_assert_int_eq (eddy_cancellable_get_deadline (NULL), INT64_MAX);
    ck_assert_int_eq (eddy_cancellable_get_deadline (plain), INT64_MAX);
    ck_assert_int_eq (eddy_cancellable_get_deadline (never), INT64_MAX);
    ck_assert (!eddy_cancellable_is_cancelled (never));
    eddy_unref (never);
    eddy_unref (plain);
}

EDDY_TEST (D_deadline_cancels_whoever_looks)
{
    EddyContext *context = place_begin ();
    EddyCancellable *cancellable = eddy_cancellable_new_with_timeout (NULL, 2 * MILLISECOND);
    EddyCancellable *child = eddy_cancellable_new_child (cancellable);
    ck_assert_uint_ne (eddy_cancellable_connect (child, count_call, NULL, count_destroy), 0);
    ck_assert_int_eq (eddy_cancellable_get_deadline (child),
                      eddy_cancellable_get_deadline (cancellable));
    while (!eddy_cancellable_is_cancelled (child))
        ;
    ck_assert_int_eq (calls, 1);
    ck_assert_int_eq (destroyed, 1);
    expect_timed_out (cancellable);
    ck_assert_ptr_nonnull (eddy_cancellable_get_cause (child));
    ck_assert_ptr_eq (eddy_cancellable_get_cause (child), eddy_cancellable_get_cause (cancellable));
    eddy_unref (child);
    eddy_unref (cancellable);
    eddy_test_context_end (context);
}

EDDY_TEST (D_deadline_of_zero_has_passed)
{
    EddyContext *context = place_begin ();
    EddyCancellable *cancellable = eddy_cancellable_new_with_timeout (NULL, 0);
    expect_timed_out (cancellable);
    /* As on any cancelled one, the handler is called at once. */
    ck_assert_uint_eq (eddy_cancellable_connect (cancellable, count_call, NULL, NULL), 0);
    ck_assert_int_eq (calls, 1);
    eddy_unref (cancellable);
    eddy_test_context_end (context);
}

EDDY_TEST (D_deadline_is_the_earlier_of_ones_own_and_the_parents)
{
    EddyCancellable *parent = eddy_cancellable_new_with_timeout (NULL, HOUR);
    EddyCancellable *later = eddy_cancellable_new_with_timeout (parent, 2 * HOUR);
    EddyCancellable *sooner = eddy_cancellable_new_with_timeout (parent, 0);
    EddyCancellable *below = eddy_cancellable_new_with_timeout (sooner, INT64_MAX);
    int64_t deadline = eddy_cancellable_get_deadline (parent);
    ck_assert_int_eq (eddy_cancellable_get_deadline (later), deadline);
    ck_assert_int_lt (eddy_cancellable_get_deadline (sooner), deadline);
    ck_assert_int_eq (eddy_cancellable_get_deadline (below),
                      eddy_cancellable_get_deadline (sooner));
    /* Who looks at the one below ends the one whose deadline it was, and nobody above that. */
    expect_timed_out (below);
    ck_assert_ptr_nonnull (eddy_cancellable_get_cause (sooner));
    ck_assert (!eddy_cancellable_is_cancelled (parent));
    ck_assert (!eddy_cancellable_is_cancelled (later));
    eddy_unref (below);
    eddy_unref (sooner);
    eddy_unref (later);
    eddy_unref (parent);
}

EDDY_TEST (D_deadline_does_not_keep_from_cancelling_before)
{
    EddyContext *context = place_begin ();
    EddyCancellable *cancellable = eddy_cancellable_new_with_timeout (NULL, HOUR);
    EddyError *error = NULL;
    eddy_cancellable_connect (cancellable, count_call, NULL, count_destroy);
    eddy_cancellable_cancel (cancellable);
    ck_assert_int_eq (calls, 1);
    ck_assert (eddy_cancellable_set_error_if_cancelled (cancellable, &error));
    eddy_test_expect_error (&error, EDDY_IO_ERROR_CANCELLED);
    eddy_unref (cancellable);
    ck_assert_int_eq (destroyed, 1);
    eddy_test_context_end (context);
}

/* ---- deadlines: the loop --------------------------------------------------------------------- */

EDDY_TEST (D_deadline_calls_handlers_from_the_loop)
{
    EddyContext *context = eddy_test_context_begin ();
    EddyCancellable *cancellable = eddy_cancellable_new_with_timeout (NULL, 2 * MILLISECOND);
    ck_assert_uint_ne (eddy_cancellable_connect (cancellable, count_call, NULL, NULL), 0);
    ck_assert_int_eq (calls, 0);
    run_until (context, &calls);
    expect_timed_out (cancellable);
    eddy_unref (cancellable);
    eddy_test_context_end (context);
}

/* Connected and disconnected, or dead, before it comes: nothing is left behind in the context. */
EDDY_TEST (D_deadline_of_what_is_gone_calls_nobody)
{
    EddyContext *context = eddy_test_context_begin ();
    EddyCancellable *kept = eddy_cancellable_new_with_timeout (NULL, MILLISECOND);
    EddyCancellable *dead = eddy_cancellable_new_with_timeout (NULL, MILLISECOND);
    EddyCancellable *last = eddy_cancellable_new_with_timeout (NULL, 5 * MILLISECOND);
    uint64_t id = eddy_cancellable_connect (kept, count_call, NULL, count_destroy);
    eddy_cancellable_connect (dead, count_call, NULL, count_destroy);
    eddy_cancellable_disconnect (kept, id);
    eddy_unref (dead);
    ck_assert_int_eq (destroyed, 2);
    while (!eddy_cancellable_is_cancelled (last))
        eddy_context_iteration (context, false);
    ck_assert_int_eq (calls, 0);
    eddy_unref (last);
    eddy_unref (kept);
    eddy_test_context_end (context);
}

static bool source_called (EddyCancellable *cancellable, void *user_data)
{
    count_call (cancellable, user_data);
    return EDDY_SOURCE_REMOVE;
}

EDDY_TEST (D_deadline_makes_a_source_ready)
{
    EddyContext *context = eddy_test_context_begin ();
    EddyCancellable *cancellable = eddy_cancellable_new_with_timeout (NULL, 2 * MILLISECOND);
    EddySource *source = eddy_cancellable_source_new (cancellable);
    eddy_source_set_callback (source, EDDY_SOURCE_FUNC (source_called), NULL, NULL);
    ck_assert_uint_ne (eddy_source_attach (source, context), 0);
    run_until (context, &calls);
    expect_timed_out (cancellable);
    ck_assert (eddy_source_is_destroyed (source));
    eddy_unref (source);
    eddy_unref (cancellable);
    eddy_test_context_end (context);
}

static void *connect_and_let_go (void *cancellable)
{
    for (int i = 0; i < 1000; i++) {
        uint64_t id = eddy_cancellable_connect (cancellable, count_call, NULL, NULL);
        eddy_cancellable_disconnect (cancellable, id);
        EddyCancellable *own = eddy_cancellable_new_with_timeout (cancellable, 100000);
        eddy_cancellable_connect (own, count_call, NULL, NULL);
        eddy_unref (own);
    }
    return NULL;
}

/* Threads without a context of their own use the default one, which another one runs: they connect,
 * disconnect and let cancellables die while deadlines come. */
static void race_in_the_default_context (void)
{
    EddyCancellable *cancellable = eddy_cancellable_new_with_timeout (NULL, 20 * MILLISECOND);
    pthread_t threads[2];
    eddy_cancellable_connect (cancellable, count_call, NULL, NULL);
    pthread_create (&threads[0], NULL, connect_and_let_go, cancellable);
    pthread_create (&threads[1], NULL, connect_and_let_go, cancellable);
    while (__atomic_load_n (&calls, __ATOMIC_SEQ_CST) == 0 ||
           eddy_cancellable_get_cause (cancellable) == NULL)
        eddy_context_iteration (NULL, false);
    pthread_join (threads[0], NULL);
    pthread_join (threads[1], NULL);
    expect_timed_out (cancellable);
    eddy_unref (cancellable);
}

/* Only another thread connects, while this one sleeps in its loop: it is woken in time. */
static void *connect_only (void *cancellable)
{
    eddy_cancellable_connect (cancellable, count_call, NULL, NULL);
    return NULL;
}

static void wake_the_default_context (void)
{
    EddyCancellable *cancellable = eddy_cancellable_new_with_timeout (NULL, 20 * MILLISECOND);
    pthread_t thread;
    pthread_create (&thread, NULL, connect_only, cancellable);
    calls = 0;
    run_until (NULL, &calls);
    pthread_join (thread, NULL);
    expect_timed_out (cancellable);
    eddy_unref (cancellable);
}

/* That context lives as long as the process: so in a process of its own. */
EDDY_TEST_TIMEOUT (D_deadline_races_with_connecting_and_dying_in_other_threads, 4)
{
    pid_t child = fork ();
    ck_assert_int_ge (child, 0);
    if (child == 0) {
        race_in_the_default_context ();
        wake_the_default_context ();
        _exit (0);
    }
    int status = -1;
    ck_assert_int_eq (waitpid (child, &status, 0), child);
    ck_assert_int_eq (status, 0);
}

/* ---- deadlines: operations ------------------------------------------------------------------- */

EDDY_TEST (D_deadline_ends_operations_in_every_form)
{
    EddyContext *context = eddy_test_context_begin ();
    EddyError *error = NULL;
    int fds[2];
    ck_assert_int_eq (pipe (fds), 0);
    EddyCancellable *cancellable = eddy_cancellable_new_with_timeout (NULL, 3 * MILLISECOND);
    EddyFuture *future = eddy_fd_wait_future (fds[0], POLLIN, EDDY_PRIORITY_DEFAULT, cancellable);
    ck_assert (!eddy_block_on_complete (context, future, &error));
    eddy_test_expect_error (&error, EDDY_IO_ERROR_TIMED_OUT);
    eddy_unref (future);
    eddy_unref (cancellable);
    /* In this thread, without any loop. */
    char byte;
    cancellable = eddy_cancellable_new_with_timeout (NULL, 3 * MILLISECOND);
    ck_assert_int_eq (eddy_fd_read (fds[0], &byte, 1, -1, cancellable, &error), -1);
    eddy_test_expect_error (&error, EDDY_IO_ERROR_TIMED_OUT);
    /* One that could be done at once, too late. */
    ck_assert_int_eq (write (fds[1], "x", 1), 1);
    ck_assert_int_eq (eddy_fd_read (fds[0], &byte, 1, -1, cancellable, &error), -1);
    eddy_test_expect_error (&error, EDDY_IO_ERROR_TIMED_OUT);
    eddy_unref (cancellable);
    close (fds[0]);
    close (fds[1]);
    eddy_test_context_end (context);
}

static void *await_with_deadline (void *data, EddyError **error)
{
    const int *fds = data;
    char byte;
    EddyCancellable *cancellable = eddy_cancellable_new_with_timeout (NULL, 2 * MILLISECOND);
    ck_assert_int_eq (eddy_fd_read (fds[0], &byte, 1, -1, cancellable, error), -1);
    eddy_test_expect_error (error, EDDY_IO_ERROR_TIMED_OUT);
    ck_assert (!eddy_cancellable_is_cancelled (eddy_fiber_get_cancellable ()));
    /* The fiber itself goes on. */
    ck_assert (eddy_fiber_sleep (1, error));
    eddy_unref (cancellable);
    return NULL;
}

EDDY_TEST (D_deadline_ends_an_await_and_not_its_fiber)
{
    EddyContext *context = eddy_test_context_begin ();
    int fds[2];
    ck_assert_int_eq (pipe (fds), 0);
    eddy_test_run_fiber (context, await_with_deadline, fds);
    close (fds[0]);
    close (fds[1]);
    eddy_test_context_end (context);
}

/* Every operation has a deadline of its own; they come in one tick, and end at once. */
EDDY_TEST (D_deadline_of_each_of_ten_thousand_operations)
{
    const int n = eddy_test_sanitized () ? 1000 : 10000;
    EddyContext *context = eddy_test_context_begin ();
    EddyCancellable *parent = eddy_cancellable_new ();
    EddyFuture **futures = calloc ((size_t) n, sizeof *futures);
    int fds[2];
    ck_assert_int_eq (pipe (fds), 0);
    for (int i = 0; i < n; i++) {
        EddyCancellable *own = eddy_cancellable_new_with_timeout (parent, 30 * MILLISECOND);
        futures[i] = eddy_fd_wait_future (fds[0], POLLIN, EDDY_PRIORITY_DEFAULT, own);
        eddy_unref (own);
    }
    EddyContextStatistics before, after;
    eddy_context_iteration (context, false);
    eddy_context_get_statistics (context, &before);
    for (int i = 0; i < n; i++) {
        EddyError *error = NULL;
        ck_assert (!eddy_block_on_complete (context, futures[i], &error));
        eddy_test_expect_error (&error, EDDY_IO_ERROR_TIMED_OUT);
        eddy_unref (futures[i]);
    }
    eddy_context_get_statistics (context, &after);
    ck_assert (!eddy_cancellable_is_cancelled (parent));
    ck_assert_uint_lt (after.waits - before.waits, (uint64_t) n);
    free (futures);
    close (fds[0]);
    close (fds[1]);
    eddy_unref (parent);
    eddy_test_context_end (context);
}

/* ---- deadlines: the fd ----------------------------------------------------------------------- */

EDDY_TEST (D_deadline_makes_the_fd_readable_without_a_loop)
{
    EddyCancellable *cancellable = eddy_cancellable_new_with_timeout (NULL, 3 * MILLISECOND);
    struct pollfd pollfd;
    ck_assert (eddy_cancellable_make_pollfd (cancellable, &pollfd));
    ck_assert_int_eq (poll (&pollfd, 1, 10000), 1);
    ck_assert (eddy_cancellable_is_cancelled (cancellable));
    expect_timed_out (cancellable);
    ck_assert_int_eq (poll (&pollfd, 1, 0), 1);
    eddy_cancellable_release_fd (cancellable);
    eddy_unref (cancellable);
}

EDDY_TEST (D_deadline_or_a_cancel_before_it_makes_the_fd_readable)
{
    EddyCancellable *cancellable = eddy_cancellable_new_with_timeout (NULL, HOUR);
    struct pollfd pollfd;
    ck_assert (eddy_cancellable_make_pollfd (cancellable, &pollfd));
    ck_assert_int_eq (poll (&pollfd, 1, 0), 0);
    eddy_cancellable_cancel (cancellable);
    ck_assert_int_eq (poll (&pollfd, 1, 0), 1);
    eddy_cancellable_release_fd (cancellable);
    /* Made again after the cancel. */
    ck_assert (eddy_cancellable_make_pollfd (cancellable, &pollfd));
    ck_assert_int_eq (poll (&pollfd, 1, 0), 1);
    eddy_cancellable_release_fd (cancellable);
    eddy_unref (cancellable);
}
