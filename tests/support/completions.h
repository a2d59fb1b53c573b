/* SPDX-License-Identifier: MIT */
/*
 * Operations that fail when a test says so: they complete with an error, and the kernel has not
 * been asked. The completions of io_uring can be made to fail in no other way. For tests that link
 * the static library; what is set ends with the test's process.
 *
 * Every operation of an engine counts, in the order in which they are started, by any thread.
 */
#pragma once

#include <stdbool.h>

#include "engine/operation-private.h"

/* The nth operation from now on (1 is the next) completes with -error; that one alone, or that one
   and all later ones. A new rule replaces the former and starts the counts again. */
void eddy_test_fail_completion (unsigned nth, int error, bool from_then_on);
/* The same among operations of one kind; others neither count nor fail. */
void eddy_test_fail_completion_of (EddyOpKind kind, unsigned nth, int error, bool from_then_on);
/* Only counts. */
void eddy_test_count_completions (void);
/* Takes the rule away; counts stay readable. */
void eddy_test_no_completion_faults (void);

/* How many operations counted since the rule was set, or counting began. */
unsigned eddy_test_completion_count (void);
/* How many of them the rule failed: assert that it is not 0. */
unsigned eddy_test_completion_hits (void);
