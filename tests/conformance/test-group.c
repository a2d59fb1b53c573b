/* SPDX-License-Identifier: MIT */
/*
 * Groups by the public interface: deadlines, causes, supervisors, fibers that say when they are
 * ready; each at home and on the threads of a pool.
 */
#include <errno.h>
#include <sys/mman.h>
#include <unistd.h>

#include "context.h"

#define MILLISECOND INT64_C (1000000)

static void *return_data (void *data, EddyError **error)
{
    (void) error;
    return data;
}

static void *fail_with_data (void *data, EddyError **error)
{
    eddy_error_set (error, EDDY_IO_ERROR, EDDY_IO_ERROR_FAILED, "%s", (const char *) data);
    return NULL;
}

static void *sleep_long (void *data, EddyError **error)
{
    eddy_fiber_sleep (INT64_MAX, error);
    return data;
}

static void *sleep_and_count (void *data, EddyError **error)
{
    (void) error;
    eddy_fiber_sleep (INT64_MAX, NULL);
    __atomic_add_fetch ((int *) data, 1, __ATOMIC_ACQ_REL);
    return NULL;
}

static void *count (void *data, EddyError **error)
{
    (void) error;
    eddy_fiber_yield ();
    __atomic_add_fetch ((int *) data, 1, __ATOMIC_ACQ_REL);
    return NULL;
}

/* In a fiber: until others have counted so far. */
static void wait_until (const int *counted, int n)
{
    for (int i = 0; i < 20000 && __atomic_load_n (counted, __ATOMIC_ACQUIRE) < n; i++)
        ck_assert (eddy_fiber_sleep (MILLISECOND / 10, NULL));
    ck_assert_int_ge (__atomic_load_n (counted, __ATOMIC_ACQUIRE), n);
}

static void mark (void *data)
{
    *(bool *) data = true;
}

/* --- at home and on a pool -------------------------------------------------------------------- */

/* Where a test's groups have their fibers; NULL: at home. */
static EddyPool *where;

static EddyGroup *group_new (void)
{
    return where == NULL ? eddy_group_new () : eddy_group_new_on_pool (where);
}

/* Runs a function as a fiber, with groups at home and then on a pool. */
static void run_on_both (EddyFiberFunc function)
{
    EddyContext *context = eddy_test_context_begin ();
    EddyError *error = NULL;
    eddy_test_run_fiber (context, function, NULL);
    where = eddy_pool_new (2, &error);
    ck_assert_ptr_nonnull (where);
    eddy_test_run_fiber (context, function, NULL);
    ck_assert (eddy_pool_close (where, NULL, &error));
    eddy_clear (&where);
    eddy_test_context_end (context);
}

static void *run_joined (void *data, EddyError **error)
{
    EDDY_AUTO (EddyGroup) group = group_new ();
    int counted = 0;
    for (int i = 0; i < 100; i++)
        ck_assert (eddy_group_spawn (group, count, &counted, NULL, error));
    ck_assert (eddy_group_wait (group, error));
    ck_assert_int_eq (counted, 100);
    /* And again. */
    ck_assert (eddy_group_spawn (group, count, &counted, NULL, error));
    ck_assert (eddy_group_wait (group, error));
    ck_assert_int_eq (counted, 101);
    return data;
}

EDDY_TEST (D_group_waits_for_all)
{
    run_on_both (run_joined);
}

static void *run_failed (void *data, EddyError **error)
{
    EDDY_AUTO (EddyGroup) group = group_new ();
    int ended = 0;
    for (int i = 0; i < 5; i++)
        ck_assert (eddy_group_spawn (group, sleep_and_count, &ended, NULL, error));
    ck_assert (eddy_group_spawn (group, fail_with_data, "as told", NULL, error));
    ck_assert (!eddy_group_wait (group, error));
    ck_assert_str_eq (eddy_error_get_message (*error), "as told");
    eddy_clear_error (error);
    ck_assert_int_eq (ended, 5);
    ck_assert_uint_eq (eddy_group_get_n_errors (group), 1);
    bool destroyed = false;
    ck_assert (!eddy_group_spawn (group, return_data, &destroyed, mark, error));
    ck_assert (destroyed);
    eddy_test_expect_error (error, EDDY_IO_ERROR_CANCELLED);
    return data;
}

