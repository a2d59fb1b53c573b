/* SPDX-License-Identifier: MIT */
/* What a fiber can wait for: futures, operations, time. */
#include <errno.h>

#include "base/object-private.h"
#include "fiber/block-private.h"
#include "fiber/dump-private.h"
#include "fiber/turn-private.h"
#include "future/combinator-private.h"
#include "future/task-private.h"

/* --- futures ---------------------------------------------------------------------------------- */

void eddy__future_wait_completed (EddyWatcher *watcher)
{
    eddy__fiber_wake (&EDDY__CONTAINER (watcher, EddyFutureWait, watcher)->wait);
}

/* Of another thread's future nothing is read that may change. */
static const char *future_wait_get_name (const void *on)
{
    const EddyCombinator *combinator = eddy__combinator_of (on);
    if (combinator != NULL)
        return combinator->kind->name;
    return eddy__future_is_task (on) ? eddy__task_get_maker (on) : eddy__form_get_name (on);
}

/* How deep to look into futures made of futures. */
enum { WAKERS_DEEPEST = 16 };

/* A fiber ends its future itself, and a combinator's inputs end it, if nothing else is to; any
 * other comes from outside. Into a combinator only its home thread may look. */
static void future_find_wakers (const EddyFuture *future, bool is_here, unsigned depth,
                                EddyWakers *wakers)
{
    const EddyCombinator *combinator = is_here ? eddy__combinator_of (future) : NULL;
    if (eddy__future_is_fiber (future)) {
        eddy__wakers_add (wakers, EDDY__CONTAINER (future, EddyFiber, future));
        return;
    }
    if (combinator == NULL || depth == 0 || !eddy__combinator_waits_for_inputs (combinator)) {
        eddy__wakers_add_unknown (wakers);
        return;
    }
    for (size_t i = 0; i < combinator->n_inputs; i++) {
        const EddyInput *input = &combinator->inputs[i];
        if (input->pending)
            future_find_wakers (input->future, input->watch.future != NULL, depth - 1, wakers);
    }
}

static void here_wait_find_wakers (const void *on, EddyWakers *wakers)
{
    future_find_wakers (on, /* is_here= */ true, WAKERS_DEEPEST, wakers);
}

static void future_wait_find_wakers (const void *on, EddyWakers *wakers)
{
    future_find_wakers (on, /* is_here= */ false, WAKERS_DEEPEST, wakers);
}

/* A future of the waiting fiber's context, and of any. */
static const EddyWaitKind here_wait_kind = { .what = "a future",
                                             .get_name = future_wait_get_name,
                                             .find_wakers = here_wait_find_wakers };
const EddyWaitKind eddy__future_wait_kind = { .what = "a future",
                                              .get_name = future_wait_get_name,
                                              .find_wakers = future_wait_find_wakers };

static int await_given_up (EddyFiber *fiber, EddyFuture *future, int answer);

/* Waits until the future is done, and home; 0, or -errno when the wait was cancelled before it was
 * done. It is watched last: whoever notices a deadline runs handlers, which may complete it, and
 * wake who does not wait. */
EDDY__FIBER_INLINE int await_future (EddyFiber *fiber, EddyFuture *future)
{
    EddyFutureWait future_wait;
    future_wait.watcher = (EddyWatcher){ .completed = eddy__future_wait_completed };
    int answer = eddy__fiber_wait_begin (&future_wait.wait, fiber);
    if (EDDY__UNLIKELY (answer < 0 || !eddy__future_watch (future, &future_wait.watcher))) {
        fiber->wait = NULL;
        return await_given_up (fiber, future, answer);
    }
    fiber_park (&future_wait.wait, &here_wait_kind, future);
    if (EDDY__LIKELY (!future_wait.wait.was_cancelled))
        return 0; /* woken by the watcher, so it is told and done */
    eddy__future_unwatch (future, &future_wait.watcher);
    return await_given_up (fiber, future, -ECANCELED);
}

/* The end of a wait that was cancelled. One that is done all the same has its answer, and is home
 * in a moment. */
__attribute__ ((noinline)) static int await_given_up (EddyFiber *fiber, EddyFuture *future,
                                                      int answer)
{
    if (!eddy__future_is_done (future))
        return answer;
    if (eddy__future_is_home (future))
        return 0;
    fiber->shielded++;
    answer = await_future (fiber, future);
    fiber->shielded--;
    return answer;
}

