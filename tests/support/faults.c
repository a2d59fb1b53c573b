/* SPDX-License-Identifier: MIT */
/*
 * Faults by rule: one per call, set by the test's thread, met by any thread.
 */
#include "faults.h"

#include <check.h>

static struct {
    unsigned nth; /* 0: no rule */
    int error;
    bool from_then_on;
    size_t len; /* 0: not shortened */
    atomic_uint calls;
    atomic_uint hits;
    atomic_uint short_hits;
} rules[EDDY_SYS_N_CALLS];

static int fault_answer (EddySysCall call, void *data)
{
    unsigned number = atomic_fetch_add (&rules[call].calls, 1) + 1;
    unsigned nth = rules[call].nth;

    (void) data;
    if (nth == 0 || number < nth || (number > nth && !rules[call].from_then_on))
        return 0;
    atomic_fetch_add (&rules[call].hits, 1);
    return -rules[call].error;
}

static size_t fault_limit (EddySysCall call, size_t len, void *data)
{
    (void) data;
    if (rules[call].len == 0 || rules[call].len >= len)
        return len;
    atomic_fetch_add (&rules[call].short_hits, 1);
    return rules[call].len;
}

void eddy_test_count_calls (void)
{
    eddy__sys_set_fault (fault_answer, NULL);
}

void eddy_test_fail_call (EddySysCall call, unsigned nth, int error, bool from_then_on)
{
    ck_assert_uint_lt (call, EDDY_SYS_N_CALLS);
    ck_assert_uint_gt (nth, 0);
    ck_assert_int_gt (error, 0);
    /* Out while the rule changes: another thread never meets half of it. */
    eddy__sys_set_fault (NULL, NULL);
    rules[call].nth = nth;
    rules[call].error = error;
    rules[call].from_then_on = from_then_on;
    atomic_store (&rules[call].calls, 0);
    atomic_store (&rules[call].hits, 0);
    eddy_test_count_calls ();
}

void eddy_test_shorten_call (EddySysCall call, size_t len)
{
    ck_assert_uint_lt (call, EDDY_SYS_N_CALLS);
    ck_assert_uint_gt (len, 0);
    eddy__sys_set_short (NULL, NULL);
    rules[call].len = len;
    atomic_store (&rules[call].short_hits, 0);
    eddy__sys_set_short (fault_limit, NULL);
}

void eddy_test_no_faults (void)
{
    eddy__sys_set_fault (NULL, NULL);
    eddy__sys_set_short (NULL, NULL);
    for (unsigned i = 0; i < EDDY_SYS_N_CALLS; i++) {
        rules[i].nth = 0;
        rules[i].len = 0;
    }
}

unsigned eddy_test_fault_hits (EddySysCall call)
{
    return atomic_load (&rules[call].hits);
}

unsigned eddy_test_short_hits (EddySysCall call)
{
    return atomic_load (&rules[call].short_hits);
}

unsigned eddy_test_call_count (EddySysCall call)
{
    return atomic_load (&rules[call].calls);
}
