/* SPDX-License-Identifier: MIT */
/* Cancelling a function at each of its points.
 *
 * It needs no hook where fibers park or operations complete: a context that is observed tells of
 * each step, and a cancellable that is observed of each look. Both are questions that contexts and
 * cancellables ask anyway, for other reasons; so this is part of the library, where it costs
 * nothing, rather than of a second one, for which the library would have to export its insides. */
#include <eddy/testing.h>

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#include "base/alloc-private.h"
#include "base/object-private.h"
#include "fiber/fiber-private.h"
#include "sys/file-private.h"

/* How long what a run has left under way may take to end by itself. */
#define TEST_SETTLE_NS INT64_C (10000000000)
/* A function that never comes to its end without another point would run for ever. */
enum { TEST_POINTS_MOST = 1000000 };

typedef struct TestRun {
    EddyPassObserver steps;
    EddyCancelObserver looks;
    EddyContext *context;
    EddyCancellable *root; /* what the fiber was started with */
    EddyFiber *fiber;
    uint32_t target; /* the point at which it is cancelled */
    uint32_t n;      /* points so far; atomic */
    bool settled;    /* the time to settle is over */
    EddyTimer settle;
} TestRun;

/* --- points ----------------------------------------------------------------------------------- */

/* Whether this is the point. After the function's end there are none. */
static bool test_run_is_due (TestRun *run)
{
    if (eddy__future_is_done (&run->fiber->future))
        return false;
    return __atomic_fetch_add (&run->n, 1, __ATOMIC_RELAXED) == run->target;
}

/* In the loop: the fiber is cancelled right here, before anything else happens. */
static void test_run_stepped (EddyPassObserver *observer)
{
    TestRun *run = EDDY__CONTAINER (observer, TestRun, steps);
    if (test_run_is_due (run))
        eddy__fiber_cancel (run->fiber, NULL);
}

/* On a worker: what it looks at is cancelled before it has the answer. */
static void test_run_looked (EddyCancelObserver *observer)
{
    TestRun *run = EDDY__CONTAINER (observer, TestRun, looks);
    if (test_run_is_due (run))
        eddy_cancellable_cancel (run->root);
}

/* --- what is left ----------------------------------------------------------------------------- */

/* How many fds are open, without the one that it takes to look; -errno. */
static int test_count_fds (void)
{
    int fd = eddy__sys_openat (AT_FDCWD, "/proc/self/fd", O_RDONLY | O_DIRECTORY, 0);
    if (fd < 0)
        return fd;
    _Alignas(EddySysDirent) char buffer[4096];
    int count = -1;
    ssize_t length;
    while ((length = eddy__sys_getdents64 (fd, buffer, sizeof buffer)) > 0) {
        for (ssize_t at = 0; at < length;) {
            const EddySysDirent *entry = (const EddySysDirent *) (void *) (buffer + at);
            count += entry->name[0] != '.';
            at += entry->length;
        }
    }
    eddy__sys_close (fd);
    return length < 0 ? (int) length : count;
}

static void test_settle_fire (EddyTimer *timer)
{
    EDDY__CONTAINER (timer, TestRun, settle)->settled = true;
}

static bool test_run_is_idle (const TestRun *run)
{
    return run->context->live_futures == 0 && run->context->live_fibers == 0 &&
           (run->context->engine == NULL || run->context->engine->live == 0);
}

/* Lets what the function has let go of come to its end; whether it does. */
static bool test_run_settle (TestRun *run)
{
    run->settle.fire = test_settle_fire;
    int64_t deadline_ns = eddy__context_read_clock (run->context) + TEST_SETTLE_NS;
    if (eddy__timer_add (&run->context->timers, &run->settle, deadline_ns) < 0)
        return false;
    /* What is still to be dispatched may be a fiber that has not begun. */
    bool more = true;
    while (!run->settled && more) {
        bool is_idle = test_run_is_idle (run);
        more = eddy__context_pass (run->context, /* may_block= */ !is_idle) || !is_idle;
    }
    eddy__timer_remove (&run->context->timers, &run->settle);
    return test_run_is_idle (run);
}

/* --- one run ---------------------------------------------------------------------------------- */

EDDY_PRINTF (3, 4)
static bool test_fail (EddyTestCancelReport *report, uint32_t point, const char *format, ...)
{
    va_list arguments;
    int used =
        point == EDDY_TEST_NO_POINT
            ? snprintf (report->failure, sizeof report->failure, "uncancelled: ")
            : snprintf (report->failure, sizeof report->failure, "point %" PRIu32 ": ", point);
    va_start (arguments, format);
    vsnprintf (report->failure + used, sizeof report->failure - (size_t) used, format, arguments);
    va_end (arguments);
    return false;
}

