/* SPDX-License-Identifier: MIT */
/* Fibers: their life, and the switch between them. What they wait for is in await.c. */
#include "fiber/fiber-private.h"

#include <errno.h>
#include <string.h>

#include "base/alloc-private.h"
#include "base/compiler-private.h"
#include "base/log-private.h"
#include "base/object-private.h"
#include "fiber/switch-private.h"

/* A flow that is no fiber: the loop's stack under a pass. */
typedef struct LoopFlow {
    void *sp;
    EddySanitizerFiber sanitizer;
} LoopFlow;

/* The innermost pass of this thread. */
static EDDY__THREAD LoopFlow *loop_flow;
/* Ended, and to be freed by the flow that runs next. */
static EDDY__THREAD EddyFiber *fiber_dead;
static EDDY__THREAD bool fiber_thread_watched;

static void fiber_run (EddyEntry *entry);

/* --- making ----------------------------------------------------------------------------------- */

static void fiber_finalize (void *object)
{
    EddyFiber *fiber = object;
    if (fiber->clear_extra != NULL)
        fiber->clear_extra (eddy__fiber_get_extra (fiber));
    eddy__future_finalize (&fiber->future);
    eddy__block_free (fiber, fiber->record_size);
}

static const EddyClass fiber_class = {
    .name = "EddyFiber", .size = 0, .dispose = eddy__future_dispose, .finalize = fiber_finalize
};

static void fiber_request_cancel (EddyFuture *future);

EddyFiber *eddy__fiber_new (EddyContext *context, EddyCancellable *parent, size_t extra)
{
    size_t size = sizeof (EddyFiber) + extra;
    EddyFiber *fiber = eddy__block_alloc (size);
    if (fiber == NULL)
        return NULL;
    memset (fiber, 0, size);
    eddy__future_init (&fiber->future, &fiber_class, context, EDDY_PRIORITY_DEFAULT);
    fiber->future.request_cancel = fiber_request_cancel;
    fiber->record_size = size;
    fiber->entry.run = fiber_run;
    if (parent != NULL)
        fiber->parent = eddy_ref (parent);
    return fiber;
}

void *eddy__fiber_get_extra (EddyFiber *fiber)
{
    return fiber + 1;
}

void eddy__fiber_start (EddyFiber *fiber)
{
    EddyContext *context = fiber->future.context;
    if (eddy__context_is_owned (context))
        eddy__context_queue (context, &fiber->entry);
    else if (!eddy__context_post (context, &fiber->entry))
        fiber_run (&fiber->entry);
}

/* The body of what a program spawns. */
static void fiber_body_of_program (EddyFiber *fiber, EddyValue *value, EddyError **error)
{
    void *pointer = fiber->function (fiber->data, error);
    if (fiber->destroy != NULL)
        fiber->destroy (fiber->data);
    if (*error == NULL)
        eddy_value_take_pointer (value, pointer, NULL);
}

void eddy__fiber_set_function (EddyFiber *fiber, EddyFiberFunc function, void *data,
                               void (*destroy) (void *), const EddyFiberOptions *options,
                               const EddyPlace *place)
{
    fiber->body = fiber_body_of_program;
    fiber->function = function;
    fiber->data = data;
    fiber->destroy = destroy;
    fiber->place = place;
    if (options != NULL) {
        fiber->name = options->name;
        fiber->stack_size = options->stack_size;
        fiber->entry.priority = options->priority;
    }
}

static EddyFiber *fiber_spawn (EddyContext *context, EddyFiberFunc function, void *data,
                               void (*destroy) (void *), const EddyFiberOptions *options,
                               const EddyPlace *place)
{
    EddyContext *home = context != NULL ? context : eddy__context_thread_default ();
    EddyFiber *fiber = eddy__fiber_new (home, NULL, 0);
    if (fiber == NULL)
        eddy__alloc_exhausted (sizeof *fiber);
    eddy__fiber_set_function (fiber, function, data, destroy, options, place);
    return fiber;
}

EddyFuture *eddy_spawn_full (EddyContext *context, EddyFiberFunc function, void *data,
                             void (*destroy) (void *data), const EddyFiberOptions *options,
                             const EddyPlace *place)
{
    EDDY__EXPECT (function != NULL, NULL);
    EddyFiber *fiber = fiber_spawn (context, function, data, destroy, options, place);
    eddy__fiber_start (fiber);
    return &fiber->future;
}

