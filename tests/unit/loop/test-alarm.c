/* SPDX-License-Identifier: MIT */
/*
 * What a cancellable's deadline leaves in a context, and when: timers of links, alarms of handlers.
 */
#include <errno.h>
#include <pthread.h>
#include <unistd.h>

#include "../../support/context.h"
#include "base/alloc-private.h"
#include "base/object-private.h"
#include "faults.h"
#include "loop/alarm-private.h"
#include "loop/cancellable-private.h"

#define MILLISECOND INT64_C (1000000)
#define HOUR (INT64_C (3600) * 1000 * MILLISECOND)

static EddyContext *context;

static void place_begin (void)
{
    context = eddy_test_context_begin ();
    eddy_context_iteration (context, false);
}

static int told;

static void watch_told (EddyCancelWatch *watch)
{
    (void) watch;
    told++;
}

static void handler (EddyCancellable *cancellable, void *user_data)
{
    (void) cancellable, (void) user_data;
    told++;
}

EDDY_TEST (link_is_armed_while_somebody_watches)
{
    place_begin ();
    EddyCancellable *plain = eddy_cancellable_new ();
    EddyCancellable *limited = eddy_cancellable_new_with_timeout (NULL, HOUR);
    EddyCancelWatch one = { .cancelled = watch_told }, other = { .cancelled = watch_told };
    ck_assert_int_eq (eddy__cancellable_watch (plain, context, &one), 0);
    ck_assert_uint_eq (context->timers.n, 0);
    eddy__cancellable_unwatch (&one);
    ck_assert_int_eq (eddy__cancellable_watch (limited, context, &one), 0);
    ck_assert_uint_eq (context->timers.n, 1);
    ck_assert_int_eq (eddy__cancellable_watch (limited, context, &other), 0);
    ck_assert_uint_eq (context->timers.n, 1);
    eddy__cancellable_unwatch (&one);
    eddy__cancellable_unwatch (&one);
    ck_assert_uint_eq (context->timers.n, 1);
    eddy__cancellable_unwatch (&other);
    ck_assert_uint_eq (context->timers.n, 0);
    eddy__cancellable_unwatch (&other);
    /* A cancel before the deadline takes the timer off when it arrives. */
    ck_assert_int_eq (eddy__cancellable_watch (limited, context, &one), 0);
    eddy_cancellable_cancel (limited);
    ck_assert_uint_eq (context->timers.n, 1);
    eddy_context_iteration (context, false);
    ck_assert_int_eq (told, 1);
    ck_assert_uint_eq (context->timers.n, 0);
    eddy_unref (limited);
    eddy_unref (plain);
    eddy_test_context_end (context);
}

EDDY_TEST (watcher_is_told_at_the_deadline)
{
    place_begin ();
    EddyCancellable *limited = eddy_cancellable_new_with_timeout (NULL, 2 * MILLISECOND);
    EddyCancelWatch watch = { .cancelled = watch_told };
    ck_assert_int_eq (eddy__cancellable_watch (limited, context, &watch), 0);
    while (told == 0)
        eddy_context_iteration (context, true);
    ck_assert (eddy__cancellable_is_told (limited));
    ck_assert_uint_eq (context->timers.n, 0);
    eddy_unref (limited);
    eddy_test_context_end (context);
}

/* The context's own timer may stay behind an alarm that is taken back: one for all of them. */
EDDY_TEST (alarms_share_a_timer)
{
    place_begin ();
    EddyCancellable *cancellables[100];
    for (int i = 0; i < 100; i++) {
        cancellables[i] = eddy_cancellable_new_with_timeout (NULL, HOUR - i * MILLISECOND);
        ck_assert_uint_ne (eddy_cancellable_connect (cancellables[i], handler, NULL, NULL), 0);
        ck_assert_uint_eq (context->timers.n, 1);
    }
    ck_assert_int_eq (eddy__timers_next (&context->timers),
                      eddy_cancellable_get_deadline (cancellables[99]));
    for (int i = 0; i < 100; i++)
        eddy_unref (cancellables[i]);
    ck_assert_uint_eq (context->timers.n, 1);
    /* A later alarm alone does not move it: it fires for nobody, and is set anew. */
    EddyCancellable *last = eddy_cancellable_new_with_timeout (NULL, 2 * HOUR);
    eddy_cancellable_connect (last, handler, NULL, NULL);
    int64_t now_ns = eddy_cancellable_get_deadline (last) - HOUR / 2;
    eddy__timers_fire (&context->timers, now_ns);
    ck_assert_int_eq (eddy__timers_next (&context->timers), eddy_cancellable_get_deadline (last));
    ck_assert_int_eq (told, 0);
    eddy_unref (last);
    eddy_test_context_end (context);
}

