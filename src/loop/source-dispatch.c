/* SPDX-License-Identifier: MIT */
/* Being ready, and being dispatched.
 *
 * A source that becomes ready joins the ready queue, once. While it is dispatched it is blocked,
 * unless it may recurse, and so are its children: nothing makes them ready, no fd of theirs is
 * polled again. Then it waits anew. All of this is the owner's. */
#include "base/compiler-private.h"
#include "base/log-private.h"
#include "base/object-private.h"
#include "loop/source-private.h"

/* The innermost dispatch of a source on this thread. */
static EDDY__THREAD EddySourceFrame *dispatch_frame;

EDDY__THREAD unsigned eddy__pass_depth;

EddySource *eddy_main_current_source (void)
{
    const EddySourceFrame *frame = dispatch_frame;
    /* A pass inside the source's callback may be running something else than a source. */
    return frame != NULL && frame->pass_depth == eddy__pass_depth ? frame->source : NULL;
}

unsigned eddy_main_depth (void)
{
    return eddy__pass_depth;
}

/* --- ready ------------------------------------------------------------------------------------ */

static void source_make_ready (EddySource *source, unsigned why)
{
    if (!source->active || eddy__source_is_destroyed (source))
        return;
    if (source->blocked > 0) {
        source->pending = true;
        return;
    }
    source->ready |= (uint8_t) why;
    if (!source->in_queue) {
        source->in_queue = true;
        source->context->n_queued_sources++;
        eddy__context_queue (source->context, &source->entry);
    }
    if (EDDY__UNLIKELY (source->parent != NULL))
        source_make_ready (source->parent, EDDY__READY_BY_CHILD);
}

void eddy__source_make_ready (EddySource *source)
{
    source_make_ready (source, EDDY__READY_OTHERWISE);
}

void eddy__source_make_ready_by_fd (EddySource *source)
{
    source_make_ready (source, EDDY__READY_BY_FD);
}

void eddy__source_make_ready_by_time (EddySource *source)
{
    source_make_ready (source, EDDY__READY_BY_TIME);
}

static bool source_has_ready_child (const EddySource *source)
{
    for (EddyList *link = source->children.next; link != &source->children; link = link->next)
        if (EDDY__CONTAINER (link, EddySource, sibling)->ready != 0)
            return true;
    return false;
}

/* Its entry stays in the queue, and finds nothing to do. */
void eddy__source_unready (EddySource *source, unsigned why)
{
    if ((source->ready & why) == 0)
        return;
    source->ready &= (uint8_t) ~why;
    if (source->ready == 0 && source->parent != NULL && !source_has_ready_child (source->parent))
        eddy__source_unready (source->parent, EDDY__READY_BY_CHILD);
}

/* A blocked source looks at its ready time again when it is no longer blocked. */
void eddy__source_fire (EddyTimer *timer)
{
    EddySource *source = EDDY__CONTAINER (timer, EddySource, timer);
    if (source->blocked == 0)
        eddy__source_make_ready_by_time (source);
}

void eddy__source_watch (EddySource *source)
{
    if (source->blocked > 0 || !source->active)
        return;
    if (source->kind->look != NULL)
        source->kind->look (source);
    if (__atomic_load_n (&source->ready_time_ns, __ATOMIC_RELAXED) >= 0)
        eddy__source_apply_ready_time (source);
    if (EDDY__UNLIKELY (source->pending)) {
        source->pending = false;
        eddy__source_make_ready (source);
    }
    if (!eddy__list_is_empty (&source->fds))
        eddy__source_arm_fds (source);
}

bool eddy__source_entry_is_stale (const EddyEntry *entry)
{
    return entry->run == eddy__source_run && !EDDY__CONTAINER (entry, EddySource, entry)->active;
}

/* Readiness of an fd that the queue has kept through another pass: somebody may have read
 * meanwhile what was there. */
static bool source_is_still_ready (EddySource *source, uint32_t turn)
{
    return source->ready != EDDY__READY_BY_FD || turn - source->entry.turn <= 1 ||
           eddy__source_recheck_fds (source);
}

