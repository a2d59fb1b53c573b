/* SPDX-License-Identifier: MIT */
/* Contexts: priorities, and what one iteration does, in one go and by hand. */
#include <limits.h>
#include <poll.h>

#include "loop.h"

/* --- L1 to L4: priorities --------------------------------------------------------------------- */

static void expect_priority (EddySource *source, int priority)
{
    ck_assert_ptr_nonnull (source);
    ck_assert_int_eq (eddy_source_get_priority (source), priority);
    eddy_unref (source);
}

EDDY_TEST (L1_priorities_have_glibs_numbers)
{
    ck_assert_int_eq (EDDY_PRIORITY_HIGH, -100);
    ck_assert_int_eq (EDDY_PRIORITY_DEFAULT, 0);
    ck_assert_int_eq (EDDY_PRIORITY_HIGH_IDLE, 100);
    ck_assert_int_eq (EDDY_PRIORITY_DEFAULT_IDLE, 200);
    ck_assert_int_eq (EDDY_PRIORITY_LOW, 300);
    expect_priority (loop_plain_new (), EDDY_PRIORITY_DEFAULT);
    expect_priority (eddy_idle_source_new (), EDDY_PRIORITY_DEFAULT_IDLE);
    expect_priority (eddy_timeout_source_new (1), EDDY_PRIORITY_DEFAULT);
    expect_priority (eddy_signal_source_new (SIGUSR1), EDDY_PRIORITY_DEFAULT);
    expect_priority (eddy_fd_source_new (0, POLLIN), EDDY_PRIORITY_DEFAULT);
}

EDDY_TEST (L1_lower_number_first)
{
    EddyContext *context = eddy_test_context_begin ();
    const int priorities[] = { 300, -100, 7, 200, INT_MAX, 0, 100, INT_MIN + 1, -1 };
    const char names[] = { 'h', 'b', 'e', 'g', 'i', 'd', 'f', 'a', 'c' };
    for (size_t i = 0; i < sizeof names; i++)
        eddy_unref (
            loop_attach (eddy_idle_source_new (), priorities[i], record_once, (void *) &names[i]));
    for (size_t i = 1; i <= sizeof names; i++) {
        ck_assert (eddy_context_iteration (context, false));
        ck_assert_uint_eq (record.length, i);
    }
    ck_assert_str_eq (record.text, "abcdefghi");
    ck_assert (!eddy_context_iteration (context, false));
    eddy_test_context_end (context);
}

EDDY_TEST (L2_most_urgent_level_only)
{
    EddyContext *context = eddy_test_context_begin ();
    EddySource *late = loop_attach (eddy_idle_source_new (), EDDY_PRIORITY_LOW, record_once, "c");
    EddySource *soon = loop_attach (eddy_idle_source_new (), 0, record_once, "a");
    EddySource *same = loop_attach (eddy_idle_source_new (), 0, record_once, "b");
    ck_assert (eddy_context_iteration (context, false));
    ck_assert_str_eq (record.text, "ab");
    ck_assert (eddy_context_iteration (context, false));
    ck_assert_str_eq (record.text, "abc");
    ck_assert (!eddy_context_iteration (context, false));
    loop_drop (late);
    loop_drop (soon);
    loop_drop (same);
    eddy_test_context_end (context);
}

EDDY_TEST (L2_less_urgent_source_starves)
{
    EddyContext *context = eddy_test_context_begin ();
    EddySource *always = loop_attach (eddy_idle_source_new (), 0, record_again, "x");
    EddySource *never = loop_attach (eddy_idle_source_new (), 1, record_once, "y");
    for (int i = 0; i < 5; i++)
        ck_assert (eddy_context_iteration (context, true));
    ck_assert_str_eq (record.text, "xxxxx");
    loop_drop (always);
    ck_assert (eddy_context_iteration (context, false));
    ck_assert_str_eq (record.text, "xxxxxy");
    loop_drop (never);
    eddy_test_context_end (context);
}

static bool attach_more_urgent (void *letter)
{
    eddy_unref (loop_attach (eddy_idle_source_new (), -1, record_once, "u"));
    return record_once (letter);
}

