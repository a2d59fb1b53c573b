/* SPDX-License-Identifier: MIT */
/* EddyChannel: sending, receiving, closing. */
#include "sync/channel-private.h"

#include <eddy/channel-bodies.h>

#include "base/alloc-private.h"

/* How long a thread leaves a channel alone at most: some 50 messages. */
enum { CHANNEL_MOST_PAUSES = 64 };

/* --- making ----------------------------------------------------------------------------------- */

static void channel_dispose (void *object)
{
    EddyChannel *channel = object;
    eddy_channel_close (channel);
    while (channel->length > 0) {
        void *message = channel_shift (channel);
        if (channel->destroy != NULL)
            channel->destroy (message);
    }
}

static void channel_finalize (void *object)
{
    EddyChannel *channel = object;
    eddy__free (channel->ring);
}

static const EddyClass channel_class = { .name = "EddyChannel",
                                         .size = sizeof (EddyChannel),
                                         .dispose = channel_dispose,
                                         .finalize = channel_finalize };

EddyChannel *eddy_channel_new (size_t capacity, void (*destroy) (void *message))
{
    size_t size;
    void **ring = NULL;
    if (__builtin_mul_overflow (capacity, sizeof *ring, &size))
        return NULL;
    if (capacity > 0 && (ring = eddy__alloc (size)) == NULL)
        return NULL;
    EddyChannel *channel = eddy_object_new (&channel_class);
    if (channel == NULL) {
        eddy__free (ring);
        return NULL;
    }
    eddy__lock_init (&channel->lock);
    eddy__list_init (&channel->sending.waiters);
    eddy__list_init (&channel->receiving.waiters);
    channel->capacity = capacity;
    channel->ring = ring;
    channel->destroy = destroy;
    return channel;
}

void eddy_channel_set_name (EddyChannel *channel, const char *name)
{
    EDDY__EXPECT (channel != NULL);
    channel->name = name;
}

/* --- who waits for whom ----------------------------------------------------------------------- */

void eddy__channel_find_wakers (EddyChannel *channel, const EddyChannelEnd *other,
                                EddyWakers *wakers)
{
    bool locked = eddy__lock (&channel->lock);
    eddy__users_tell (&other->users, wakers);
    eddy__unlock (&channel->lock, locked);
}

static const char *channel_get_name (const void *on)
{
    return ((const EddyChannel *) on)->name;
}

static void channel_find_receivers (const void *on, EddyWakers *wakers)
{
    EddyChannel *channel = (EddyChannel *) (uintptr_t) on;
    eddy__channel_find_wakers (channel, &channel->receiving, wakers);
}

static void channel_find_senders (const void *on, EddyWakers *wakers)
{
    EddyChannel *channel = (EddyChannel *) (uintptr_t) on;
    eddy__channel_find_wakers (channel, &channel->sending, wakers);
}

static const EddyWaitKind send_kind = { .what = "room in a channel",
                                        .get_name = channel_get_name,
                                        .find_wakers = channel_find_receivers };
static const EddyWaitKind receive_kind = { .what = "a message of a channel",
                                           .get_name = channel_get_name,
                                           .find_wakers = channel_find_senders };

/* --- sending and receiving -------------------------------------------------------------------- */

EddyError *eddy__channel_make_error (EddyChannel *channel, int answer, EddyFiber *fiber,
                                     EddyCancellable *cancellable, const char *what)
{
    const char *name = channel->name == NULL ? "a channel" : channel->name;
    if (answer == -EPIPE)
        return eddy_error_new (EDDY_IO_ERROR, EDDY_IO_ERROR_CLOSED, "%s %s: it is closed", what,
                               name);
    if (answer == -EAGAIN)
        return eddy_error_new (EDDY_IO_ERROR, EDDY_IO_ERROR_WOULD_BLOCK, "%s %s would wait", what,
                               name);
    return eddy__parking_make_error (answer, fiber, cancellable, what);
}

/* A thread that finds the buffer full or empty, while another one is at work on it, leaves it alone
 * for as long as that takes to change most of it. Otherwise the two would meet at each message, and
 * each time all lines of the channel would change their processor: 130 ns for each, not 40. Whether
 * it did so; the channel is locked, before and after. */
