/* SPDX-License-Identifier: MIT */
/* Fibers: their life, and the switch between them. What they wait for is in await.c. */
#include "fiber/fiber-private.h"

#include <errno.h>
#include <string.h>

#include "base/alloc-private.h"
#include "base/compiler-private.h"
#include "base/log-private.h"
#include "base/object-private.h"
#include "fiber/dump-private.h"
#include "fiber/turn-private.h"
#include "future/mirror-private.h"
#include "sys/clock-private.h"

/* How often a thread that is idle may look for stacks to give back. */
#define FIBER_TRIM_EVERY_NS INT64_C (100000000)

EDDY__THREAD EddyFiberFlow *eddy__fiber_loop;
EDDY__THREAD EddyFiber *eddy__fiber_dead;
EDDY__THREAD int *eddy__fiber_error_number;

/* --- making ----------------------------------------------------------------------------------- */

__attribute__ ((noinline)) static void fiber_finalize_rest (EddyFiber *fiber)
{
    if (fiber->clear_extra != NULL)
        fiber->clear_extra (eddy__fiber_get_extra (fiber));
    eddy__future_finalize (&fiber->future);
    eddy__block_free (fiber, sizeof *fiber + fiber->extra);
}

/* Most fibers own nothing any more but their record. */
static void fiber_finalize (void *object)
{
    EddyFiber *fiber = object;
    const EddyFuture *future = &fiber->future;
    uintptr_t owned = fiber->extra | (uintptr_t) future->error | (uintptr_t) future->source_object |
                      (uintptr_t) future->value.destroy;
    if (EDDY__UNLIKELY (owned != 0 || future->value.kind == EDDY_VALUE_OBJECT))
        fiber_finalize_rest (fiber);
    else
        eddy__block_free (fiber, sizeof *fiber);
}

static void fiber_request_cancel (EddyFuture *future);

static const EddyFutureClass fiber_class = { .object = { .name = "EddyFiber",
                                                         .size = 0,
                                                         .dispose = eddy__future_dispose,
                                                         .finalize = fiber_finalize },
                                             .request_cancel = fiber_request_cancel };

bool eddy__future_is_fiber (const EddyFuture *future)
{
    return future->object.object_class == &fiber_class.object;
}

/* Zeroes the part of a record that must be. In steps that the compiler makes plain stores of: for
 * more bytes at once it takes `rep stos`, which costs 16 ns here, more than all the rest. */
EDDY__FIBER_INLINE void fiber_zero (EddyFiber *fiber)
{
    enum { STEP = 64, WHOLE = offsetof (EddyFiber, extra) / STEP * STEP };
    char *at = (char *) fiber;
#pragma GCC unroll 8
    for (size_t done = 0; done < WHOLE; done += STEP)
        memset (at + done, 0, STEP);
    memset (at + WHOLE, 0, offsetof (EddyFiber, extra) - WHOLE);
}

/* The record but for the future. */
EDDY__FIBER_INLINE void fiber_init (EddyFiber *fiber, size_t extra)
{
    fiber_zero (fiber);
    fiber->future.entry.run = eddy__fiber_run;
    fiber->extra = extra;
}

EDDY__FIBER_INLINE EddyFiber *fiber_new (EddyContext *context, size_t extra)
{
    EddyFiber *fiber = eddy__block_alloc (sizeof *fiber + extra);
    if (EDDY__UNLIKELY (fiber == NULL))
        return NULL;
    fiber_init (fiber, extra);
    fiber->made = eddy__context_make_stamp (context);
    eddy__future_init (&fiber->future, &fiber_class, context, EDDY_PRIORITY_DEFAULT);
    return fiber;
}

EddyFiber *eddy__fiber_new (EddyContext *context, EddyCancellable *parent, size_t extra)
{
    EddyFiber *fiber = fiber_new (context, extra);
    if (fiber == NULL)
        return NULL;
    memset (fiber + 1, 0, extra);
    if (parent != NULL) {
        fiber->parent = eddy_ref (parent);
        eddy__list_init (&fiber->parent_watch.member);
    }
    return fiber;
}

