/* SPDX-License-Identifier: MIT */
/* Fibers by their public interface, on each engine: order, priorities, errno, cancelling from
 * either side of a thread, groups, and what happens when stacks run out. */
#include <eddy/eddy.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/compiler-private.h"
#include "context.h"
#include "faults.h"
#include "fiber/fiber-private.h"
#include "sys/clock-private.h"

#define MILLISECOND INT64_C (1000000)

/* What fibers wrote down, in order. */
typedef struct Journal {
    int n;
    int entries[40000];
} Journal;

static Journal journal;

static void journal_add (int entry)
{
    ck_assert_int_lt (journal.n, (int) (sizeof journal.entries / sizeof journal.entries[0]));
    journal.entries[journal.n++] = entry;
}

static void *int_data (int number)
{
    return (void *) (intptr_t) number;
}

static int data_int (void *data)
{
    return (int) (intptr_t) data;
}

/* Awaits them all, from outside, and gives them up. */
static void join_all (EddyContext *context, EddyFuture **fibers, int n)
{
    for (int i = 0; i < n; i++) {
        ck_assert (eddy_block_on_complete (context, fibers[i], NULL));
        eddy_unref (fibers[i]);
    }
}

/* --- turns ------------------------------------------------------------------------------------ */

enum { YIELD_ROUNDS = 3 };

static void *yield_and_note (void *data, EddyError **error)
{
    (void) error;
    for (int round = 0; round < YIELD_ROUNDS; round++) {
        journal_add (data_int (data));
        eddy_fiber_yield ();
    }
    return data;
}

EDDY_TEST (thousands_yield_in_order)
{
    enum { N = 3000 };
    static EddyFuture *fibers[N];
    EddyContext *context = eddy_test_context_begin ();
    for (int i = 0; i < N; i++)
        fibers[i] = eddy_spawn (context, yield_and_note, int_data (i), NULL);
    join_all (context, fibers, N);
    ck_assert_int_eq (journal.n, N * YIELD_ROUNDS);
    for (int i = 0; i < journal.n; i++)
        ck_assert_int_eq (journal.entries[i], i % N);
    eddy_test_context_end (context);
}

typedef struct Spinner {
    bool stop;
    int64_t turns;
} Spinner;

static void *spin (void *data, EddyError **error)
{
    Spinner *spinner = data;
    (void) error;
    for (; !spinner->stop; spinner->turns++)
        eddy_fiber_yield ();
    return data;
}

static bool spinner_stop (void *data)
{
    ((Spinner *) data)->stop = true;
    return false;
}

/* What is invoked, timers and the kernel's events come through although a fiber always is ready. */
EDDY_TEST (a_yielding_fiber_does_not_hold_the_turn)
{
    Spinner by_invoke = { .stop = false }, by_timer = { .stop = false };
    EddyContext *context = eddy_test_context_begin ();
    EddyFuture *fibers[2];
    fibers[0] = eddy_spawn (context, spin, &by_invoke, NULL);
    fibers[1] = eddy_spawn (context, spin, &by_timer, NULL);
    eddy_context_invoke (context, spinner_stop, &by_invoke);
    EddySource *timer = eddy_timeout_source_new (5 * MILLISECOND);
    eddy_source_set_callback (timer, spinner_stop, &by_timer, NULL);
    eddy_source_attach (timer, context);
    join_all (context, fibers, 2);
    ck_assert_int_gt (by_timer.turns, by_invoke.turns);
    eddy_unref (timer);
    eddy_test_context_end (context);
}

static void *note_once (void *data, EddyError **error)
{
    (void) error;
    journal_add (data_int (data));
    return data;
}