/* What a callback makes ready waits for the next pass, however urgent it is. */
EDDY_TEST (L2_made_ready_in_a_pass_waits_for_the_next)
{
    EddyContext *context = eddy_test_context_begin ();
    EddySource *first = loop_attach (eddy_idle_source_new (), 0, attach_more_urgent, "a");
    EddySource *second = loop_attach (eddy_idle_source_new (), 0, record_once, "b");
    ck_assert (eddy_context_iteration (context, false));
    ck_assert_str_eq (record.text, "ab");
    ck_assert (eddy_context_iteration (context, false));
    ck_assert_str_eq (record.text, "abu");
    loop_drop (first);
    loop_drop (second);
    eddy_test_context_end (context);
}

EDDY_TEST (L3_order_of_readiness_not_of_attaching)
{
    EddyContext *context = eddy_test_context_begin ();
    EddySource *late = loop_attach (eddy_timeout_source_new (2 * LOOP_MS), 0, record_once, "2");
    EddySource *soon = loop_attach (eddy_timeout_source_new (LOOP_MS), 0, record_once, "1");
    loop_pass_time (4 * LOOP_MS);
    ck_assert (eddy_context_iteration (context, false));
    ck_assert_str_eq (record.text, "12");
    loop_drop (late);
    loop_drop (soon);
    eddy_test_context_end (context);
}

EDDY_TEST (L3_ready_from_the_start_is_order_of_attaching)
{
    EddyContext *context = eddy_test_context_begin ();
    const char *const letters = "abcdefghijklmnopqrstuvwxyz";
    for (const char *letter = letters; *letter != '\0'; letter++)
        eddy_unref (loop_attach (eddy_idle_source_new (), 0, record_once, (void *) letter));
    ck_assert (eddy_context_iteration (context, false));
    ck_assert_str_eq (record.text, letters);
    eddy_test_context_end (context);
}

EDDY_TEST (L3_changed_priority_goes_to_the_tail_of_its_level)
{
    EddyContext *context = eddy_test_context_begin ();
    EddySource *moved = loop_attach (eddy_idle_source_new (), 0, record_once, "c");
    EddySource *first = loop_attach (eddy_idle_source_new (), 1, record_once, "a");
    EddySource *second = loop_attach (eddy_idle_source_new (), 1, record_once, "b");
    eddy_source_set_priority (moved, 1);
    ck_assert_int_eq (eddy_source_get_priority (moved), 1);
    ck_assert (eddy_context_iteration (context, false));
    ck_assert_str_eq (record.text, "abc");
    loop_drop (moved);
    loop_drop (first);
    loop_drop (second);
    eddy_test_context_end (context);
}

static bool record_fd (int fd, unsigned events, void *letter)
{
    char byte;
    ck_assert_uint_eq (events, POLLIN);
    ck_assert_int_eq (read (fd, &byte, 1), 1);
    record_letter (letter);
    return true;
}

static EddySource *attach_fd (int fd, int priority, const char *letter)
{
    return loop_attach (eddy_fd_source_new (fd, POLLIN), priority, EDDY_SOURCE_FUNC (record_fd),
                        (void *) letter);
}

EDDY_TEST (L4_less_urgent_fd_waits_its_turn)
{
    EddyContext *context = eddy_test_context_begin ();
    int ends[2];
    ck_assert_int_eq (pipe (ends), 0);
    EddySource *fd = attach_fd (ends[0], 1, "f");
    EddySource *busy = loop_attach (eddy_idle_source_new (), 0, record_again, "i");
    ck_assert_int_eq (write (ends[1], "x", 1), 1);
    for (int i = 0; i < 4; i++)
        ck_assert (eddy_context_iteration (context, true));
    ck_assert_str_eq (record.text, "iiii");
    loop_drop (busy);
    ck_assert (eddy_context_iteration (context, true));
    ck_assert_str_eq (record.text, "iiiif");
    loop_drop (fd);
    close (ends[0]);
    close (ends[1]);
    eddy_test_context_end (context);
}