uint64_t eddy__fiber_make_identity (EddyFiber *fiber)
{
    static EDDY__THREAD uint16_t latest;
    if (++latest == 0)
        latest = 1;
    __atomic_store_n (&fiber->number, latest, __ATOMIC_RELAXED);
    return eddy__fiber_get_identity (fiber);
}

void *eddy__fiber_get_extra (EddyFiber *fiber)
{
    return fiber + 1;
}

EDDY__FIBER_INLINE void fiber_start (EddyFiber *fiber)
{
    EddyContext *context = fiber->future.context;
    if (EDDY__LIKELY (fiber->future.counted)) /* made by the context's own thread */
        eddy__context_queue (context, &fiber->future.entry);
    else if (!eddy__context_post (context, &fiber->future.entry))
        eddy__fiber_run (&fiber->future.entry);
}

void eddy__fiber_start (EddyFiber *fiber)
{
    fiber_start (fiber);
}

EDDY__FIBER_INLINE void fiber_set_function (EddyFiber *fiber, EddyFiberFunc function, void *data,
                                            void (*destroy) (void *),
                                            const EddyFiberOptions *options, const EddyPlace *place)
{
    fiber->function = function;
    fiber->data = data;
    fiber->destroy = destroy;
    fiber->place = place;
    if (options != NULL) {
        fiber->name = options->name;
        fiber->stack_size = options->stack_size;
        fiber->future.entry.priority = options->priority;
        fiber->future.value.destroy = options->destroy_result;
    }
}

void eddy__fiber_set_function (EddyFiber *fiber, EddyFiberFunc function, void *data,
                               void (*destroy) (void *), const EddyFiberOptions *options,
                               const EddyPlace *place)
{
    fiber_set_function (fiber, function, data, destroy, options, place);
}

EDDY__FIBER_INLINE EddyFiber *fiber_spawn (EddyContext *context, EddyFiberFunc function, void *data,
                                           void (*destroy) (void *),
                                           const EddyFiberOptions *options, const EddyPlace *place)
{
    EddyFiber *fiber = fiber_new (eddy__context_or_thread_default (context), 0);
    if (EDDY__LIKELY (fiber != NULL))
        fiber_set_function (fiber, function, data, destroy, options, place);
    else if (destroy != NULL)
        destroy (data);
    return fiber;
}

/* Any spawn. */
__attribute__ ((noinline)) static EddyFuture *spawn_any (EddyContext *context,
                                                         EddyFiberFunc function, void *data,
                                                         void (*destroy) (void *data),
                                                         const EddyFiberOptions *options,
                                                         const EddyPlace *place)
{
    EDDY__EXPECT (function != NULL, NULL);
    EddyFiber *fiber = fiber_spawn (context, function, data, destroy, options, place);
    if (fiber == NULL)
        return eddy__future_new_failed (eddy__context_or_thread_default (context), NULL,
                                        EDDY_PRIORITY_DEFAULT, "a fiber");
    fiber_start (fiber);
    return &fiber->future;
}

/* The usual spawn, without a call and so without registers saved: in a context of this thread that
 * has pending futures, with a record at hand. */
EDDY__FIBER_PATH EddyFuture *eddy_spawn_full (EddyContext *context, EddyFiberFunc function,
                                              void *data, void (*destroy) (void *data),
                                              const EddyFiberOptions *options,
                                              const EddyPlace *place)
{
    EddyContext *home = context;
    if (home == NULL && eddy__thread_defaults != NULL)
        home = eddy__thread_defaults->context;
    bool usual = home != NULL && function != NULL && options == NULL && home->kept &&
                 home->dispatching > 0 && eddy__context_is_owned (home);
    EddyFiber *fiber = usual ? eddy__block_take (sizeof *fiber) : NULL;
    if (EDDY__UNLIKELY (fiber == NULL))
        return spawn_any (context, function, data, destroy, options, place);
    /* Read before the record is written, which the compiler cannot tell apart from it. */
    uint32_t stamp = home->stamp;
    fiber_init (fiber, 0);
    fiber->made = stamp;
    eddy__future_init_at_home (&fiber->future, &fiber_class, home, EDDY_PRIORITY_DEFAULT);
    fiber_set_function (fiber, function, data, destroy, NULL, place);
    fiber->plain = destroy == NULL;
    eddy__context_queue (home, &fiber->future.entry);
    return &fiber->future;
}

