/* SPDX-License-Identifier: MIT */
/* EddyTimers: the heap. */
#include "loop/timer-private.h"

#include <errno.h>
#include <string.h>

#include "base/alloc-private.h"
#include "base/compiler-private.h"

/* The root stands at 3: the children of the slot at i begin at 4 i - 8, a multiple of four, so that
 * the four of them are one cache line. */
enum { CHILDREN = 4, ROOT = EDDY__TIMER_ROOT, LINE = 64, FIRST_CAPACITY = 64, SWEEP_LEAST = 64 };

static uint32_t timers_parent (uint32_t at)
{
    return at / CHILDREN + 2;
}

static void timers_sift_up (EddyTimers *timers, uint32_t at, EddyTimerSlot slot)
{
    while (at > ROOT) {
        uint32_t parent = timers_parent (at);
        if (timers->slots[parent].deadline_ns <= slot.deadline_ns)
            break;
        timers->slots[at] = timers->slots[parent];
        at = parent;
    }
    timers->slots[at] = slot;
}

static void timers_sift_down (EddyTimers *timers, uint32_t at, EddyTimerSlot slot)
{
    EddyTimerSlot *slots = timers->slots;
    uint32_t end = ROOT + timers->n_used;
    for (;;) {
        uint64_t first = (uint64_t) at * CHILDREN - 8;
        if (first >= end)
            break;
        uint32_t least = (uint32_t) first;
        for (uint32_t i = least + 1; i < end && i < first + CHILDREN; i++)
            if (slots[i].deadline_ns < slots[least].deadline_ns)
                least = i;
        if (slots[least].deadline_ns >= slot.deadline_ns)
            break;
        slots[at] = slots[least];
        at = least;
    }
    slots[at] = slot;
}

/* --- the dead --------------------------------------------------------------------------------- */

static bool timers_is_dead (const EddyTimers *timers, uint32_t handle)
{
    return (timers->dead[handle / 64] >> (handle % 64) & 1) != 0;
}

static void timers_free_handle (EddyTimers *timers, uint32_t handle)
{
    timers->owners[handle].next_free = timers->free_handle;
    timers->free_handle = handle;
}

static void timers_bury (EddyTimers *timers, uint32_t handle)
{
    timers->dead[handle / 64] &= ~(UINT64_C (1) << (handle % 64));
    timers_free_handle (timers, handle);
}

/* Takes the root's slot out. */
static void timers_pop (EddyTimers *timers)
{
    EddyTimerSlot last = timers->slots[ROOT + --timers->n_used];
    if (timers->n_used > 0)
        timers_sift_down (timers, ROOT, last);
}

void eddy__timers_clean (EddyTimers *timers)
{
    for (;;) {
        uint32_t handle = timers->slots[ROOT].handle;
        if (!timers_is_dead (timers, handle))
            return;
        timers_bury (timers, handle);
        timers_pop (timers);
    }
}

/* Takes all the dead out, and makes a heap of the rest. */
__attribute__ ((noinline)) static void timers_sweep (EddyTimers *timers)
{
    uint32_t end = ROOT + timers->n_used;
    uint32_t to = ROOT;
    for (uint32_t at = ROOT; at < end; at++) {
        EddyTimerSlot slot = timers->slots[at];
        if (timers_is_dead (timers, slot.handle))
            timers_bury (timers, slot.handle);
        else
            timers->slots[to++] = slot;
    }
    timers->n_used = to - ROOT;
    if (timers->n_used < 2)
        return;
    for (uint32_t at = timers_parent (to - 1); at >= ROOT; at--)
        timers_sift_down (timers, at, timers->slots[at]);
}

/* --- room ------------------------------------------------------------------------------------- */

/* Makes room for more slots, at a cache line's start. Large memory grows without being copied, and
 * then begins as far from a line's start as it did. */