EDDY_TEST (L4_more_urgent_fd_comes_before_what_is_ready)
{
    EddyContext *context = eddy_test_context_begin ();
    int ends[2];
    ck_assert_int_eq (pipe (ends), 0);
    EddySource *fd = attach_fd (ends[0], -1, "f");
    loop_drain (context);
    EddySource *busy = loop_attach (eddy_idle_source_new (), 0, record_again, "i");
    ck_assert (eddy_context_iteration (context, true));
    ck_assert_int_eq (write (ends[1], "x", 1), 1);
    ck_assert (eddy_context_iteration (context, true));
    ck_assert (eddy_context_iteration (context, true));
    ck_assert_str_eq (record.text, "ifi");
    loop_drop (busy);
    loop_drop (fd);
    close (ends[0]);
    close (ends[1]);
    eddy_test_context_end (context);
}

/* --- L5, L6: by hand -------------------------------------------------------------------------- */

/* One pass as a foreign loop makes it. Returns the priority that was ready, or INT_MAX. */
static int pass_by_hand (EddyContext *context, bool may_block)
{
    struct pollfd fd = { .fd = -1 };
    int64_t timeout_ns = -2;
    int priority = INT_MAX;
    eddy_context_prepare (context, &priority);
    ck_assert_int_eq (eddy_context_query (context, priority, &timeout_ns, &fd, 1), 1);
    ck_assert_int_ge (fd.fd, 0);
    ck_assert_int_ge (timeout_ns, -1);
    struct timespec timeout = { timeout_ns / 1000000000, timeout_ns % 1000000000 };
    if (!may_block)
        timeout = (struct timespec){ 0 };
    int n_ready = ppoll (&fd, 1, may_block && timeout_ns < 0 ? NULL : &timeout, NULL);
    ck_assert_int_ge (n_ready, 0);
    if (!eddy_context_check (context, priority, &fd, 1))
        return INT_MAX;
    eddy_context_dispatch (context);
    return priority;
}

EDDY_TEST (L5_idle_source_by_hand)
{
    EddyContext *context = eddy_test_context_begin ();
    EddySource *source = loop_attach (eddy_idle_source_new (), 42, record_once, "i");
    int priority = -1;
    int64_t timeout_ns = -2;
    struct pollfd fd = { .fd = -1 };
    ck_assert (eddy_context_prepare (context, &priority));
    ck_assert_int_eq (priority, 42);
    ck_assert_int_eq (eddy_context_query (context, priority, &timeout_ns, NULL, 0), 1);
    ck_assert_int_eq (eddy_context_query (context, priority, &timeout_ns, &fd, 1), 1);
    ck_assert_int_eq (timeout_ns, 0);
    ck_assert (eddy_context_check (context, priority, &fd, 1));
    ck_assert_uint_eq (record.length, 0);
    eddy_context_dispatch (context);
    ck_assert_str_eq (record.text, "i");
    ck_assert_int_eq (pass_by_hand (context, false), INT_MAX);
    loop_drop (source);
    eddy_test_context_end (context);
}

EDDY_TEST (L5_fd_source_by_hand)
{
    EddyContext *context = eddy_test_context_begin ();
    int ends[2];
    ck_assert_int_eq (pipe (ends), 0);
    EddySource *source = attach_fd (ends[0], 0, "f");
    for (int i = 0; i < 3; i++)
        ck_assert_int_eq (pass_by_hand (context, false), INT_MAX);
    ck_assert_uint_eq (record.length, 0);
    for (size_t i = 1; i <= 3; i++) {
        ck_assert_int_eq (write (ends[1], "x", 1), 1);
        while (record.length < i)
            pass_by_hand (context, true);
    }
    ck_assert_str_eq (record.text, "fff");
    ck_assert_int_eq (pass_by_hand (context, false), INT_MAX);
    loop_drop (source);
    close (ends[0]);
    close (ends[1]);
    eddy_test_context_end (context);
}

EDDY_TEST (L5_timeout_by_hand)
{
    EddyContext *context = eddy_test_context_begin ();
    int64_t begin = loop_now_ns ();
    EddySource *source = loop_attach (eddy_timeout_source_new (5 * LOOP_MS), 0, record_once, "t");
    while (record.length == 0)
        pass_by_hand (context, true);
    ck_assert_int_ge (loop_now_ns () - begin, 5 * LOOP_MS);
    loop_drop (source);
    eddy_test_context_end (context);
}