EDDY_TEST (the_more_urgent_priority_runs_first)
{
    static const int priorities[] = { 100, 0, -100, 0, 100, -100, 7 };
    static const int order[] = { -100, -100, 0, 0, 7, 100, 100 };
    enum { N = 7 };
    EddyFuture *fibers[N];
    EddyContext *context = eddy_test_context_begin ();
    for (int i = 0; i < N; i++) {
        EddyFiberOptions options = { .priority = priorities[i] };
        fibers[i] = eddy_spawn_full (context, note_once, int_data (priorities[i]), NULL, &options,
                                     EDDY_PLACE);
    }
    join_all (context, fibers, N);
    ck_assert_int_eq (journal.n, N);
    for (int i = 0; i < N; i++)
        ck_assert_int_eq (journal.entries[i], order[i]);
    eddy_test_context_end (context);
}

/* --- nesting ---------------------------------------------------------------------------------- */

typedef struct Nesting {
    EddyContext *context;
    EddyFuture *inner;
    EddyFuture *outer;
    bool done;
} Nesting;

static bool nested_block_on (void *data)
{
    Nesting *nesting = data;
    ck_assert (!eddy_in_fiber ());
    ck_assert_ptr_eq (eddy_block_on (nesting->context, nesting->inner, NULL), int_data (1));
    ck_assert (!eddy_future_is_complete (nesting->outer));
    nesting->done = true;
    return false;
}

static void *sleep_and_note (void *data, EddyError **error)
{
    if (!eddy_fiber_sleep (data_int (data) * MILLISECOND, error))
        return NULL;
    journal_add (data_int (data));
    return data;
}

EDDY_TEST (a_callback_may_block_on_a_fiber)
{
    EddyContext *context = eddy_test_context_begin ();
    Nesting nesting = { .context = context };
    nesting.inner = eddy_spawn (context, yield_and_note, int_data (1), NULL);
    nesting.outer = eddy_spawn (context, sleep_and_note, int_data (50), NULL);
    EddySource *source = eddy_idle_source_new ();
    eddy_source_set_callback (source, nested_block_on, &nesting, NULL);
    eddy_source_attach (source, context);
    ck_assert_ptr_eq (eddy_block_on (context, nesting.outer, NULL), int_data (50));
    ck_assert (nesting.done);
    eddy_unref (source);
    eddy_unref (nesting.inner);
    eddy_unref (nesting.outer);
    eddy_test_context_end (context);
}

static void *await_other (void *data, EddyError **error)
{
    (void) error;
    return eddy_await (data, NULL);
}

/* More watchers than one, told in the order in which they came; a join after the end as well. */
EDDY_TEST (many_await_one_fiber)
{
    enum { N = 10 };
    EddyFuture *waiters[N];
    EddyContext *context = eddy_test_context_begin ();
    EddyFuture *one = eddy_spawn (context, sleep_and_note, int_data (2), NULL);
    for (int i = 0; i < N; i++)
        waiters[i] = eddy_spawn (context, await_other, one, NULL);
    for (int i = 0; i < N; i++)
        ck_assert_ptr_eq (eddy_block_on (context, waiters[i], NULL), int_data (2));
    ck_assert_ptr_eq (eddy_test_run_fiber (context, await_other, one), int_data (2));
    for (int i = 0; i < N; i++)
        eddy_unref (waiters[i]);
    eddy_unref (one);
    eddy_test_context_end (context);
}

/* --- errno ------------------------------------------------------------------------------------ */

static void *keep_errno (void *data, EddyError **error)
{
    errno = data_int (data);
    for (int i = 0; i < 100; i++) {
        eddy_fiber_yield ();
        ck_assert_int_eq (errno, data_int (data));
    }
    ck_assert (eddy_fiber_sleep (MILLISECOND, error));
    ck_assert_int_eq (errno, data_int (data));
    return data;
}

EDDY_TEST (errno_is_kept_per_fiber)
{
    enum { N = 5 };
    EddyFuture *fibers[N];
    EddyContext *context = eddy_test_context_begin ();
    for (int i = 0; i < N; i++)
        fibers[i] = eddy_spawn (context, keep_errno, int_data (i + 1), NULL);
    join_all (context, fibers, N);
    eddy_test_context_end (context);
}

/* --- other threads ---------------------------------------------------------------------------- */