EDDY_TEST (D_group_first_error_cancels_the_others)
{
    run_on_both (run_failed);
}

/* --- supervisors ------------------------------------------------------------------------------ */

static void *run_supervisor (void *data, EddyError **error)
{
    EDDY_AUTO (EddyGroup) group = group_new ();
    int counted = 0;
    eddy_group_set_supervisor (group, true);
    for (int i = 0; i < 3; i++) {
        ck_assert (eddy_group_spawn (group, fail_with_data, "as told", NULL, error));
        ck_assert (eddy_group_spawn (group, count, &counted, NULL, error));
    }
    ck_assert (!eddy_group_wait (group, error));
    eddy_test_expect_error (error, EDDY_IO_ERROR_FAILED);
    ck_assert_uint_eq (eddy_group_get_n_errors (group), 3);
    ck_assert_int_eq (counted, 3);
    /* It is not cancelled, so more can be done. */
    ck_assert (eddy_group_spawn (group, count, &counted, NULL, error));
    ck_assert (!eddy_group_wait (group, NULL));
    ck_assert_int_eq (counted, 4);
    return data;
}

EDDY_TEST (D_group_supervisor_lets_siblings_live)
{
    run_on_both (run_supervisor);
}

/* --- causes ----------------------------------------------------------------------------------- */

static EddyError *error_busy (void)
{
    return eddy_error_new (EDDY_IO_ERROR, EDDY_IO_ERROR_BUSY, "make room");
}

static void *expect_busy (void *data, EddyError **error)
{
    (void) data;
    ck_assert (!eddy_fiber_sleep (INT64_MAX, error));
    ck_assert_int_eq (eddy_error_get_code (*error), EDDY_IO_ERROR_BUSY);
    return NULL;
}

static void *run_cause (void *data, EddyError **error)
{
    EDDY_AUTO (EddyGroup) group = group_new ();
    for (int i = 0; i < 5; i++)
        ck_assert (eddy_group_spawn (group, expect_busy, NULL, NULL, error));
    eddy_fiber_yield ();
    eddy_group_cancel_with_cause (group, error_busy ());
    eddy_group_cancel_with_cause (group, eddy_error_new_errno (EIO, "too late"));
    ck_assert (!eddy_group_wait (group, error));
    eddy_test_expect_error (error, EDDY_IO_ERROR_BUSY);
    ck_assert_uint_eq (eddy_group_get_n_errors (group), 1); /* once */
    ck_assert (!eddy_group_spawn (group, return_data, NULL, NULL, error));
    eddy_test_expect_error (error, EDDY_IO_ERROR_BUSY);
    return data;
}

EDDY_TEST (D_group_cancel_has_a_cause)
{
    run_on_both (run_cause);
}

/* The fiber that made the groups is cancelled: an inner group is, too, for the same cause. */
static void *make_inner_group (void *data, EddyError **error)
{
    EDDY_AUTO (EddyGroup) group = eddy_group_new ();
    ck_assert (eddy_group_spawn (group, expect_busy, NULL, NULL, error));
    __atomic_add_fetch ((int *) data, 1, __ATOMIC_ACQ_REL);
    if (!eddy_group_wait (group, error))
        ck_assert_int_eq (eddy_error_get_code (*error), EDDY_IO_ERROR_BUSY);
    ck_assert_ptr_nonnull (*error);
    return data;
}

static void *run_inherited_cause (void *data, EddyError **error)
{
    EDDY_AUTO (EddyGroup) group = group_new ();
    int begun = 0;
    for (int i = 0; i < 3; i++)
        ck_assert (eddy_group_spawn (group, make_inner_group, &begun, NULL, error));
    wait_until (&begun, 3);
    eddy_cancellable_cancel_with_cause (eddy_fiber_get_cancellable (), error_busy ());
    ck_assert (!eddy_group_wait (group, error));
    eddy_test_expect_error (error, EDDY_IO_ERROR_BUSY);
    ck_assert_uint_eq (eddy_group_get_n_errors (group), 1);
    EDDY_AUTO (EddyGroup) late = group_new ();
    ck_assert (!eddy_group_spawn (late, return_data, NULL, NULL, error));
    eddy_test_expect_error (error, EDDY_IO_ERROR_BUSY);
    return data;
}