bool eddy__source_entry_is_ready (EddyContext *context, EddyEntry *entry)
{
    if (entry->run != eddy__source_run)
        return true;
    EddySource *source = EDDY__CONTAINER (entry, EddySource, entry);
    if (source->ready == 0 || source->blocked > 0 || eddy__source_is_destroyed (source))
        return false;
    if (source_is_still_ready (source, context->ready.turn + 1))
        return true;
    source->ready = 0;
    eddy__source_watch (source);
    return false;
}

/* --- dispatch --------------------------------------------------------------------------------- */

static void source_block (EddySource *source)
{
    source->blocked++;
    for (EddyList *link = source->children.next; link != &source->children; link = link->next)
        source_block (EDDY__CONTAINER (link, EddySource, sibling));
}

static void source_unblock (EddySource *source)
{
    source->blocked--;
    for (EddyList *link = source->children.next; link != &source->children; link = link->next) {
        EddySource *child = EDDY__CONTAINER (link, EddySource, sibling);
        source_unblock (child);
        eddy__source_watch (child);
    }
}

/* Waits anew, as of the pass that dispatched it. */
static void source_restart (EddySource *source, int64_t now_ns)
{
    if (!source->active || eddy__source_is_destroyed (source))
        return;
    if (!eddy__list_is_empty (&source->fds))
        eddy__source_forget_events (source);
    if (source->kind->start != NULL)
        source->kind->start (source, now_ns);
    eddy__source_watch (source);
}

/* Calls the kind's dispatch, and through it the callback; whether the source stays. */
static bool source_call (EddySource *source, EddySourceFrame *frame)
{
    const EddySourceKind *kind = source->kind;
    if (EDDY__UNLIKELY (source->callback.function == NULL && !kind->may_lack_callback)) {
        eddy__log (EDDY_LOG_WARNING, "%s source%s%s had no callback when it was ready: removed",
                   kind->name, source->name != NULL ? " " : "",
                   source->name != NULL ? source->name : "");
        return false;
    }
    *frame = (EddySourceFrame){ .outer = dispatch_frame,
                                .source = source,
                                .pass_depth = eddy__pass_depth };
    dispatch_frame = frame;
    if (source->callback_frame == NULL)
        source->callback_frame = frame;
    bool keep = kind->dispatch (source, source->callback.function, source->callback.user_data);
    dispatch_frame = frame->outer;
    if (source->callback_frame == frame)
        source->callback_frame = NULL;
    return keep;
}

/* A fetch-or and a fetch-and, without the lock prefix while nobody else can be there. */
static uint32_t source_begin_running (EddySource *source)
{
    if (!eddy__single_threaded ())
        return __atomic_fetch_or (&source->state, EDDY__SOURCE_RUNNING, __ATOMIC_ACQ_REL);
    uint32_t before = __atomic_load_n (&source->state, __ATOMIC_RELAXED);
    __atomic_store_n (&source->state, before | EDDY__SOURCE_RUNNING, __ATOMIC_RELAXED);
    return before;
}

static uint32_t source_end_running (EddySource *source)
{
    uint32_t running = EDDY__SOURCE_RUNNING;
    if (!eddy__single_threaded ())
        return __atomic_fetch_and (&source->state, ~running, __ATOMIC_ACQ_REL);
    uint32_t before = __atomic_load_n (&source->state, __ATOMIC_RELAXED);
    __atomic_store_n (&source->state, before & ~running, __ATOMIC_RELAXED);
    return before;
}

