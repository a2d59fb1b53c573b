/* SPDX-License-Identifier: MIT */
/*
 * EDDY_SHIELD: waits that the fiber's cancel does not end, but their own time does.
 */
#include <eddy/testing.h>
#include <unistd.h>

#include "context.h"

#define LONG_NS INT64_C (3600000000000)

static void cancel_self (void)
{
    eddy_cancellable_cancel_with_cause (eddy_fiber_get_cancellable (),
                                        eddy_error_new ("weather", 1, "storm"));
}

/* A wait that fails with the cause of cancel_self(). */
static void expect_storm (EddyError **error)
{
    ck_assert (!eddy_fiber_sleep (LONG_NS, error));
    ck_assert (eddy_error_matches (*error, "weather", 1));
    eddy_clear_error (error);
}

static void expect_timeout (EddyError **error)
{
    ck_assert (!eddy_fiber_sleep (LONG_NS, error));
    eddy_test_expect_error (error, EDDY_IO_ERROR_TIMED_OUT);
}

static void run (EddyFiberFunc function)
{
    EddyContext *context = eddy_test_context_begin ();
    eddy_test_run_fiber (context, function, NULL);
    eddy_test_context_end (context);
}

/* --- what is hidden --------------------------------------------------------------------------- */

static void *wait_shielded (void *data, EddyError **error)
{
    EddyCancellable *own = eddy_fiber_get_cancellable ();
    cancel_self ();
    expect_storm (error);
    EDDY_SHIELD (-1)
    {
        ck_assert (eddy_fiber_sleep (1000, error));
        ck_assert_ptr_ne (eddy_fiber_get_cancellable (), own);
        ck_assert (!eddy_cancellable_is_cancelled (eddy_fiber_get_cancellable ()));
        ck_assert (eddy_fiber_sleep (1000, error));
    }
    ck_assert_ptr_eq (eddy_fiber_get_cancellable (), own);
    expect_storm (error);
    return data;
}

EDDY_TEST (D_shield_waits_though_cancelled)
{
    run (wait_shielded);
}

typedef struct Cleaner {
    bool parked;
    bool cleaned;
    bool seen;
} Cleaner;

static void *clean_up (void *data, EddyError **error)
{
    Cleaner *cleaner = data;
    EDDY_SHIELD (-1)
    {
        cleaner->parked = true;
        cleaner->cleaned = eddy_fiber_sleep (5000000, error);
    }
    ck_assert (!eddy_fiber_sleep (LONG_NS, error));
    cleaner->seen = eddy_error_is_cancelled (*error);
    return NULL;
}

/* The cancel comes while it is parked inside: from its handle, from its parent, by its scope. */
EDDY_TEST (D_shield_cancelled_while_parked_inside)
{
    EddyContext *context = eddy_test_context_begin ();
    EddyError *error = NULL;
    Cleaner cleaner = { .parked = false };
    EddyFuture *fiber = eddy_spawn (context, clean_up, &cleaner, NULL);
    while (!cleaner.parked)
        eddy_context_iteration (context, /* may_block= */ true);
    eddy_future_cancel (fiber);
    eddy_future_cancel (fiber);
    ck_assert (!eddy_block_on_complete (context, fiber, &error));
    eddy_test_expect_error (&error, EDDY_IO_ERROR_CANCELLED);
    ck_assert (cleaner.cleaned && cleaner.seen);
    eddy_unref (fiber);
    eddy_test_context_end (context);
}

static void *cancel_it (void *data, EddyError **error)
{
    (void) error;
    eddy_cancellable_cancel_with_cause (data, eddy_error_new ("weather", 1, "storm"));
    return NULL;
}

/* As soon as the caller waits. */
static void cancel_soon (EddyCancellable *cancellable)
{
    eddy_spawn_detached (NULL, cancel_it, cancellable, NULL);
}

/* Whoever had the fiber's own cancellable before cancels it meanwhile. */
static void *cancelled_by_own (void *data, EddyError **error)
{
    EddyCancellable *own = eddy_fiber_get_cancellable ();
    EDDY_SHIELD (-1)
    {
        EDDY_SHIELD (-1)
        {
            cancel_soon (own);
            ck_assert (eddy_fiber_sleep (1000000, error));
            ck_assert (eddy_cancellable_is_cancelled (own));
        }
        ck_assert (eddy_fiber_sleep (0, error));
    }
    expect_storm (error);
    return data;
}

EDDY_TEST (D_shield_cancelled_by_its_fibers_cancellable)
{
    run (cancelled_by_own);
}

static void *look_at_current (void *data, EddyError **error)
{
    EDDY_AUTO (EddyCancellable) cancellable = eddy_cancellable_new ();
    (void) error;
    eddy_cancellable_push_current (cancellable);
    EDDY_SHIELD (-1)
    ck_assert_ptr_null (eddy_cancellable_get_current ());
    ck_assert_ptr_eq (eddy_cancellable_get_current (), cancellable);
    eddy_cancellable_pop_current (cancellable);
    return data;
}

EDDY_TEST (D_shield_hides_the_current_cancellable)
{
    run (look_at_current);
}

