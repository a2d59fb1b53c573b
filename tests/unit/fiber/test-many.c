/* SPDX-License-Identifier: MIT */
/*
 * Tens of thousands of fibers that wait at once, are woken and joined; and what happens past the
 * most that the system allows. bench/run concurrency/million does it with a million.
 */
#include <errno.h>
#include <stdio.h>

#include "context.h"
#include "faults.h"
#include "fiber/stack-private.h"

enum { MANY = 50000 };

typedef struct Gate {
    EddyTask *opener;
    EddyFuture *future;
    int n_waiting;
    int n_went_on;
} Gate;

static void *wait_at_gate (void *data, EddyError **error)
{
    Gate *gate = data;
    gate->n_waiting++;
    bool opened = eddy_await_complete (gate->future, error);
    gate->n_went_on += opened;
    return opened ? data : NULL;
}

static void gate_close (Gate *gate)
{
    gate->opener = eddy_task_new (NULL, NULL, NULL, NULL);
    gate->future = eddy_task_get_future (gate->opener);
}

static void gate_open (Gate *gate)
{
    eddy_task_return_boolean (gate->opener, true);
    eddy_task_unref (gate->opener);
    eddy_unref (gate->future);
}

/* Begins fibers until all that can be have got to the gate; returns how many have failed, each with
 * NO_MEMORY. */
static int fill (EddyContext *context, Gate *gate, EddyFuture **fibers, int n)
{
    int n_failed = 0;
    for (int i = 0; i < n; i++)
        fibers[i] = eddy_spawn (context, wait_at_gate, gate, NULL);
    while (eddy_context_iteration (context, false))
        ;
    for (int i = 0; i < n; i++) {
        if (!eddy_future_is_complete (fibers[i]))
            continue;
        const EddyError *error = eddy_future_get_error (fibers[i]);
        ck_assert_ptr_nonnull (error);
        ck_assert_int_eq (eddy_error_get_code (error), EDDY_IO_ERROR_NO_MEMORY);
        n_failed++;
    }
    ck_assert_int_eq (gate->n_waiting, n - n_failed);
    return n_failed;
}

/* Opens the gate; who waited comes through, who had failed has not begun. */
static void empty (EddyContext *context, Gate *gate, EddyFuture **fibers, int n, int n_failed)
{
    gate_open (gate);
    for (int i = 0; i < n; i++) {
        bool had_failed = eddy_future_get_error (fibers[i]) != NULL;
        ck_assert_ptr_eq (eddy_block_on (context, fibers[i], NULL), had_failed ? NULL : gate);
        eddy_unref (fibers[i]);
    }
    ck_assert_int_eq (gate->n_went_on, n - n_failed);
}

EDDY_TEST_TIMEOUT (fifty_thousand_wait_are_woken_and_joined, 60)
{
    static EddyFuture *fibers[MANY];
    int n = (int) eddy_test_reduced (MANY, MANY / 25, "fibers");
    EddyStackCounts counts;
    Gate gate = { .n_waiting = 0 };
    EddyContext *context = eddy_test_context_begin ();
    gate_close (&gate);
    int n_failed = fill (context, &gate, fibers, n);
    /* All of them, but where each guard takes a mapping. */
    if (eddy__stack_get_guards () == EDDY_STACK_GUARDS_MADVISE)
        ck_assert_int_eq (n_failed, 0);
    eddy__stack_get_counts (&counts);
    ck_assert_uint_eq (counts.live, (size_t) (n - n_failed));
    empty (context, &gate, fibers, n, n_failed);
    eddy__stack_get_counts (&counts);
    ck_assert_uint_eq (counts.live, 0);
    eddy_test_context_end (context);
}

static long most_mappings (void)
{
    long most = 0;
    FILE *file = fopen ("/proc/sys/vm/max_map_count", "re");
    ck_assert_ptr_nonnull (file);
    ck_assert_int_eq (fscanf (file, "%ld", &most), 1);
    fclose (file);
    return most;
}

/* Guards that are mappings end, whatever the kernel of this machine could do. */
EDDY_TEST_TIMEOUT (past_the_most_mappings_fibers_end_with_no_memory, 60)
{
    static EddyFuture *fibers[MANY];
    Gate gate = { .n_waiting = 0 };
    if (eddy_test_sanitized ())
        EDDY_TEST_SKIP ("a sanitizer needs mappings of its own, and ends the process without");
    EddyContext *context = eddy_test_context_begin ();
    eddy__stack_set_guards (EDDY_STACK_GUARDS_MPROTECT);
    /* Where more are allowed than would be used up here, the system says no by our own door. */
    if (most_mappings () >= 2 * MANY)
        eddy_test_fail_call (EDDY_SYS_MPROTECT, 30001, ENOMEM, /* from_then_on= */ true);
    gate_close (&gate);
    int n_failed = fill (context, &gate, fibers, MANY);
    ck_assert_int_gt (n_failed, MANY / 4);
    ck_assert_int_lt (n_failed, MANY);
    empty (context, &gate, fibers, MANY, n_failed);
    eddy_test_no_faults ();
    /* And it goes on: stacks that were given back serve again. */
    Gate next = { .n_waiting = 0 };
    gate_close (&next);
    ck_assert_int_eq (fill (context, &next, fibers, 1000), 0);
    empty (context, &next, fibers, 1000, 0);
    eddy_test_context_end (context);
}
