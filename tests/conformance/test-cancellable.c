/* SPDX-License-Identifier: MIT */
/*
 * Cancellables as GIO has them: the flag, handlers, the fd, the source, the current one. Each name
 * begins with its point. What Eddy has beyond that is in test-deadline.c.
 */
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <unistd.h>

#include "context.h"

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
    __atomic_add_fetch (&destroyed, 1, __ATOMIC_SEQ_CST);
}

static void *cancel_in_thread (void *cancellable)
{
    eddy_cancellable_cancel (cancellable);
    return NULL;
}

/* ---- the flag -------------------------------------------------------------------------------- */

EDDY_TEST (C1_null_is_never_cancelled)
{
    struct pollfd pollfd;
    eddy_cancellable_cancel (NULL);
    ck_assert (!eddy_cancellable_is_cancelled (NULL));
    ck_assert (!eddy_cancellable_set_error_if_cancelled (NULL, NULL));
    ck_assert_uint_eq (eddy_cancellable_connect (NULL, count_call, NULL, count_destroy), 0);
    ck_assert_int_eq (destroyed, 1);
    eddy_cancellable_disconnect (NULL, 5);
    ck_assert_int_eq (eddy_cancellable_get_fd (NULL), -1);
    ck_assert (!eddy_cancellable_make_pollfd (NULL, &pollfd));
    ck_assert_int_eq (poll (&pollfd, 1, 0), 0);
    eddy_cancellable_release_fd (NULL);
}

EDDY_TEST (C1_flag_stays_and_is_raised_once_by_many_threads)
{
    enum { THREADS = 4 };
    for (int round = 0; round < 50; round++) {
        EddyCancellable *cancellable = eddy_cancellable_new ();
        pthread_t threads[THREADS];
        calls = 0;
        eddy_cancellable_connect (cancellable, count_call, NULL, NULL);
        for (int i = 0; i < THREADS; i++)
            pthread_create (&threads[i], NULL, cancel_in_thread, cancellable);
        for (int i = 0; i < THREADS; i++)
            pthread_join (threads[i], NULL);
        ck_assert (eddy_cancellable_is_cancelled (cancellable));
        ck_assert_int_eq (calls, 1);
        eddy_unref (cancellable);
    }
}

EDDY_TEST (C1_cancel_again_does_nothing)
{
    EddyCancellable *cancellable = eddy_cancellable_new ();
    eddy_cancellable_connect (cancellable, count_call, NULL, NULL);
    for (int i = 0; i < 3; i++)
        eddy_cancellable_cancel (cancellable);
    ck_assert_int_eq (calls, 1);
    ck_assert (eddy_cancellable_is_cancelled (cancellable));
    eddy_unref (cancellable);
}

static pthread_t called_in;

static void note_thread (EddyCancellable *cancellable, void *user_data)
{
    count_call (cancellable, user_data);
    called_in = pthread_self ();
}

EDDY_TEST (C2_cancel_raises_the_flag_then_calls_handlers_in_its_thread)
{
    EddyCancellable *cancellable = eddy_cancellable_new ();
    pthread_t thread;
    ck_assert_uint_ne (eddy_cancellable_connect (cancellable, note_thread, NULL, NULL), 0);
    pthread_create (&thread, NULL, cancel_in_thread, cancellable);
    pthread_join (thread, NULL);
    ck_assert_int_eq (calls, 1);
    ck_assert (pthread_equal (called_in, thread));
    eddy_cancellable_cancel (cancellable);
    ck_assert_int_eq (calls, 1);
    eddy_unref (cancellable);
}

static void cancel_again (EddyCancellable *cancellable, void *user_data)
{
    (void) user_data;
    calls++;
    eddy_cancellable_cancel (cancellable);
}

EDDY_TEST (C3_cancel_in_a_handler_does_nothing)
{
    EddyCancellable *cancellable = eddy_cancellable_new ();
    eddy_cancellable_connect (cancellable, cancel_again, NULL, NULL);
    eddy_cancellable_connect (cancellable, cancel_again, NULL, NULL);
    eddy_cancellable_cancel (cancellable);
    ck_assert_int_eq (calls, 2);
    eddy_unref (cancellable);
}

