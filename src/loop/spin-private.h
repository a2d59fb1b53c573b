/* SPDX-License-Identifier: MIT */
/* To wait for another thread by looking again and again, before it is done by sleeping. Who has
 * looked in vain does so more and more seldom. */
#pragma once

#include <stdbool.h>

/* What becomes of it at one place. All zero: it has always been worth it. */
typedef struct EddySpin {
    unsigned skip;    /* so many waits from now on without looking */
    unsigned in_vain; /* so many it was the last time */
} EddySpin;

/* Whether to look this time. */
bool eddy__spin_is_worth_it (EddySpin *spin);
/* Whether that was in vain. */
void eddy__spin_tell (EddySpin *spin, bool in_vain);