static bool test_run_begin (TestRun *run, uint32_t point)
{
    run->target = point;
    run->steps.stepped = test_run_stepped;
    run->looks.looked = test_run_looked;
    run->context = eddy_context_new ();
    run->root = eddy__cancellable_new_observed (&run->looks);
    if (run->context != NULL && run->root != NULL)
        run->fiber = eddy__fiber_new (run->context, run->root, 0);
    return run->fiber != NULL && eddy_context_push_thread_default (run->context);
}

/* Runs the function to its end, and what it leaves to theirs: whether that came. */
static bool test_run_function (TestRun *run, EddyFiberFunc function, void *data, EddyError **error)
{
    static const EddyFiberOptions options = { .name = "cancelled everywhere" };
    eddy__fiber_set_function (run->fiber, function, data, NULL, &options, NULL);
    int answer = eddy__context_enter (run->context);
    if (answer < 0) {
        eddy_error_set_errno (error, -answer, "running a context");
        return true;
    }
    eddy__fiber_start (run->fiber);
    run->context->observer = &run->steps;
    while (!eddy__future_is_done (&run->fiber->future))
        eddy__context_pass (run->context, /* may_block= */ true);
    eddy_error_take (error, eddy_ref (run->fiber->future.error));
    run->context->observer = NULL;
    bool settled = test_run_settle (run);
    eddy__context_leave (run->context);
    return settled;
}

/* Where something is left under way, the context and whatever that may still touch stay. */
static void test_run_end (TestRun *run, bool settled)
{
    if (!settled)
        return;
    eddy_unref (run->fiber);
    eddy_context_pop_thread_default (run->context);
    eddy_unref (run->context);
    eddy_unref (run->root);
    eddy__free (run);
}

/* What the function said and left, and at how many points: whether that was to be. */
static bool test_run_judge (const TestRun *run, EddyError *error, bool settled,
                            EddyTestCancelReport *report)
{
    bool reached = run->n > run->target;
    if (error != NULL && !(reached && eddy_error_is_cancelled (error)))
        return test_fail (report, run->target, "it failed with another error: %s",
                          eddy_error_get_message (error));
    if (!settled)
        return test_fail (report, run->target,
                          "%u operations, %u fibers and %u futures in all are left under way",
                          run->context->engine->live, run->context->live_fibers,
                          run->context->live_futures);
    report->points += reached;
    report->cancelled += reached && error != NULL;
    report->completed += reached && error == NULL;
    return true;
}

typedef struct Test {
    EddyFiberFunc function;
    void *data;
    EddyTestCheckFunc check;
    EddyTestCancelReport *report;
} Test;

/* Whether the run was good; `*reached`: whether it came to its point. */
static bool test_point (const Test *test, uint32_t point, bool *reached)
{
    EddyError *error = NULL;
    /* The first run also makes what lives on: threads, tables, a default context. */
    int fds_before = point == EDDY_TEST_NO_POINT ? -1 : test_count_fds ();
    TestRun *run = eddy__alloc0 (sizeof *run);
    if (run == NULL || !test_run_begin (run, point))
        return test_fail (test->report, point, "no context could be had");
    bool settled = test_run_function (run, test->function, test->data, &error);
    bool good = test_run_judge (run, error, settled, test->report);
    bool cancelled = error != NULL;
    *reached = run->n > point;
    test_run_end (run, settled);
    eddy_clear_error (&error);
    int fds = good && fds_before >= 0 ? test_count_fds () : fds_before;
    if (good && fds != fds_before)
        good = test_fail (test->report, point, "%d fds are open, %d were before", fds, fds_before);
    if (good && test->check != NULL)
        test->check (test->data, cancelled, point);
    return good;
}

bool eddy_test_cancel_everywhere (EddyFiberFunc function, void *data, EddyTestCheckFunc check,
                                  EddyTestCancelReport *report)
{
    EDDY__EXPECT (function != NULL && !eddy_in_fiber (), false);
    EddyTestCancelReport unasked;
    Test test = { function, data, check, report == NULL ? &unasked : report };
    *test.report = (EddyTestCancelReport){ .points = 0 };
    bool reached = false;
    if (!test_point (&test, EDDY_TEST_NO_POINT, &reached))
        return false;
    for (uint32_t point = 0; point < TEST_POINTS_MOST; point++) {
        if (!test_point (&test, point, &reached))
            return false;
        if (!reached)
            return true;
    }
    return test_fail (test.report, TEST_POINTS_MOST, "there is no end of points");
}