typedef struct Elsewhere {
    EddyContext *context;
    EddyFuture *fiber;
    void *thread;
    bool cancelled;
} Elsewhere;

static void *note_thread (void *data, EddyError **error)
{
    Elsewhere *elsewhere = data;
    (void) error;
    elsewhere->thread = eddy__thread_self ();
    return data;
}

static void *thread_spawn (void *data)
{
    Elsewhere *elsewhere = data;
    elsewhere->fiber = eddy_spawn (elsewhere->context, note_thread, elsewhere, NULL);
    return NULL;
}

EDDY_TEST (another_thread_may_spawn)
{
    EddyContext *context = eddy_test_context_begin ();
    Elsewhere elsewhere = { .context = context };
    pthread_t thread;
    ck_assert_int_eq (pthread_create (&thread, NULL, thread_spawn, &elsewhere), 0);
    pthread_join (thread, NULL);
    ck_assert_ptr_eq (eddy_block_on (context, elsewhere.fiber, NULL), &elsewhere);
    ck_assert_ptr_eq (elsewhere.thread, eddy__thread_self ());
    eddy_unref (elsewhere.fiber);
    eddy_test_context_end (context);
}

static void *wait_for_cancel (void *data, EddyError **error)
{
    bool slept = eddy_fiber_sleep (INT64_C (60000) * MILLISECOND, error);
    if (data != NULL)
        *(bool *) data = !slept;
    return NULL;
}

static void *thread_cancel (void *data)
{
    eddy_future_cancel (data);
    return NULL;
}

static void *thread_drop (void *data)
{
    eddy_unref (data);
    return NULL;
}

static void run_in_thread (void *(*function) (void *data), void *data)
{
    pthread_t thread;
    ck_assert_int_eq (pthread_create (&thread, NULL, function, data), 0);
    pthread_join (thread, NULL);
}

static void iterate (EddyContext *context, int n)
{
    for (int i = 0; i < n; i++)
        eddy_context_iteration (context, /* may_block= */ false);
}

/* How a cancel reaches a fiber that is parked, or new; `cancel` runs here or in a thread. */
static void check_cancel (bool parked, bool elsewhere)
{
    EddyContext *context = eddy_test_context_begin ();
    EddyError *error = NULL;
    bool cancelled = false;
    EddyFuture *fiber = eddy_spawn (context, wait_for_cancel, &cancelled, NULL);
    if (parked)
        iterate (context, 3);
    if (elsewhere)
        run_in_thread (thread_cancel, fiber);
    else
        eddy_future_cancel (fiber);
    ck_assert_ptr_null (eddy_block_on (context, fiber, &error));
    eddy_test_expect_error (&error, EDDY_IO_ERROR_CANCELLED);
    ck_assert (cancelled);
    eddy_future_cancel (fiber); /* of one that has ended: nothing */
    run_in_thread (thread_cancel, fiber);
    eddy_unref (fiber);
    eddy_test_context_end (context);
}

EDDY_TEST (cancel_of_a_parked_fiber)
{
    check_cancel (/* parked= */ true, /* elsewhere= */ false);
}

EDDY_TEST (cancel_of_a_parked_fiber_from_another_thread)
{
    check_cancel (/* parked= */ true, /* elsewhere= */ true);
}

EDDY_TEST (cancel_of_a_new_fiber)
{
    check_cancel (/* parked= */ false, /* elsewhere= */ false);
}

EDDY_TEST (cancel_of_a_new_fiber_from_another_thread)
{
    check_cancel (/* parked= */ false, /* elsewhere= */ true);
}

EDDY_TEST (a_dropped_handle_cancels)
{
    EddyContext *context = eddy_test_context_begin ();
    for (int elsewhere = 0; elsewhere < 2; elsewhere++) {
        bool cancelled = false;
        EddyFuture *fiber = eddy_spawn (context, wait_for_cancel, &cancelled, NULL);
        iterate (context, 3);
        if (elsewhere != 0)
            run_in_thread (thread_drop, fiber);
        else
            eddy_unref (fiber);
        iterate (context, 3);
        ck_assert_msg (cancelled, "not cancelled, dropped %s", elsewhere ? "elsewhere" : "here");
    }
    eddy_test_context_end (context);
}

