/* SPDX-License-Identifier: MIT */
/* EddyTimers: a context's deadlines, a 4-ary heap.
 *
 * Four children a node: half the levels of a binary heap, and a node's children are one cache line.
 * A timer that is disarmed stays in the heap, marked dead, until it comes to the root or most are
 * dead and all of those are swept out. So of a million timers, each of which is a cache miss, no
 * other is touched, neither then nor when the heap moves its slots: they name a timer by a handle.
 * A sweep takes some 7 ns for each timer, once for every so many that were disarmed. A timing wheel
 * would wake an idle host for its cascades. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <eddy/post.h>

/* Of an EddyTimer: `fire` is called from the loop, the timer no longer armed; `handle` is from 1,
 * or 0: not armed. */

typedef struct EddyTimerSlot {
    int64_t deadline_ns; /* of the monotonic clock */
    uint32_t handle;     /* from 0 */
} EddyTimerSlot;

enum { EDDY__TIMER_ROOT = 3 }; /* where the first slot is, see timer.c */

typedef union EddyTimerOwner {
    EddyTimer *timer;
    uint32_t next_free; /* of a handle that is free */
} EddyTimerOwner;

typedef struct EddyTimers {
    EddyTimerSlot *slots;   /* the heap, in `memory` */
    EddyTimerOwner *owners; /* by handle */
    uint64_t *dead;         /* a bit for each handle */
    uint32_t n;             /* armed */
    uint32_t n_used;        /* slots: of the dead, too */
    uint32_t capacity;
    uint32_t free_handle; /* while n_used < capacity */
    void *memory;
    /* A foreign loop that waits in our place was told of this deadline (host.c); 0: there is none,
     * or it does not wait. */
    int64_t told_ns;
} EddyTimers;

static inline bool eddy__timer_is_armed (const EddyTimer *timer)
{
    return timer->handle != 0;
}

/* Arms a timer that is not armed; 0 or -ENOMEM. */
int eddy__timer_add (EddyTimers *timers, EddyTimer *timer, int64_t deadline_ns);
/* Arms a timer, or moves one that is armed; 0 or -ENOMEM. */
int eddy__timer_set (EddyTimers *timers, EddyTimer *timer, int64_t deadline_ns);
/* The earliest deadline is earlier now than a foreign loop was told (host.c). */
void eddy__timers_tell_host (EddyTimers *timers);
/* Disarms a timer; nothing happens when it is not armed. */
void eddy__timer_remove (EddyTimers *timers, EddyTimer *timer);
/* Has one that is armed at the root; there is one. */
void eddy__timers_clean (EddyTimers *timers);
/* The earliest deadline; INT64_MAX: none. */
static inline int64_t eddy__timers_next (EddyTimers *timers)
{
    if (timers->n == 0)
        return INT64_MAX;
    if (timers->n != timers->n_used)
        eddy__timers_clean (timers);
    return timers->slots[EDDY__TIMER_ROOT].deadline_ns;
}
/* The timer of the earliest deadline, which eddy__timers_next() has just told. */
static inline EddyTimer *eddy__timers_first (const EddyTimers *timers)
{
    return timers->owners[timers->slots[EDDY__TIMER_ROOT].handle].timer;
}
/* Fires every timer that is due at `now_ns`. */
void eddy__timers_fire (EddyTimers *timers, int64_t now_ns);
void eddy__timers_clear (EddyTimers *timers);