/* One cancellable, many operations in one context: each ends once. */
EDDY_TEST (C4_many_operations_end_by_one_cancel)
{
    enum { N = 500 };
    EddyContext *context = eddy_test_context_begin ();
    EddyCancellable *cancellable = eddy_cancellable_new ();
    EddyFuture *futures[N];
    int fds[2];
    ck_assert_int_eq (pipe (fds), 0);
    for (int i = 0; i < N; i++)
        futures[i] = eddy_fd_wait_future (fds[0], POLLIN, EDDY_PRIORITY_DEFAULT, cancellable);
    eddy_context_iteration (context, false);
    pthread_t thread;
    pthread_create (&thread, NULL, cancel_in_thread, cancellable);
    for (int i = 0; i < N; i++) {
        EddyError *error = NULL;
        ck_assert (!eddy_block_on_complete (context, futures[i], &error));
        eddy_test_expect_error (&error, EDDY_IO_ERROR_CANCELLED);
        eddy_unref (futures[i]);
    }
    pthread_join (thread, NULL);
    close (fds[0]);
    close (fds[1]);
    eddy_unref (cancellable);
    eddy_test_context_end (context);
}

static void *wait_in_thread (void *data)
{
    void **arguments = data;
    EddyError *error = NULL;
    ck_assert_int_eq (eddy_fd_wait (*(int *) arguments[0], POLLIN, arguments[1], &error), -1);
    eddy_test_expect_error (&error, EDDY_IO_ERROR_CANCELLED);
    return NULL;
}

EDDY_TEST (C4_threads_that_block_end_by_one_cancel)
{
    enum { N = 4 };
    EddyCancellable *cancellable = eddy_cancellable_new ();
    pthread_t threads[N];
    int fds[2];
    ck_assert_int_eq (pipe (fds), 0);
    void *arguments[2] = { &fds[0], cancellable };
    for (int i = 0; i < N; i++)
        pthread_create (&threads[i], NULL, wait_in_thread, arguments);
    eddy_cancellable_cancel (cancellable);
    for (int i = 0; i < N; i++)
        pthread_join (threads[i], NULL);
    eddy_unref (cancellable);
    close (fds[0]);
    close (fds[1]);
}

/* ---- handlers -------------------------------------------------------------------------------- */

EDDY_TEST (C5_connect_when_cancelled_calls_at_once)
{
    EddyCancellable *cancellable = eddy_cancellable_new ();
    eddy_cancellable_cancel (cancellable);
    ck_assert_uint_eq (eddy_cancellable_connect (cancellable, note_thread, NULL, count_destroy), 0);
    ck_assert_int_eq (calls, 1);
    ck_assert_int_eq (destroyed, 1);
    ck_assert (pthread_equal (called_in, pthread_self ()));
    eddy_unref (cancellable);
}

/* Whichever comes first, the handler is called once: by the cancel, or by the connect. */
EDDY_TEST (C5_connect_while_another_thread_cancels)
{
    for (int round = 0; round < 500; round++) {
        EddyCancellable *cancellable = eddy_cancellable_new ();
        pthread_t thread;
        calls = destroyed = 0;
        pthread_create (&thread, NULL, cancel_in_thread, cancellable);
        for (int i = 0; i < 5; i++)
            eddy_cancellable_connect (cancellable, count_call, NULL, count_destroy);
        pthread_join (thread, NULL);
        ck_assert_int_eq (calls, 5);
        ck_assert_int_eq (destroyed, 5);
        eddy_unref (cancellable);
    }
}

EDDY_TEST (C6_data_is_destroyed_once)
{
    EddyCancellable *cancellable = eddy_cancellable_new ();
    uint64_t kept = eddy_cancellable_connect (cancellable, count_call, NULL, count_destroy);
    uint64_t gone = eddy_cancellable_connect (cancellable, count_call, NULL, count_destroy);
    ck_assert_uint_ne (kept, 0);
    ck_assert_uint_ne (gone, 0);
    eddy_cancellable_disconnect (cancellable, gone);
    ck_assert_int_eq (destroyed, 1);
    eddy_cancellable_cancel (cancellable);
    ck_assert_int_eq (calls, 1);
    ck_assert_int_eq (destroyed, 2);
    eddy_cancellable_disconnect (cancellable, kept);
    eddy_unref (cancellable);
    ck_assert_int_eq (destroyed, 2);
    cancellable = eddy_cancellable_new ();
    eddy_cancellable_connect (cancellable, count_call, NULL, count_destroy);
    eddy_unref (cancellable);
    ck_assert_int_eq (calls, 1);
    ck_assert_int_eq (destroyed, 3);
}