static bool hooks_ready;

static bool hook_prepare (EddySource *source, int64_t *timeout_ns)
{
    (void) source;
    record_letter ("p");
    *timeout_ns = 3 * LOOP_MS;
    return false;
}

static bool hook_check (EddySource *source)
{
    (void) source;
    record_letter ("c");
    return hooks_ready;
}

static bool hook_dispatch (EddySource *source, EddySourceFunc callback, void *data)
{
    (void) source, (void) callback, (void) data;
    record_letter ("d");
    hooks_ready = false;
    return true;
}

static const EddySourceFuncs hook_funcs = { .prepare = hook_prepare,
                                            .check = hook_check,
                                            .dispatch = hook_dispatch };

EDDY_TEST (L5_hooks_are_called_in_their_phases)
{
    EddyContext *context = eddy_test_context_begin ();
    EddySource *source = eddy_source_new (&hook_funcs, 0);
    int priority = INT_MAX;
    int64_t timeout_ns = -2;
    struct pollfd fd = { .fd = -1 };
    ck_assert_uint_ne (eddy_source_attach (source, context), 0);
    ck_assert (!eddy_context_prepare (context, &priority));
    ck_assert_int_eq (record.text[0], 'p');
    ck_assert_int_eq (eddy_context_query (context, INT_MAX, &timeout_ns, &fd, 1), 1);
    ck_assert_int_ge (timeout_ns, 0);
    ck_assert_int_le (timeout_ns, 3 * LOOP_MS);
    /* Prepare may have looked itself what is ready; what comes after the wait, check finds. */
    record_clear ();
    hooks_ready = true;
    ck_assert (eddy_context_check (context, INT_MAX, &fd, 1));
    ck_assert_int_eq (record.text[record.length - 1], 'c');
    record_clear ();
    eddy_context_dispatch (context);
    ck_assert_str_eq (record.text, "d");
    loop_drop (source);
    eddy_test_context_end (context);
}

/* The wait of an ordinary iteration ends when a prepare hook's time is up. */
EDDY_TEST (L5_prepare_bounds_the_wait)
{
    EddyContext *context = eddy_test_context_begin ();
    EddySource *source = eddy_source_new (&hook_funcs, 0);
    ck_assert_uint_ne (eddy_source_attach (source, context), 0);
    while (record.length < 8)
        ck_assert (!eddy_context_iteration (context, true));
    ck_assert_ptr_null (strchr (record.text, 'd'));
    hooks_ready = true;
    ck_assert (eddy_context_iteration (context, true));
    ck_assert_int_eq (record.text[record.length - 1], 'd');
    loop_drop (source);
    eddy_test_context_end (context);
}

/* What is attached between query and poll is not missed by that poll. */
EDDY_TEST (L6_attached_after_query_ends_the_poll)
{
    EddyContext *context = eddy_test_context_begin ();
    int ends[2];
    ck_assert_int_eq (pipe (ends), 0);
    ck_assert_int_eq (write (ends[1], "x", 1), 1);
    struct pollfd fd = { .fd = -1 };
    int64_t timeout_ns = 0;
    int priority = INT_MAX;
    ck_assert (!eddy_context_prepare (context, &priority));
    ck_assert_int_eq (eddy_context_query (context, INT_MAX, &timeout_ns, &fd, 1), 1);
    ck_assert_int_eq (timeout_ns, -1);
    EddySource *source = attach_fd (ends[0], 0, "f");
    ck_assert_int_eq (poll (&fd, 1, -1), 1);
    if (eddy_context_check (context, INT_MAX, &fd, 1))
        eddy_context_dispatch (context);
    while (record.length == 0)
        pass_by_hand (context, true);
    ck_assert_str_eq (record.text, "f");
    loop_drop (source);
    close (ends[0]);
    close (ends[1]);
    eddy_test_context_end (context);
}

typedef struct Adding {
    EddyContext *context;
    pid_t thread;
    int fd;
} Adding;