void eddy_spawn_detached_full (EddyContext *context, EddyFiberFunc function, void *data,
                               void (*destroy) (void *data), const EddyFiberOptions *options,
                               const EddyPlace *place)
{
    EDDY__EXPECT (function != NULL);
    EddyFiber *fiber = fiber_spawn (context, function, data, destroy, options, place);
    if (fiber == NULL) {
        eddy__log (EDDY_LOG_WARNING, "a detached fiber spawned by %s could not begin: %s",
                   place == NULL ? "somebody" : place->function, "memory is out");
        return;
    }
    fiber->detached = true;
    fiber->holds_itself = true;
    fiber_start (fiber);
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

/* The answer is in the future already: it completes, and the group hears of it. */
EDDY__FIBER_INLINE void fiber_complete (EddyFiber *fiber)
{
    EddyError *error = fiber->future.error;
    fiber->state = EDDY_FIBER_DONE;
    if (EDDY__UNLIKELY (error != NULL))
        eddy_value_clear (&fiber->future.value);
    if (EDDY__UNLIKELY (fiber->detached))
        fiber_report_detached (fiber, error);
    EddyGroup *group = fiber->group;
    eddy__future_finish_sole (&fiber->future);
    if (group != NULL)
        eddy__group_child_ended (group, fiber);
}

/* Nothing runs on the fiber any more: gives up what it held. */
__attribute__ ((noinline)) static void fiber_bury_rest (EddyFiber *fiber)
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
    if (EDDY__UNLIKELY (fiber->groups.next != NULL))
        eddy__groups_leave (&fiber->groups);
    if (fiber->holds_itself)
        eddy_unref (fiber);
    eddy__future_drop_sole_maker (&fiber->future);
}

EDDY__FIBER_INLINE void fiber_bury (EddyFiber *fiber)
{
    if (EDDY__LIKELY (fiber->plain))
        eddy__future_drop_sole_maker (&fiber->future);
    else
        fiber_bury_rest (fiber);
}

/* --- cancelling ---------------------------------------------------------------------------- */

void eddy__fiber_cancel (EddyFiber *fiber, EddyError *cause)
{
    if (EDDY__UNLIKELY (fiber->in_shield))
        eddy__shield_cancel_outermost (fiber, cause);
    else
        eddy__fiber_cancel_inside (fiber, cause);
}

void eddy__fiber_cancel_inside (EddyFiber *fiber, EddyError *cause)
{
    if (fiber->cancelled || fiber->state == EDDY_FIBER_DONE) {
        eddy_unref (cause);
        return;
    }
    fiber->cancelled = true;
    fiber->plain = false;
    fiber->cause = cause;
    if (fiber->scope != NULL)
        eddy_cancellable_cancel_with_cause (fiber->scope, eddy_ref (cause));
    if (fiber->groups.next != NULL)
        eddy__groups_cancel (&fiber->groups, cause);
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
    if (eddy__future_is_here (future)) {
        eddy__fiber_cancel (fiber, NULL);
        return;
    }
    if (__atomic_exchange_n (&fiber->cancel_posted, 1, __ATOMIC_ACQ_REL) != 0)
        return;
    fiber->cancel = (EddyEntry){ .run = fiber_cancel_arrived, .priority = EDDY__PRIORITY_NOW };
    eddy_object_hold (fiber);
    if (!eddy__future_post_home (future, &fiber->cancel))
        eddy_object_release (fiber);
}

static void fiber_scope_cancelled (EddyCancelWatch *watch)
{
    EddyFiber *fiber = EDDY__CONTAINER (watch, EddyFiber, scope_watch);
    const EddyCancellable *scope =
        fiber->in_shield ? eddy__shield_get_outermost_scope (fiber) : fiber->scope;
    eddy__fiber_cancel (fiber, eddy__cancellable_ref_cause (scope));
}