typedef struct Slow {
    sem_t entered;
    sem_t go_on;
    int left; /* atomic */
} Slow;

static void slow_handler (EddyCancellable *cancellable, void *user_data)
{
    Slow *slow = user_data;
    (void) cancellable;
    sem_post (&slow->entered);
    sem_wait (&slow->go_on);
}

static void slow_leave (void *user_data)
{
    Slow *slow = user_data;
    usleep (1000); /* not to order anything: to give a disconnect that is too early its chance */
    __atomic_store_n (&slow->left, 1, __ATOMIC_SEQ_CST);
}

static void slow_destroy (void *user_data)
{
    slow_handler (NULL, user_data);
    slow_leave (user_data);
}

static void *let_go_on (void *slow)
{
    sem_post (&((Slow *) slow)->go_on);
    return NULL;
}

/* Disconnects while another thread is in the handler, or in what destroys its data. */
static void disconnect_slow (EddyCancelledFunc function, void (*destroy) (void *user_data))
{
    EddyCancellable *cancellable = eddy_cancellable_new ();
    Slow slow = { .left = 0 };
    pthread_t canceller, helper;
    sem_init (&slow.entered, 0, 0);
    sem_init (&slow.go_on, 0, 0);
    uint64_t id = eddy_cancellable_connect (cancellable, function, &slow, destroy);
    pthread_create (&canceller, NULL, cancel_in_thread, cancellable);
    sem_wait (&slow.entered);
    pthread_create (&helper, NULL, let_go_on, &slow);
    eddy_cancellable_disconnect (cancellable, id);
    ck_assert_int_eq (__atomic_load_n (&slow.left, __ATOMIC_SEQ_CST), 1);
    eddy_cancellable_disconnect (cancellable, 0);
    eddy_cancellable_disconnect (cancellable, id + 1);
    pthread_join (canceller, NULL);
    pthread_join (helper, NULL);
    eddy_unref (cancellable);
}

EDDY_TEST (C7_disconnect_waits_for_a_handler_in_another_thread)
{
    disconnect_slow (slow_handler, slow_leave);
    disconnect_slow (count_call, slow_destroy);
}

static void touch (EddyCancellable *cancellable, void *user_data)
{
    (void) cancellable;
    *(char *) user_data = 'x';
}

/* What a handler uses is freed right after its disconnect, while another thread cancels. */
EDDY_TEST (C7_data_may_be_freed_after_disconnect)
{
    for (int round = 0; round < 500; round++) {
        EddyCancellable *cancellable = eddy_cancellable_new ();
        char *data = eddy_strdup ("a");
        pthread_t thread;
        uint64_t id = eddy_cancellable_connect (cancellable, touch, data, NULL);
        pthread_create (&thread, NULL, cancel_in_thread, cancellable);
        eddy_cancellable_disconnect (cancellable, id);
        eddy_free (data);
        pthread_join (thread, NULL);
        eddy_unref (cancellable);
    }
}

static uint64_t own_id, other_id;

static void do_everything (EddyCancellable *cancellable, void *user_data)
{
    struct pollfd pollfd;
    (void) user_data;
    calls++;
    eddy_cancellable_disconnect (cancellable, own_id);
    eddy_cancellable_disconnect (cancellable, other_id);
    ck_assert_uint_eq (eddy_cancellable_connect (cancellable, count_call, NULL, NULL), 0);
    ck_assert (eddy_cancellable_make_pollfd (cancellable, &pollfd));
    ck_assert_int_eq (poll (&pollfd, 1, 0), 1);
    eddy_cancellable_release_fd (cancellable);
    EddyCancellable *child = eddy_cancellable_new_child (cancellable);
    ck_assert (eddy_cancellable_is_cancelled (child));
    eddy_unref (child);
}

