/* SPDX-License-Identifier: MIT */
/* One pass of a context: look for what is ready, dispatch the most urgent level of it.
 *
 * Everything is O(1) or O(log n): idle fds and far timers cost a pass nothing. A pass with work in
 * hand enters the kernel only for what is staged or signalled, or after EDDY__LOOK_EVERY entries;
 * with timers armed it reads the clock every EDDY__CLOCK_EVERY entries. A task's round trip is then
 * 47 ns, where a clock read each turn made it 96 and a look at the kernel each turn 296. */
#include <limits.h>
#include <string.h>

#include "base/compiler-private.h"
#include "base/log-private.h"
#include "base/object-private.h"
#include "loop/context-private.h"
#include "loop/source-private.h"
#include "sys/clock-private.h"

static EDDY__THREAD EddyContext *pass_context;

EddyContext *eddy__context_current (void)
{
    return pass_context;
}

int64_t eddy__context_read_clock (EddyContext *context)
{
    context->clock_run = context->n_run;
    int64_t now_ns = eddy__sys_now_ns ();
    context->stamp = eddy__stamp (now_ns);
    return context->now_ns = now_ns;
}

uint32_t eddy__context_refresh_stamp (EddyContext *context)
{
    context->stamp_run = context->n_run;
    return context->stamp = eddy__stamp (eddy__sys_coarse_ns ());
}

/* Takes the inbox: what must run now does, the rest joins the queue. Whether there was anything. */
static bool pass_take_mail (EddyContext *context)
{
    EddyEntry *entry = eddy__port_take (context->port);
    bool taken = entry != NULL;
    while (entry != NULL) {
        EddyEntry *next = entry->next;
        if (entry->priority == EDDY__PRIORITY_NOW)
            entry->run (entry);
        else
            eddy__ready_push (&context->ready, entry);
        entry = next;
    }
    return taken;
}

void eddy__context_take_late_mail (EddyContext *context)
{
    if (eddy__single_threaded ())
        return;
    __atomic_thread_fence (__ATOMIC_SEQ_CST);
    if (eddy__port_has_mail (context->port))
        pass_take_mail (context);
}

static bool pass_is_look_due (const EddyContext *context)
{
    return context->n_run - context->look_run >= EDDY__LOOK_EVERY;
}

static bool pass_is_clock_due (const EddyContext *context)
{
    return context->timers.n > 0 && context->n_run - context->clock_run >= EDDY__CLOCK_EVERY;
}

/* Whether what is made now would seem older than it is. */
static bool pass_is_stamp_due (const EddyContext *context)
{
    return context->n_run - context->stamp_run >= EDDY__STAMP_EVERY;
}

bool eddy__context_peek (EddyContext *context)
{
    context->peek_run = context->n_run;
    if (EDDY__UNLIKELY (pass_is_stamp_due (context)))
        eddy__context_refresh_stamp (context);
    if (pass_is_clock_due (context) || eddy__engine_pending (context->engine))
        return false;
    /* To look would tell no more than that. */
    if (context->engine->pending_is_exact)
        context->look_run = context->n_run;
    return !pass_is_look_due (context);
}

static void pass_wait (EddyContext *context, int64_t timeout_ns)
{
    context->look_run = context->n_run;
    int answer = eddy__engine_wait (context->engine, timeout_ns);
    if (EDDY__UNLIKELY (answer < 0))
        eddy__log (EDDY_LOG_WARNING, "the engine's wait failed: %s", strerror (-answer));
}

/* How long there is nothing to do but wait: until the first deadline. */
static int64_t pass_timeout (EddyContext *context)
{
    int64_t next = eddy__timers_next (&context->timers);
    if (next == INT64_MAX)
        return -1;
    int64_t now = eddy__context_read_clock (context);
    return next <= now ? 0 : next - now;
}

/* Waits for something to do, with nothing in hand; for so long at most, -1: no limit. */
static void pass_sleep (EddyContext *context, int64_t limit_ns)
{
    int64_t timeout_ns = pass_timeout (context);
    if (limit_ns >= 0 && (timeout_ns < 0 || limit_ns < timeout_ns))
        timeout_ns = limit_ns;
    if (timeout_ns != 0 && context->before_sleep != NULL)
        timeout_ns = context->before_sleep (timeout_ns);
    if (timeout_ns != 0 && EDDY__UNLIKELY (context->expects_mail) &&
        eddy__context_spin (context, timeout_ns)) {
        pass_take_mail (context);
        return;
    }
    if (timeout_ns != 0 && !eddy__port_sleep (context->port))
        timeout_ns = 0;
    pass_wait (context, timeout_ns);
    eddy__port_awake (context->port);
    pass_take_mail (context);
}