/* The wait for a future of another context. */
typedef struct AnywhereWait {
    EddyFiberWait wait;
    EddyAnywhere anywhere;
} AnywhereWait;

static void anywhere_wait_completed (EddyWatcher *watcher)
{
    eddy__fiber_wake (&EDDY__CONTAINER (watcher, AnywhereWait, anywhere.watcher)->wait);
}

/* Waits until the future is done, as above. */
static int await_anywhere (EddyFiber *fiber, EddyFuture *future)
{
    AnywhereWait anywhere_wait = { .anywhere.watcher.completed = anywhere_wait_completed };
    EddyAnywhere *anywhere = &anywhere_wait.anywhere;
    int answer = eddy__anywhere_watch (anywhere, future, fiber->future.context);
    if (answer == EDDY__ANYWHERE_DONE)
        return 0;
    if (answer == 0)
        answer = eddy__fiber_wait_begin (&anywhere_wait.wait, fiber);
    if (answer == 0)
        eddy__fiber_park (&anywhere_wait.wait, &eddy__future_wait_kind, future);
    eddy__anywhere_unwatch (anywhere);
    if (eddy__future_is_done (future))
        return 0;
    return answer < 0 ? answer : -ECANCELED;
}

/* The answer of a future that is done. */
EDDY__FIBER_INLINE bool future_answer (EddyFuture *future, EddyError **error)
{
    if (EDDY__LIKELY (future->error == NULL))
        return true;
    eddy_error_take (error, eddy_ref (future->error));
    return false;
}

/* The end of an await: the future's answer, or why it was not waited for. */
EDDY__FIBER_INLINE bool await_end (EddyFiber *fiber, EddyFuture *future, int answer,
                                   EddyError **error)
{
    if (EDDY__LIKELY (answer == 0))
        return future_answer (future, error);
    eddy_error_take (error, answer == -ECANCELED
                                ? eddy__fiber_make_cancel_error (fiber, NULL)
                                : eddy_error_new_errno (-answer, "waiting for a future"));
    return false;
}

/* The whole of an await of a future of another context: not in line, so that who awaits at home
 * does not pay for it. */
__attribute__ ((noinline, cold)) static bool await_anywhere_complete (EddyFuture *future,
                                                                      EddyError **error)
{
    EddyFiber *fiber = eddy__fiber_current ();
    return await_end (fiber, future, await_anywhere (fiber, future), error);
}

/* The whole of an await, in each of the public functions. */
EDDY__FIBER_INLINE bool await_complete (EddyFuture *future, EddyError **error)
{
    EddyFiber *fiber = eddy__fiber_current ();
    EDDY__EXPECT (future != NULL && fiber != NULL, false);
    bool done = eddy__future_is_home (future);
    if (EDDY__UNLIKELY (!done && future->context != fiber->future.context))
        return await_anywhere_complete (future, error);
    return await_end (fiber, future, done ? 0 : await_future (fiber, future), error);
}

EDDY__FIBER_PATH bool eddy_await_complete (EddyFuture *future, EddyError **error)
{
    return await_complete (future, error);
}

EDDY__FIBER_PATH void *eddy_await (EddyFuture *future, EddyError **error)
{
    return await_complete (future, error) ? future->value.as.pointer : NULL;
}

EDDY__FIBER_PATH bool eddy_await_boolean (EddyFuture *future, EddyError **error)
{
    return await_complete (future, error) && future->value.as.boolean;
}

EDDY__FIBER_PATH int64_t eddy_await_int (EddyFuture *future, EddyError **error)
{
    return await_complete (future, error) ? future->value.as.integer : -1;
}

/* --- from outside a fiber --------------------------------------------------------------------- */

/* Of a future of this thread's own context. */
static int block_on_here (EddyContext *context, const EddyFuture *future)
{
    int answer = eddy__context_enter (context);
    if (answer < 0)
        return answer;
    eddy_ref (context);
    while (!eddy__future_is_home (future))
        eddy__context_pass (context, /* may_block= */ true);
    eddy__context_leave (context);
    eddy_unref (context);
    return 0;
}

/* Of a future that another thread completes: runs the context meanwhile, unless another thread does
 * that, too. */