EDDY_TEST (C8_handler_may_call_anything)
{
    EddyCancellable *cancellable = eddy_cancellable_new ();
    own_id = eddy_cancellable_connect (cancellable, do_everything, NULL, count_destroy);
    other_id = eddy_cancellable_connect (cancellable, count_call, NULL, count_destroy);
    eddy_cancellable_cancel (cancellable);
    ck_assert_int_eq (calls, 2);
    ck_assert_int_eq (destroyed, 2);
    eddy_unref (cancellable);
}

typedef struct Pair {
    EddyCancellable *other;
    uint64_t other_id;
    pthread_barrier_t *both;
} Pair;

static void disconnect_other (EddyCancellable *cancellable, void *user_data)
{
    Pair *pair = user_data;
    (void) cancellable;
    pthread_barrier_wait (pair->both);
    eddy_cancellable_disconnect (pair->other, pair->other_id);
    pthread_barrier_wait (pair->both);
}

/* Two handlers in two threads, each of which disconnects the other while it runs. */
EDDY_TEST (C8_handlers_that_disconnect_each_other_do_not_wait)
{
    EddyCancellable *one = eddy_cancellable_new ();
    EddyCancellable *other = eddy_cancellable_new ();
    pthread_barrier_t both;
    pthread_t thread;
    pthread_barrier_init (&both, NULL, 2);
    Pair of_one = { other, 0, &both }, of_other = { one, 0, &both };
    of_other.other_id = eddy_cancellable_connect (one, disconnect_other, &of_one, NULL);
    of_one.other_id = eddy_cancellable_connect (other, disconnect_other, &of_other, NULL);
    ck_assert (of_one.other_id != 0 && of_other.other_id != 0); /* each waits for the other */
    pthread_create (&thread, NULL, cancel_in_thread, one);
    eddy_cancellable_cancel (other);
    pthread_join (thread, NULL);
    pthread_barrier_destroy (&both);
    eddy_unref (other);
    eddy_unref (one);
}

static void drop (EddyCancellable *cancellable, void *user_data)
{
    eddy_unref (user_data);
    ck_assert (eddy_cancellable_is_cancelled (cancellable));
    calls++;
}

static void drop_destroy (void *user_data)
{
    eddy_unref (user_data);
    destroyed++;
}

EDDY_TEST (C9_handler_may_drop_the_last_reference)
{
    EddyCancellable *cancellable = eddy_cancellable_new ();
    eddy_cancellable_connect (cancellable, drop, cancellable, NULL);
    eddy_cancellable_connect (cancellable, count_call, NULL, count_destroy);
    eddy_cancellable_cancel (cancellable);
    ck_assert_int_eq (calls, 2);
    ck_assert_int_eq (destroyed, 1);
    /* What destroys the data may, too; also when the handler is called by connect. */
    cancellable = eddy_cancellable_new ();
    eddy_cancellable_connect (cancellable, count_call, cancellable, drop_destroy);
    eddy_cancellable_cancel (cancellable);
    cancellable = eddy_cancellable_new ();
    eddy_cancellable_cancel (cancellable);
    eddy_cancellable_connect (cancellable, count_call, cancellable, drop_destroy);
    cancellable = eddy_cancellable_new ();
    eddy_cancellable_cancel (cancellable);
    eddy_cancellable_connect (cancellable, drop, cancellable, NULL);
    ck_assert_int_eq (destroyed, 3);
    ck_assert_int_eq (calls, 5);
}

/* Whatever happens to it later, it stays cancelled, and no handler is called a second time. */
EDDY_TEST (C10_cancelled_once_and_for_all)
{
    EddyCancellable *cancellable = eddy_cancellable_new ();
    eddy_cancellable_connect (cancellable, count_call, NULL, count_destroy);
    for (int i = 1; i <= 3; i++) {
        eddy_cancellable_cancel (cancellable);
        ck_assert (eddy_cancellable_is_cancelled (cancellable));
        /* One that comes now is called at once, the first one never again. */
        ck_assert_uint_eq (eddy_cancellable_connect (cancellable, count_call, NULL, NULL), 0);
        ck_assert_int_eq (calls, 1 + i);
        ck_assert_int_eq (destroyed, 1);
    }
    EddyCancellable *next = eddy_cancellable_new ();
    ck_assert (!eddy_cancellable_is_cancelled (next));
    eddy_unref (next);
    eddy_unref (cancellable);
}