void eddy_spawn_detached_full (EddyContext *context, EddyFiberFunc function, void *data,
                               void (*destroy) (void *data), const EddyFiberOptions *options,
                               const EddyPlace *place)
{
    EDDY__EXPECT (function != NULL);
    EddyFiber *fiber = fiber_spawn (context, function, data, destroy, options, place);
    fiber->detached = true;
    fiber->holds_itself = true;
    eddy__fiber_start (fiber);
}

/* --- the end ---------------------------------------------------------------------------------- */

static const char *fiber_get_name (const EddyFiber *fiber)
{
    if (fiber->name != NULL)
        return fiber->name;
    return fiber->place == NULL ? "unnamed" : fiber->place->function;
}

static void fiber_report_detached (EddyFiber *fiber, EddyError *error)
{
    if (error != NULL && !eddy_error_is_cancelled (error))
        eddy__log (EDDY_LOG_WARNING, "detached fiber '%s' failed: %s", fiber_get_name (fiber),
                   eddy_error_get_message (error));
}

/* The answer is known: the future completes, the group hears of it. */
static void fiber_complete (EddyFiber *fiber, EddyValue *value, EddyError *error)
{
    fiber->state = EDDY_FIBER_DONE;
    if (EDDY__UNLIKELY (fiber->detached))
        fiber_report_detached (fiber, error);
    EddyGroup *group = fiber->group;
    eddy__future_complete_sole (&fiber->future, value, error);
    if (group != NULL)
        eddy__group_child_ended (group, fiber);
}

/* Nothing runs on the fiber any more: gives up what it held. */
static void fiber_bury (EddyFiber *fiber)
{
    if (EDDY__UNLIKELY (fiber->scope != NULL)) {
        eddy__cancellable_unwatch (&fiber->scope_watch);
        eddy_clear (&fiber->scope);
    }
    if (EDDY__UNLIKELY (fiber->parent != NULL)) {
        eddy__cancellable_unwatch (&fiber->parent_watch);
        eddy_clear (&fiber->parent);
    }
    if (EDDY__UNLIKELY (fiber->cause != NULL))
        eddy_clear (&fiber->cause);
    if (fiber->holds_itself)
        eddy_unref (fiber);
    eddy__future_drop_sole_maker (&fiber->future);
}

/* --- cancelling ---------------------------------------------------------------------------- */

void eddy__fiber_cancel (EddyFiber *fiber, EddyError *cause)
{
    if (fiber->cancelled || fiber->state == EDDY_FIBER_DONE) {
        eddy_unref (cause);
        return;
    }
    fiber->cancelled = true;
    fiber->cause = cause;
    if (fiber->scope != NULL)
        eddy_cancellable_cancel_with_cause (fiber->scope, eddy_ref (cause));
    if (fiber->groups.next != NULL)
        eddy__groups_cancel (&fiber->groups);
    EddyFiberWait *wait = fiber->wait;
    if (wait == NULL || fiber->shielded > 0)
        return;
    wait->was_cancelled = true;
    if (wait->cancelled != NULL)
        wait->cancelled (wait);
    else
        eddy__fiber_wake (wait);
}

/* Another thread's request has arrived; it held the record. */
static void fiber_cancel_arrived (EddyEntry *entry)
{
    EddyFiber *fiber = EDDY__CONTAINER (entry, EddyFiber, cancel);
    eddy__fiber_cancel (fiber, NULL);
    eddy_object_release (fiber);
}

static void fiber_request_cancel (EddyFuture *future)
{
    EddyFiber *fiber = eddy__fiber_of (future);
    EddyContext *context = future->context;
    if (eddy__context_is_owned (context)) {
        eddy__fiber_cancel (fiber, NULL);
        return;
    }
    if (__atomic_exchange_n (&fiber->cancel_posted, 1, __ATOMIC_ACQ_REL) != 0)
        return;
    fiber->cancel = (EddyEntry){ .run = fiber_cancel_arrived, .priority = EDDY__PRIORITY_NOW };
    eddy_object_hold (fiber);
    if (!eddy__context_post (context, &fiber->cancel))
        eddy_object_release (fiber);
}

static void fiber_scope_cancelled (EddyCancelWatch *watch)
{
    EddyFiber *fiber = EDDY__CONTAINER (watch, EddyFiber, scope_watch);
    eddy__fiber_cancel (fiber, eddy_ref (fiber->scope->cause));
}

static void fiber_parent_cancelled (EddyCancelWatch *watch)
{
    EddyFiber *fiber = EDDY__CONTAINER (watch, EddyFiber, parent_watch);
    eddy__fiber_cancel (fiber, eddy_ref (fiber->parent->cause));
}