static void *is_cancelled (void *data, EddyCancellable *cancellable, EddyError **error)
{
    (void) error;
    while (!eddy_cancellable_is_cancelled (cancellable))
        usleep (100);
    return data;
}

static void *not_cancelled (void *data, EddyCancellable *cancellable, EddyError **error)
{
    (void) error;
    return eddy_cancellable_is_cancelled (cancellable) ? NULL : data;
}

/* A job sees the shield's cancellable: not the cancel, but the time. */
static void *run_job (void *data, EddyError **error)
{
    int number = 0;
    cancel_self ();
    ck_assert_ptr_null (eddy_run_blocking (not_cancelled, &number, NULL, NULL, error));
    ck_assert (eddy_error_matches (*error, "weather", 1));
    eddy_clear_error (error);
    EDDY_SHIELD (-1)
    ck_assert_ptr_eq (eddy_run_blocking (not_cancelled, &number, NULL, NULL, error), &number);
    EDDY_SHIELD (3000000)
    {
        eddy_run_blocking (is_cancelled, &number, NULL, NULL, error);
        eddy_clear_error (error);
        expect_timeout (error);
    }
    return data;
}

EDDY_TEST (D_shield_jobs_see_its_own_cancellable)
{
    run (run_job);
}

/* One that an operation is given ends it, in a shield, too. */
static void *read_given (void *data, EddyError **error)
{
    int fds[2];
    char byte;
    EDDY_AUTO (EddyCancellable) cancellable = eddy_cancellable_new ();
    ck_assert_int_eq (pipe (fds), 0);
    EDDY_SHIELD (-1)
    {
        cancel_soon (cancellable);
        ck_assert_int_eq (eddy_fd_read (fds[0], &byte, 1, -1, cancellable, error), -1);
    }
    ck_assert (eddy_error_matches (*error, "weather", 1));
    eddy_clear_error (error);
    close (fds[0]);
    close (fds[1]);
    return data;
}

EDDY_TEST (D_shield_not_from_what_an_operation_is_given)
{
    run (read_given);
}

/* --- time ------------------------------------------------------------------------------------- */

static void *wait_with_timeout (void *data, EddyError **error)
{
    int64_t begun_ns = eddy_get_monotonic_time_ns ();
    EDDY_SHIELD (5000000)
    {
        ck_assert (eddy_fiber_sleep (1000, error));
        expect_timeout (error);
        ck_assert_int_ge (eddy_get_monotonic_time_ns () - begun_ns, 5000000);
        expect_timeout (error);
        ck_assert (eddy_cancellable_is_cancelled (eddy_fiber_get_cancellable ()));
    }
    ck_assert (eddy_fiber_sleep (1000, error));
    EDDY_SHIELD (0)
    expect_timeout (error);
    EDDY_SHIELD (INT64_MAX)
    ck_assert (eddy_fiber_sleep (1000, error));
    return data;
}

EDDY_TEST (D_shield_has_its_own_timeout)
{
    run (wait_with_timeout);
}

/* The cancellable has the deadline, and a cancel of it ends what is inside. */
static void *ask_for_deadline (void *data, EddyError **error)
{
    EDDY_SHIELD (-1)
    ck_assert_int_eq (eddy_cancellable_get_deadline (eddy_fiber_get_cancellable ()), INT64_MAX);
    int64_t begun_ns = eddy_get_monotonic_time_ns ();
    EDDY_SHIELD (LONG_NS)
    {
        EddyCancellable *inside = eddy_fiber_get_cancellable ();
        ck_assert_ptr_eq (eddy_fiber_get_cancellable (), inside);
        ck_assert_int_le (eddy_cancellable_get_deadline (inside),
                          eddy_get_monotonic_time_ns () + LONG_NS);
        ck_assert_int_ge (eddy_cancellable_get_deadline (inside), begun_ns + LONG_NS);
        cancel_self ();
        EDDY_SHIELD (-1)
        ck_assert (eddy_fiber_sleep (1000, error));
        expect_storm (error);
    }
    EDDY_SHIELD (1000000)
    {
        ck_assert (!eddy_cancellable_is_cancelled (eddy_fiber_get_cancellable ()));
        expect_timeout (error);
    }
    ck_assert (eddy_fiber_sleep (0, error));
    return data;
}

EDDY_TEST (D_shield_cancellable_has_the_deadline)
{
    run (ask_for_deadline);
}

/* The outer one's time is over while the inner one stands, and is seen when that is left. */
static void *nest (void *data, EddyError **error)
{
    cancel_self ();
    EDDY_SHIELD (1000000)
    {
        EDDY_SHIELD (LONG_NS)
        {
            ck_assert (eddy_fiber_sleep (5000000, error));
            EDDY_SHIELD (1000000)
            expect_timeout (error);
            ck_assert (eddy_fiber_sleep (1000, error));
        }
        expect_timeout (error);
    }
    expect_storm (error);
    return data;
}

EDDY_TEST (D_shield_in_a_shield)
{
    run (nest);
}