/* ---- the fd ---------------------------------------------------------------------------------- */

EDDY_TEST (C11_fd_is_one_and_readable_from_the_cancel_on)
{
    EddyCancellable *cancellable = eddy_cancellable_new ();
    struct pollfd pollfd;
    ck_assert (eddy_cancellable_make_pollfd (cancellable, &pollfd));
    ck_assert_int_eq (eddy_cancellable_get_fd (cancellable), pollfd.fd);
    eddy_cancellable_release_fd (cancellable);
    ck_assert_int_eq (poll (&pollfd, 1, 0), 0);
    eddy_cancellable_cancel (cancellable);
    ck_assert_int_eq (poll (&pollfd, 1, 0), 1);
    ck_assert_int_eq (pollfd.revents, POLLIN);
    ck_assert_int_eq (poll (&pollfd, 1, 0), 1);
    eddy_cancellable_release_fd (cancellable);
    ck_assert (eddy_cancellable_make_pollfd (cancellable, &pollfd));
    ck_assert_int_eq (poll (&pollfd, 1, 0), 1);
    eddy_cancellable_release_fd (cancellable);
    eddy_unref (cancellable);
}

EDDY_TEST (C11_fd_that_nobody_released_goes_with_its_cancellable)
{
    EddyCancellable *cancellable = eddy_cancellable_new ();
    ck_assert_int_ge (eddy_cancellable_get_fd (cancellable), 0);
    eddy_unref (cancellable);
}

EDDY_TEST (C11_fd_wakes_a_poll_in_another_thread)
{
    for (int round = 0; round < 100; round++) {
        EddyCancellable *cancellable = eddy_cancellable_new ();
        struct pollfd pollfd;
        pthread_t thread;
        pthread_create (&thread, NULL, cancel_in_thread, cancellable);
        ck_assert (eddy_cancellable_make_pollfd (cancellable, &pollfd));
        ck_assert_int_eq (poll (&pollfd, 1, 10000), 1);
        eddy_cancellable_release_fd (cancellable);
        pthread_join (thread, NULL);
        eddy_unref (cancellable);
    }
}

/* ---- the source ------------------------------------------------------------------------------ */

static bool source_called (EddyCancellable *cancellable, void *user_data)
{
    ck_assert (eddy_cancellable_is_cancelled (cancellable));
    ++*(int *) user_data;
    return EDDY_SOURCE_CONTINUE;
}

static EddySource *source_attach (EddyCancellable *cancellable, EddyContext *context, int *count)
{
    EddySource *source = eddy_cancellable_source_new (cancellable);
    eddy_source_set_callback (source, EDDY_SOURCE_FUNC (source_called), count, NULL);
    ck_assert_uint_ne (eddy_source_attach (source, context), 0);
    return source;
}

static void source_drop (EddySource *source)
{
    eddy_source_destroy (source);
    eddy_unref (source);
}

EDDY_TEST (C12_source_is_dispatched_once_and_not_inside_cancel)
{
    EddyContext *context = eddy_test_context_begin ();
    EddyCancellable *cancellable = eddy_cancellable_new ();
    int before = 0, after = 0;
    EddySource *source = source_attach (cancellable, context, &before);
    ck_assert (!eddy_context_iteration (context, false));
    eddy_cancellable_cancel (cancellable);
    ck_assert_int_eq (before, 0);
    /* One for what is cancelled already, too: in the next pass. */
    EddySource *late = source_attach (cancellable, context, &after);
    ck_assert_int_eq (after, 0);
    eddy_context_iteration (context, false);
    eddy_context_iteration (context, false);
    ck_assert_int_eq (before, 1);
    ck_assert_int_eq (after, 1);
    ck_assert (!eddy_context_iteration (context, false));
    ck_assert (!eddy_source_is_destroyed (source));
    source_drop (source);
    source_drop (late);
    eddy_unref (cancellable);
    eddy_test_context_end (context);
}