EddyCancellable *eddy__fiber_get_scope (EddyFiber *fiber)
{
    if (fiber->scope != NULL)
        return fiber->scope;
    fiber->scope = eddy_cancellable_new ();
    if (fiber->scope == NULL)
        return NULL;
    fiber->scope_watch.cancelled = fiber_scope_cancelled;
    if (fiber->cancelled)
        eddy_cancellable_cancel_with_cause (fiber->scope, eddy_ref (fiber->cause));
    eddy__cancellable_watch (fiber->scope, fiber->future.context, &fiber->scope_watch);
    return fiber->scope;
}

/* Begins to follow what the fiber was started with; by its first turn on its own thread. */
static void fiber_follow_parent (EddyFiber *fiber)
{
    fiber->parent_watch.cancelled = fiber_parent_cancelled;
    if (eddy__cancellable_watch (fiber->parent, fiber->future.context, &fiber->parent_watch) ==
        -ECANCELED)
        eddy__fiber_cancel (fiber, eddy_ref (fiber->parent->cause));
}

EddyError *eddy__fiber_make_cancel_error (EddyFiber *fiber, EddyCancellable *cancellable)
{
    if (eddy__cancellable_is_cancelled (cancellable))
        return eddy__cancellable_make_error (cancellable);
    if (fiber->cause != NULL)
        return eddy_ref (fiber->cause);
    return eddy__cancellable_make_error (fiber->scope);
}

/* Right after each switch, on the flow that now runs. */
static inline void fiber_arrived (void)
{
    EddyFiber *dead = fiber_dead;
    if (EDDY__LIKELY (dead == NULL))
        return;
    fiber_dead = NULL;
    eddy__sanitizer_fiber_clear (&dead->sanitizer);
    eddy__stack_give (dead->stack);
    dead->stack = NULL;
    fiber_bury (dead);
}

/* --- switching -------------------------------------------------------------------------------- */

static void fiber_describe (const void *record, EddyOverflowInfo *info)
{
    const EddyFiber *fiber = record;
    *info = (EddyOverflowInfo){ .name = fiber_get_name (fiber),
                                .stack_size = fiber->stack->size,
                                .guard_start = fiber->stack->guard,
                                .guard_end = fiber->stack->bottom };
    if (fiber->place != NULL) {
        info->file = fiber->place->file;
        info->line = fiber->place->line;
        info->function = fiber->place->function;
    }
}

static void fiber_main (void *argument);

/* Gives a new fiber its stack; 0 or -errno. */
static int fiber_bind (EddyFiber *fiber)
{
    if (EDDY__UNLIKELY (!fiber_thread_watched)) {
        fiber_thread_watched = true;
        (void) eddy__overflow_watch_thread (fiber_describe);
    }
    int answer = eddy__stack_take (fiber->stack_size, &fiber->stack);
    if (EDDY__UNLIKELY (answer < 0))
        return answer;
    fiber->sp = eddy__switch_prepare (fiber->stack->top, fiber_main, fiber);
    eddy__sanitizer_fiber_init (&fiber->sanitizer, fiber->stack->bottom, fiber->stack->size);
    EddyContext *context = fiber->future.context;
    context->live_fibers++;
    eddy__list_append (&context->fibers, &fiber->member);
    if (EDDY__UNLIKELY (fiber->parent != NULL))
        fiber_follow_parent (fiber);
    return 0;
}

/* A fiber that cannot have a stack, or whose context is going, ends without having run. */
static void fiber_fail (EddyFiber *fiber, EddyError *error)
{
    if (fiber->destroy != NULL)
        fiber->destroy (fiber->data);
    fiber_complete (fiber, NULL, error);
    fiber_bury (fiber);
}

/* Makes a fiber whose turn it is fit to be switched to; false when it has failed instead. */
static bool fiber_make_fit (EddyFiber *fiber)
{
    if (EDDY__LIKELY (fiber->state != EDDY_FIBER_NEW))
        return true;
    int answer = fiber_bind (fiber);
    if (answer == 0)
        return true;
    fiber_fail (fiber,
                eddy_error_new_errno (-answer, "a stack for fiber '%s'", fiber_get_name (fiber)));
    return false;
}

/* The one place that switches: the processor then predicts where a resumed flow goes on. */
__attribute__ ((noinline)) static void fiber_exchange (void **save_sp, EddySanitizerFiber *from,
                                                       void *load_sp, EddySanitizerFiber *to,
                                                       bool from_is_dying)
{
    eddy__sanitizer_before_switch (from, to, from_is_dying);
    eddy__switch (save_sp, load_sp);
    eddy__sanitizer_after_switch (from);
}

