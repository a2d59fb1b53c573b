/* SPDX-License-Identifier: MIT */
/*
 * Failing operations by rule, by the engine's hook: set by the test's thread, met by any.
 */
#include "completions.h"

#include <check.h>
#include <stdatomic.h>

#include "engine/engine-private.h"

static struct {
    unsigned kind; /* EDDY_OP_KINDS: any */
    unsigned nth;  /* 0: no rule */
    int error;
    bool from_then_on;
    atomic_uint count;
    atomic_uint hits;
} rule;

static int64_t completion_begin (EddyOp *op)
{
    if (rule.kind != EDDY_OP_KINDS && rule.kind != op->kind)
        return 0;
    unsigned number = atomic_fetch_add (&rule.count, 1) + 1;
    if (rule.nth == 0 || number < rule.nth || (number > rule.nth && !rule.from_then_on))
        return 0;
    atomic_fetch_add (&rule.hits, 1);
    return -rule.error;
}

static void completion_set_hook (int64_t (*begin) (EddyOp *op))
{
    __atomic_store_n (&eddy__engine_hooks.begin, begin, __ATOMIC_SEQ_CST);
}

/* Out while the rule changes: another thread never meets half of it. */
static void completion_set_rule (EddyOpKind kind, unsigned nth, int error, bool from_then_on)
{
    completion_set_hook (NULL);
    rule.kind = kind;
    rule.nth = nth;
    rule.error = error;
    rule.from_then_on = from_then_on;
    atomic_store (&rule.count, 0);
    atomic_store (&rule.hits, 0);
    completion_set_hook (completion_begin);
}

void eddy_test_fail_completion_of (EddyOpKind kind, unsigned nth, int error, bool from_then_on)
{
    ck_assert_uint_le (kind, EDDY_OP_KINDS);
    ck_assert_uint_gt (nth, 0);
    ck_assert_int_gt (error, 0);
    completion_set_rule (kind, nth, error, from_then_on);
}

void eddy_test_fail_completion (unsigned nth, int error, bool from_then_on)
{
    eddy_test_fail_completion_of (EDDY_OP_KINDS, nth, error, from_then_on);
}

void eddy_test_count_completions (void)
{
    completion_set_rule (EDDY_OP_KINDS, 0, 0, false);
}

void eddy_test_no_completion_faults (void)
{
    completion_set_hook (NULL);
}

unsigned eddy_test_completion_count (void)
{
    return atomic_load (&rule.count);
}

unsigned eddy_test_completion_hits (void)
{
    return atomic_load (&rule.hits);
}
