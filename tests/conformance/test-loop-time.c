/* SPDX-License-Identifier: MIT */
/* Idle sources, timeouts and ready times. What is asserted of durations are lower bounds and
 * orders: they hold on a machine of any load. */
#include <limits.h>
#include <poll.h>

#include "loop.h"

enum { SECOND = 1000 };

/* How long a context would wait now: what it tells a foreign loop. -1: for ever. */
static int64_t ask_timeout (EddyContext *context)
{
    struct pollfd fd = { .fd = -1 };
    int64_t timeout_ns = -2;
    int priority = INT_MAX;
    eddy_context_prepare (context, &priority);
    ck_assert_int_eq (eddy_context_query (context, INT_MAX, &timeout_ns, &fd, 1), 1);
    ck_assert_int_ge (timeout_ns, -1);
    return timeout_ns;
}

/* --- L40: idle -------------------------------------------------------------------------------- */

EDDY_TEST (L40_idle_is_always_ready)
{
    EddyContext *context = eddy_test_context_begin ();
    EddySource *source = loop_attach (eddy_idle_source_new (), 0, record_again, "i");
    for (size_t i = 1; i <= 10; i++) {
        ck_assert (eddy_context_iteration (context, true));
        ck_assert_uint_eq (record.length, i);
        ck_assert_int_eq (ask_timeout (context), 0);
    }
    loop_drop (source);
    ck_assert_int_eq (ask_timeout (context), -1);
    eddy_test_context_end (context);
}

static void count_call (void *count)
{
    ++*(int *) count;
}

EDDY_TEST (L40_one_shot_is_called_once_and_removed)
{
    EddyContext *context = eddy_test_context_begin ();
    int calls = 0;
    uint64_t idle = eddy_idle_add_once (count_call, &calls);
    ck_assert_uint_ne (idle, 0);
    ck_assert (eddy_context_iteration (context, true));
    ck_assert_int_eq (calls, 1);
    ck_assert_ptr_null (eddy_context_find_source_by_id (context, idle));
    uint64_t timeout = eddy_timeout_add_once (LOOP_MS, count_call, &calls);
    while (calls == 1)
        eddy_context_iteration (context, true);
    ck_assert_ptr_null (eddy_context_find_source_by_id (context, timeout));
    ck_assert_int_eq (ask_timeout (context), -1);
    ck_assert (!eddy_context_iteration (context, false));
    ck_assert_int_eq (calls, 2);
    eddy_test_context_end (context);
}

EDDY_TEST (L40_full_variants_destroy_their_data)
{
    EddyContext *context = eddy_test_context_begin ();
    ck_assert_uint_ne (eddy_idle_add_full (3, record_once, "i", record_destroy), 0);
    ck_assert_uint_ne (eddy_timeout_add_full (2, 0, record_once, "t", record_destroy), 0);
    loop_pass_time (LOOP_MS);
    ck_assert (eddy_context_iteration (context, false));
    ck_assert_str_eq (record.text, "tt");
    ck_assert (eddy_context_iteration (context, false));
    ck_assert_str_eq (record.text, "ttii");
    eddy_test_context_end (context);
}

/* --- L41: timeouts ---------------------------------------------------------------------------- */

EDDY_TEST (L41_timeout_is_never_early)
{
    EddyContext *context = eddy_test_context_begin ();
    int64_t begin = loop_now_ns ();
    EddySource *second = loop_attach (eddy_timeout_source_new (20 * LOOP_MS), 0, record_once, "2");
    EddySource *first = loop_attach (eddy_timeout_source_new (10 * LOOP_MS), 0, record_once, "1");
    EddySource *never = loop_attach (eddy_timeout_source_new (INT64_MAX), 0, record_once, "n");
    loop_run_until (context, 1);
    ck_assert_int_ge (loop_now_ns () - begin, 10 * LOOP_MS);
    loop_run_until (context, 2);
    ck_assert_str_eq (record.text, "12");
    ck_assert_int_ge (loop_now_ns () - begin, 20 * LOOP_MS);
    loop_drop (first);
    loop_drop (second);
    loop_drop (never);
    eddy_test_context_end (context);
}

/* The first interval counts from the attach, not from when the source was made. */
EDDY_TEST (L41_interval_begins_at_the_attach)
{
    EddyContext *context = eddy_test_context_begin ();
    EddySource *source = eddy_timeout_source_new (5 * LOOP_MS);
    loop_pass_time (6 * LOOP_MS);
    int64_t begin = loop_now_ns ();
    loop_attach (source, 0, record_once, "t");
    loop_run_until (context, 1);
    ck_assert_int_ge (loop_now_ns () - begin, 5 * LOOP_MS);
    loop_drop (source);
    eddy_test_context_end (context);
}