EDDY_TEST (D_group_inherits_the_cause_of_its_maker)
{
    run_on_both (run_inherited_cause);
}

/* --- deadlines -------------------------------------------------------------------------------- */

static void *run_timed_out (void *data, EddyError **error)
{
    EDDY_AUTO (EddyGroup) group = eddy_group_new_with_timeout (MILLISECOND);
    int ended = 0;
    for (int i = 0; i < 5; i++) {
        ck_assert (eddy_group_spawn (group, sleep_and_count, &ended, NULL, error));
        ck_assert (eddy_group_spawn (group, sleep_long, NULL, NULL, error));
    }
    ck_assert (!eddy_group_wait (group, error));
    eddy_test_expect_error (error, EDDY_IO_ERROR_TIMED_OUT);
    ck_assert_int_eq (ended, 5);
    ck_assert_uint_eq (eddy_group_get_n_errors (group), 1);
    ck_assert (!eddy_group_spawn (group, return_data, NULL, NULL, error));
    eddy_test_expect_error (error, EDDY_IO_ERROR_TIMED_OUT);
    return data;
}

EDDY_TEST (D_group_deadline_cancels_with_timed_out)
{
    EddyContext *context = eddy_test_context_begin ();
    eddy_test_run_fiber (context, run_timed_out, NULL);
    eddy_test_context_end (context);
}

EDDY_TEST (D_group_deadline_in_a_plain_thread)
{
    EddyContext *context = eddy_test_context_begin ();
    EddyError *error = NULL;
    EDDY_AUTO (EddyGroup) group = eddy_group_new_with_timeout (MILLISECOND);
    ck_assert (eddy_group_spawn (group, sleep_long, NULL, NULL, &error));
    ck_assert (!eddy_group_wait (group, &error));
    eddy_test_expect_error (&error, EDDY_IO_ERROR_TIMED_OUT);
    eddy_clear (&group);
    eddy_test_context_end (context);
}

static void *tell_deadline (void *data, EddyError **error)
{
    EDDY_AUTO (EddyGroup) inner = eddy_group_new_with_timeout (INT64_MAX / 2);
    int64_t deadline_ns = eddy_cancellable_get_deadline (eddy_fiber_get_cancellable ());
    (void) error;
    ck_assert_ptr_nonnull (inner);
    if (*(int64_t *) data == 0)
        *(int64_t *) data = deadline_ns;
    ck_assert_int_eq (*(int64_t *) data, deadline_ns);
    return NULL;
}

/* Its inner group has the deadline, though nobody has asked for this fiber's cancellable. */
static void *hand_deadline_down (void *data, EddyError **error)
{
    EDDY_AUTO (EddyGroup) inner = group_new ();
    ck_assert (eddy_group_spawn (inner, tell_deadline, data, NULL, error));
    ck_assert (eddy_group_wait (inner, error));
    return NULL;
}

static void *run_deadline_down (void *data, EddyError **error)
{
    EDDY_AUTO (EddyGroup) group = eddy_group_new_with_timeout (INT64_C (3600000) * MILLISECOND);
    EDDY_AUTO (EddyGroup) none = group_new ();
    int64_t deadline_ns = 0, no_deadline_ns = 0;
    ck_assert (eddy_group_spawn (group, tell_deadline, &deadline_ns, NULL, error));
    ck_assert (eddy_group_wait (group, error));
    ck_assert_int_ne (deadline_ns, 0);
    ck_assert_int_ne (deadline_ns, INT64_MAX);
    ck_assert (eddy_group_spawn (group, hand_deadline_down, &deadline_ns, NULL, error));
    ck_assert (eddy_group_wait (group, error));
    ck_assert (eddy_group_spawn (none, tell_deadline, &no_deadline_ns, NULL, error));
    ck_assert (eddy_group_wait (none, error));
    ck_assert_int_eq (no_deadline_ns, INT64_MAX);
    return data;
}