static void fiber_parent_cancelled (EddyCancelWatch *watch)
{
    EddyFiber *fiber = EDDY__CONTAINER (watch, EddyFiber, parent_watch);
    eddy__fiber_cancel (fiber, eddy__cancellable_ref_cause (fiber->parent));
}

EddyCancellable *eddy__fiber_get_scope (EddyFiber *fiber)
{
    if (fiber->scope != NULL)
        return fiber->scope;
    if (EDDY__UNLIKELY (fiber->in_shield))
        return eddy__shield_make_scope (fiber);
    /* Not only the fiber follows what it was started with: the scope has its deadline, too, which
     * a job looks at on another thread. */
    fiber->scope = eddy_cancellable_new_child (eddy__fiber_get_parent (fiber));
    if (fiber->scope == NULL)
        return NULL;
    fiber->plain = false;
    fiber->scope_watch.cancelled = fiber_scope_cancelled;
    if (fiber->cancelled)
        eddy_cancellable_cancel_with_cause (fiber->scope, eddy_ref (fiber->cause));
    if (eddy__cancellable_watch (fiber->scope, fiber->future.context, &fiber->scope_watch) ==
        -ENOMEM)
        eddy_clear (&fiber->scope);
    return fiber->scope;
}

/* Begins to follow what the fiber was started with; by its first turn on its own thread. */
static void fiber_follow_parent (EddyFiber *fiber)
{
    fiber->parent_watch.cancelled = fiber_parent_cancelled;
    int answer =
        eddy__cancellable_watch (fiber->parent, fiber->future.context, &fiber->parent_watch);
    if (answer == -ECANCELED)
        eddy__fiber_cancel (fiber, eddy__cancellable_ref_cause (fiber->parent));
    else if (answer < 0) /* deaf to its parent, it might never end */
        eddy__fiber_cancel (fiber, eddy_error_new_errno (-answer, "%s", fiber_get_name (fiber)));
}

EddyError *eddy__fiber_make_cancel_error (EddyFiber *fiber, EddyCancellable *cancellable)
{
    if (eddy__cancellable_is_cancelled (cancellable))
        return eddy__cancellable_make_error (cancellable);
    if (fiber->cause != NULL)
        return eddy_ref (fiber->cause);
    return eddy__cancellable_make_error (fiber->scope);
}

