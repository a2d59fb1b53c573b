/* SPDX-License-Identifier: MIT */
/* EddyTimers: the heap. */
#include "loop/timer-private.h"

#include <errno.h>

#include "base/alloc-private.h"
#include "base/compiler-private.h"

enum { CHILDREN = 4, FIRST_CAPACITY = 16 };

static void timers_place (EddyTimers *timers, uint32_t at, EddyTimerSlot slot)
{
    timers->slots[at] = slot;
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
        if (first >= timers->n)
            break;
        uint32_t least = (uint32_t) first;
        for (uint32_t i = least + 1; i < timers->n && i < first + CHILDREN; i++)
            if (timers->slots[i].deadline_ns < timers->slots[least].deadline_ns)
                least = i;
        if (timers->slots[least].deadline_ns >= slot.deadline_ns)
            break;
        timers_place (timers, at, timers->slots[least]);
        at = least;
    }
    timers_place (timers, at, slot);
}

int eddy__timer_add (EddyTimers *timers, EddyTimer *timer, int64_t deadline_ns)
{
    if (timers->n == timers->capacity) {
        uint32_t capacity = timers->capacity == 0 ? FIRST_CAPACITY : timers->capacity * 2;
        EddyTimerSlot *grown = eddy__realloc (timers->slots, capacity * sizeof *grown);
        if (grown == NULL)
            return -ENOMEM;
        timers->slots = grown;
        timers->capacity = capacity;
    }
    timers_sift_up (timers, timers->n++, (EddyTimerSlot){ deadline_ns, timer });
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
    uint32_t at = timer->index - 1;
    timer->index = 0;
    EddyTimerSlot last = timers->slots[--timers->n];
    if (at == timers->n)
        return;
    if (at > 0 && timers->slots[(at - 1) / CHILDREN].deadline_ns > last.deadline_ns)
        timers_sift_up (timers, at, last);
    else
        timers_sift_down (timers, at, last);
}

void eddy__timers_fire (EddyTimers *timers, int64_t now_ns)
{
    while (timers->n > 0 && timers->slots[0].deadline_ns <= now_ns) {
        EddyTimer *timer = timers->slots[0].timer;
        eddy__timer_remove (timers, timer);
        timer->fire (timer);
    }
}

void eddy__timers_clear (EddyTimers *timers)
{
    while (timers->n > 0)
        eddy__timer_remove (timers, timers->slots[timers->n - 1].timer);
    eddy__free (timers->slots);
    *timers = (EddyTimers){ .slots = NULL };
}