/* --- how it is left --------------------------------------------------------------------------- */

static bool leave_by_return (EddyError **error)
{
    EDDY_SHIELD (-1)
    EDDY_SHIELD (LONG_NS)
    return eddy_fiber_sleep (0, error);
    ck_abort ();
    return false;
}

static void *leave (void *data, EddyError **error)
{
    int rounds = 0;
    cancel_self ();
    EDDY_SHIELD (-1)
    {
        ck_assert (eddy_fiber_sleep (0, error));
        break;
    }
    expect_storm (error);
    EDDY_SHIELD (-1)
    {
        rounds++;
        continue;
    }
    ck_assert_int_eq (rounds, 1);
    expect_storm (error);
    ck_assert (leave_by_return (error));
    expect_storm (error);
    EDDY_SHIELD (-1)
    goto left;
left:
    expect_storm (error);
    return data;
}

EDDY_TEST (D_shield_left_by_any_way)
{
    run (leave);
}

EDDY_TEST (D_shield_outside_fibers_is_a_block)
{
    int rounds = 0;
    EDDY_SHIELD (0)
    rounds++;
    ck_assert_int_eq (rounds, 1);
}

/* --- groups ----------------------------------------------------------------------------------- */

static void *count_cancel (void *data, EddyError **error)
{
    ck_assert (!eddy_fiber_sleep (LONG_NS, error));
    ++*(int *) data;
    return NULL;
}

static void *sleep_short (void *data, EddyError **error)
{
    ck_assert (eddy_fiber_sleep (1000000, error));
    return data;
}

/* Groups outside are cancelled with the fiber, those inside are not. */
static void *shield_groups (void *data, EddyError **error)
{
    int ended = 0;
    EDDY_AUTO (EddyGroup) outside = eddy_group_new ();
    ck_assert (eddy_group_spawn (outside, count_cancel, &ended, NULL, NULL));
    EddyCancellable *own = eddy_fiber_get_cancellable ();
    EddyGroup *left_over = NULL;
    eddy_fiber_yield ();
    EDDY_SHIELD (-1)
    {
        EDDY_AUTO (EddyGroup) inside = eddy_group_new ();
        left_over = eddy_group_new ();
        ck_assert (eddy_group_spawn (inside, sleep_short, NULL, NULL, NULL));
        ck_assert (eddy_group_spawn (left_over, count_cancel, &ended, NULL, NULL));
        eddy_fiber_yield ();
        eddy_cancellable_cancel (own);
        ck_assert (eddy_group_wait (outside, error));
        ck_assert_int_eq (ended, 1);
        ck_assert (eddy_group_wait (inside, error));
    }
    /* Left, its groups are outside, too. */
    EddyError *failure = NULL;
    ck_assert (!eddy_group_wait (left_over, &failure));
    eddy_test_expect_error (&failure, EDDY_IO_ERROR_CANCELLED);
    ck_assert_int_eq (ended, 2);
    eddy_unref (left_over);
    return data;
}

EDDY_TEST (D_shield_hides_the_cancel_from_its_groups)
{
    run (shield_groups);
}

/* The time of a shield cancels its groups, whose end is waited for as ever, and for that cause. */
static void *time_groups (void *data, EddyError **error)
{
    (void) error;
    int ended = 0;
    EDDY_SHIELD (2000000)
    {
        EDDY_AUTO (EddyGroup) group = eddy_group_new ();
        ck_assert (eddy_group_spawn (group, count_cancel, &ended, NULL, NULL));
        EddyError *failure = NULL;
        ck_assert (!eddy_group_wait (group, &failure));
        eddy_test_expect_error (&failure, EDDY_IO_ERROR_TIMED_OUT);
        ck_assert_int_eq (ended, 1);
    }
    return data;
}

EDDY_TEST (D_shield_timeout_cancels_its_groups)
{
    run (time_groups);
}

/* --- cleanup that waits, cancelled everywhere ------------------------------------------------- */

typedef struct Transfer {
    int begun;
    int undone;
    int done;
} Transfer;

static void *transfer (void *data, EddyError **error)
{
    Transfer *self = data;
    if (!eddy_fiber_sleep (1000, error))
        return NULL;
    self->begun++;
    if (eddy_fiber_sleep (1000, error))
        self->done++;
    EDDY_SHIELD (LONG_NS)
    if (self->done == 0 && eddy_fiber_sleep (1000, NULL))
        self->undone++;
    return NULL;
}

static void check_transfer (void *data, bool cancelled, uint32_t point)
{
    Transfer *self = data;
    (void) point;
    ck_assert_int_eq (self->done + self->undone, self->begun);
    ck_assert_int_eq (self->done, !cancelled);
    *self = (Transfer){ .begun = 0 };
}

EDDY_TEST (D_shield_cleans_up_wherever_cancelled)
{
    Transfer data = { .begun = 0 };
    EddyTestCancelReport report;
    bool good = eddy_test_cancel_everywhere (transfer, &data, check_transfer, &report);
    ck_assert_msg (good, "%s", report.failure);
    ck_assert_uint_ge (report.cancelled, 2);
}
