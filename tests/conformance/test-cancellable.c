/* SPDX-License-Identifier: MIT */
/*
 * Cancellables: the flag, handlers, children, causes, threads.
 */
#include <pthread.h>
#include <semaphore.h>
#include <unistd.h>

#include "context.h"

static int calls, destroyed;

static void count_call (EddyCancellable *cancellable, void *user_data)
{
    ck_assert (eddy_cancellable_is_cancelled (cancellable));
    (void) user_data;
    calls++;
}

static void count_destroy (void *data)
{
    (void) data;
    destroyed++;
}

EDDY_TEST (null_is_never_cancelled)
{
    eddy_cancellable_cancel (NULL);
    ck_assert (!eddy_cancellable_is_cancelled (NULL));
    ck_assert (!eddy_cancellable_set_error_if_cancelled (NULL, NULL));
    ck_assert_uint_eq (eddy_cancellable_connect (NULL, count_call, NULL, count_destroy), 0);
    ck_assert_int_eq (destroyed, 1);
    eddy_cancellable_disconnect (NULL, 5);
}

EDDY_TEST (cancel_calls_each_handler_once)
{
    EddyCancellable *cancellable = eddy_cancellable_new ();
    ck_assert_uint_ne (eddy_cancellable_connect (cancellable, count_call, NULL, count_destroy), 0);
    uint64_t gone = eddy_cancellable_connect (cancellable, count_call, NULL, count_destroy);
    eddy_cancellable_disconnect (cancellable, gone);
    ck_assert_int_eq (destroyed, 1);
    eddy_cancellable_cancel (cancellable);
    eddy_cancellable_cancel (cancellable);
    ck_assert_int_eq (calls, 1);
    ck_assert_int_eq (destroyed, 2);
    ck_assert_uint_eq (eddy_cancellable_connect (cancellable, count_call, NULL, count_destroy), 0);
    ck_assert_int_eq (calls, 2);
    ck_assert_int_eq (destroyed, 3);
    eddy_unref (cancellable);
}

EDDY_TEST (handlers_of_a_dying_cancellable_are_let_go)
{
    EddyCancellable *cancellable = eddy_cancellable_new ();
    eddy_cancellable_connect (cancellable, count_call, NULL, count_destroy);
    eddy_unref (cancellable);
    ck_assert_int_eq (calls, 0);
    ck_assert_int_eq (destroyed, 1);
}

static uint64_t own_id;

static void do_everything (EddyCancellable *cancellable, void *user_data)
{
    calls++;
    eddy_cancellable_disconnect (cancellable, own_id);
    eddy_cancellable_cancel (cancellable);
    ck_assert_uint_eq (eddy_cancellable_connect (cancellable, count_call, NULL, NULL), 0);
    eddy_unref (user_data);
}

EDDY_TEST (handler_may_call_anything)
{
    EddyCancellable *cancellable = eddy_cancellable_new ();
    own_id = eddy_cancellable_connect (cancellable, do_everything, cancellable, NULL);
    eddy_cancellable_cancel (cancellable);
    ck_assert_int_eq (calls, 2);
}

EDDY_TEST (children_follow_and_parents_do_not)
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

EDDY_TEST (cause_is_inherited_and_reported)
{
    EddyCancellable *parent = eddy_cancellable_new ();
    EddyCancellable *child = eddy_cancellable_new_child (parent);
    EddyError *error = NULL;
    ck_assert (!eddy_cancellable_set_error_if_cancelled (child, &error));
    eddy_cancellable_cancel_with_cause (parent,
                                        eddy_error_new ("weather", 3, "the %s has risen", "river"));
    ck_assert (eddy_cancellable_set_error_if_cancelled (child, &error));
    ck_assert (eddy_error_matches (error, "weather", 3));
    ck_assert_str_eq (eddy_error_get_message (error), "the river has risen");
    eddy_clear_error (&error);
    eddy_unref (child);
    eddy_unref (parent);
}

EDDY_TEST (usual_error_is_cancelled)
{
    EddyCancellable *cancellable = eddy_cancellable_new ();
    EddyError *error = NULL;
    eddy_cancellable_cancel (cancellable);
    ck_assert (eddy_cancellable_set_error_if_cancelled (cancellable, &error));
    eddy_test_expect_error (&error, EDDY_IO_ERROR_CANCELLED);
    eddy_unref (cancellable);
}

/* --- threads ---------------------------------------------------------------------------------- */

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
    __atomic_store_n (&slow->left, 1, __ATOMIC_SEQ_CST);
}

static void *cancel_in_thread (void *cancellable)
{
    eddy_cancellable_cancel (cancellable);
    return NULL;
}

static void *let_go_on (void *slow)
{
    sem_post (&((Slow *) slow)->go_on);
    return NULL;
}

EDDY_TEST (disconnect_waits_for_a_handler_in_another_thread)
{
    EddyCancellable *cancellable = eddy_cancellable_new ();
    Slow slow = { .left = 0 };
    pthread_t canceller, helper;
    sem_init (&slow.entered, 0, 0);
    sem_init (&slow.go_on, 0, 0);
    uint64_t id = eddy_cancellable_connect (cancellable, slow_handler, &slow, NULL);
    pthread_create (&canceller, NULL, cancel_in_thread, cancellable);
    sem_wait (&slow.entered);
    pthread_create (&helper, NULL, let_go_on, &slow);
    eddy_cancellable_disconnect (cancellable, id);
    ck_assert_int_eq (__atomic_load_n (&slow.left, __ATOMIC_SEQ_CST), 1);
    pthread_join (canceller, NULL);
    pthread_join (helper, NULL);
    eddy_unref (cancellable);
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

EDDY_TEST (children_die_while_the_parent_cancels)
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

/* One cancellable, many operations in one context: each ends once. */
EDDY_TEST (many_operations_end_by_one_cancel)
{
    enum { N = 500 };
    EddyContext *context = eddy_test_context_begin ();
    EddyCancellable *cancellable = eddy_cancellable_new ();
    EddyFuture *futures[N];
    int fds[2];
    ck_assert_int_eq (pipe (fds), 0);
    for (int i = 0; i < N; i++)
        futures[i] = eddy_fd_wait_future (fds[0], 1, EDDY_PRIORITY_DEFAULT, cancellable);
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