EDDY_TEST (C12_source_of_null_is_never_ready)
{
    EddyContext *context = eddy_test_context_begin ();
    int count = 0;
    EddySource *source = source_attach (NULL, context, &count);
    for (int i = 0; i < 3; i++)
        ck_assert (!eddy_context_iteration (context, false));
    ck_assert_int_eq (count, 0);
    source_drop (source);
    eddy_test_context_end (context);
}

EDDY_TEST (C12_source_holds_a_reference)
{
    EddyContext *context = eddy_test_context_begin ();
    EddyCancellable *cancellable = eddy_cancellable_new ();
    int count = 0;
    EddySource *source = source_attach (cancellable, context, &count);
    eddy_unref (cancellable);
    eddy_cancellable_cancel (cancellable);
    eddy_context_iteration (context, false);
    ck_assert_int_eq (count, 1);
    source_drop (source);
    eddy_test_context_end (context);
}

EDDY_TEST (C12_source_in_another_threads_loop)
{
    EddyContext *context = eddy_test_context_begin ();
    for (int round = 0; round < 200; round++) {
        EddyCancellable *cancellable = eddy_cancellable_new ();
        int count = 0;
        pthread_t thread;
        EddySource *source = source_attach (cancellable, context, &count);
        pthread_create (&thread, NULL, cancel_in_thread, cancellable);
        while (count == 0)
            eddy_context_iteration (context, true);
        pthread_join (thread, NULL);
        source_drop (source);
        eddy_unref (cancellable);
    }
    eddy_test_context_end (context);
}

static void *cancel_many (void *data)
{
    EddyCancellable **cancellables = data;
    for (int i = 0; i < 1000; i++)
        eddy_cancellable_cancel (cancellables[i]);
    return NULL;
}

EDDY_TEST (C13_source_may_go_while_another_thread_cancels)
{
    EddyContext *context = eddy_test_context_begin ();
    EddyCancellable *cancellables[1000];
    EddySource *sources[1000];
    int count = 0;
    for (int i = 0; i < 1000; i++) {
        cancellables[i] = eddy_cancellable_new ();
        sources[i] = source_attach (cancellables[i], context, &count);
    }
    pthread_t thread;
    pthread_create (&thread, NULL, cancel_many, cancellables);
    for (int i = 0; i < 1000; i++) {
        source_drop (sources[i]);
        if (i % 10 == 0)
            eddy_context_iteration (context, false);
    }
    pthread_join (thread, NULL);
    for (int i = 0; i < 1000; i++)
        eddy_unref (cancellables[i]);
    while (eddy_context_iteration (context, false))
        ;
    ck_assert_int_le (count, 1000);
    eddy_test_context_end (context);
}

EDDY_TEST (C13_source_that_nobody_attached_may_go)
{
    EddyCancellable *cancellable = eddy_cancellable_new ();
    EddySource *source = eddy_cancellable_source_new (cancellable);
    pthread_t thread;
    pthread_create (&thread, NULL, cancel_in_thread, cancellable);
    eddy_unref (source);
    pthread_join (thread, NULL);
    eddy_unref (cancellable);
}

/* ---- the current one ------------------------------------------------------------------------- */

static void *get_current_in_thread (void *data)
{
    (void) data;
    return eddy_cancellable_get_current ();
}

EDDY_TEST (C14_current_is_a_stack_for_each_thread)
{
    EddyCancellable *outer = eddy_cancellable_new ();
    EddyCancellable *inner = eddy_cancellable_new ();
    pthread_t thread;
    void *seen = outer;
    ck_assert_ptr_null (eddy_cancellable_get_current ());
    eddy_cancellable_push_current (outer);
    eddy_cancellable_push_current (inner);
    ck_assert_ptr_eq (eddy_cancellable_get_current (), inner);
    pthread_create (&thread, NULL, get_current_in_thread, NULL);
    pthread_join (thread, &seen);
    ck_assert_ptr_null (seen);
    eddy_cancellable_pop_current (inner);
    ck_assert_ptr_eq (eddy_cancellable_get_current (), outer);
    eddy_cancellable_pop_current (outer);
    ck_assert_ptr_null (eddy_cancellable_get_current ());
    eddy_unref (inner);
    eddy_unref (outer);
}