enum { TICKS = 6 };

typedef struct Ticks {
    int64_t at[TICKS];
    int n;
} Ticks;

static bool tick_slowly (void *data)
{
    Ticks *ticks = data;
    ticks->at[ticks->n++] = eddy_source_get_time (eddy_main_current_source ());
    /* Three ticks and a half are missed. */
    if (ticks->n == 2)
        loop_pass_time (7 * LOOP_MS);
    return ticks->n < TICKS;
}

EDDY_TEST (L41_missed_ticks_are_not_made_up_for)
{
    EddyContext *context = eddy_test_context_begin ();
    Ticks ticks = { .n = 0 };
    eddy_unref (loop_attach (eddy_timeout_source_new (2 * LOOP_MS), 0, tick_slowly, &ticks));
    while (ticks.n < TICKS)
        eddy_context_iteration (context, true);
    for (int i = 1; i < TICKS; i++)
        ck_assert_int_ge (ticks.at[i] - ticks.at[i - 1], 2 * LOOP_MS);
    ck_assert_int_ge (ticks.at[2] - ticks.at[1], 7 * LOOP_MS);
    ck_assert_int_eq (ask_timeout (context), -1);
    eddy_test_context_end (context);
}

EDDY_TEST (L41_many_deadlines_come_in_order)
{
    EddyContext *context = eddy_test_context_begin ();
    const char *const names = "abcdefghij";
    const int order[] = { 7, 2, 9, 0, 4, 1, 8, 3, 6, 5 };
    for (int i = 0; i < 10; i++)
        eddy_unref (loop_attach (eddy_timeout_source_new ((2 + order[i]) * LOOP_MS), 0, record_once,
                                 (void *) &names[order[i]]));
    loop_run_until (context, 10);
    ck_assert_str_eq (record.text, names);
    eddy_test_context_end (context);
}

/* --- L42: exact, and slack -------------------------------------------------------------------- */

EDDY_TEST (L42_whole_seconds_are_exact)
{
    EddyContext *context = eddy_test_context_begin ();
    for (int seconds = 1; seconds <= 100; seconds++) {
        int64_t interval = seconds * SECOND * LOOP_MS, begin = loop_now_ns ();
        EddySource *source = loop_attach (eddy_timeout_source_new (interval), 0, record_once, "t");
        int64_t timeout = ask_timeout (context);
        ck_assert_int_le (timeout, interval);
        ck_assert_int_ge (timeout, interval - (loop_now_ns () - begin));
        loop_drop (source);
    }
    eddy_test_context_end (context);
}

EDDY_TEST (L42_slack_is_never_early)
{
    EddyContext *context = eddy_test_context_begin ();
    for (int i = 0; i < 5; i++) {
        int64_t begin = loop_now_ns ();
        record_clear ();
        eddy_unref (loop_attach (eddy_timeout_source_new_with_slack (2 * LOOP_MS, LOOP_MS), 0,
                                 record_once, "s"));
        loop_run_until (context, 1);
        ck_assert_int_ge (loop_now_ns () - begin, 2 * LOOP_MS);
    }
    eddy_test_context_end (context);
}

static bool note_pass (void *data)
{
    Ticks *ticks = data;
    ticks->at[ticks->n++] = eddy_source_get_time (eddy_main_current_source ());
    return EDDY_SOURCE_REMOVE;
}

/* Six that could be six milliseconds apart, and may all be late by much more: the loop wakes for
 * them once, or twice when their common moment falls in between. */
EDDY_TEST (L42_slack_groups_timers)
{
    EddyContext *context = eddy_test_context_begin ();
    Ticks ticks = { .n = 0 };
    int n_passes = 1;
    for (int i = 0; i < TICKS; i++)
        eddy_unref (
            loop_attach (eddy_timeout_source_new_with_slack ((i + 1) * LOOP_MS, 200 * LOOP_MS), 0,
                         note_pass, &ticks));
    while (ticks.n < TICKS)
        eddy_context_iteration (context, true);
    for (int i = 1; i < TICKS; i++)
        n_passes += ticks.at[i] != ticks.at[i - 1];
    ck_assert_int_le (n_passes, 2);
    eddy_test_context_end (context);
}

/* --- L43: far away ---------------------------------------------------------------------------- */

