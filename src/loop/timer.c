/* SPDX-License-Identifier: MIT */
/* EddyTimers: the heap. */
#include "loop/timer-private.h"

#include <errno.h>

#include "base/alloc-private.h"
#include "base/compiler-private.h"

enum { CHILDREN = 4, FIRST_CAPACITY = 16, SWEEP_LEAST = 64 };

static void timers_place (EddyTimers *timers, uint32_t at, EddyTimerSlot slot)
{
    timers->slots[at] = slot;
    if (slot.timer != NULL)
        slot.timer->index = at + 1;
}

static void timers_sift_up (EddyTimers *timers, uint32_t at, EddyTimerSlot slot)
{
    while (at > 0) {
        uint32_t parent = (at - 1) / CHILDREN;
        if (timers->slots[parent].deadline_ns <= slot.deadline_ns)
            break;
        timers_place (timers, at, timers->slots[parent]);
        at = parent;
    }
    timers_place (timers, at, slot);
}

static void timers_sift_down (EddyTimers *timers, uint32_t at, EddyTimerSlot slot)
{
    for (;;) {
        uint64_t first = (uint64_t) at * CHILDREN + 1;
        if (first >= timers->n_used)
            break;
        uint32_t least = (uint32_t) first;
        for (uint32_t i = least + 1; i < timers->n_used && i < first + CHILDREN; i++)
            if (timers->slots[i].deadline_ns < timers->slots[least].deadline_ns)
                least = i;
        if (timers->slots[least].deadline_ns >= slot.deadline_ns)
            break;
        timers_place (timers, at, timers->slots[least]);
        at = least;
    }
    timers_place (timers, at, slot);
}

/* Takes all empty slots out. */
static void timers_sweep (EddyTimers *timers)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < timers->n_used; i++)
        if (timers->slots[i].timer != NULL)
            timers_place (timers, n++, timers->slots[i]);
    timers->n_used = n;
    for (uint32_t i = n / CHILDREN + 1; i-- > 0;)
        if (i < n)
            timers_sift_down (timers, i, timers->slots[i]);
}

void eddy__timers_clean (EddyTimers *timers)
{
    if (timers->n_used - timers->n > timers->n)
        timers_sweep (timers);
    while (timers->slots[0].timer == NULL) {
        EddyTimerSlot last = timers->slots[--timers->n_used];
        timers_sift_down (timers, 0, last);
    }
}

static int timers_make_room (EddyTimers *timers)
{
    if (timers->n < timers->n_used - timers->n_used / CHILDREN) {
        timers_sweep (timers);
        return 0;
    }
    uint32_t capacity = timers->capacity == 0 ? FIRST_CAPACITY : timers->capacity * 2;
    EddyTimerSlot *grown = eddy__realloc (timers->slots, capacity * sizeof *grown);
    if (grown == NULL)
        return -ENOMEM;
    timers->slots = grown;
    timers->capacity = capacity;
    return 0;
}

int eddy__timer_add (EddyTimers *timers, EddyTimer *timer, int64_t deadline_ns)
{
    if (EDDY__UNLIKELY (timers->n_used == timers->capacity)) {
        int answer = timers_make_room (timers);
        if (answer < 0)
            return answer;
    }
    timers->n++;
    timers_sift_up (timers, timers->n_used++, (EddyTimerSlot){ deadline_ns, timer });
    if (EDDY__UNLIKELY (deadline_ns < timers->told_ns))
        eddy__timers_tell_host (timers);
    return 0;
}

int eddy__timer_set (EddyTimers *timers, EddyTimer *timer, int64_t deadline_ns)
{
    if (timer->index == 0)
        return eddy__timer_add (timers, timer, deadline_ns);
    uint32_t at = timer->index - 1;
    EddyTimerSlot slot = { deadline_ns, timer };
    if (EDDY__UNLIKELY (deadline_ns < timers->told_ns))
        eddy__timers_tell_host (timers);
    if (deadline_ns < timers->slots[at].deadline_ns)
        timers_sift_up (timers, at, slot);
    else
        timers_sift_down (timers, at, slot);
    return 0;
}

void eddy__timer_remove (EddyTimers *timers, EddyTimer *timer)
{
    if (timer->index == 0)
        return;
    timers->slots[timer->index - 1].timer = NULL;
    timer->index = 0;
    if (--timers->n == 0)
        timers->n_used = 0;
    else if (EDDY__UNLIKELY (timers->n < timers->n_used / 2 && timers->n_used >= SWEEP_LEAST))
        timers_sweep (timers);
}

void eddy__timers_fire (EddyTimers *timers, int64_t now_ns)
{
    while (eddy__timers_next (timers) <= now_ns && timers->n > 0) {
        EddyTimer *timer = timers->slots[0].timer;
        eddy__timer_remove (timers, timer);
        timer->fire (timer);
    }
}

void eddy__timers_clear (EddyTimers *timers)
{
    for (uint32_t i = 0; i < timers->n_used; i++)
        if (timers->slots[i].timer != NULL)
            timers->slots[i].timer->index = 0;
    eddy__free (timers->slots);
    *timers = (EddyTimers){ .slots = NULL };
}