static void *cancel_and_go_on (void *data, EddyError **error)
{
    EddyFuture *mine = *(EddyFuture **) data;
    EddyError *first = NULL;
    eddy_future_cancel (mine);
    ck_assert (!eddy_fiber_sleep (0, &first));
    eddy_test_expect_error (&first, EDDY_IO_ERROR_CANCELLED);
    /* Level-triggered: the next wait fails, too; but a value may be returned all the same. */
    ck_assert (!eddy_fiber_sleep (MILLISECOND, NULL));
    ck_assert (eddy_cancellable_is_cancelled (eddy_fiber_get_cancellable ()));
    (void) error;
    return data;
}

EDDY_TEST (a_cancelled_fiber_may_return_a_value)
{
    EddyContext *context = eddy_test_context_begin ();
    EddyFuture *fiber = NULL;
    fiber = eddy_spawn (context, cancel_and_go_on, &fiber, NULL);
    ck_assert_ptr_eq (eddy_block_on (context, fiber, NULL), &fiber);
    eddy_unref (fiber);
    eddy_test_context_end (context);
}

/* --- detached --------------------------------------------------------------------------------- */

static char logged[256];

static void keep_log (EddyLogLevel level, const char *message, void *data)
{
    (void) data;
    if (level == EDDY_LOG_WARNING)
        snprintf (logged, sizeof logged, "%s", message);
}

static void *burn (void *data, EddyError **error)
{
    (void) data;
    eddy_error_set (error, EDDY_IO_ERROR, EDDY_IO_ERROR_FAILED, "the roof is on fire");
    return NULL;
}

EDDY_TEST (a_detached_error_is_logged)
{
    EddyContext *context = eddy_test_context_begin ();
    EddyFiberOptions options = { .name = "roofer" };
    eddy_log_set_handler (keep_log, NULL);
    eddy_spawn_detached_full (context, burn, NULL, NULL, &options, EDDY_PLACE);
    iterate (context, 3);
    ck_assert_str_eq (logged, "detached fiber 'roofer' failed: the roof is on fire");
    eddy_log_set_handler (NULL, NULL);
    eddy_test_context_end (context);
}

/* --- groups ----------------------------------------------------------------------------------- */

typedef struct Crowd {
    int running;
    int most;
    int ended;
    int cancelled;
} Crowd;

static void *crowd_member (void *data, EddyError **error)
{
    Crowd *crowd = data;
    (void) error;
    crowd->running++;
    if (crowd->running > crowd->most)
        crowd->most = crowd->running;
    crowd->cancelled += !eddy_fiber_sleep (MILLISECOND, NULL);
    crowd->running--;
    crowd->ended++;
    return NULL;
}

static void *group_of_three (void *data, EddyError **error)
{
    Crowd *crowd = data;
    EddyGroup *group = eddy_group_new ();
    eddy_group_set_limit (group, 3);
    for (int i = 0; i < 20; i++)
        ck_assert (eddy_group_spawn (group, crowd_member, crowd, NULL, error));
    ck_assert (eddy_group_wait (group, error));
    eddy_unref (group);
    return data;
}

EDDY_TEST (a_group_keeps_its_limit)
{
    EddyContext *context = eddy_test_context_begin ();
    Crowd crowd = { .running = 0 };
    eddy_test_run_fiber (context, group_of_three, &crowd);
    ck_assert_int_eq (crowd.most, 3);
    ck_assert_int_eq (crowd.ended, 20);
    ck_assert_int_eq (crowd.cancelled, 0);
    eddy_test_context_end (context);
}

static void *sleeper_of_crowd (void *data, EddyError **error)
{
    Crowd *crowd = data;
    (void) error;
    crowd->cancelled += !eddy_fiber_sleep (INT64_C (60000) * MILLISECOND, NULL);
    eddy_fiber_yield ();
    crowd->ended++;
    return NULL;
}