EDDY_TEST (D_group_deadline_is_handed_down)
{
    run_on_both (run_deadline_down);
}

/* The group has its maker's deadline, whether that has asked for its own cancellable or not. */
static void *run_group_of_mine (void *data, EddyError **error)
{
    if (data != NULL)
        ck_assert_int_ne (eddy_cancellable_get_deadline (eddy_fiber_get_cancellable ()), INT64_MAX);
    EDDY_AUTO (EddyGroup) inner = group_new ();
    if (eddy_group_spawn (inner, sleep_long, NULL, NULL, error)) /* it may be late */
        ck_assert (!eddy_group_wait (inner, error));
    ck_assert_ptr_nonnull (*error);
    ck_assert_int_eq (eddy_error_get_code (*error), EDDY_IO_ERROR_TIMED_OUT);
    return NULL;
}

static void *run_inherited_deadline (void *data, EddyError **error)
{
    EDDY_AUTO (EddyGroup) group = eddy_group_new_with_timeout (MILLISECOND);
    ck_assert (eddy_group_spawn (group, run_group_of_mine, NULL, NULL, error));
    ck_assert (eddy_group_spawn (group, run_group_of_mine, group, NULL, error));
    ck_assert (!eddy_group_wait (group, error));
    eddy_test_expect_error (error, EDDY_IO_ERROR_TIMED_OUT);
    ck_assert_uint_eq (eddy_group_get_n_errors (group), 1);
    return data;
}

EDDY_TEST (D_group_inherits_the_deadline_of_its_maker)
{
    run_on_both (run_inherited_deadline);
}

/* --- fibers that are ready -------------------------------------------------------------------- */

static void *serve (void *data, EddyError **error)
{
    eddy_fiber_yield ();
    ck_assert (eddy_fiber_report_ready (data));
    ck_assert (!eddy_fiber_report_ready (data));
    eddy_fiber_sleep (INT64_MAX, error);
    return NULL;
}

static void *serve_nobody (void *data, EddyError **error)
{
    (void) error;
    ck_assert (!eddy_fiber_report_ready (data));
    return NULL;
}

static void *run_start (void *data, EddyError **error)
{
    EDDY_AUTO_GROUP (group) = group_new ();
    int server = 0;
    bool destroyed = false;
    ck_assert_ptr_eq (eddy_group_start (group, serve, &server, NULL, error), &server);
    ck_assert_ptr_null (*error);
    ck_assert_ptr_eq (eddy_group_start (group, serve, &destroyed, mark, error), &destroyed);
    ck_assert (eddy_group_spawn (group, serve_nobody, &server, NULL, error));
    eddy_fiber_yield ();
    ck_assert (!destroyed);
    eddy_group_cancel (group);
    ck_assert (eddy_group_wait (group, error));
    ck_assert (destroyed);
    destroyed = false;
    ck_assert_ptr_null (eddy_group_start (group, serve, &destroyed, mark, error));
    eddy_test_expect_error (error, EDDY_IO_ERROR_CANCELLED);
    ck_assert (destroyed);
    return data;
}

EDDY_TEST (D_group_start_returns_what_is_ready)
{
    run_on_both (run_start);
}

/* Who ends before it is ready is the starter's business alone. */
static void *run_start_failed (void *data, EddyError **error)
{
    EDDY_AUTO_GROUP (group) = group_new ();
    int counted = 0;
    ck_assert (eddy_group_spawn (group, sleep_and_count, &counted, NULL, error));
    ck_assert_ptr_null (eddy_group_start (group, fail_with_data, "no socket", NULL, error));
    ck_assert_str_eq (eddy_error_get_message (*error), "no socket");
    eddy_clear_error (error);
    ck_assert_ptr_null (eddy_group_start (group, return_data, group, NULL, error));
    eddy_test_expect_error (error, EDDY_IO_ERROR_FAILED);
    ck_assert_int_eq (counted, 0);
    ck_assert_uint_eq (eddy_group_get_n_errors (group), 0);
    eddy_group_cancel (group);
    ck_assert (eddy_group_wait (group, error));
    return data;
}