EDDY_TEST (L43_no_interval_overflows)
{
    EddyContext *context = eddy_test_context_begin ();
    const int64_t intervals[] = { INT64_MAX,
                                  INT64_MAX - 1,
                                  INT64_MAX - loop_now_ns (),
                                  INT64_MAX - loop_now_ns () + 1000 * LOOP_MS,
                                  INT64_MAX / 2,
                                  INT64_C (7 * 24 * 3600) * SECOND * LOOP_MS };
    for (size_t i = 0; i < sizeof intervals / sizeof intervals[0]; i++) {
        EddySource *sources[] = {
            loop_attach (eddy_timeout_source_new (intervals[i]), 0, record_once, "t"),
            loop_attach (eddy_timeout_source_new_with_slack (intervals[i], INT64_MAX), 0,
                         record_once, "s"),
            loop_attach (loop_plain_new (), 0, record_once, "r"),
        };
        eddy_source_set_ready_time (sources[2], intervals[i]);
        int64_t timeout = ask_timeout (context);
        ck_assert (timeout == -1 || timeout > 3600 * SECOND * LOOP_MS);
        ck_assert (!eddy_context_iteration (context, false));
        for (size_t j = 0; j < sizeof sources / sizeof sources[0]; j++)
            loop_drop (sources[j]);
    }
    ck_assert_uint_eq (record.length, 0);
    eddy_test_context_end (context);
}

/* A wait so long that the kernel's clocks could not hold it still ends when something comes. */
EDDY_TEST (L43_far_timer_does_not_spoil_the_wait)
{
    EddyContext *context = eddy_test_context_begin ();
    EddySource *far = loop_attach (eddy_timeout_source_new (INT64_MAX - 1), 0, record_once, "f");
    EddySource *near = loop_attach (eddy_timeout_source_new (3 * LOOP_MS), 0, record_once, "n");
    loop_run_until (context, 1);
    ck_assert_str_eq (record.text, "n");
    loop_drop (far);
    loop_drop (near);
    eddy_test_context_end (context);
}

/* --- L44: ready times ------------------------------------------------------------------------- */

static bool stay_ready (EddySource *source, EddySourceFunc callback, void *data)
{
    (void) source;
    return callback (data);
}

static const EddySourceFuncs stay_ready_funcs = { .dispatch = stay_ready };

EDDY_TEST (L44_now_past_and_never)
{
    EddyContext *context = eddy_test_context_begin ();
    EddySource *source = loop_attach (loop_plain_new (), 0, record_again, "r");
    ck_assert_int_eq (eddy_source_get_ready_time (source), -1);
    ck_assert_int_eq (ask_timeout (context), -1);
    const int64_t ready[] = { 0, 1, loop_now_ns () };
    for (size_t i = 0; i < sizeof ready / sizeof ready[0]; i++) {
        eddy_source_set_ready_time (source, ready[i]);
        ck_assert_int_eq (eddy_source_get_ready_time (source), ready[i]);
        ck_assert (eddy_context_iteration (context, false));
        ck_assert_uint_eq (record.length, i + 1);
        ck_assert_int_eq (eddy_source_get_ready_time (source), -1);
        ck_assert (!eddy_context_iteration (context, false));
    }
    eddy_source_set_ready_time (source, 0);
    eddy_source_set_ready_time (source, -1);
    ck_assert (!eddy_context_iteration (context, false));
    ck_assert_str_eq (record.text, "rrr");
    loop_drop (source);
    eddy_test_context_end (context);
}

EDDY_TEST (L44_dispatch_does_not_clear_it)
{
    EddyContext *context = eddy_test_context_begin ();
    EddySource *source = loop_attach (eddy_source_new (&stay_ready_funcs, 0), 0, record_again, "r");
    int64_t ready = loop_now_ns ();
    eddy_source_set_ready_time (source, ready);
    for (int i = 0; i < 4; i++)
        ck_assert (eddy_context_iteration (context, true));
    ck_assert_str_eq (record.text, "rrrr");
    ck_assert_int_eq (eddy_source_get_ready_time (source), ready);
    loop_drop (source);
    eddy_test_context_end (context);
}