/* Buries who made the last switch. */
void eddy__fiber_bury_dead (EddyFiber *dead)
{
    eddy__fiber_dead = NULL;
    eddy__sanitizer_fiber_clear (&dead->flow.sanitizer);
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

/* A thread about to sleep for longer gives back the stacks of a burst: those that no fiber needed
 * between two trims. While more are warm than are kept, it sleeps only until the next trim. */
int64_t eddy__fiber_before_sleep (int64_t timeout_ns)
{
    static EDDY__THREAD int64_t next_trim_ns;
    const EddyStackPool *pool = eddy__stack_pool;
    if (pool == NULL || pool->n_warm <= EDDY_STACK_WARM_KEPT ||
        (timeout_ns >= 0 && timeout_ns < FIBER_TRIM_EVERY_NS))
        return timeout_ns;
    int64_t now_ns = eddy__sys_now_ns ();
    if (now_ns >= next_trim_ns) {
        eddy__stack_trim ();
        next_trim_ns = now_ns + FIBER_TRIM_EVERY_NS;
    }
    return pool->n_warm <= EDDY_STACK_WARM_KEPT ? timeout_ns : next_trim_ns - now_ns;
}

/* Gives a new fiber its stack; 0 or -errno. */
static int fiber_bind (EddyFiber *fiber)
{
    if (EDDY__UNLIKELY (eddy__fiber_error_number == NULL)) {
        eddy__fiber_error_number = &errno;
        __atomic_store_n (&eddy__context_in_fiber, eddy_in_fiber, __ATOMIC_RELAXED);
        (void) eddy__overflow_watch_thread (fiber_describe);
        eddy__dump_watch_signal (); /* has been called, but for the linker of a static library */
    }
    int answer = eddy__stack_take (fiber->stack_size, &fiber->stack);
    if (EDDY__UNLIKELY (answer < 0))
        return answer;
    fiber_prepare (fiber);
    if (fiber->parent != NULL)
        fiber_follow_parent (fiber);
    return 0;
}

/* A fiber that cannot have a stack, or whose context is going, ends without having run. */
static void fiber_fail (EddyFiber *fiber, EddyError *error)
{
    if (fiber->destroy != NULL)
        fiber->destroy (fiber->data);
    fiber->future.error = error;
    fiber_complete (fiber);
    fiber_bury (fiber);
}

/* Makes a new fiber whose turn it is fit to be switched to; false when it has failed instead. */
bool eddy__fiber_make_fit (EddyFiber *fiber)
{
    int answer = fiber_bind (fiber);
    if (EDDY__LIKELY (answer == 0))
        return true;
    fiber_fail (fiber,
                eddy_error_new_errno (-answer, "a stack for fiber '%s'", fiber_get_name (fiber)));
    return false;
}

/* A fiber's turn, on the loop's stack. */
void eddy__fiber_run (EddyEntry *entry)
{
    EddyFiber *fiber = EDDY__CONTAINER (entry, EddyFiber, future.entry);
    if (fiber->state == EDDY_FIBER_NEW && !eddy__fiber_make_fit (fiber))
        return;
    EddyFiberFlow flow;
    EddyFiberFlow *outer = eddy__fiber_loop;
    eddy__sanitizer_thread_init (&flow.sanitizer);
    eddy__fiber_loop = &flow;
    fiber->state = EDDY_FIBER_RUNNING;
    eddy__overflow_fiber = fiber;
    fiber_exchange (&flow, &fiber->flow, /* from_is_dying= */ false);
    eddy__fiber_loop = outer;
}

/* What a program spawned. */
EDDY__FIBER_INLINE void fiber_call_function (EddyFiber *fiber)
{
    void *pointer = fiber->function (fiber->data, &fiber->future.error);
    if (EDDY__UNLIKELY (fiber->destroy != NULL))
        fiber->destroy (fiber->data);
    if (EDDY__LIKELY (fiber->future.error == NULL)) {
        fiber->future.value.kind = EDDY_VALUE_POINTER;
        fiber->future.value.as.pointer = pointer;
    }
}

/* Takes the one fiber that waits for this one, if it would be next: then it goes on right in its
 * stead, without a way through the queue and a new turn: 23 ns for a spawn and join, not 27. What
 * else has come up meanwhile waits until the next turn begins, as if it had come a moment later. */
EDDY__FIBER_INLINE EddyFiber *fiber_take_heir (EddyFiber *fiber)
{
    EddyContext *context = fiber->future.context;
    const EddyReadyLevel *level = context->pass_level;
    EddyWatcher *watcher = fiber->future.watcher;
    if (watcher == NULL || watcher->next != NULL ||
        watcher->completed != eddy__future_wait_completed || level->first != NULL ||
        level != context->ready.order[0])
        return NULL;
    EddyFiberWait *wait = &EDDY__CONTAINER (watcher, EddyFutureWait, watcher)->wait;
    if (EDDY__UNLIKELY (wait->woken || wait->fiber->future.entry.priority != level->priority))
        return NULL;
    fiber->future.watcher = NULL;
    wait->woken = true;
    context->n_run++;
    return wait->fiber;
}

/* Runs what the fiber was made for, and completes it. Returns who goes on in its stead, or NULL. */
EDDY__FIBER_INLINE EddyFiber *fiber_work (EddyFiber *fiber)
{
    /* Straight into the future, where nobody looks before it is done. */
    if (EDDY__LIKELY (fiber->function != NULL))
        fiber_call_function (fiber);
    else
        fiber->body (fiber, &fiber->future.value, &fiber->future.error);
    EddyContext *context = fiber->future.context;
    if (EDDY__LIKELY (fiber->plain && fiber->future.error == NULL)) {
        context->live_fibers--;
        fiber->state = EDDY_FIBER_DONE;
        EddyFiber *heir = fiber_take_heir (fiber);
        eddy__future_finish_sole (&fiber->future);
        return heir;
    }
    if (EDDY__UNLIKELY (fiber->has_locals))
        eddy__fiber_clear_locals (fiber);
    context->live_fibers--;
    if (fiber->listed)
        eddy__list_remove (&fiber->member);
    fiber_complete (fiber);
    return NULL;
}

/* Whether a fiber whose turn comes after that of one that has ended begins on its stack. In a burst
 * of fibers that end without waiting this saves the switch, and a third of the time. A sanitizer
 * would have to believe that they are one flow. */
EDDY__FIBER_INLINE bool fiber_inherit (EddyFiber *fiber, EddyFiber *next)
{
    if (EDDY__SANITIZED || next->state != EDDY_FIBER_NEW || next->stack_size > EDDY_STACK_SIZE ||
        fiber->stack->slab == NULL)
        return false;
    next->stack = fiber->stack;
    next->state = EDDY_FIBER_RUNNING;
    eddy__overflow_fiber = next;
    fiber_join_context (next);
    if (EDDY__UNLIKELY (next->parent != NULL))
        fiber_follow_parent (next);
    fiber_bury (fiber);
    return true;
}

/* The last switch, of a fiber that has ended. A plain one is buried and gives its stack back while
 * it still stands on it, since that runs nothing that could take the stack again; a sanitizer needs
 * its record for the switch. Saves 1 ns of 24: who runs next has nobody to bury. */
_Noreturn EDDY__FIBER_INLINE void fiber_go (EddyFiber *fiber, EddyFiber *next)
{
    if (!EDDY__SANITIZED && EDDY__LIKELY (fiber->plain)) {
        EddyFlow nowhere;
        EddyStack *stack = fiber->stack;
        eddy__overflow_fiber = next;
        eddy__future_drop_sole_maker (&fiber->future);
        eddy__stack_give (stack);
        if (EDDY__LIKELY (next != NULL)) {
            next->state = EDDY_FIBER_RUNNING;
            eddy__switch (&nowhere, &next->flow.flow);
        } else {
            eddy__switch (&nowhere, &eddy__fiber_loop->flow);
        }
        __builtin_unreachable ();
    }
    eddy__fiber_dead = fiber;
    fiber_switch_to (fiber, next, /* from_is_dying= */ true);
    __builtin_unreachable ();
}

/* The bottom of a fiber's stack. */
EDDY__FIBER_PATH void eddy__fiber_main (EddyFlow *flow)
{
    EddyFiber *fiber = EDDY__CONTAINER (flow, EddyFiber, flow.flow);
    EddyFiber *next = fiber;
    eddy__sanitizer_after_switch (&fiber->flow.sanitizer);
    fiber_arrived ();
    do {
        fiber = next;
        next = fiber_work (fiber);
        if (next == NULL)
            next = fiber_take (fiber->future.context);
    } while (next != NULL && fiber_inherit (fiber, next));
    EddyContext *context = fiber->future.context;
    while (next != NULL && next->state == EDDY_FIBER_NEW && !eddy__fiber_make_fit (next))
        next = fiber_take (context);
    fiber_go (fiber, next);
}

void eddy__fiber_park (EddyFiberWait *wait, const EddyWaitKind *kind, const void *on)
{
    fiber_park (wait, kind, on);
}

void eddy_fiber_yield (void)
{
    EddyFiber *fiber = eddy__fiber_current ();
    if (fiber == NULL)
        return;
    EddyContext *context = fiber->future.context;
    fiber->state = EDDY_FIBER_READY;
    eddy__context_queue_running (context, &fiber->future.entry);
    fiber_leave (fiber, context);
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

void eddy_fiber_set_name (const char *name)
{
    EddyFiber *fiber = eddy__fiber_current ();
    EDDY__EXPECT (fiber != NULL);
    fiber->name = name;
}

void eddy_fiber_set_priority (int priority)
{
    EddyFiber *fiber = eddy__fiber_current ();
    EDDY__EXPECT (fiber != NULL);
    fiber->future.entry.priority = priority;
}