EDDY_TEST (D_group_start_fails_with_its_fiber)
{
    run_on_both (run_start_failed);
}

/* Some are ready although they were cancelled, and that stands. */
static void *be_ready_late (void *data, EddyError **error)
{
    (void) error;
    ck_assert (!eddy_fiber_sleep (INT64_MAX, NULL));
    ck_assert (eddy_fiber_report_ready (data));
    return NULL;
}

static void *start_long (void *data, EddyError **error)
{
    EDDY_AUTO_GROUP (group) = group_new ();
    bool destroyed = false;
    if (data != NULL) {
        ck_assert_ptr_eq (eddy_group_start (group, be_ready_late, data, NULL, error), data);
        return data;
    }
    ck_assert_ptr_null (eddy_group_start (group, sleep_long, &destroyed, mark, error));
    ck_assert (destroyed);
    ck_assert (eddy_error_is_cancelled (*error));
    return NULL;
}

static void *run_start_cancelled (void *data, EddyError **error)
{
    int server = 0;
    EDDY_AUTO (EddyFuture) first = eddy_spawn_local (start_long, NULL, NULL);
    EDDY_AUTO (EddyFuture) second = eddy_spawn_local (start_long, &server, NULL);
    ck_assert (eddy_fiber_sleep (MILLISECOND, error));
    eddy_future_cancel (first);
    eddy_future_cancel (second);
    ck_assert (!eddy_await_complete (first, error));
    eddy_test_expect_error (error, EDDY_IO_ERROR_CANCELLED);
    ck_assert_ptr_eq (eddy_await (second, error), &server);
    return data;
}

EDDY_TEST (D_group_start_is_cancelled_with_its_caller)
{
    run_on_both (run_start_cancelled);
}

EDDY_TEST (D_group_start_in_a_plain_thread)
{
    EddyContext *context = eddy_test_context_begin ();
    EddyError *error = NULL;
    int server = 0;
    EddyGroup *group = eddy_group_new ();
    ck_assert_ptr_eq (eddy_group_start (group, serve, &server, NULL, &error), &server);
    ck_assert_ptr_null (eddy_group_start (group, fail_with_data, "no socket", NULL, &error));
    eddy_test_expect_error (&error, EDDY_IO_ERROR_FAILED);
    eddy_group_leave (group);
    eddy_test_context_end (context);
}

/* --- ways out --------------------------------------------------------------------------------- */

static void leave_at (int point, int *ended)
{
    for (int i = 0; i < 3; i++) {
        EDDY_AUTO_GROUP (group) = group_new ();
        ck_assert (eddy_group_spawn (group, sleep_and_count, ended, NULL, NULL));
        eddy_fiber_yield ();
        if (i == point)
            return;
    }
}

static void *run_left (void *data, EddyError **error)
{
    int ended = 0;
    (void) error;
    leave_at (0, &ended);
    ck_assert_int_eq (ended, 1);
    leave_at (3, &ended);
    ck_assert_int_eq (ended, 4);
    return data;
}

EDDY_TEST (D_group_auto_ends_its_fibers_first)
{
    run_on_both (run_left);
}

/* Nobody waits for those of a group that was dropped, but they are cancelled. */
static void *run_dropped (void *data, EddyError **error)
{
    int ended = 0;
    EddyGroup *group = group_new ();
    for (int i = 0; i < 5; i++)
        ck_assert (eddy_group_spawn (group, sleep_and_count, &ended, NULL, error));
    eddy_fiber_yield ();
    eddy_unref (group);
    wait_until (&ended, 5);
    return data;
}

EDDY_TEST (D_group_dropped_cancels_its_fibers)
{
    run_on_both (run_dropped);
}

/* A group outlives the fiber that made it, when somebody else has it. */
static void *make_group (void *data, EddyError **error)
{
    EddyGroup *group = group_new ();
    ck_assert (eddy_group_spawn (group, count, data, NULL, error));
    return group;
}

