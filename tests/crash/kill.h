/* SPDX-License-Identifier: MIT */
/*
 * Killing a process again and again, at random moments, while it does steps of some work, and
 * looking at what is left. How often is said by the environment:
 *
 *   EDDY_CRASH_KILLS=10000 build/mine/tests/test-crash
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* What killer and killed share. Steps are numbered from 1. */
typedef struct KillShared {
    _Atomic uint64_t begun; /* the latest step that was begun */
    _Atomic uint64_t ended; /* and the latest of which the caller was told that it is done */
} KillShared;

typedef struct KillWork {
    const char *name;
    /* The child's: does this step, in a fiber or a plain thread. Calls nothing of Check's, which
       writes to a pipe that the killer reads. */
    void (*step) (uint64_t step);
    /* The killer's: asserts that what is there is as it was when `ended` had ended, or as it is
       when a further step, up to `begun`, has. Has no engine, for it forks. */
    void (*check) (uint64_t ended, uint64_t begun);
    /* The killer's: a step as a process that is started next does it, after which nothing may be
       left beside the files. Returns how many names are left over. */
    int (*next) (uint64_t step);
} KillWork;

/* `kills`: how often, where nobody says. */
void kill_again_and_again (const KillWork *work, long kills, long reduced_kills);
