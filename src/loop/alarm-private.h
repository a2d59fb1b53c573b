/* SPDX-License-Identifier: MIT */
/* EddyAlarm: a time that any thread may set, and take back, in a context of another one.
 *
 * A context's timers belong to its thread alone, which is right for whatever the context itself
 * waits for. What any thread sets and what may die on any thread has its own heap, under a lock;
 * the context arms one timer of its own for the first of them. So taking an alarm back is done when
 * the call returns, needs nobody's loop, and leaves nothing behind: in particular no mail to a
 * context that nobody iterates. What may stay is that one timer, which then fires for nobody. */
#pragma once

#include "loop/context-private.h"
#include "loop/timer-private.h"

typedef struct EddyAlarms EddyAlarms;

typedef struct EddyAlarm {
    EddyTimer timer;    /* in the heap of its alarms; under their lock */
    EddyAlarms *alarms; /* a reference; NULL: never set */
    void *object;       /* what rings; an object that may be sought */
    void (*ring) (void *object);
} EddyAlarm;

/* Has `alarm->ring` called with `alarm->object` by the context's loop, unless the object has died
 * by then or the alarm was cleared. The caller keeps the context alive. 0 or -ENOMEM. Any thread.
 */
int eddy__alarm_set (EddyAlarm *alarm, EddyContext *context, int64_t deadline_ns);
/* Takes an alarm back, whether it has rung or not; one that was never set must be zeroed. From then
 * on nobody looks at it, but what it rang for may still run. Any thread. */
void eddy__alarm_clear (EddyAlarm *alarm);

/* The context goes; its timers have been cleared. */
void eddy__alarms_close (EddyContext *context);