static int block_on_anywhere (EddyContext *context, EddyFuture *future)
{
    int answer = 0;
    EddyMirror *mirror = eddy__mirror_watch (future, context, &answer);
    if (mirror == NULL)
        return answer == EDDY__ANYWHERE_DONE ? 0 : answer;
    const bool *told = eddy__mirror_get_told (mirror);
    eddy_ref (context);
    answer = eddy__context_wait_enter (context, told);
    if (answer == 0) {
        while (!__atomic_load_n (told, __ATOMIC_SEQ_CST))
            eddy__context_pass (context, /* may_block= */ true);
        eddy__context_leave (context);
    }
    eddy_unref (context);
    eddy__mirror_unwatch (mirror);
    return answer == -EINTR ? 0 : answer;
}

bool eddy_block_on_complete (EddyContext *context, EddyFuture *future, EddyError **error)
{
    EDDY__EXPECT (future != NULL, false);
    if (eddy_in_fiber ())
        return eddy_await_complete (future, error);
    int answer = 0;
    if (!eddy__future_is_home (future)) {
        EddyContext *home = eddy__context_or_thread_default (context);
        answer = future->context == home ? block_on_here (home, future) : -EBUSY;
        if (answer == -EBUSY)
            answer = block_on_anywhere (home, future);
    }
    if (answer < 0 && !eddy__future_is_done (future)) {
        eddy_error_set_errno (error, -answer, "running a context");
        return false;
    }
    return future_answer (future, error);
}

void *eddy_block_on (EddyContext *context, EddyFuture *future, EddyError **error)
{
    return eddy_block_on_complete (context, future, error) ? future->value.as.pointer : NULL;
}

bool eddy_block_on_boolean (EddyContext *context, EddyFuture *future, EddyError **error)
{
    return eddy_block_on_complete (context, future, error) && future->value.as.boolean;
}

int64_t eddy_block_on_int (EddyContext *context, EddyFuture *future, EddyError **error)
{
    return eddy_block_on_complete (context, future, error) ? future->value.as.integer : -1;
}

/* --- operations ------------------------------------------------------------------------------- */

/* Has what a fiber reads when it goes on come from memory while others run: of a thousand that wake
 * in turn, none has it in the caches still. It is the flow, and the stack around the operation: two
 * lines below it to switch to, and the frames above, which its callers return through. */
static void awaited_op_fetch (const EddyOp *op, const EddyFiber *fiber)
{
    __builtin_prefetch (&fiber->flow);
    for (int at = -128; at < 512; at += 64)
        __builtin_prefetch ((const char *) op + at, 1);
}

static void awaited_op_complete (EddyOp *op)
{
    EddyFiberWait *wait = &EDDY__CONTAINER (op, EddyAwaitedOp, op)->wait;
    awaited_op_fetch (op, wait->fiber);
    eddy__fiber_wake (wait);
}

static void awaited_op_fiber_cancelled (EddyFiberWait *wait)
{
    EddyOp *op = &EDDY__CONTAINER (wait, EddyAwaitedOp, wait)->op;
    eddy__engine_cancel (op->engine, op);
}

static void awaited_op_explicitly_cancelled (EddyCancelWatch *watch)
{
    EddyOp *op = &EDDY__CONTAINER (watch, EddyAwaitedOp, explicit)->op;
    eddy__engine_cancel (op->engine, op);
}

const EddyWaitKind eddy__op_wait_kind = { .what = "an operation" };

/* Watches the cancellable that was given, and waits. Without memory to watch, nothing might ever
 * end the wait: then it ends now. */
static void awaited_op_watched (EddyAwaitedOp *awaited, EddyCancellable *cancellable)
{
    EddyOp *op = &awaited->op;
    EddyContext *context = awaited->wait.fiber->future.context;
    awaited->explicit.cancelled = awaited_op_explicitly_cancelled;
    int answer = eddy__cancellable_watch (cancellable, context, &awaited->explicit);
    if (answer < 0)
        eddy__engine_cancel (op->engine, op);
    eddy__fiber_park (&awaited->wait, &eddy__op_wait_kind, op);
    eddy__cancellable_unwatch (&awaited->explicit);
    if (answer == -ENOMEM && op->result == -ECANCELED)
        op->result = answer;
}

void eddy__fiber_let_others (EddyFiber *fiber)
{
    eddy__context_look_next (fiber->future.context);
    eddy_fiber_yield ();
}