static int complaints;

static void count_complaint (EddyLogLevel level, const char *message, void *data)
{
    (void) message, (void) data;
    complaints += level == EDDY_LOG_CRITICAL;
}

EDDY_TEST (C14_pop_must_match_and_push_is_not_of_null)
{
    EddyCancellable *cancellable = eddy_cancellable_new ();
    eddy_log_set_handler (count_complaint, NULL);
    eddy_cancellable_pop_current (cancellable);
    eddy_cancellable_push_current (NULL);
    eddy_cancellable_push_current (cancellable);
    eddy_cancellable_pop_current (NULL);
    ck_assert_int_eq (complaints, 3);
    ck_assert_ptr_eq (eddy_cancellable_get_current (), cancellable);
    eddy_cancellable_pop_current (cancellable);
    ck_assert_int_eq (complaints, 3);
    eddy_unref (cancellable);
}

static void *push_and_wait (void *data, EddyError **error)
{
    ck_assert_ptr_null (eddy_cancellable_get_current ());
    eddy_cancellable_push_current (data);
    eddy_fiber_yield ();
    ck_assert (eddy_fiber_sleep (1000000, error));
    ck_assert_ptr_eq (eddy_cancellable_get_current (), data);
    eddy_cancellable_pop_current (data);
    ck_assert_ptr_null (eddy_cancellable_get_current ());
    return NULL;
}

EDDY_TEST (C14_current_is_each_fibers_own)
{
    EddyContext *context = eddy_test_context_begin ();
    EddyCancellable *one = eddy_cancellable_new ();
    EddyCancellable *other = eddy_cancellable_new ();
    EddyFuture *fiber = eddy_spawn (context, push_and_wait, one, NULL);
    eddy_test_run_fiber (context, push_and_wait, other);
    ck_assert (eddy_block_on_complete (context, fiber, NULL));
    ck_assert_ptr_null (eddy_cancellable_get_current ());
    eddy_unref (fiber);
    eddy_unref (other);
    eddy_unref (one);
    eddy_test_context_end (context);
}

/* ---- operations ------------------------------------------------------------------------------ */

static void count_ready (void *source_object, EddyAsyncResult *result, void *user_data)
{
    EddyError *error = NULL;
    (void) source_object, (void) user_data;
    ck_assert_int_eq (eddy_fd_wait_finish (result, &error), -1);
    eddy_test_expect_error (&error, EDDY_IO_ERROR_CANCELLED);
    calls++;
}

EDDY_TEST (C15_cancel_calls_no_operation_back)
{
    EddyContext *context = eddy_test_context_begin ();
    EddyCancellable *cancellable = eddy_cancellable_new ();
    int fds[2];
    ck_assert_int_eq (pipe (fds), 0);
    eddy_fd_wait_async (fds[0], POLLIN, EDDY_PRIORITY_DEFAULT, cancellable, count_ready, NULL);
    eddy_context_iteration (context, false);
    eddy_cancellable_cancel (cancellable);
    ck_assert_int_eq (calls, 0);
    /* Not inside the start either, of what is cancelled already. */
    eddy_fd_wait_async (fds[0], POLLIN, EDDY_PRIORITY_DEFAULT, cancellable, count_ready, NULL);
    ck_assert_int_eq (calls, 0);
    while (calls < 2)
        eddy_context_iteration (context, true);
    close (fds[0]);
    close (fds[1]);
    eddy_unref (cancellable);
    eddy_test_context_end (context);
}

EDDY_TEST (C16_error_is_cancelled)
{
    EddyCancellable *cancellable = eddy_cancellable_new ();
    EddyError *error = NULL;
    ck_assert (!eddy_cancellable_set_error_if_cancelled (cancellable, &error));
    ck_assert_ptr_null (error);
    eddy_cancellable_cancel (cancellable);
    ck_assert (eddy_cancellable_set_error_if_cancelled (cancellable, NULL));
    ck_assert (eddy_cancellable_set_error_if_cancelled (cancellable, &error));
    eddy_test_expect_error (&error, EDDY_IO_ERROR_CANCELLED);
    eddy_unref (cancellable);
}