__attribute__ ((noinline)) static bool channel_linger (EddyChannel *channel, EddyChannelEnd *end,
                                                       const EddyChannelEnd *other, bool *locked)
{
    EddyContext *context = eddy__fiber_current ()->future.context;
    if (channel->capacity < 2 || !eddy__list_is_empty (&end->waiters) || other->thread == NULL ||
        other->thread == end->thread || eddy__ready_most_urgent (&context->ready) != NULL ||
        !eddy__spin_is_worth_it (&end->spin))
        return false;
    eddy__unlock (&channel->lock, *locked);
    size_t n = channel->capacity < CHANNEL_MOST_PAUSES ? channel->capacity : CHANNEL_MOST_PAUSES;
    for (size_t i = 0; i < n; i++)
        eddy__relax ();
    *locked = eddy__lock (&channel->lock);
    return true;
}

/* Notes which thread is at an end, if there are several. Whether a send or receive that had to wait
 * is to be tried once more. */
EDDY__FIBER_INLINE bool channel_is_changing (EddyChannel *channel, EddyChannelEnd *end,
                                             const EddyChannelEnd *other, int answer, bool *locked)
{
    if (EDDY__LIKELY (!*locked))
        return false;
    end->thread = eddy__thread_self ();
    return answer == -EAGAIN && channel_linger (channel, end, other, locked);
}

/* Waits at an end of the channel, which is locked. The slot has, or gets, the message. */
EDDY__FIBER_INLINE int channel_wait (EddyChannel *channel, EddyChannelEnd *end,
                                     EddyChannelWaiter *waiter, bool locked,
                                     EddyCancellable *cancellable, const EddyWaitKind *kind)
{
    waiter->part = NULL;
    eddy__list_append (&end->waiters, &waiter->parking.member);
    int answer =
        eddy__parking_wait (&waiter->parking, &channel->lock, locked, cancellable, kind, channel);
    return answer == 0 && waiter->parking.slot == NULL ? -EPIPE : answer;
}

EDDY__FIBER_INLINE int channel_send (EddyChannel *channel, EddyFiber *fiber, void *message,
                                     EddyCancellable *cancellable)
{
    EddyChannelWaiter waiter;
    EddyParking *receiver;
    int answer = eddy__parking_begin (&waiter.parking, fiber, cancellable);
    if (EDDY__UNLIKELY (answer < 0))
        return answer;
    bool locked = eddy__lock (&channel->lock);
    eddy__users_note (&channel->sending.users, fiber);
    answer = channel_put (channel, message, &receiver);
    if (channel_is_changing (channel, &channel->sending, &channel->receiving, answer, &locked)) {
        answer = channel_put (channel, message, &receiver);
        eddy__spin_tell (&channel->sending.spin, answer == -EAGAIN);
    }
    if (answer == -EAGAIN) {
        waiter.parking.slot = message;
        return channel_wait (channel, &channel->sending, &waiter, locked, cancellable, &send_kind);
    }
    eddy__unlock (&channel->lock, locked);
    if (receiver != NULL)
        eddy__parking_grant (receiver);
    return answer;
}

EDDY__FIBER_PATH bool eddy_channel_send_body (EddyChannel *channel, void *message,
                                              EddyCancellable *cancellable, EddyError **error)
{
    EddyFiber *fiber = eddy__fiber_current ();
    EDDY__EXPECT (channel != NULL && message != NULL, false);
    int answer = channel_send (channel, fiber, message, cancellable);
    if (EDDY__LIKELY (answer == 0))
        return true;
    eddy_error_take (error,
                     eddy__channel_make_error (channel, answer, fiber, cancellable, "sending to"));
    return false;
}

EDDY__FIBER_INLINE int channel_receive (EddyChannel *channel, EddyFiber *fiber, void **message,
                                        EddyCancellable *cancellable)
{
    EddyChannelWaiter waiter;
    EddyParking *sender;
    int answer = eddy__parking_begin (&waiter.parking, fiber, cancellable);
    if (EDDY__UNLIKELY (answer < 0))
        return answer;
    bool locked = eddy__lock (&channel->lock);
    eddy__users_note (&channel->receiving.users, fiber);
    answer = channel_take (channel, message, &sender);
    if (channel_is_changing (channel, &channel->receiving, &channel->sending, answer, &locked)) {
        answer = channel_take (channel, message, &sender);
        eddy__spin_tell (&channel->receiving.spin, answer == -EAGAIN);
    }
    if (answer == -EAGAIN) {
        answer = channel_wait (channel, &channel->receiving, &waiter, locked, cancellable,
                               &receive_kind);
        *message = waiter.parking.slot;
        return answer;
    }
    eddy__unlock (&channel->lock, locked);
    if (sender != NULL)
        eddy__parking_grant (sender);
    return answer;
}