static void source_dispatch (EddySource *source)
{
    EddySourceFrame frame = { .retired = { .destroy = NULL } };
    int64_t now_ns = source->context->now_ns;
    bool blocks = !source->can_recurse;
    source->ready = 0;
    /* From here on the parent is to be dispatched, whatever becomes of this one. */
    if (EDDY__UNLIKELY (source->parent != NULL) && source->parent->ready != 0)
        source->parent->ready |= EDDY__READY_OTHERWISE;
    source->dispatched_turn = source->context->pass_turn;
    source->context->n_dispatched++;
    /* Destroyed by another thread before this: it drops the callback. After: this one does. */
    if (source->depth++ > 0 || !(source_begin_running (source) & EDDY__SOURCE_DESTROYED)) {
        if (blocks)
            source_block (source);
        else
            source_restart (source, now_ns);
        bool keep = source_call (source, &frame);
        if (!keep)
            eddy_source_destroy (source);
        if (blocks) {
            source_unblock (source);
            source_restart (source, now_ns);
        }
    }
    if (--source->depth == 0 && (source_end_running (source) & EDDY__SOURCE_DESTROYED))
        eddy__source_drop_callback (source);
    eddy__source_callback_drop (&frame.retired);
    eddy__source_let_go (source);
}

/* Whether this pass has dispatched it already. */
static bool source_was_dispatched (const EddySource *source)
{
    return source->dispatched_turn == source->context->pass_turn;
}

/* Runs the children that are ready; whether the source is to be dispatched after that. */
__attribute__ ((noinline)) static bool source_dispatch_children (EddySource *source)
{
    source->depth++;
    for (EddyList *link = source->children.next; link != &source->children;) {
        EddySource *child = EDDY__CONTAINER (link, EddySource, sibling);
        link = link->next;
        if (child->ready == 0 || child->blocked > 0 || source_was_dispatched (child))
            continue;
        /* Its entry stays in the queue, and mostly finds nothing to do there. */
        if (eddy__list_is_empty (&child->children) || source_dispatch_children (child))
            source_dispatch (child);
        link = source->children.next; /* anything may have happened to the list */
    }
    source->depth--;
    return source->ready != 0 && source->blocked == 0;
}

/* Has the next pass look at the clock and the fds that sources wait for: a callback may take long,
 * and what is more urgent by then must come first. */
static inline void source_look_soon (EddyContext *context)
{
    if (context->timers.n > 0)
        context->clock_run = context->n_run - EDDY__CLOCK_EVERY;
    if (!eddy__list_is_empty (&context->polls))
        context->look_run = context->n_run - EDDY__LOOK_EVERY;
}

/* An entry that dispatched nothing: says so, and keeps what must not be lost. */
__attribute__ ((noinline)) static void source_skip (EddySource *source, unsigned n_dispatched)
{
    EddyContext *context = source->context;
    if (context->n_dispatched == n_dispatched)
        context->n_skipped++;
    if (source->active && source->blocked > 0 && (source->ready & ~EDDY__READY_BY_FD))
        source->pending = true; /* an fd is looked at anew when nothing blocks it */
    source->ready = 0;
    eddy__source_let_go (source);
}

/* Made ready again in the pass in which its parent has already had it dispatched. */
static bool source_waits_for_next_pass (EddySource *source)
{
    if (source->ready == 0 || !source_was_dispatched (source) || source->context->disposed)
        return false;
    source->in_queue = true;
    source->context->n_queued_sources++;
    source->context->n_skipped++;
    eddy__context_queue (source->context, &source->entry);
    return true;
}

void eddy__source_run (EddyEntry *entry)
{
    EddySource *source = EDDY__CONTAINER (entry, EddySource, entry);
    EddyContext *context = source->context;
    unsigned n_dispatched = context->n_dispatched;
    source->in_queue = false;
    context->n_queued_sources--;
    if (EDDY__UNLIKELY (!source->active))
        context->n_stale_sources--;
    else if (EDDY__UNLIKELY (source_waits_for_next_pass (source)))
        return;
    bool runs = source->ready != 0 && source->blocked == 0 && !context->disposed;
    if (runs && EDDY__UNLIKELY (!source_is_still_ready (source, context->pass_turn))) {
        source->ready = 0;
        eddy__source_watch (source);
        runs = false;
    }
    if (runs && EDDY__UNLIKELY (!eddy__list_is_empty (&source->children)))
        runs = source_dispatch_children (source);
    if (EDDY__UNLIKELY (!runs)) {
        source_skip (source, n_dispatched);
        return;
    }
    source_look_soon (context);
    source_dispatch (source);
}