static void *group_with_a_failure (void *data, EddyError **error)
{
    Crowd *crowd = data;
    EddyGroup *group = eddy_group_new ();
    for (int i = 0; i < 5; i++)
        ck_assert (eddy_group_spawn (group, sleeper_of_crowd, crowd, NULL, error));
    ck_assert (eddy_group_spawn (group, burn, NULL, NULL, error));
    ck_assert (!eddy_group_wait (group, error));
    ck_assert_int_eq (crowd->ended, 5); /* the wait ends after all of them */
    ck_assert_uint_eq (eddy_group_get_n_errors (group), 1);
    ck_assert (!eddy_group_spawn (group, crowd_member, crowd, NULL, NULL));
    eddy_unref (group);
    return NULL;
}

EDDY_TEST (the_first_error_cancels_the_siblings)
{
    EddyContext *context = eddy_test_context_begin ();
    Crowd crowd = { .running = 0 };
    EddyError *error = NULL;
    EddyFuture *fiber = eddy_spawn (context, group_with_a_failure, &crowd, NULL);
    eddy_block_on (context, fiber, &error);
    ck_assert_ptr_nonnull (error);
    ck_assert_str_eq (eddy_error_get_message (error), "the roof is on fire");
    ck_assert_int_eq (crowd.cancelled, 5);
    eddy_clear_error (&error);
    eddy_unref (fiber);
    eddy_test_context_end (context);
}

static void *group_of_sleepers (void *data, EddyError **error)
{
    Crowd *crowd = data;
    EddyGroup *group = eddy_group_new ();
    for (int i = 0; i < 5; i++)
        ck_assert (eddy_group_spawn (group, sleeper_of_crowd, crowd, NULL, error));
    /* Shielded: although cancelled, it waits until the last child has ended. */
    ck_assert (eddy_group_wait (group, error));
    ck_assert_int_eq (crowd->ended, 5);
    eddy_unref (group);
    return data;
}

EDDY_TEST (a_cancel_of_the_maker_reaches_the_group)
{
    EddyContext *context = eddy_test_context_begin ();
    Crowd crowd = { .running = 0 };
    EddyFuture *fiber = eddy_spawn (context, group_of_sleepers, &crowd, NULL);
    iterate (context, 5);
    eddy_future_cancel (fiber);
    ck_assert_ptr_eq (eddy_block_on (context, fiber, NULL), &crowd);
    ck_assert_int_eq (crowd.cancelled, 5);
    eddy_unref (fiber);
    eddy_test_context_end (context);
}

/* --- many ------------------------------------------------------------------------------------- */

enum { SLEEPERS = 10000 };

/* When each sleeper began, just before it read the clock itself; and, since they run one after the
 * other, when the one before had read it. */
static int64_t sleeper_began_ns[SLEEPERS + 1];

/* Later ones sleep for less. */
static int64_t sleeper_duration_ns (int number)
{
    return (200 - number / 100) * MILLISECOND;
}

static void *sleeper (void *data, EddyError **error)
{
    int number = data_int (data);
    sleeper_began_ns[number] = eddy__sys_now_ns ();
    if (eddy_fiber_sleep (sleeper_duration_ns (number), error))
        journal_add (number);
    return NULL;
}

static void check_sleepers_order (void)
{
    for (int i = 1; i < journal.n; i++) {
        int before = journal.entries[i - 1], after = journal.entries[i];
        int64_t earliest_ns = sleeper_began_ns[before] + sleeper_duration_ns (before);
        int64_t latest_ns = sleeper_began_ns[after + 1] + sleeper_duration_ns (after);
        ck_assert_int_le (earliest_ns, latest_ns);
    }
}