EDDY_TEST (L44_ready_time_moves_both_ways)
{
    EddyContext *context = eddy_test_context_begin ();
    EddySource *source = loop_attach (loop_plain_new (), 0, record_again, "r");
    eddy_source_set_ready_time (source, loop_now_ns () + 3600 * SECOND * LOOP_MS);
    ck_assert_int_gt (ask_timeout (context), 3000 * SECOND * LOOP_MS);
    int64_t ready = loop_now_ns () + 5 * LOOP_MS;
    eddy_source_set_ready_time (source, ready);
    ck_assert_int_le (ask_timeout (context), 5 * LOOP_MS);
    loop_run_until (context, 1);
    ck_assert_int_ge (loop_now_ns (), ready);
    eddy_source_set_ready_time (source, loop_now_ns () + LOOP_MS);
    eddy_source_set_ready_time (source, loop_now_ns () + 3600 * SECOND * LOOP_MS);
    loop_pass_time (2 * LOOP_MS);
    ck_assert (!eddy_context_iteration (context, false));
    ck_assert_int_gt (ask_timeout (context), 3000 * SECOND * LOOP_MS);
    loop_drop (source);
    eddy_test_context_end (context);
}

typedef struct Setting {
    EddySource *source;
    pid_t thread;
} Setting;

static void *set_ready_while_it_sleeps (void *data)
{
    Setting *setting = data;
    loop_wait_asleep (setting->thread);
    eddy_source_set_ready_time (setting->source, 0);
    return NULL;
}

EDDY_TEST (L44_set_from_another_thread_wakes_the_loop)
{
    EddyContext *context = eddy_test_context_begin ();
    Setting setting = { loop_attach (loop_plain_new (), 0, record_again, "r"), gettid () };
    for (size_t i = 1; i <= 10; i++) {
        if (i > 5)
            eddy_source_set_ready_time (setting.source, loop_now_ns () + 3600 * SECOND * LOOP_MS);
        pthread_t thread = loop_thread (set_ready_while_it_sleeps, &setting);
        loop_run_until (context, i);
        loop_join (thread);
    }
    ck_assert_uint_eq (record.length, 10);
    loop_drop (setting.source);
    eddy_test_context_end (context);
}

EDDY_TEST (L44_destroyed_source_stays_still)
{
    EddyContext *context = eddy_test_context_begin ();
    EddySource *source = loop_attach (loop_plain_new (), 0, record_again, "r");
    eddy_source_destroy (source);
    eddy_source_set_ready_time (source, 0);
    ck_assert (!eddy_context_iteration (context, false));
    ck_assert_int_eq (ask_timeout (context), -1);
    ck_assert_uint_eq (record.length, 0);
    eddy_unref (source);
    eddy_test_context_end (context);
}

/* Set before the attach, it counts from there. */
EDDY_TEST (L44_set_before_the_attach)
{
    EddyContext *context = eddy_test_context_begin ();
    EddySource *source = loop_plain_new ();
    eddy_source_set_ready_time (source, 0);
    loop_attach (source, 0, record_once, "r");
    ck_assert (eddy_context_iteration (context, false));
    ck_assert_str_eq (record.text, "r");
    loop_drop (source);
    eddy_test_context_end (context);
}

/* --- L45, L46: due ---------------------------------------------------------------------------- */

EDDY_TEST (L45_due_timer_is_ready_in_prepare)
{
    EddyContext *context = eddy_test_context_begin ();
    EddySource *source = loop_attach (eddy_timeout_source_new (LOOP_MS), 5, record_once, "t");
    int priority = INT_MAX;
    ck_assert_int_ge (ask_timeout (context), 0);
    loop_pass_time (2 * LOOP_MS);
    ck_assert (eddy_context_prepare (context, &priority));
    ck_assert_int_eq (priority, 5);
    ck_assert_int_eq (ask_timeout (context), 0);
    ck_assert_uint_eq (record.length, 0);
    ck_assert (eddy_context_iteration (context, false));
    ck_assert_str_eq (record.text, "t");
    loop_drop (source);
    eddy_test_context_end (context);
}

EDDY_TEST (L46_more_urgent_before_earlier_due)
{
    EddyContext *context = eddy_test_context_begin ();
    EddySource *early = loop_attach (eddy_timeout_source_new (LOOP_MS), 1, record_once, "e");
    EddySource *urgent = loop_attach (eddy_timeout_source_new (2 * LOOP_MS), 0, record_once, "u");
    loop_pass_time (4 * LOOP_MS);
    ck_assert (eddy_context_iteration (context, false));
    ck_assert_str_eq (record.text, "u");
    ck_assert (eddy_context_iteration (context, false));
    ck_assert_str_eq (record.text, "ue");
    loop_drop (early);
    loop_drop (urgent);
    eddy_test_context_end (context);
}
