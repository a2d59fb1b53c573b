/* SPDX-License-Identifier: MIT */
/* EddySequence: asking for items, one fiber at a time, and losing none. */
#include <eddy/sequence.h>

#include <errno.h>

#include "base/alloc-private.h"
#include "eddy/sequence-bodies.h"
#include "fiber/turn-private.h"
#include "future/mirror-private.h"
#include "sequence/sequence-private.h"

/* Where the private data begin: aligned for any type. */
enum { DATA_AT = (sizeof (EddySequence) + 15) / 16 * 16 };

/* --- life ------------------------------------------------------------------------------------- */

/* Nothing more is wanted of what is behind it. */
static void sequence_close (EddySequence *sequence)
{
    sequence->ended = true;
    if (sequence->closed)
        return;
    sequence->closed = true;
    if (sequence->funcs->dispose != NULL)
        sequence->funcs->dispose (sequence);
}

static void sequence_end (EddySequence *sequence)
{
    sequence_close (sequence);
    eddy__sequence_give_up (sequence, sequence->kept);
    sequence->kept = NULL;
}

static void sequence_came_home (EddyEntry *entry)
{
    EddySequence *sequence = EDDY__CONTAINER (entry, EddySequence, homecoming);
    sequence_end (sequence);
    eddy_object_release (sequence);
}

/* On another thread than its own, where the last one to have the future of an item may be, what it
 * has is left to its own, as soon as its context runs. */
static void sequence_dispose (void *object)
{
    EddySequence *sequence = object;
    EddyContext *context = sequence->context;
    if (EDDY__LIKELY (context == NULL || eddy__context_is_home (context))) {
        sequence_end (sequence);
        return;
    }
    sequence->homecoming =
        (EddyEntry){ .run = sequence_came_home, .priority = EDDY_PRIORITY_DEFAULT };
    eddy_object_hold (sequence);
    if (!eddy__context_post (context, &sequence->homecoming))
        sequence_came_home (&sequence->homecoming);
}

/* Later than dispose by as long as its fibers take to end, which hold it. */
static void sequence_finalize (void *object)
{
    EddySequence *sequence = object;
    eddy_unref (sequence->context);
    eddy__free (sequence);
}

/* Its memory is longer, so it frees that itself. */
static const EddyClass sequence_class = { .name = "EddySequence",
                                          .dispose = sequence_dispose,
                                          .finalize = sequence_finalize };

EddySequence *eddy_sequence_new (const EddySequenceFuncs *funcs, size_t data_size,
                                 EddyItemDestroyFunc destroy_item)
{
    EDDY__EXPECT (funcs != NULL && funcs->next != NULL, NULL);
    EddySequence *sequence =
        data_size > SIZE_MAX - DATA_AT ? NULL : eddy__alloc0 (DATA_AT + data_size);
    if (sequence == NULL)
        return NULL;
    eddy__object_init (sequence, &sequence_class);
    sequence->funcs = funcs;
    sequence->destroy_item = destroy_item;
    sequence->context = eddy_context_ref_thread_default ();
    eddy__list_init (&sequence->turns);
    return sequence;
}

void *eddy_sequence_get_data (EddySequence *sequence)
{
    EDDY__EXPECT (sequence != NULL, NULL);
    return (char *) sequence + DATA_AT;
}

EddySequence *eddy__sequence_new_over (const EddySequenceFuncs *funcs, size_t data_size,
                                       EddyItemDestroyFunc destroy_item, EddySequence *inner)
{
    if (inner == NULL)
        return NULL;
    EddySequence *sequence = eddy_sequence_new (funcs, data_size, destroy_item);
    if (sequence == NULL)
        eddy_unref (inner);
    return sequence;
}

/* --- whose turn it is ------------------------------------------------------------------------- */

/* A fiber that waits for its turn. */
typedef struct SequenceTurn {
    EddyList member;
    EddyFiberWait *wait;
} SequenceTurn;

static void turn_find_wakers (const void *on, EddyWakers *wakers)
{
    eddy__sequence_add_asking (on, wakers);
}

static const EddyWaitKind turn_wait_kind = { .what = "its turn to ask a sequence",
                                             .find_wakers = turn_find_wakers };

/* Waits for the fiber's turn, in the order of arrival; 0 or -errno. */
static int sequence_wait_for_turn (EddySequence *sequence, EddyCancellable *cancellable)
{
    SequenceTurn turn = { .wait = NULL };
    eddy__list_append (&sequence->turns, &turn.member);
    int answer =
        eddy__sequence_wait (&turn.wait, cancellable, INT64_MAX, &turn_wait_kind, sequence);
    /* Whoever gave it its turn took it off, before the cancel or after it. */
    bool granted = !eddy__list_is_linked (&turn.member);
    eddy__list_remove (&turn.member);
    return granted ? 0 : answer;
}