EDDY__FIBER_PATH void *eddy_channel_receive_body (EddyChannel *channel,
                                                  void (**destroy) (void *pointer),
                                                  EddyCancellable *cancellable, EddyError **error)
{
    EddyFiber *fiber = eddy__fiber_current ();
    EDDY__EXPECT (channel != NULL, NULL);
    *destroy = channel->destroy;
    void *message;
    int answer = channel_receive (channel, fiber, &message, cancellable);
    if (EDDY__LIKELY (answer == 0))
        return message;
    eddy_error_take (
        error, eddy__channel_make_error (channel, answer, fiber, cancellable, "receiving from"));
    return NULL;
}

bool eddy_channel_try_send (EddyChannel *channel, void *message, EddyError **error)
{
    EDDY__EXPECT (channel != NULL && message != NULL, false);
    EddyParking *receiver;
    bool locked = eddy__lock (&channel->lock);
    eddy__users_note (&channel->sending.users, eddy__fiber_current ());
    int answer = channel_put (channel, message, &receiver);
    eddy__unlock (&channel->lock, locked);
    if (receiver != NULL)
        eddy__parking_grant (receiver);
    if (answer == 0)
        return true;
    eddy_error_take (error, eddy__channel_make_error (channel, answer, NULL, NULL, "sending to"));
    return false;
}

void *eddy_channel_try_receive (EddyChannel *channel, EddyError **error)
{
    EDDY__EXPECT (channel != NULL, NULL);
    EddyParking *sender;
    void *message;
    bool locked = eddy__lock (&channel->lock);
    eddy__users_note (&channel->receiving.users, eddy__fiber_current ());
    int answer = channel_take (channel, &message, &sender);
    eddy__unlock (&channel->lock, locked);
    if (sender != NULL)
        eddy__parking_grant (sender);
    if (answer == 0)
        return message;
    eddy_error_take (error,
                     eddy__channel_make_error (channel, answer, NULL, NULL, "receiving from"));
    return NULL;
}

/* --- closing ---------------------------------------------------------------------------------- */

/* With the lock held: until its grant a waiter may still take itself off the list. */
static void channel_end_waits (EddyChannelEnd *end)
{
    for (EddyList *link; (link = eddy__list_pop (&end->waiters)) != NULL;) {
        EddySelectPart *part = eddy__channel_link_part (link);
        EddyParking *parking = EDDY__CONTAINER (link, EddyParking, member);
        if (part == NULL)
            parking->slot = NULL;
        else
            parking = eddy__select_take_closed (part);
        if (parking != NULL)
            eddy__parking_grant (parking);
    }
}

void eddy_channel_close (EddyChannel *channel)
{
    EDDY__EXPECT (channel != NULL);
    bool locked = eddy__lock (&channel->lock);
    channel->closed = true;
    channel_end_waits (&channel->sending);
    channel_end_waits (&channel->receiving);
    eddy__unlock (&channel->lock, locked);
}

/* --- questions -------------------------------------------------------------------------------- */

bool eddy_channel_is_closed (EddyChannel *channel)
{
    EDDY__EXPECT (channel != NULL, true);
    bool locked = eddy__lock (&channel->lock);
    bool closed = channel->closed;
    eddy__unlock (&channel->lock, locked);
    return closed;
}

size_t eddy_channel_get_length (EddyChannel *channel)
{
    EDDY__EXPECT (channel != NULL, 0);
    bool locked = eddy__lock (&channel->lock);
    size_t length = channel->length;
    eddy__unlock (&channel->lock, locked);
    return length;
}

size_t eddy_channel_get_capacity (EddyChannel *channel)
{
    EDDY__EXPECT (channel != NULL, 0);
    return channel->capacity;
}