static bool timers_grow_slots (EddyTimers *timers, uint32_t capacity)
{
    size_t size = (size_t) (ROOT + capacity) * sizeof (EddyTimerSlot) + LINE;
    size_t before = (size_t) ((char *) timers->slots - (char *) timers->memory);
    char *memory = eddy__realloc (timers->memory, size);
    if (memory == NULL)
        return false;
    size_t past = (uintptr_t) memory % LINE;
    size_t after = past == 0 ? 0 : LINE - past;
    if (after != before && timers->n_used > 0)
        memmove (memory + after, memory + before, (ROOT + timers->n_used) * sizeof (EddyTimerSlot));
    timers->memory = memory;
    timers->slots = (EddyTimerSlot *) (void *) (memory + after);
    return true;
}

/* Room for twice as many; what has grown when memory runs out stays. */
static bool timers_grow (EddyTimers *timers)
{
    uint32_t before = timers->capacity;
    uint32_t capacity = before == 0 ? FIRST_CAPACITY : before * 2;
    EddyTimerOwner *owners = eddy__realloc (timers->owners, capacity * sizeof *owners);
    if (owners == NULL)
        return false;
    timers->owners = owners;
    uint64_t *dead = eddy__realloc (timers->dead, capacity / 64 * sizeof *dead);
    if (dead == NULL)
        return false;
    timers->dead = dead;
    if (!timers_grow_slots (timers, capacity))
        return false;
    memset (dead + before / 64, 0, (capacity - before) / 64 * sizeof *dead);
    /* All handles so far are in use. */
    for (uint32_t handle = before; handle < capacity; handle++)
        owners[handle].next_free = handle + 1;
    timers->free_handle = before;
    timers->capacity = capacity;
    return true;
}

__attribute__ ((noinline)) static bool timers_make_room (EddyTimers *timers)
{
    if (timers->n < timers->n_used - timers->n_used / CHILDREN)
        timers_sweep (timers);
    return timers->n_used < timers->capacity || timers_grow (timers);
}

/* --- timers ----------------------------------------------------------------------------------- */

int eddy__timer_add (EddyTimers *timers, EddyTimer *timer, int64_t deadline_ns)
{
    if (EDDY__UNLIKELY (timers->n_used == timers->capacity) && !timers_make_room (timers))
        return -ENOMEM;
    uint32_t handle = timers->free_handle;
    timers->free_handle = timers->owners[handle].next_free;
    timers->owners[handle].timer = timer;
    timer->handle = handle + 1;
    timers->n++;
    timers_sift_up (timers, ROOT + timers->n_used++, (EddyTimerSlot){ deadline_ns, handle });
    if (EDDY__UNLIKELY (deadline_ns < timers->told_ns))
        eddy__timers_tell_host (timers);
    return 0;
}

void eddy__timer_remove (EddyTimers *timers, EddyTimer *timer)
{
    if (!eddy__timer_is_armed (timer))
        return;
    uint32_t handle = timer->handle - 1;
    timer->handle = 0;
    timers->dead[handle / 64] |= UINT64_C (1) << (handle % 64);
    timers->n--;
    if (EDDY__UNLIKELY (timers->n < timers->n_used / 2 && timers->n_used >= SWEEP_LEAST))
        timers_sweep (timers);
}

int eddy__timer_set (EddyTimers *timers, EddyTimer *timer, int64_t deadline_ns)
{
    EddyTimer before = *timer;
    if (!eddy__timer_is_armed (timer))
        return eddy__timer_add (timers, timer, deadline_ns);
    int answer = eddy__timer_add (timers, timer, deadline_ns);
    if (answer == 0)
        eddy__timer_remove (timers, &before);
    return answer;
}

void eddy__timers_fire (EddyTimers *timers, int64_t now_ns)
{
    while (eddy__timers_next (timers) <= now_ns && timers->n > 0) {
        EddyTimer *timer = eddy__timers_first (timers);
        timers_free_handle (timers, timer->handle - 1);
        timer->handle = 0;
        timers->n--;
        timers_pop (timers);
        timer->fire (timer);
    }
}

void eddy__timers_clear (EddyTimers *timers)
{
    for (uint32_t at = ROOT; at < ROOT + timers->n_used; at++)
        if (!timers_is_dead (timers, timers->slots[at].handle))
            timers->owners[timers->slots[at].handle].timer->handle = 0;
    eddy__free (timers->memory);
    eddy__free (timers->owners);
    eddy__free (timers->dead);
    *timers = (EddyTimers){ .slots = NULL };
}