void eddy__fiber_await_op (EddyFiber *fiber, EddyAwaitedOp *awaited, EddyCancellable *cancellable)
{
    EddyOp *op = &awaited->op;
    /* First, since whoever notices a deadline runs handlers, which may cancel this very fiber. */
    bool cancelled = eddy__cancellable_is_cancelled (cancellable);
    if (cancelled || eddy__fiber_wait_begin (&awaited->wait, fiber) < 0) {
        op->result = -ECANCELED;
        return;
    }
    awaited->wait.cancelled = awaited_op_fiber_cancelled;
    op->complete = awaited_op_complete;
    if (eddy__engine_submit (fiber->future.context->engine, op)) {
        fiber->wait = NULL;
        eddy__fiber_take_turns (fiber);
    } else if (cancellable != NULL && cancellable != fiber->scope) {
        awaited_op_watched (awaited, cancellable);
    } else {
        eddy__fiber_park (&awaited->wait, &eddy__op_wait_kind, op);
    }
}

int64_t eddy__do_op (EddyOp *request, EddyCancellable *cancellable)
{
    EddyFiber *fiber = eddy__fiber_current ();
    EddyAwaitedOp awaited;
    awaited.op = *request;
    eddy__list_init (&awaited.op.link);
    if (fiber == NULL) {
        eddy__block_op (&awaited.op, cancellable);
    } else {
        eddy__op_set_priority (&awaited.op, fiber->future.entry.priority);
        eddy__fiber_await_op (fiber, &awaited, cancellable);
    }
    request->as = awaited.op.as;
    return awaited.op.result;
}

bool eddy__may_go_on (EddyCancellable *cancellable, EddyError **error)
{
    if (eddy_cancellable_set_error_if_cancelled (cancellable, error))
        return false;
    EddyFiber *fiber = eddy__fiber_current ();
    if (fiber == NULL || EDDY__LIKELY (!eddy__fiber_is_cancelled (fiber)))
        return true;
    eddy_error_take (error, eddy__fiber_make_cancel_error (fiber, NULL));
    return false;
}

/* --- time ------------------------------------------------------------------------------------- */

typedef struct TimeWait {
    EddyFiberWait wait;
    EddyTimer timer;
} TimeWait;

static const EddyWaitKind time_wait_kind = { .what = "a timer" };

static void time_wait_fire (EddyTimer *timer)
{
    eddy__fiber_wake (&EDDY__CONTAINER (timer, TimeWait, timer)->wait);
}

/* Waits until the time; INT64_MAX is never armed. */
static bool time_wait (EddyFiber *fiber, int64_t deadline_ns, EddyError **error)
{
    EddyContext *context = fiber->future.context;
    TimeWait time_wait = { .timer = { .fire = time_wait_fire } };
    int answer = eddy__timer_add (&context->timers, &time_wait.timer,
                                  deadline_ns == INT64_MAX ? INT64_MAX - 1 : deadline_ns);
    if (answer == 0)
        answer = eddy__fiber_wait_begin (&time_wait.wait, fiber);
    if (answer == 0)
        eddy__fiber_park (&time_wait.wait, &time_wait_kind, &time_wait.timer);
    eddy__timer_remove (&context->timers, &time_wait.timer);
    if (answer == 0 && time_wait.wait.was_cancelled)
        answer = -ECANCELED;
    if (answer == 0)
        return true;
    eddy_error_take (error, answer == -ECANCELED ? eddy__fiber_make_cancel_error (fiber, NULL)
                                                 : eddy_error_new_errno (-answer, "sleeping"));
    return false;
}

bool eddy_fiber_sleep (int64_t duration_ns, EddyError **error)
{
    EddyFiber *fiber = eddy__fiber_current ();
    EDDY__EXPECT (fiber != NULL && duration_ns >= 0, false);
    int64_t deadline_ns;
    int64_t now_ns = eddy__context_read_clock (fiber->future.context);
    if (__builtin_add_overflow (now_ns, duration_ns, &deadline_ns))
        deadline_ns = INT64_MAX;
    return time_wait (fiber, deadline_ns, error);
}

bool eddy_fiber_sleep_until (int64_t deadline_ns, EddyError **error)
{
    EddyFiber *fiber = eddy__fiber_current ();
    EDDY__EXPECT (fiber != NULL, false);
    return time_wait (fiber, deadline_ns < 0 ? 0 : deadline_ns, error);
}