static void *run_orphaned (void *data, EddyError **error)
{
    int counted = 0;
    EddyFuture *maker = eddy_spawn_local (make_group, &counted, NULL);
    EddyGroup *group = eddy_await (maker, error);
    eddy_unref (maker);
    ck_assert (eddy_group_wait (group, error));
    ck_assert_int_eq (counted, 1);
    eddy_unref (group);
    return data;
}

EDDY_TEST (D_group_outlives_its_maker)
{
    run_on_both (run_orphaned);
}

static void group_ended (void *source_object, EddyAsyncResult *result, void *data)
{
    (void) source_object;
    ck_assert_ptr_null (eddy_future_get_error (result));
    *(bool *) data = true;
}

/* A program without fibers of its own hears of a group's end by callback. */
EDDY_TEST (D_group_end_is_a_future)
{
    EddyContext *context = eddy_test_context_begin ();
    EddyError *error = NULL;
    bool ended = false;
    int counted = 0;
    EddyGroup *group = eddy_group_new ();
    for (int i = 0; i < 5; i++)
        ck_assert (eddy_group_spawn (group, count, &counted, NULL, &error));
    EddyFuture *end = eddy_group_wait_future (group);
    ck_assert (eddy_future_add_callback (end, group_ended, &ended));
    while (!ended)
        eddy_context_iteration (context, true);
    ck_assert_int_eq (counted, 5);
    ck_assert (eddy_block_on_boolean (NULL, end, &error));
    eddy_unref (end);
    ck_assert (eddy_group_spawn (group, fail_with_data, "as told", NULL, &error));
    ck_assert (eddy_group_spawn (group, sleep_and_count, &counted, NULL, &error));
    end = eddy_group_wait_future (group);
    eddy_unref (group);
    ck_assert (!eddy_block_on_boolean (NULL, end, &error));
    eddy_test_expect_error (&error, EDDY_IO_ERROR_FAILED);
    ck_assert_int_eq (counted, 6);
    eddy_unref (end);
    eddy_test_context_end (context);
}

/* Nobody wants to know of its end any more. */
static void *run_unwanted_end (void *data, EddyError **error)
{
    EDDY_AUTO (EddyGroup) group = group_new ();
    int ended = 0;
    ck_assert (eddy_group_spawn (group, sleep_and_count, &ended, NULL, error));
    EddyFuture *end = eddy_group_wait_future (group);
    eddy_fiber_yield ();
    eddy_unref (end);
    ck_assert (eddy_group_wait (group, error));
    ck_assert_int_eq (ended, 1);
    return data;
}

EDDY_TEST (D_group_end_that_nobody_wants_cancels)
{
    run_on_both (run_unwanted_end);
}

/* --- limits ----------------------------------------------------------------------------------- */

typedef struct Line {
    EddyGroup *group;
    int begun[6];
    int n_begun;
} Line;

typedef struct Place {
    Line *line;
    int number;
} Place;

static void *take_turn (void *data, EddyError **error)
{
    Place *place = data;
    place->line->begun[place->line->n_begun++] = place->number;
    eddy_fiber_sleep (MILLISECOND, error);
    return NULL;
}

static void *spawn_in_line (void *data, EddyError **error)
{
    Place *place = data;
    ck_assert (eddy_group_spawn (place->line->group, take_turn, place, NULL, error));
    return NULL;
}

/* Who waits for room first gets it first; a caller that is cancelled gives its place up. */
static void *run_in_line (void *data, EddyError **error)
{
    Line line = { .group = eddy_group_new () };
    Place places[6];
    EddyFuture *callers[6];
    eddy_group_set_limit (line.group, 1);
    for (int i = 0; i < 6; i++) {
        places[i] = (Place){ &line, i };
        callers[i] = eddy_spawn_local (i == 3 ? sleep_long : spawn_in_line, &places[i], NULL);
    }
    eddy_future_cancel (callers[3]);
    for (int i = 0; i < 6; i++) {
        ck_assert (eddy_await_complete (callers[i], NULL) == (i != 3));
        eddy_unref (callers[i]);
    }
    ck_assert (eddy_group_wait (line.group, error));
    ck_assert_int_eq (line.n_begun, 5);
    for (int i = 1; i < 5; i++)
        ck_assert_int_lt (line.begun[i - 1], line.begun[i]);
    eddy_unref (line.group);
    return data;
}

