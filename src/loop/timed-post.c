/* SPDX-License-Identifier: MIT */
/* Posts that come at a time: a timer in memory of the caller's own. */
#include "base/compiler-private.h"
#include "base/object-private.h"
#include "loop/context-private.h"

static void timed_post_run (EddyEntry *entry)
{
    EddyTimedPost *timed = EDDY__CONTAINER (entry, EddyTimedPost, post);
    timed->queued = false;
    timed->run (timed);
}

static void timed_post_fire (EddyTimer *timer)
{
    EddyTimedPost *timed = EDDY__CONTAINER (timer, EddyTimedPost, timer);
    timed->queued = true;
    eddy__context_queue (timed->context, &timed->post);
}

bool eddy_context_post_at (EddyContext *context, EddyTimedPost *timed, int64_t time_ns)
{
    context = eddy__context_or_default (context);
    EDDY__EXPECT (eddy__context_is_owned (context), false);
    EDDY__EXPECT (timed != NULL && timed->run != NULL && time_ns >= 0, false);
    EDDY__EXPECT (timed->post.priority > EDDY__PRIORITY_NOW, false);
    if (EDDY__UNLIKELY (timed->queued))
        eddy_context_take_back (context, timed);
    timed->context = context;
    timed->post.run = timed_post_run;
    timed->timer.fire = timed_post_fire;
    if (eddy__timer_set (&context->timers, &timed->timer, time_ns) < 0)
        return false;
    /* The first one now: it may be due already. */
    if (time_ns <= eddy__timers_next (&context->timers))
        context->clock_run = context->n_run - EDDY__CLOCK_EVERY;
    return true;
}

bool eddy_context_take_back (EddyContext *context, EddyTimedPost *timed)
{
    context = eddy__context_or_default (context);
    EDDY__EXPECT (eddy__context_is_owned (context) && timed != NULL, false);
    if (eddy__timer_is_armed (&timed->timer)) {
        EDDY__EXPECT (timed->context == context, false);
        eddy__timer_remove (&context->timers, &timed->timer);
        return true;
    }
    if (!timed->queued)
        return false;
    timed->queued = false;
    eddy__ready_remove (&context->ready, &timed->post);
    return true;
}