static void *add_fd_while_it_waits (void *data)
{
    Adding *adding = data;
    EddySource *source = eddy_fd_source_new (adding->fd, POLLIN);
    eddy_source_set_callback (source, EDDY_SOURCE_FUNC (record_fd), "f", NULL);
    loop_wait_asleep (adding->thread);
    ck_assert_uint_ne (eddy_source_attach (source, adding->context), 0);
    return source;
}

EDDY_TEST (L6_added_during_the_wait_counts_at_once)
{
    EddyContext *context = eddy_test_context_begin ();
    int ends[2];
    ck_assert_int_eq (pipe (ends), 0);
    ck_assert_int_eq (write (ends[1], "x", 1), 1);
    Adding adding = { context, gettid (), ends[0] };
    pthread_t thread = loop_thread (add_fd_while_it_waits, &adding);
    loop_run_until (context, 1);
    ck_assert_str_eq (record.text, "f");
    loop_drop (loop_join (thread));
    close (ends[0]);
    close (ends[1]);
    eddy_test_context_end (context);
}

/* --- L7 to L10 -------------------------------------------------------------------------------- */

EDDY_TEST (L7_iteration_tells_whether_it_dispatched)
{
    EddyContext *context = eddy_test_context_begin ();
    ck_assert (!eddy_context_iteration (context, false));
    EddySource *source = loop_attach (eddy_idle_source_new (), 0, record_once, "a");
    ck_assert (eddy_context_iteration (context, true));
    ck_assert (!eddy_context_iteration (context, false));
    ck_assert_str_eq (record.text, "a");
    loop_drop (source);
    eddy_test_context_end (context);
}

EDDY_TEST (L7_pending_looks_without_dispatching)
{
    EddyContext *context = eddy_test_context_begin ();
    int ends[2];
    ck_assert_int_eq (pipe (ends), 0);
    ck_assert (!eddy_context_pending (context));
    EddySource *fd = attach_fd (ends[0], 0, "f");
    ck_assert (!eddy_context_pending (context));
    ck_assert_int_eq (write (ends[1], "x", 1), 1);
    for (int looks = 0; !eddy_context_pending (context); looks++)
        ck_assert_int_lt (looks, 10000000);
    ck_assert (eddy_context_pending (context));
    ck_assert_uint_eq (record.length, 0);
    ck_assert (eddy_context_iteration (context, false));
    ck_assert_str_eq (record.text, "f");
    ck_assert (!eddy_context_pending (context));
    EddySource *idle = loop_attach (eddy_idle_source_new (), 0, record_once, "i");
    ck_assert (eddy_context_pending (context));
    ck_assert_str_eq (record.text, "f");
    loop_drop (idle);
    ck_assert (!eddy_context_pending (context));
    loop_drop (fd);
    close (ends[0]);
    close (ends[1]);
    eddy_test_context_end (context);
}

EDDY_TEST (L8_wakeup_is_sticky)
{
    EddyContext *context = eddy_test_context_begin ();
    eddy_context_iteration (context, false);
    eddy_context_wakeup (context);
    ck_assert (!eddy_context_iteration (context, true));
    eddy_test_context_end (context);
}

static void *wake_it_asleep (void *data)
{
    Adding *adding = data;
    loop_wait_asleep (adding->thread);
    eddy_context_wakeup (adding->context);
    return NULL;
}

EDDY_TEST (L8_wakeup_from_another_thread)
{
    EddyContext *context = eddy_test_context_begin ();
    Adding adding = { .context = context, .thread = gettid () };
    for (int i = 0; i < 20; i++) {
        pthread_t thread = loop_thread (wake_it_asleep, &adding);
        ck_assert (!eddy_context_iteration (context, true));
        loop_join (thread);
        /* What is left of it, when something else had ended the wait. */
        loop_drain (context);
    }
    eddy_test_context_end (context);
}

typedef struct Times {
    int64_t seen[40];
    int n;
} Times;

static bool note_time (void *data)
{
    Times *times = data;
    times->seen[times->n++] = eddy_source_get_time (eddy_main_current_source ());
    loop_pass_time (1000);
    return EDDY_SOURCE_REMOVE;
}