static void sequence_give_turn (EddySequence *sequence)
{
    EddyList *link = eddy__list_pop (&sequence->turns);
    sequence->asking = NULL;
    if (link == NULL)
        return;
    SequenceTurn *turn = EDDY__CONTAINER (link, SequenceTurn, member);
    sequence->asking = turn->wait->fiber;
    eddy__fiber_wake (turn->wait);
}

/* --- asking ----------------------------------------------------------------------------------- */

void eddy__sequence_add_asking (const EddySequence *sequence, EddyWakers *wakers)
{
    if (sequence->asking != NULL)
        eddy__wakers_add (wakers, sequence->asking);
    else
        eddy__wakers_add_unknown (wakers);
}

bool eddy__sequence_is_cancelled (EddyCancellable *cancellable)
{
    return eddy__cancellable_is_cancelled (cancellable) ||
           eddy__fiber_is_cancelled (eddy__fiber_current ());
}

/* Keeps what has come when the fiber was cancelled meanwhile: nobody may be there any more to take
 * it from the fiber. */
static void *sequence_deliver (EddySequence *sequence, void *item, EddyCancellable *cancellable,
                               EddyError **error)
{
    EddyFiber *fiber = eddy__fiber_current ();
    if (EDDY__LIKELY (!eddy__fiber_is_cancelled (fiber)))
        return item;
    sequence->kept = item;
    eddy_error_take (error, eddy__fiber_make_cancel_error (fiber, cancellable));
    return NULL;
}

static void *sequence_ask_kind (EddySequence *sequence, EddyCancellable *cancellable,
                                EddyError **error)
{
    EddyError *failure = NULL;
    sequence->goes_on = false;
    sequence->breaks_off = false;
    void *item = sequence->funcs->next (sequence, cancellable, &failure);
    if (EDDY__LIKELY (item != NULL && failure == NULL))
        return sequence_deliver (sequence, item, cancellable, error);
    eddy__sequence_give_up (sequence, item);
    if (failure == NULL || sequence->breaks_off ||
        (!sequence->goes_on && !eddy__sequence_is_cancelled (cancellable)))
        sequence_close (sequence);
    if (failure != NULL)
        eddy_error_take (error, failure);
    return NULL;
}

void *eddy__sequence_ask (EddySequence *sequence, EddyCancellable *cancellable, EddyError **error)
{
    EddyFiber *fiber = eddy__fiber_current ();
    if (fiber->future.context != sequence->context) {
        eddy_error_set (error, EDDY_IO_ERROR, EDDY_IO_ERROR_INVALID_ARGUMENT,
                        "a sequence was asked in a context that is not its own");
        return NULL;
    }
    int answer = eddy__sequence_is_cancelled (cancellable) ? -ECANCELED : 0;
    if (answer == 0 && sequence->asking != NULL)
        answer = sequence_wait_for_turn (sequence, cancellable);
    else if (answer == 0)
        sequence->asking = fiber;
    if (answer < 0)
        return eddy__sequence_fail_wait (sequence, answer, cancellable, error);
    void *item = sequence->kept;
    sequence->kept = NULL;
    if (item != NULL)
        item = sequence_deliver (sequence, item, cancellable, error);
    else if (!sequence->ended)
        item = sequence_ask_kind (sequence, cancellable, error);
    sequence_give_turn (sequence);
    return item;
}

void *eddy_sequence_next_body (EddySequence *sequence, void (**destroy) (void *pointer),
                               EddyCancellable *cancellable, EddyError **error)
{
    EddyError *failure = NULL;
    if (sequence == NULL) {
        eddy_error_set (error, EDDY_IO_ERROR, EDDY_IO_ERROR_INVALID_ARGUMENT,
                        "there is no sequence to ask");
        return NULL;
    }
    void *item = eddy__sequence_ask (sequence, cancellable, &failure);
    if (failure != NULL)
        eddy_error_take (error, failure);
    else if (item != NULL)
        *destroy = sequence->destroy_item;
    return item;
}

void *eddy__sequence_pass (EddySequence *sequence, const EddySequence *inner)
{
    sequence->goes_on = !inner->ended;
    sequence->breaks_off = inner->ended;
    return NULL;
}

/* --- waiting ---------------------------------------------------------------------------------- */

typedef struct SequenceWait {
    EddyFiberWait wait;
    EddyTimer timer;
    EddyCancelWatch watch; /* of the cancellable that was given */
    int answer;
} SequenceWait;