EDDY_TEST_TIMEOUT (ten_thousand_sleep_and_wake_in_order, 60)
{
    static EddyFuture *fibers[SLEEPERS];
    EddyStackCounts counts;
    int n = eddy_test_sanitized () ? SLEEPERS / 10 : SLEEPERS;
    EddyContext *context = eddy_test_context_begin ();
    for (int i = 0; i < n; i++)
        fibers[i] = eddy_spawn (context, sleeper, int_data (i), NULL);
    sleeper_began_ns[n] = INT64_MAX / 2;
    join_all (context, fibers, n);
    ck_assert_int_eq (journal.n, n);
    check_sleepers_order ();
    /* The burst's stacks are given back while the loop sleeps. */
    eddy__stack_get_counts (&counts);
    ck_assert_uint_eq (counts.live, 0);
    ck_assert_uint_gt (counts.warm, EDDY_STACK_WARM_KEPT);
    eddy_test_run_fiber (context, sleep_and_note, int_data (500));
    eddy__stack_get_counts (&counts);
    ck_assert_uint_le (counts.warm, EDDY_STACK_WARM_KEPT + 1);
    eddy_test_context_end (context);
}

EDDY_TEST (no_stack_is_an_error)
{
    EddyContext *context = eddy_test_context_begin ();
    EddyError *error = NULL;
    bool destroyed = false;
    eddy__stack_set_guards (EDDY_STACK_GUARDS_MPROTECT);
    eddy_test_fail_call (EDDY_SYS_MPROTECT, 1, ENOMEM, /* from_then_on= */ true);
    EddyFuture *fiber = eddy_spawn (context, wait_for_cancel, &destroyed, NULL);
    ck_assert_ptr_null (eddy_block_on (context, fiber, &error));
    ck_assert_uint_ge (eddy_test_fault_hits (EDDY_SYS_MPROTECT), 1);
    eddy_test_expect_error (&error, EDDY_IO_ERROR_NO_MEMORY);
    eddy_unref (fiber);
    eddy_test_no_faults ();
    ck_assert_ptr_eq (eddy_test_run_fiber (context, note_once, int_data (3)), int_data (3));
    eddy_test_context_end (context);
}

#if !EDDY__SANITIZED

/* Deeper with each call, until the guard. */
static int recurse (volatile char *above, int depth)
{
    volatile char frame[1024];
    frame[0] = above[0];
    return depth == 0 ? frame[0] : recurse (frame, depth - 1) + frame[0];
}

static void *overflow (void *data, EddyError **error)
{
    volatile char frame[1] = { 0 };
    (void) error;
    recurse (frame, 1 << 20);
    return data;
}

static void overflow_child (int error_fd)
{
    struct rlimit no_core = { 0, 0 };
    EddyFiberOptions options = { .name = "diver" };
    setrlimit (RLIMIT_CORE, &no_core);
    signal (SIGSEGV, SIG_DFL);
    dup2 (error_fd, STDERR_FILENO);
    EddyContext *context = eddy_context_new ();
    EddyFuture *fiber = eddy_spawn_full (context, overflow, NULL, NULL, &options, EDDY_PLACE);
    eddy_block_on (context, fiber, NULL);
    _exit (0);
}

EDDY_TEST (an_overflow_names_the_fiber)
{
    char text[1024] = "";
    size_t len = 0;
    int status = 0;
    int fds[2];
    ck_assert_int_eq (pipe (fds), 0);
    pid_t child = fork ();
    if (child == 0)
        overflow_child (fds[1]);
    close (fds[1]);
    for (ssize_t n; (n = read (fds[0], text + len, sizeof text - 1 - len)) > 0;)
        len += (size_t) n;
    close (fds[0]);
    ck_assert_int_eq (waitpid (child, &status, 0), child);
    ck_assert_msg (WIFSIGNALED (status) && WTERMSIG (status) == SIGSEGV, "status %#x", status);
    ck_assert_msg (strstr (text, "stack overflow in fiber 'diver' spawned at ") != NULL, "%s",
                   text);
    ck_assert_msg (strstr (text, "test-fiber.c:") != NULL, "%s", text);
    ck_assert_msg (strstr (text, "(overflow_child)") != NULL, "%s", text);
}

#endif