void eddy__context_collect (EddyContext *context, bool may_block)
{
    bool has_hooks = !eddy__list_is_empty (&context->hooked);
    int64_t limit_ns = -1;
    context->source_time_is_fresh = false;
    /* Mail may have completed what somebody runs this loop for, with nothing left to dispatch: he
     * must look before it sleeps. */
    bool mail = pass_take_mail (context);
    eddy__signals_collect (context);
    if (EDDY__UNLIKELY (has_hooks))
        limit_ns = eddy__hooks_prepare (context);
    context->prepared_ns = limit_ns;
    bool idle = eddy__ready_most_urgent (&context->ready) == NULL;
    if (idle && may_block && !mail)
        pass_sleep (context, limit_ns);
    else if (idle || eddy__engine_pending (context->engine) || pass_is_look_due (context))
        pass_wait (context, 0);
    if (idle)
        pass_take_mail (context);
    eddy__signals_collect (context);
    if (idle ? context->timers.n > 0 : pass_is_clock_due (context))
        eddy__timers_fire (&context->timers, eddy__context_read_clock (context));
    else if ((idle && may_block && !mail) || EDDY__UNLIKELY (pass_is_stamp_due (context)))
        eddy__context_refresh_stamp (context); /* it has slept, or has long been busy */
    if (EDDY__UNLIKELY (has_hooks))
        eddy__hooks_check (context);
}

/* Runs entries with somebody told before the first of them and after each. To a fiber that parks
 * the level is empty meanwhile, so it goes back to the loop. */
static void pass_dispatch_observed (EddyContext *context, EddyReadyLevel *level)
{
    EddyReadyLevel nothing = { .priority = EDDY__PRIORITY_NOW }; /* which no entry waits with */
    EddyEntry *entry;
    context->pass_level = &nothing;
    context->observer->stepped (context->observer);
    while ((entry = eddy__ready_take (level, context->pass_turn)) != NULL) {
        context->n_run++;
        entry->run (entry);
        context->observer->stepped (context->observer);
    }
}

/* Runs what was queued before this turn at one level; whether something was dispatched: entries of
 * sources may turn out to be destroyed, or blocked. */
static bool pass_dispatch_level (EddyContext *context, EddyReadyLevel *level)
{
    unsigned before = context->n_run - context->n_skipped;
    EddyEntry *entry;
    if (EDDY__UNLIKELY (context->observer != NULL))
        pass_dispatch_observed (context, level);
    context->pass_level = level;
    while ((entry = eddy__ready_take (level, context->pass_turn)) != NULL) {
        context->n_run++;
        entry->run (entry);
    }
    return context->n_run - context->n_skipped != before;
}

/* The most urgent level that has something to dispatch. */
static bool pass_dispatch_levels (EddyContext *context)
{
    for (unsigned i = 0; i < context->ready.n_levels; i++) {
        EddyReadyLevel *level = context->ready.order[i];
        if (level->first != NULL && pass_dispatch_level (context, level))
            return true;
    }
    return false;
}

bool eddy__context_dispatch (EddyContext *context)
{
    if (eddy__ready_most_urgent (&context->ready) == NULL)
        return false;
    EddyContext *outer = pass_context;
    EddyReadyLevel *outer_level = context->pass_level;
    uint32_t outer_turn = context->pass_turn;
    EddyThreadDefault pushed;
    eddy__thread_default_push (&pushed, context);
    pass_context = context;
    eddy__pass_depth++;
    context->pass_turn = ++context->ready.turn;
    context->dispatching++;
    bool dispatched = pass_dispatch_levels (context);
    context->dispatching--;
    eddy__pass_depth--;
    eddy__thread_default_pop (&pushed);
    context->pass_level = outer_level;
    context->pass_turn = outer_turn;
    pass_context = outer;
    eddy__context_let_go (context);
    return dispatched;
}

bool eddy__context_pass (EddyContext *context, bool may_block)
{
    eddy__context_collect (context, may_block);
    return eddy__context_dispatch (context);
}