EDDY_TEST (D_group_limit_serves_in_order)
{
    EddyContext *context = eddy_test_context_begin ();
    eddy_test_run_fiber (context, run_in_line, NULL);
    eddy_test_context_end (context);
}

static void *wait_for_room (void *data, EddyError **error)
{
    return eddy_group_spawn (data, return_data, NULL, NULL, error) ? data : NULL;
}

static void *run_room (void *data, EddyError **error)
{
    EDDY_AUTO_GROUP (group) = group_new ();
    eddy_group_set_limit (group, 1);
    ck_assert (eddy_group_spawn (group, sleep_long, NULL, NULL, error));
    EDDY_AUTO (EddyFuture) cancelled = eddy_spawn_local (wait_for_room, group, NULL);
    EDDY_AUTO (EddyFuture) waiting = eddy_spawn_local (wait_for_room, group, NULL);
    eddy_fiber_yield ();
    eddy_future_cancel (cancelled);
    ck_assert (!eddy_await_complete (cancelled, error));
    eddy_test_expect_error (error, EDDY_IO_ERROR_CANCELLED);
    ck_assert (!eddy_future_is_complete (waiting));
    eddy_group_set_limit (group, 2);
    ck_assert_ptr_eq (eddy_await (waiting, error), group);
    EDDY_AUTO (EddyFuture) late = eddy_spawn_local (wait_for_room, group, NULL);
    eddy_group_set_limit (group, 1);
    eddy_fiber_yield ();
    eddy_group_cancel_with_cause (group, error_busy ());
    ck_assert (!eddy_await_complete (late, error) || where != NULL);
    eddy_clear_error (error);
    return data;
}

EDDY_TEST (D_group_room_is_waited_for)
{
    run_on_both (run_room);
}

/* --- deadlocks -------------------------------------------------------------------------------- */

/* Its group waits for it, and it waits for who waits for the group. */
static void *await_owner (void *data, EddyError **error)
{
    eddy_await_complete (data, error);
    return NULL;
}

static void *join_those_that_await_me (void *data, EddyError **error)
{
    EDDY_AUTO_GROUP (group) = group_new ();
    ck_assert (eddy_group_spawn (group, await_owner, *(EddyFuture **) data, NULL, error));
    eddy_group_wait (group, error);
    return NULL;
}

static void *start_what_awaits_me (void *data, EddyError **error)
{
    EDDY_AUTO_GROUP (group) = group_new ();
    eddy_group_start (group, await_owner, *(EddyFuture **) data, NULL, error);
    return NULL;
}

static bool dump_tells_deadlock (void)
{
    static char text[65536];
    EddyError *error = NULL;
    int fd = memfd_create ("dump", MFD_CLOEXEC);
    ck_assert (eddy_context_dump (NULL, fd, &error));
    ssize_t len = pread (fd, text, sizeof text - 1, 0);
    ck_assert_int_gt (len, 0);
    text[len] = '\0';
    close (fd);
    return strstr (text, "deadlock: ") != NULL;
}

static void *run_deadlocks (void *data, EddyError **error)
{
    EddyFiberFunc functions[] = { join_those_that_await_me, start_what_awaits_me };
    for (int i = 0; i < 2; i++) {
        EddyFuture *owner = eddy_spawn_local (functions[i], &owner, NULL);
        bool told = false;
        for (int n = 0; n < 2000 && !(told = dump_tells_deadlock ()); n++)
            ck_assert (eddy_fiber_sleep (MILLISECOND, error));
        ck_assert (told);
        eddy_future_cancel (owner);
        (void) eddy_await_complete (owner, NULL);
        eddy_unref (owner);
    }
    return data;
}

EDDY_TEST (D_group_deadlocks_are_told)
{
    run_on_both (run_deadlocks);
}