static void sequence_wait_end (SequenceWait *self, int answer)
{
    if (!self->wait.woken)
        self->answer = answer;
    eddy__fiber_wake (&self->wait);
}

static void sequence_wait_fire (EddyTimer *timer)
{
    sequence_wait_end (EDDY__CONTAINER (timer, SequenceWait, timer), -ETIMEDOUT);
}

static void sequence_wait_cancelled (EddyCancelWatch *watch)
{
    sequence_wait_end (EDDY__CONTAINER (watch, SequenceWait, watch), -ECANCELED);
}

/* Has the deadline and the cancellable end the wait; 0 or -errno. */
static int sequence_wait_arm (SequenceWait *self, EddyCancellable *cancellable, int64_t deadline_ns)
{
    EddyContext *context = self->wait.fiber->future.context;
    int answer = 0;
    if (deadline_ns != INT64_MAX)
        answer = eddy__timer_add (&context->timers, &self->timer, deadline_ns);
    if (answer == 0 && cancellable != NULL && cancellable != self->wait.fiber->scope)
        answer = eddy__cancellable_follow (cancellable, context, &self->watch);
    return answer;
}

int eddy__sequence_wait (EddyFiberWait **wait, EddyCancellable *cancellable, int64_t deadline_ns,
                         const EddyWaitKind *kind, const void *on)
{
    EddyFiber *fiber = eddy__fiber_current ();
    SequenceWait self = { .timer = { .fire = sequence_wait_fire },
                          .watch = { .cancelled = sequence_wait_cancelled } };
    eddy__list_init (&self.watch.member);
    if (eddy__cancellable_is_cancelled (cancellable) ||
        eddy__fiber_wait_begin (&self.wait, fiber) < 0)
        return -ECANCELED;
    self.answer = sequence_wait_arm (&self, cancellable, deadline_ns);
    if (self.answer == 0) {
        *wait = &self.wait;
        eddy__fiber_park (&self.wait, kind, on);
        *wait = NULL;
    }
    fiber->wait = NULL;
    eddy__timer_remove (&fiber->future.context->timers, &self.timer);
    eddy__cancellable_unwatch (&self.watch);
    return self.wait.was_cancelled ? -ECANCELED : self.answer;
}

typedef struct FutureWatch {
    EddyAnywhere anywhere;
    EddyFiberWait *wait;
} FutureWatch;

static void future_completed (EddyWatcher *watcher)
{
    eddy__sequence_wake (EDDY__CONTAINER (watcher, FutureWatch, anywhere.watcher)->wait);
}

int eddy__sequence_wait_for (const EddySequence *sequence, EddyFuture *future,
                             EddyCancellable *cancellable)
{
    FutureWatch watch = { .anywhere.watcher.completed = future_completed };
    if (eddy__future_has_come (future, sequence->context))
        return 0;
    int answer = eddy__anywhere_watch (&watch.anywhere, future, sequence->context);
    while (!eddy__future_has_come (future, sequence->context) && answer == 0)
        answer = eddy__sequence_wait (&watch.wait, cancellable, INT64_MAX, &eddy__future_wait_kind,
                                      future);
    eddy__anywhere_unwatch (&watch.anywhere);
    return eddy__future_has_come (future, sequence->context) ? 0 : answer;
}

void *eddy__sequence_fail_wait (EddySequence *sequence, int answer, EddyCancellable *cancellable,
                                EddyError **error)
{
    sequence->goes_on = true;
    if (answer == -ECANCELED)
        eddy_error_take (error,
                         eddy__fiber_make_cancel_error (eddy__fiber_current (), cancellable));
    else
        eddy_error_set_errno (error, -answer, "the next item of a sequence");
    return NULL;
}

int64_t eddy__sequence_deadline (const EddySequence *sequence, int64_t duration_ns)
{
    int64_t deadline_ns;
    if (__builtin_add_overflow (eddy__context_read_clock (sequence->context), duration_ns,
                                &deadline_ns))
        return INT64_MAX - 1;
    return deadline_ns;
}

/* --- questions -------------------------------------------------------------------------------- */

bool eddy_sequence_has_ended (EddySequence *sequence)
{
    EDDY__EXPECT (sequence != NULL, true);
    return sequence->ended;
}

void eddy_sequence_destroy_item (EddySequence *sequence, void *item)
{
    EDDY__EXPECT (sequence != NULL);
    eddy__sequence_give_up (sequence, item);
}

EddyContext *eddy_sequence_get_context (EddySequence *sequence)
{
    EDDY__EXPECT (sequence != NULL, NULL);
    return sequence->context;
}

void eddy_sequence_go_on (EddySequence *sequence)
{
    EDDY__EXPECT (sequence != NULL);
    sequence->goes_on = true;
}