EDDY_TEST (L9_one_pass_has_one_time)
{
    EddyContext *context = eddy_test_context_begin ();
    Times times = { .n = 0 };
    EddySource *far = loop_attach (eddy_timeout_source_new (INT64_MAX), 0, record_once, "t");
    for (int i = 0; i < 40; i++)
        eddy_unref (loop_attach (eddy_idle_source_new (), 0, note_time, &times));
    int64_t begin = loop_now_ns ();
    ck_assert (eddy_context_iteration (context, false));
    ck_assert_int_eq (times.n, 40);
    ck_assert_int_ge (times.seen[0], begin);
    for (int i = 1; i < 40; i++)
        ck_assert_int_eq (times.seen[i], times.seen[0]);
    int64_t end = loop_now_ns ();
    ck_assert_int_ge (end - times.seen[0], 40 * 1000);
    times.n = 0;
    eddy_unref (loop_attach (eddy_idle_source_new (), 0, note_time, &times));
    ck_assert (eddy_context_iteration (context, false));
    ck_assert_int_ge (times.seen[0], end);
    loop_drop (far);
    eddy_test_context_end (context);
}

static bool note_time_and_go (void *data)
{
    Times *times = data;
    EddySource *self = eddy_main_current_source ();
    times->seen[times->n++] = eddy_source_get_time (self);
    loop_pass_time (1000);
    eddy_source_destroy (self);
    times->seen[times->n++] = eddy_source_get_time (self);
    return EDDY_SOURCE_CONTINUE;
}

EDDY_TEST (L9_time_outlives_the_running_sources_end)
{
    EddyContext *context = eddy_test_context_begin ();
    Times times = { .n = 0 };
    eddy_unref (loop_attach (eddy_idle_source_new (), 0, note_time_and_go, &times));
    ck_assert (eddy_context_iteration (context, false));
    ck_assert_int_eq (times.n, 2);
    ck_assert_int_gt (times.seen[0], 0);
    ck_assert_int_eq (times.seen[0], times.seen[1]);
    eddy_test_context_end (context);
}

EDDY_TEST (L10_time_is_the_monotonic_clock)
{
    int64_t former = loop_now_ns ();
    for (int i = 0; i < 1000; i++) {
        int64_t now = eddy_get_monotonic_time_ns ();
        ck_assert_int_ge (now, former);
        former = now;
    }
    ck_assert_int_le (former, loop_now_ns ());
}

/* The wait is told in nanoseconds, neither rounded up nor lost when it is long. */
EDDY_TEST (L10_wait_is_told_to_the_nanosecond)
{
    const int64_t intervals[] = { 1500 * LOOP_MS + 1, INT64_C (3000000) * 1000 * LOOP_MS };
    for (size_t i = 0; i < sizeof intervals / sizeof intervals[0]; i++) {
        EddyContext *context = eddy_test_context_begin ();
        struct pollfd fd = { .fd = -1 };
        int64_t timeout_ns = -2, begin = loop_now_ns ();
        int priority = INT_MAX;
        EddySource *source =
            loop_attach (eddy_timeout_source_new (intervals[i]), 0, record_once, "t");
        ck_assert (!eddy_context_prepare (context, &priority));
        ck_assert_int_eq (eddy_context_query (context, INT_MAX, &timeout_ns, &fd, 1), 1);
        ck_assert_int_le (timeout_ns, intervals[i]);
        ck_assert_int_ge (timeout_ns, intervals[i] - (loop_now_ns () - begin));
        loop_drop (source);
        eddy_test_context_end (context);
    }
}

EDDY_TEST (L10_timeouts_under_a_millisecond)
{
    EddyContext *context = eddy_test_context_begin ();
    for (int64_t interval = 1; interval <= 1000000; interval *= 10) {
        int64_t begin = loop_now_ns ();
        record_clear ();
        eddy_unref (loop_attach (eddy_timeout_source_new (interval), 0, record_once, "t"));
        loop_run_until (context, 1);
        ck_assert_int_ge (loop_now_ns () - begin, interval);
    }
    eddy_test_context_end (context);
}
