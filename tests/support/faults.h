/* SPDX-License-Identifier: MIT */
/*
 * System calls that fail when a test says so, by the fault door of sys/. For tests that link the
 * static library (hidden symbols); what is set ends with the test's process.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "sys/fault-private.h"

/* The nth call from now on (1 is the next) fails with `error`, an errno; that one alone, or that
   one and all later ones. One rule a call; a new one replaces it and starts its counts again. */
void eddy_test_fail_call (EddySysCall call, unsigned nth, int error, bool from_then_on);
/* Every such call moves at most `len` bytes (1 or more). */
void eddy_test_shorten_call (EddySysCall call, size_t len);
/* Takes all rules away and the hooks out; counts stay readable. */
void eddy_test_no_faults (void);
/* Only counts calls. eddy_test_fail_call does this, too. */
void eddy_test_count_calls (void);

/* How often the rule of `call` failed it, or shortened it: assert that it is not 0. */
unsigned eddy_test_fault_hits (EddySysCall call);
unsigned eddy_test_short_hits (EddySysCall call);
/* How often `call` came to the door since its rule was set, or counting began. */
unsigned eddy_test_call_count (EddySysCall call);
