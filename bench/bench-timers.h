/* SPDX-License-Identifier: MIT */
/*
 * The work of the programs that measure timers, so that it is the same for all: deadlines an hour
 * away, and the order in which timers are cancelled.
 *
 *   add-in-order       each deadline later than the one before, as equal timeouts make them
 *   add-at-random      in no order
 *   cancel-in-order    the deadlines are in order, and so are the cancels
 *   cancel-at-random   neither
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define TIMERS_FAR_MS UINT64_C (3600000)

typedef struct {
    bool measures_cancel; /* else the adding is measured */
    uint32_t count;
    uint32_t *deadlines_ms; /* from now */
    uint32_t *cancel_order;
} TimersWork;

/* Numbers that are the same in every run (Marsaglia's xorshift). */
static inline uint32_t timers_random (uint32_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 17;
    *state ^= *state << 5;
    return *state;
}

static inline void timers_shuffle (uint32_t *numbers, uint32_t count)
{
    uint32_t state = 2463534242u;
    for (uint32_t i = count; i > 1; i--) {
        uint32_t other = timers_random (&state) % i, kept = numbers[i - 1];
        numbers[i - 1] = numbers[other];
        numbers[other] = kept;
    }
}

/* False when the arguments are not a kind of work and a number, or memory is out. */
static inline bool timers_prepare (TimersWork *work, int argc, char **argv)
{
    bool at_random = argc == 3 && strstr (argv[1], "at-random") != NULL;
    work->measures_cancel = argc == 3 && strncmp (argv[1], "cancel", 6) == 0;
    work->count = argc == 3 ? (uint32_t) strtoul (argv[2], NULL, 10) : 0;
    work->deadlines_ms = calloc (work->count, sizeof *work->deadlines_ms);
    work->cancel_order = calloc (work->count, sizeof *work->cancel_order);
    if (work->count == 0 || !work->deadlines_ms || !work->cancel_order)
        return false;
    for (uint32_t i = 0; i < work->count; i++) {
        work->deadlines_ms[i] = (uint32_t) TIMERS_FAR_MS + i;
        work->cancel_order[i] = i;
    }
    if (at_random) {
        timers_shuffle (work->deadlines_ms, work->count);
        /* Another order than that of the deadlines: the first is the last. */
        timers_shuffle (work->cancel_order, work->count);
        timers_shuffle (work->cancel_order, work->count);
    }
    return true;
}

/* A deadline for the check that timers fire, in the same order as those far away: a few
 * milliseconds from now at most. */
static inline int64_t timers_get_near_ns (const TimersWork *work, uint32_t i)
{
    return (int64_t) (work->deadlines_ms[i] - TIMERS_FAR_MS) * 4;
}