/* A context may go before what has an alarm in it, and then nobody rings. */
EDDY_TEST (alarm_outlives_its_context)
{
    place_begin ();
    EddyCancellable *cancellable = eddy_cancellable_new_with_timeout (NULL, HOUR);
    uint64_t id = eddy_cancellable_connect (cancellable, handler, NULL, NULL);
    eddy_test_context_end (context);
    eddy_cancellable_disconnect (cancellable, id);
    eddy_unref (cancellable);
}

static void never (void *object)
{
    (void) object;
    ck_abort_msg ("an alarm that was cleared has rung");
}

static void *set_and_clear (void *unused)
{
    EddyCancellable *cancellable = eddy_cancellable_new_with_timeout (NULL, HOUR);
    EddyAlarm alarm = { .object = cancellable, .ring = never };
    (void) unused;
    for (int i = 0; i < 1000; i++) {
        ck_assert_int_eq (eddy__alarm_set (&alarm, context, i), 0);
        eddy__alarm_clear (&alarm);
        eddy__alarm_clear (&alarm);
    }
    eddy_unref (cancellable);
    return NULL;
}

/* Another thread's alarms, thousands of them, are one letter to a context that does not run. */
EDDY_TEST (alarms_of_other_threads_do_not_pile_up)
{
    place_begin ();
    pthread_t thread;
    pthread_create (&thread, NULL, set_and_clear, NULL);
    pthread_join (thread, NULL);
    unsigned letters = 0;
    for (const EddyEntry *entry = context->port->inbox; entry != NULL; entry = entry->next)
        letters++;
    ck_assert_uint_eq (letters, 1);
    eddy_test_context_end (context);
}

/* ---- faults ---------------------------------------------------------------------------------- */

static int deny (size_t size, void *data)
{
    (void) size, (void) data;
    return 1;
}

static void count_destroy (void *data)
{
    ++*(int *) data;
}

EDDY_TEST (without_memory_connect_connects_nothing)
{
    place_begin ();
    int destroyed = 0;
    EddyCancellable *plain = eddy_cancellable_new ();
    EddyCancellable *limited = eddy_cancellable_new_with_timeout (plain, HOUR);
    EddyCancelWatch watch = { .cancelled = watch_told };
    ck_assert_ptr_nonnull (plain);
    ck_assert_ptr_nonnull (limited);
    eddy__alloc_set_fault (deny, NULL);
    ck_assert_ptr_null (eddy_cancellable_new_with_timeout (plain, HOUR));
    ck_assert_uint_eq (eddy_cancellable_connect (plain, handler, &destroyed, count_destroy), 0);
    ck_assert_uint_eq (eddy_cancellable_connect (limited, handler, &destroyed, count_destroy), 0);
    ck_assert_int_eq (eddy__cancellable_watch (limited, context, &watch), -ENOMEM);
    eddy__alloc_set_fault (NULL, NULL);
    ck_assert_int_eq (destroyed, 2);
    ck_assert_int_eq (told, 0);
    ck_assert_int_eq (eddy__cancellable_watch (limited, context, &watch), 0);
    eddy__cancellable_unwatch (&watch);
    eddy_unref (limited);
    eddy_unref (plain);
    eddy_test_context_end (context);
}

EDDY_TEST (without_fds_there_is_no_fd)
{
    EddyCancellable *plain = eddy_cancellable_new ();
    EddyCancellable *limited = eddy_cancellable_new_with_timeout (NULL, HOUR);
    eddy_test_fail_call (EDDY_SYS_EVENTFD, 1, EMFILE, /* from_then_on= */ true);
    eddy_test_fail_call (EDDY_SYS_TIMERFD_CREATE, 1, EMFILE, /* from_then_on= */ true);
    ck_assert_int_eq (eddy_cancellable_get_fd (plain), -1);
    ck_assert_int_eq (eddy_cancellable_get_fd (limited), -1);
    ck_assert_int_eq (eddy__cancellable_open_fd (plain), -EMFILE);
    eddy_test_no_faults ();
    /* One that cannot be set is not left behind. */
    eddy_test_fail_call (EDDY_SYS_TIMERFD_SETTIME, 1, EINVAL, /* from_then_on= */ false);
    ck_assert_int_eq (eddy_cancellable_get_fd (limited), -1);
    ck_assert_uint_eq (eddy_test_fault_hits (EDDY_SYS_TIMERFD_SETTIME), 1);
    eddy_test_no_faults ();
    ck_assert_int_ge (eddy_cancellable_get_fd (limited), 0);
    eddy_cancellable_release_fd (limited);
    eddy_unref (limited);
    eddy_unref (plain);
}
