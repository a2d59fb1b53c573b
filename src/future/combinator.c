/* SPDX-License-Identifier: MIT */
/* The life of a combinator: what it waits for, its turns, its end. */
#include "future/combinator-private.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>

#include "base/alloc-private.h"
#include "base/error-private.h"
#include "base/object-private.h"
#include "future/task-private.h"

/* --- chains without a stack ------------------------------------------------------------------- */

static EDDY__THREAD EddyEntry *flat_first;
static EDDY__THREAD EddyEntry **flat_last; /* where the next one goes; NULL: none runs */

/* Runs an entry; inside another one of this thread, after that. A combinator that is cancelled, or
 * freed, does so to its inputs, which may be combinators. */
static void flat_run (EddyEntry *entry)
{
    entry->next = NULL;
    if (flat_last != NULL) {
        *flat_last = entry;
        flat_last = &entry->next;
        return;
    }
    flat_first = entry;
    flat_last = &entry->next;
    while ((entry = flat_first) != NULL) {
        flat_first = entry->next;
        if (flat_first == NULL)
            flat_last = &flat_first;
        entry->run (entry);
    }
    flat_last = NULL;
}

/* --- what stands for a future that was let go of ---------------------------------------------- */

static const EddyFutureClass left_class = { .object = { .name = "EddyFuture", .size = 0 } };

/* Its counts start so high that it never ends. */
static EddyFuture left_future = { .object = { &left_class.object, 1U << 29, 1U << 29 },
                                  .state = EDDY_FUTURE_DONE };

static void left_future_make (void)
{
    left_future.error = eddy__error_cancelled ();
}

static EddyFuture *future_left (void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once (&once, left_future_make);
    return eddy_ref (&left_future);
}

/* --- inputs ----------------------------------------------------------------------------------- */

/* Whether somebody wants the answer beside the caller, who has a handle. A pending task has one
 * more for its makers, and one for its callback, which is nobody where there is none. */
static bool future_is_wanted (EddyFuture *future)
{
    uint32_t own = 1;
    if (eddy__future_is_task (future))
        own += future->callback == NULL ? 2 : 1;
    return __atomic_load_n (&future->object.references, __ATOMIC_ACQUIRE) > own;
}

/* Gives up a handle. */
static void future_let_go (EddyFuture *future)
{
    if (!future_is_wanted (future))
        eddy_future_cancel (future);
    eddy_unref (future);
}

static void combinator_queue (EddyCombinator *self)
{
    if (self->queued)
        return;
    self->queued = true;
    eddy__context_queue (self->future.context, &self->turn);
}

static void input_end (EddyInput *input)
{
    EddyCombinator *self = input->combinator;
    input->pending = false;
    self->n_pending--;
    input->next = NULL;
    if (self->first_ended == NULL)
        self->first_ended = input;
    else
        self->last_ended->next = input;
    self->last_ended = input;
    combinator_queue (self);
}

static void input_completed (EddyWatcher *watcher)
{
    input_end (EDDY__CONTAINER (watcher, EddyInput, watch.watcher));
}

static void input_init (EddyInput *input, EddyCombinator *self, EddyFuture *future)
{
    *input = (EddyInput){ .watch.watcher.completed = input_completed,
                          .future = future,
                          .combinator = self };
}

static void input_watch (EddyInput *input)
{
    EddyCombinator *self = input->combinator;
    EddyContext *context = self->future.context;
    input->pending = true;
    self->n_pending++;
    int answer = eddy__anywhere_watch (&input->watch, input->future, context);
    if (answer < 0) {
        future_let_go (input->future);
        input->future = eddy__future_new_failed (context, NULL, 0, self->kind->name);
    }
    if (answer != EDDY__ANYWHERE_WATCHED)
        input_end (input);
}

static void input_give_up (EddyInput *input)
{
    if (!input->pending || input->shielded)
        return;
    if (!future_is_wanted (input->future)) {
        eddy_future_cancel (input->future);
        return;
    }
    eddy__anywhere_unwatch (&input->watch);
    eddy_unref (input->future);
    input->future = future_left ();
    input_end (input);
}

void eddy__combinator_give_up (EddyCombinator *self)
{
    for (size_t i = 0; i < self->n_inputs && self->n_pending > 0; i++)
        input_give_up (&self->inputs[i]);
}