/* From a running fiber to the next one; NULL: to the loop. Returns when it is its turn again. */
static void fiber_switch_to (EddyFiber *from, EddyFiber *to, bool from_is_dying)
{
    if (to != NULL)
        to->state = EDDY_FIBER_RUNNING;
    eddy__overflow_fiber = to;
    fiber_exchange (&from->sp, &from->sanitizer, to != NULL ? to->sp : loop_flow->sp,
                    to != NULL ? &to->sanitizer : &loop_flow->sanitizer, from_is_dying);
    fiber_arrived ();
}

/* A fiber's turn, on the loop's stack. */
static void fiber_run (EddyEntry *entry)
{
    EddyFiber *fiber = EDDY__CONTAINER (entry, EddyFiber, entry);
    if (!fiber_make_fit (fiber))
        return;
    LoopFlow flow;
    LoopFlow *outer = loop_flow;
    eddy__sanitizer_thread_init (&flow.sanitizer);
    loop_flow = &flow;
    fiber->state = EDDY_FIBER_RUNNING;
    eddy__overflow_fiber = fiber;
    fiber_exchange (&flow.sp, &flow.sanitizer, fiber->sp, &fiber->sanitizer, false);
    loop_flow = outer;
    fiber_arrived ();
}

/* The next fiber that may run without the loop: of the same level, and older than the pass; or of
 * the next turn, when the loop would find nothing else to do first. NULL: back to the loop. */
static EddyFiber *fiber_next (EddyContext *context)
{
    for (;;) {
        EddyEntry *entry = eddy__ready_take (&context->ready, context->pass_priority,
                                             context->pass_turn, fiber_run);
        if (entry == NULL) {
            if (eddy__context_next_turn (context, fiber_run))
                continue;
            return NULL;
        }
        context->since_look++;
        context->since_clock++;
        EddyFiber *fiber = EDDY__CONTAINER (entry, EddyFiber, entry);
        if (fiber_make_fit (fiber))
            return fiber;
    }
}

static void fiber_leave (EddyFiber *fiber)
{
    EddyFiber *next = fiber_next (fiber->future.context);
    if (next == fiber)
        fiber->state = EDDY_FIBER_RUNNING;
    else
        fiber_switch_to (fiber, next, /* from_is_dying= */ false);
}

/* The bottom of a fiber's stack. */
static void fiber_main (void *argument)
{
    EddyFiber *fiber = argument;
    eddy__sanitizer_after_switch (&fiber->sanitizer);
    fiber_arrived ();
    EddyValue value = EDDY_VALUE_INIT;
    EddyError *error = NULL;
    fiber->body (fiber, &value, &error);
    EddyContext *context = fiber->future.context;
    context->live_fibers--;
    eddy__list_remove (&fiber->member);
    fiber_complete (fiber, &value, error);
    EddyFiber *next = fiber_next (context);
    fiber_dead = fiber;
    fiber_switch_to (fiber, next, /* from_is_dying= */ true);
    __builtin_unreachable ();
}

void eddy__fiber_park (EddyFiberWait *wait, const char *waits_for)
{
    EddyFiber *fiber = wait->fiber;
    int error_number = errno;
    while (!wait->woken) {
        fiber->waits_for = waits_for;
        fiber->state = EDDY_FIBER_PARKED;
        fiber_leave (fiber);
    }
    fiber->wait = NULL;
    fiber->waits_for = NULL;
    errno = error_number;
}

void eddy__fiber_wake (EddyFiberWait *wait)
{
    if (wait->woken)
        return;
    wait->woken = true;
    wait->fiber->state = EDDY_FIBER_READY;
    eddy__context_queue (wait->fiber->future.context, &wait->fiber->entry);
}

void eddy_fiber_yield (void)
{
    EddyFiber *fiber = eddy__fiber_current ();
    if (fiber == NULL)
        return;
    int error_number = errno;
    fiber->state = EDDY_FIBER_READY;
    eddy__context_queue (fiber->future.context, &fiber->entry);
    fiber_leave (fiber);
    errno = error_number;
}

/* --- questions -------------------------------------------------------------------------------- */

bool eddy_in_fiber (void)
{
    return eddy__fiber_current () != NULL;
}

EddyCancellable *eddy_fiber_get_cancellable (void)
{
    EddyFiber *fiber = eddy__fiber_current ();
    return fiber == NULL ? NULL : eddy__fiber_get_scope (fiber);
}

const char *eddy_fiber_get_name (void)
{
    EddyFiber *fiber = eddy__fiber_current ();
    return fiber == NULL ? NULL : fiber_get_name (fiber);
}
