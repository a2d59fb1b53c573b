/* SPDX-License-Identifier: MIT */
/*
 * Looking before sleeping: who has looked in vain does so more and more seldom; mail that is there
 * is found.
 */
#include "loop/context-private.h"
#include "sys/process-private.h"
#include "test.h"

/* How many waits pass without looking until the next look; over 1000 stand for ever. */
static int waits_skipped (EddySpin *spin)
{
    int n = 0;
    while (n <= 1000 && !eddy__spin_is_worth_it (spin))
        n++;
    return n;
}

EDDY_TEST (spin_becomes_seldom_when_it_is_in_vain)
{
    static const int skipped[] = { 0, 1, 3, 7, 15, 31, 63, 64, 64 };
    EddySpin spin = { 0, 0 };
    if (eddy__sys_cpu_count () == 1) {
        ck_assert (!eddy__spin_is_worth_it (&spin));
        return;
    }
    for (size_t i = 0; i < sizeof skipped / sizeof *skipped; i++) {
        ck_assert_int_eq (waits_skipped (&spin), skipped[i]);
        eddy__spin_tell (&spin, /* in_vain= */ true);
    }
    waits_skipped (&spin);
    eddy__spin_tell (&spin, /* in_vain= */ false);
    ck_assert_int_eq (waits_skipped (&spin), 0);
}

static int ran;

static void count_run (EddyEntry *entry)
{
    (void) entry;
    ran++;
}

EDDY_TEST (spin_finds_mail_and_nothing_else)
{
    int answer = 0;
    EddyContext *context = eddy__context_new (&answer);
    ck_assert_ptr_nonnull (context);
    ck_assert_int_eq (eddy__context_enter (context), 0);
    EddyEntry entry = { .run = count_run };
    bool has_processors = eddy__sys_cpu_count () > 1;
    context->expects_mail = true;
    ck_assert (!eddy__context_spin (context, /* timeout_ns= */ 1000)); /* too short to begin */
    ck_assert (context->expects_mail || !has_processors);
    ck_assert (!eddy__context_spin (context, /* timeout_ns= */ -1));
    ck_assert (!context->expects_mail || !has_processors);
    context->spin = (EddySpin){ 0, 0 };
    ck_assert (eddy__context_post (context, &entry));
    ck_assert_int_eq (eddy__context_spin (context, /* timeout_ns= */ -1), has_processors);
    ck_assert_int_eq (ran, 0);
    eddy__context_pass (context, /* may_block= */ false);
    ck_assert_int_eq (ran, 1);
    eddy__context_leave (context);
    eddy_unref (context);
}