void eddy__combinator_add (EddyCombinator *self, EddyFuture *future, bool shielded)
{
    EddyInput *input = &self->inputs[self->n_inputs++];
    input_init (input, self, future);
    input->shielded = shielded;
    input_watch (input);
    if (self->cancelled)
        input_give_up (input);
}

/* --- turns ------------------------------------------------------------------------------------ */

void eddy__combinator_drop_data (EddyCombinator *self)
{
    void (*destroy) (void *) = self->destroy;
    self->destroy = NULL;
    if (destroy != NULL)
        destroy (self->data);
}

static void combinator_drop_inputs (EddyCombinator *self)
{
    for (size_t i = 0; i < self->n_inputs; i++)
        eddy_clear (&self->inputs[i].future);
}

static bool combinator_is_under_way (const EddyCombinator *self)
{
    return self->queued || self->n_pending > 0 ||
           (self->kind->awaits_time && eddy__timer_is_armed (&self->timer) && !self->cancelled);
}

/* Nothing is under way: the last turn's end. What destroys values, or is told of messages, may
 * cancel it in the middle, and is too late. */
static void combinator_complete (EddyCombinator *self)
{
    EddyFuture *future = &self->future;
    self->ending = true;
    eddy__timer_remove (&future->context->timers, &self->timer);
    if (self->kind->answer != NULL && future->error == NULL)
        self->kind->answer (self, &future->value, &future->error);
    if (future->error != NULL)
        eddy_value_clear (&future->value);
    eddy__future_finish_sole (future);
    if (!self->kind->keeps_inputs)
        combinator_drop_inputs (self);
    if (self->holds_itself)
        eddy_unref (self);
    eddy__future_drop_sole_maker (future);
}

static void combinator_turn (EddyEntry *entry)
{
    EddyCombinator *self = EDDY__CONTAINER (entry, EddyCombinator, turn);
    self->queued = false;
    if (self->in_turn) {
        self->look_again = true;
        return;
    }
    self->in_turn = true;
    do {
        self->look_again = false;
        for (EddyInput *input; (input = self->first_ended) != NULL;) {
            self->first_ended = input->next;
            if (self->kind->ended != NULL)
                self->kind->ended (self, input);
        }
        if (self->timed_out)
            eddy__combinator_give_up (self);
        if (!combinator_is_under_way (self))
            eddy__combinator_drop_data (self);
    } while (self->look_again);
    self->in_turn = false;
    if (!combinator_is_under_way (self))
        combinator_complete (self);
}

/* --- time ------------------------------------------------------------------------------------- */

static void combinator_fire (EddyTimer *timer)
{
    EddyCombinator *self = EDDY__CONTAINER (timer, EddyCombinator, timer);
    self->timed_out = !self->cancelled; /* who was first it was */
    combinator_queue (self);
}

/* Who could not be told of the time does not begin to wait. */
static void combinator_begin_time (EddyCombinator *self)
{
    if (self->deadline_ns == INT64_MAX)
        return;
    self->timer.fire = combinator_fire;
    int answer = eddy__timer_add (&self->future.context->timers, &self->timer, self->deadline_ns);
    if (answer == 0)
        return;
    self->future.error = eddy_error_new_errno (-answer, "%s", self->kind->name);
    eddy__combinator_give_up (self);
}

/* --- beginning -------------------------------------------------------------------------------- */

/* On the home thread. */
static void combinator_begin (EddyCombinator *self)
{
    self->turn.run = combinator_turn;
    self->turn.priority = self->future.entry.priority;
    self->begun = true;
    for (size_t i = 0; i < self->n_inputs; i++)
        input_watch (&self->inputs[i]);
    if (self->n_pending > 0 || self->kind->awaits_time)
        combinator_begin_time (self);
    if (self->cancelled)
        eddy__combinator_give_up (self);
    if (!combinator_is_under_way (self))
        combinator_queue (self);
}

static void combinator_arrived (EddyEntry *entry)
{
    combinator_begin (EDDY__CONTAINER (entry, EddyCombinator, turn));
}

