/* SPDX-License-Identifier: MIT */
/* What can be set and asked of a source. */
#include <limits.h>

#include "base/alloc-private.h"
#include "base/compiler-private.h"
#include "base/object-private.h"
#include "loop/source-private.h"
#include "sys/clock-private.h"

/* --- priority and recursion ------------------------------------------------------------------- */

/* A source that is ready goes to the end of its new level. */
static void source_put_priority (EddySource *source, int priority)
{
    if (source->in_queue)
        eddy__ready_remove (&source->context->ready, &source->entry);
    source->entry.priority = priority;
    if (source->in_queue)
        eddy__context_queue (source->context, &source->entry);
    for (EddyList *link = source->children.next; link != &source->children; link = link->next)
        source_put_priority (EDDY__CONTAINER (link, EddySource, sibling), priority);
}

void eddy_source_set_priority (EddySource *source, int priority)
{
    EDDY__EXPECT (source != NULL && source->parent == NULL && priority > INT_MIN);
    EddySourceAccess access = eddy__source_begin_change (source, __func__);
    if (access == EDDY__ACCESS_NONE)
        return;
    source_put_priority (source, priority);
    eddy__source_end_change (source, access);
}

int eddy_source_get_priority (EddySource *source)
{
    EDDY__EXPECT (source != NULL, EDDY_PRIORITY_DEFAULT);
    return source->entry.priority;
}

void eddy_source_set_can_recurse (EddySource *source, bool can_recurse)
{
    EDDY__EXPECT (source != NULL);
    EddySourceAccess access = eddy__source_begin_change (source, __func__);
    if (access == EDDY__ACCESS_NONE)
        return;
    source->can_recurse = can_recurse;
    eddy__source_end_change (source, access);
}

bool eddy_source_get_can_recurse (EddySource *source)
{
    EDDY__EXPECT (source != NULL, false);
    return source->can_recurse;
}

/* --- ready time ------------------------------------------------------------------------------- */

void eddy__source_apply_ready_time (EddySource *source)
{
    EddyContext *context = source->table->context; /* in a line that is at hand */
    int64_t ready_time_ns = __atomic_load_n (&source->ready_time_ns, __ATOMIC_RELAXED);
    if (ready_time_ns < 0 || source->blocked > 0) {
        eddy__timer_remove (&context->timers, &source->timer);
        if (ready_time_ns < 0)
            eddy__source_unready (source, EDDY__READY_BY_TIME);
        return;
    }
    /* Due since the clock was last read: no need to ask it again. */
    if (ready_time_ns > context->now_ns) {
        int answer = eddy__timer_set (&context->timers, &source->timer, ready_time_ns);
        /* The first one now: it may be due already. */
        if (answer == 0 && ready_time_ns == eddy__timers_next (&context->timers))
            context->clock_run = context->n_run - EDDY__CLOCK_EVERY;
        if (answer == 0) {
            eddy__source_unready (source, EDDY__READY_BY_TIME);
            return;
        }
        /* Early is better than never. */
    }
    eddy__timer_remove (&context->timers, &source->timer);
    eddy__source_make_ready_by_time (source);
}

void eddy_source_set_ready_time (EddySource *source, int64_t ready_time_ns)
{
    EDDY__EXPECT (source != NULL && ready_time_ns >= -1);
    uint32_t state = __atomic_load_n (&source->state, __ATOMIC_ACQUIRE);
    __atomic_store_n (&source->ready_time_ns, ready_time_ns, __ATOMIC_RELEASE);
    if ((state & (EDDY__SOURCE_ATTACHED | EDDY__SOURCE_DESTROYED)) != EDDY__SOURCE_ATTACHED)
        return;
    if (EDDY__LIKELY (__atomic_load_n (&source->table->owner, __ATOMIC_RELAXED) ==
                          eddy__thread_self () &&
                      source->active))
        eddy__source_apply_ready_time (source);
    else
        eddy__source_sync (source); /* whose atomic exchange comes after the store above */
}

int64_t eddy_source_get_ready_time (EddySource *source)
{
    EDDY__EXPECT (source != NULL, -1);
    return __atomic_load_n (&source->ready_time_ns, __ATOMIC_RELAXED);
}

int64_t eddy_get_monotonic_time_ns (void)
{
    return eddy__sys_now_ns ();
}

int64_t eddy_source_get_time (EddySource *source)
{
    EDDY__EXPECT (source != NULL, -1);
    EDDY__EXPECT (source->table != NULL, -1);
    EddyContext *context = source->context;
    if (!context->source_time_is_fresh) {
        context->source_time_ns = eddy__sys_now_ns ();
        context->source_time_is_fresh = true;
    }
    return context->source_time_ns;
}

/* --- names and numbers ------------------------------------------------------------------------ */

static void source_put_name (EddySource *source, const char *name, bool is_ours,
                             const char *function)
{
    EddySourceAccess access = eddy__source_begin_change (source, function);
    if (access != EDDY__ACCESS_NONE) {
        void *former = source->name_is_ours ? (void *) (uintptr_t) source->name : NULL;
        source->name = name;
        source->name_is_ours = is_ours;
        eddy__source_end_change (source, access);
        eddy__free (former);
    } else if (is_ours) {
        eddy__free ((void *) (uintptr_t) name);
    }
}

void eddy_source_set_name (EddySource *source, const char *name)
{
    EDDY__EXPECT (source != NULL);
    char *copy = name == NULL ? NULL : eddy__strdup (name);
    if (name != NULL && copy == NULL)
        return; /* a name is for faults only: without memory there is none */
    source_put_name (source, copy, copy != NULL, __func__);
}

void eddy_source_set_static_name (EddySource *source, const char *name)
{
    EDDY__EXPECT (source != NULL);
    source_put_name (source, name, /* is_ours= */ false, __func__);
}

const char *eddy_source_get_name (EddySource *source)
{
    EDDY__EXPECT (source != NULL, NULL);
    return source->name;
}

uint64_t eddy_source_get_id (EddySource *source)
{
    EDDY__EXPECT (source != NULL, 0);
    uint32_t state = __atomic_load_n (&source->state, __ATOMIC_ACQUIRE);
    return state & EDDY__SOURCE_ATTACHED ? source->id : 0;
}

EddyContext *eddy_source_get_context (EddySource *source)
{
    EDDY__EXPECT (source != NULL, NULL);
    uint32_t state = __atomic_load_n (&source->state, __ATOMIC_ACQUIRE);
    if ((state & EDDY__SOURCE_ATTACHED) == 0)
        return NULL;
    pthread_mutex_lock (&source->table->mutex);
    EddyContext *context = source->table->context;
    pthread_mutex_unlock (&source->table->mutex);
    return context;
}
