/* SPDX-License-Identifier: MIT */
/* EddyTimers: a context's deadlines, a 4-ary heap with the index in each timer.
 *
 * Four children a node: half the levels of a binary heap, and a node's children share a cache line.
 * A timer that is disarmed leaves its slot empty where it is, so that of a million live ones no
 * other is touched; empty slots go when they come to the root, or all at once when they are half of
 * all. A timing wheel would wake an idle host for its cascades. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct EddyTimer EddyTimer;
struct EddyTimer {
    void (*fire) (EddyTimer *timer); /* called from the loop, the timer no longer armed */
    uint32_t index;                  /* in the heap, from 1; 0: not armed */
};

typedef struct EddyTimerSlot {
    int64_t deadline_ns; /* of the monotonic clock */
    EddyTimer *timer;    /* NULL: disarmed */
} EddyTimerSlot;

typedef struct EddyTimers {
    EddyTimerSlot *slots;
    uint32_t n;      /* timers that are armed */
    uint32_t n_used; /* slots, the empty ones too */
    uint32_t capacity;
    /* A foreign loop that waits in our place was told of this deadline (host.c); 0: there is none,
     * or it does not wait. */
    int64_t told_ns;
} EddyTimers;

/* Arms a timer that is not armed; 0 or -ENOMEM. */
int eddy__timer_add (EddyTimers *timers, EddyTimer *timer, int64_t deadline_ns);
/* Arms a timer, or moves one that is armed; 0 or -ENOMEM. */
int eddy__timer_set (EddyTimers *timers, EddyTimer *timer, int64_t deadline_ns);
/* The earliest deadline is earlier now than a foreign loop was told (host.c). */
void eddy__timers_tell_host (EddyTimers *timers);
/* Disarms a timer; nothing happens when it is not armed. */
void eddy__timer_remove (EddyTimers *timers, EddyTimer *timer);
/* Has a timer that is armed at the root. */
void eddy__timers_clean (EddyTimers *timers);
/* The earliest deadline; INT64_MAX: none. */
static inline int64_t eddy__timers_next (EddyTimers *timers)
{
    if (timers->n == 0)
        return INT64_MAX;
    if (timers->slots[0].timer == NULL)
        eddy__timers_clean (timers);
    return timers->slots[0].deadline_ns;
}
/* Fires every timer that is due at `now_ns`. */
void eddy__timers_fire (EddyTimers *timers, int64_t now_ns);
void eddy__timers_clear (EddyTimers *timers);
