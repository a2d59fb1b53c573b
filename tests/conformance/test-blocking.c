/* SPDX-License-Identifier: MIT */
/*
 * eddy_run_blocking: any blocking call, in every form.
 */
#include <errno.h>
#include <pthread.h>
#include <unistd.h>

#include "context.h"

typedef struct Call {
    pthread_t thread;
    int runs;
    int destroyed;
    int fail;
    int fds[2]; /* waited for, when open */
    void *answer;
} Call;

static void *call_run (void *data, EddyCancellable *cancellable, EddyError **error)
{
    Call *call = data;
    char byte;
    call->thread = pthread_self ();
    __atomic_add_fetch (&call->runs, 1, __ATOMIC_RELAXED);
    if (call->fds[0] > 0)
        ck_assert_int_eq (read (call->fds[0], &byte, 1), 1);
    if (eddy_cancellable_set_error_if_cancelled (cancellable, error))
        return NULL;
    if (call->fail != 0)
        eddy_error_set_errno (error, call->fail, "the call");
    return call->answer;
}

static void call_destroy (void *data)
{
    ((Call *) data)->destroyed++;
}

EDDY_TEST (D_blocking_in_a_thread_runs_in_place)
{
    Call call = { .answer = &call };
    EddyError *error = NULL;
    ck_assert_ptr_eq (eddy_run_blocking (call_run, &call, call_destroy, NULL, &error), &call);
    ck_assert_ptr_null (error);
    ck_assert (pthread_equal (call.thread, pthread_self ()));
    ck_assert_int_eq (call.destroyed, 1);
    call.fail = EIO;
    ck_assert_ptr_null (eddy_run_blocking (call_run, &call, call_destroy, NULL, &error));
    ck_assert_int_eq (eddy_error_get_errno (error), EIO);
    eddy_clear_error (&error);
    ck_assert_int_eq (call.destroyed, 2);
}

EDDY_TEST (D_blocking_cancelled_before_runs_nothing)
{
    EddyContext *context = eddy_test_context_begin ();
    Call call = { .answer = &call };
    EddyError *error = NULL;
    EddyCancellable *cancellable = eddy_cancellable_new ();
    eddy_cancellable_cancel (cancellable);
    ck_assert_ptr_null (eddy_run_blocking (call_run, &call, call_destroy, cancellable, &error));
    eddy_test_expect_error (&error, EDDY_IO_ERROR_CANCELLED);
    EddyFuture *future = eddy_run_blocking_future (call_run, &call, call_destroy, 0, cancellable);
    ck_assert_ptr_null (eddy_block_on (context, future, &error));
    eddy_test_expect_error (&error, EDDY_IO_ERROR_CANCELLED);
    eddy_unref (future);
    ck_assert_int_eq (call.runs, 0);
    ck_assert_int_eq (call.destroyed, 2);
    eddy_unref (cancellable);
    eddy_test_context_end (context);
}

static void *await_call (void *data, EddyError **error)
{
    return eddy_run_blocking (call_run, data, call_destroy, NULL, error);
}

EDDY_TEST (D_blocking_in_a_fiber_leaves_the_thread_to_others)
{
    EddyContext *context = eddy_test_context_begin ();
    Call call = { .answer = &call };
    ck_assert_int_eq (pipe (call.fds), 0);
    EddyFuture *fiber = eddy_spawn (context, await_call, &call, NULL);
    /* The call ends only when this thread, which the fiber is on, goes on and writes. */
    while (eddy_context_iteration (context, false))
        ;
    ck_assert (!eddy_future_is_complete (fiber));
    ck_assert_int_eq (write (call.fds[1], "x", 1), 1);
    ck_assert_ptr_eq (eddy_block_on (context, fiber, NULL), &call);
    ck_assert (!pthread_equal (call.thread, pthread_self ()));
    ck_assert_int_eq (call.destroyed, 1);
    eddy_unref (fiber);
    close (call.fds[0]);
    close (call.fds[1]);
    eddy_test_context_end (context);
}

typedef struct Finish {
    int calls;
    void *answer;
    EddyError *error;
} Finish;

static void finish (void *source_object, EddyAsyncResult *result, void *user_data)
{
    Finish *self = user_data;
    ck_assert_ptr_null (source_object);
    self->calls++;
    self->answer = eddy_run_blocking_finish (result, &self->error);
}

EDDY_TEST (D_blocking_by_callback_and_cancelled_while_it_runs)
{
    EddyContext *context = eddy_test_context_begin ();
    Call calls[2] = { { .answer = &calls[0] }, { .answer = &calls[1] } };
    Finish finishes[2] = { { 0 }, { 0 } };
    EddyCancellable *cancellable = eddy_cancellable_new ();
    ck_assert_int_eq (pipe (calls[1].fds), 0);
    eddy_run_blocking_async (call_run, &calls[0], call_destroy, 0, NULL, finish, &finishes[0]);
    eddy_run_blocking_async (call_run, &calls[1], call_destroy, 0, cancellable, finish,
                             &finishes[1]);
    while (finishes[0].calls == 0 || __atomic_load_n (&calls[1].runs, __ATOMIC_RELAXED) == 0)
        eddy_context_iteration (context, false);
    ck_assert_ptr_eq (finishes[0].answer, &calls[0]);
    eddy_cancellable_cancel (cancellable);
    ck_assert_int_eq (write (calls[1].fds[1], "x", 1), 1);
    while (finishes[1].calls == 0)
        eddy_context_iteration (context, true);
    eddy_test_expect_error (&finishes[1].error, EDDY_IO_ERROR_CANCELLED);
    ck_assert_int_eq (calls[0].destroyed, 1);
    ck_assert_int_eq (calls[1].destroyed, 1);
    close (calls[1].fds[0]);
    close (calls[1].fds[1]);
    eddy_unref (cancellable);
    eddy_test_context_end (context);
}