EddyFuture *eddy__combinator_begin (EddyCombinator *self, const EddyCombinatorKind *kind)
{
    if (self == NULL)
        return eddy__future_new_failed (eddy__context_thread_default (), NULL, 0, kind->name);
    EddyContext *context = self->future.context;
    if (eddy__context_is_owned (context)) {
        combinator_begin (self);
    } else {
        /* It keeps its context, so there is somebody to take it in. */
        self->turn = (EddyEntry){ .run = combinator_arrived, .priority = EDDY__PRIORITY_NOW };
        (void) eddy__context_post (context, &self->turn);
    }
    return &self->future;
}

/* --- its end ---------------------------------------------------------------------------------- */

static void combinator_free (EddyEntry *entry)
{
    EddyCombinator *self = EDDY__CONTAINER (entry, EddyCombinator, turn);
    combinator_drop_inputs (self);
    eddy__future_finalize (&self->future);
    eddy__block_free (self, self->size);
}

static void combinator_finalize (void *object)
{
    EddyCombinator *self = object;
    self->turn.run = combinator_free;
    flat_run (&self->turn);
}

static void combinator_cancel_arrived (EddyEntry *entry)
{
    EddyCombinator *self = EDDY__CONTAINER (entry, EddyCombinator, cancel);
    self->cancelled = true;
    if (self->begun && !self->ending) {
        eddy__combinator_give_up (self);
        combinator_queue (self);
    }
    eddy_object_release (self);
}

static void combinator_request_cancel (EddyFuture *future)
{
    EddyCombinator *self = eddy__combinator_of (future);
    if (__atomic_exchange_n (&self->cancel_asked, 1, __ATOMIC_ACQ_REL) != 0)
        return;
    self->cancel = (EddyEntry){ .run = combinator_cancel_arrived, .priority = EDDY__PRIORITY_NOW };
    eddy_object_hold (self);
    if (eddy__future_is_here (future))
        flat_run (&self->cancel);
    else if (!eddy__future_post_home (future, &self->cancel))
        eddy_object_release (self);
}

static const EddyFutureClass combinator_class = { .object = { .name = "EddyFuture",
                                                              .size = 0,
                                                              .dispose = eddy__future_dispose,
                                                              .finalize = combinator_finalize },
                                                  .request_cancel = combinator_request_cancel };

EddyCombinator *eddy__combinator_of (const EddyFuture *future)
{
    if (future == NULL || future->object.object_class != &combinator_class.object)
        return NULL;
    return EDDY__CONTAINER (future, EddyCombinator, future);
}

bool eddy__combinator_waits_for_inputs (const EddyCombinator *self)
{
    return self->begun && !self->queued && !self->in_turn && self->n_pending > 0 &&
           !eddy__timer_is_armed (&self->timer);
}

/* --- making ----------------------------------------------------------------------------------- */

/* Its memory, with all that watching its inputs may take; NULL: memory is out. */
static EddyCombinator *combinator_alloc (EddyContext *context, EddyFuture *const *futures,
                                         size_t n_futures, size_t room)
{
    EddyCombinator *self = NULL;
    size_t n_inputs, size;
    if (__builtin_add_overflow (n_futures, room, &n_inputs) ||
        __builtin_mul_overflow (n_inputs, sizeof (EddyInput), &size) ||
        __builtin_add_overflow (size, sizeof *self, &size) ||
        (self = eddy__block_alloc (size)) == NULL)
        return NULL;
    memset (self, 0, sizeof *self);
    self->size = size;
    for (size_t i = 0; i < n_futures; i++) {
        input_init (&self->inputs[i], self, futures[i]);
        if (eddy__anywhere_reserve (&self->inputs[i].watch, futures[i], context))
            continue;
        while (i > 0)
            eddy__anywhere_give_back (&self->inputs[--i].watch);
        eddy__block_free (self, size);
        return NULL;
    }
    return self;
}

EddyCombinator *eddy__combinator_new (const EddyCombinatorKind *kind, EddyFuture *const *futures,
                                      size_t n_futures, size_t room)
{
    EddyContext *context = eddy__context_thread_default ();
    EddyCombinator *self = combinator_alloc (context, futures, n_futures, room);
    if (self == NULL) {
        for (size_t i = 0; i < n_futures; i++)
            future_let_go (futures[i]);
        return NULL;
    }
    eddy__future_init (&self->future, &combinator_class, context, EDDY_PRIORITY_DEFAULT);
    self->kind = kind;
    self->deadline_ns = INT64_MAX;
    self->n_inputs = n_futures;
    return self;
}
