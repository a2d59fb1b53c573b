/* SPDX-License-Identifier: MIT */
/* EddyBroadcast: a ring of messages, each with the number of subscriptions that have yet to receive
 * it. Messages are numbered; the ring keeps those from `head` to before `tail`, and a subscription
 * goes on at `next`. Who waits at one has received everything, and is given the next message
 * directly.
 *
 * The last who receives a message takes the ring's reference. References are given up without the
 * lock, for that may run a program's code. */
#include <eddy/broadcast-bodies.h>

#include <inttypes.h>

#include "base/alloc-private.h"
#include "fiber/parking-private.h"
#include "sync/users-private.h"

typedef struct BroadcastPlace {
    void *message; /* NULL: the last reference was taken */
    size_t unread; /* by so many subscriptions */
} BroadcastPlace;

struct EddyBroadcast {
    EddyObject object;
    EddyLock lock;
    bool closed;
    bool drops_oldest;
    size_t capacity;
    uint64_t head;
    uint64_t tail;
    BroadcastPlace *ring;
    EddyList senders; /* who waits for room, with a message in his slot */
    EddyList subscriptions;
    EddyUsers sent_by;
    EddyUsers received_by;
    const char *name;
};

struct EddySubscription {
    EddyObject object;
    EddyBroadcast *broadcast;
    EddyList member;
    EddyList waiters; /* who waits for a message in his slot */
    uint64_t next;
};

/* --- the ring, under the lock ----------------------------------------------------------------- */

static BroadcastPlace *broadcast_place (EddyBroadcast *broadcast, uint64_t number)
{
    return &broadcast->ring[number % broadcast->capacity];
}

static bool broadcast_is_full (const EddyBroadcast *broadcast)
{
    return broadcast->tail - broadcast->head == broadcast->capacity;
}

static EddySubscription *broadcast_next_subscription (EddyBroadcast *broadcast,
                                                      const EddySubscription *before)
{
    EddyList *link = before == NULL ? broadcast->subscriptions.next : before->member.next;
    if (link == &broadcast->subscriptions)
        return NULL;
    return EDDY__CONTAINER (link, EddySubscription, member);
}

/* Gives a message to those who wait, and keeps it for the others; the ring has room. False when
 * there is no other one: the caller's reference is to be given up. */
static bool broadcast_deliver (EddyBroadcast *broadcast, void *message)
{
    size_t unread = 0;
    EddySubscription *subscription = NULL;
    while ((subscription = broadcast_next_subscription (broadcast, subscription)) != NULL)
        unread += eddy__list_is_empty (&subscription->waiters);
    while ((subscription = broadcast_next_subscription (broadcast, subscription)) != NULL) {
        EddyList *link = eddy__list_pop (&subscription->waiters);
        if (link == NULL)
            continue;
        EddyParking *receiver = EDDY__CONTAINER (link, EddyParking, member);
        receiver->slot = eddy_ref (message);
        subscription->next += unread > 0;
        eddy__parking_grant (receiver);
    }
    if (unread == 0)
        return false;
    *broadcast_place (broadcast, broadcast->tail++) = (BroadcastPlace){ message, unread };
    return true;
}

/* Frees the places of messages whose last reference was taken, for those who wait for room. */
static void broadcast_advance (EddyBroadcast *broadcast)
{
    while (broadcast->head < broadcast->tail &&
           broadcast_place (broadcast, broadcast->head)->message == NULL)
        broadcast->head++;
    while (!broadcast_is_full (broadcast)) {
        EddyList *link = eddy__list_pop (&broadcast->senders);
        if (link == NULL)
            return;
        EddyParking *sender = EDDY__CONTAINER (link, EddyParking, member);
        sender->count = broadcast_deliver (broadcast, sender->slot);
        eddy__parking_grant (sender);
    }
}

/* Sends, or -EPIPE or -EAGAIN. The caller is to give up what is in `dropped`, which was NULL. */
static int broadcast_put (EddyBroadcast *broadcast, void *message, void *dropped[2])
{
    if (broadcast->closed)
        return -EPIPE;
    if (broadcast_is_full (broadcast)) {
        if (!broadcast->drops_oldest)
            return -EAGAIN;
        dropped[0] = broadcast_place (broadcast, broadcast->head++)->message;
    }
    if (!broadcast_deliver (broadcast, message))
        dropped[1] = message;
    return 0;
}

/* Receives, or -EPIPE, -EAGAIN, -EOVERFLOW with the number of those missed. */
static int subscription_take (EddySubscription *subscription, void **message, uint64_t *missed)
{
    EddyBroadcast *broadcast = subscription->broadcast;
    if (subscription->next < broadcast->head) {
        *missed = broadcast->head - subscription->next;
        subscription->next = broadcast->head;
        return -EOVERFLOW;
    }
    if (subscription->next == broadcast->tail)
        return broadcast->closed ? -EPIPE : -EAGAIN;
    BroadcastPlace *place = broadcast_place (broadcast, subscription->next++);
    if (--place->unread > 0) {
        *message = eddy_ref (place->message);
        return 0;
    }
    *message = place->message;
    place->message = NULL;
    broadcast_advance (broadcast);
    return 0;
}

/* --- making ----------------------------------------------------------------------------------- */

static void broadcast_finalize (void *object)
{
    EddyBroadcast *broadcast = object;
    eddy__free (broadcast->ring);
}

/* Without subscriptions it keeps no message. */
static const EddyClass broadcast_class = { .name = "EddyBroadcast",
                                           .size = sizeof (EddyBroadcast),
                                           .finalize = broadcast_finalize };

EddyBroadcast *eddy_broadcast_new (size_t capacity, EddyBroadcastFlags flags)
{
    EDDY__EXPECT (capacity > 0, NULL);
    size_t size;
    if (__builtin_mul_overflow (capacity, sizeof (BroadcastPlace), &size))
        return NULL;
    BroadcastPlace *ring = eddy__alloc (size);
    EddyBroadcast *broadcast = ring == NULL ? NULL : eddy_object_new (&broadcast_class);
    if (broadcast == NULL) {
        eddy__free (ring);
        return NULL;
    }
    eddy__lock_init (&broadcast->lock);
    eddy__list_init (&broadcast->senders);
    eddy__list_init (&broadcast->subscriptions);
    broadcast->drops_oldest = (flags & EDDY_BROADCAST_DROP_OLDEST) != 0;
    broadcast->capacity = capacity;
    broadcast->ring = ring;
    return broadcast;
}

void eddy_broadcast_set_name (EddyBroadcast *broadcast, const char *name)
{
    EDDY__EXPECT (broadcast != NULL);
    broadcast->name = name;
}

/* --- subscribing ------------------------------------------------------------------------------ */

/* Takes the oldest message if nobody is left to receive it; or NULL. */
static void *broadcast_take_unwanted (EddyBroadcast *broadcast)
{
    void *message = NULL;
    bool locked = eddy__lock (&broadcast->lock);
    if (broadcast->head < broadcast->tail) {
        BroadcastPlace *place = broadcast_place (broadcast, broadcast->head);
        if (place->unread == 0)
            message = EDDY_TAKE (place->message);
    }
    broadcast_advance (broadcast);
    eddy__unlock (&broadcast->lock, locked);
    return message;
}

static void subscription_dispose (void *object)
{
    EddySubscription *subscription = object;
    EddyBroadcast *broadcast = subscription->broadcast;
    bool locked = eddy__lock (&broadcast->lock);
    eddy__list_remove (&subscription->member);
    if (subscription->next < broadcast->head)
        subscription->next = broadcast->head;
    while (subscription->next < broadcast->tail)
        broadcast_place (broadcast, subscription->next++)->unread--;
    eddy__unlock (&broadcast->lock, locked);
    for (void *message; (message = broadcast_take_unwanted (broadcast)) != NULL;)
        eddy_unref (message);
    eddy_clear (&subscription->broadcast);
}

static const EddyClass subscription_class = { .name = "EddySubscription",
                                              .size = sizeof (EddySubscription),
                                              .dispose = subscription_dispose };

EddySubscription *eddy_broadcast_subscribe (EddyBroadcast *broadcast)
{
    EDDY__EXPECT (broadcast != NULL, NULL);
    EddySubscription *subscription = eddy_object_new (&subscription_class);
    if (subscription == NULL)
        return NULL;
    eddy__list_init (&subscription->waiters);
    subscription->broadcast = eddy_ref (broadcast);
    bool locked = eddy__lock (&broadcast->lock);
    subscription->next = broadcast->tail;
    eddy__list_append (&broadcast->subscriptions, &subscription->member);
    eddy__unlock (&broadcast->lock, locked);
    return subscription;
}

/* --- who waits for whom ----------------------------------------------------------------------- */

static const char *broadcast_get_name (const void *on)
{
    return ((const EddyBroadcast *) on)->name;
}

static void broadcast_tell (const EddyBroadcast *broadcast, const EddyUsers *users,
                            EddyWakers *wakers)
{
    EddyLock *lock = &((EddyBroadcast *) (uintptr_t) broadcast)->lock;
    bool locked = eddy__lock (lock);
    eddy__users_tell (users, wakers);
    eddy__unlock (lock, locked);
}

static void broadcast_find_receivers (const void *on, EddyWakers *wakers)
{
    broadcast_tell (on, &((const EddyBroadcast *) on)->received_by, wakers);
}

static void broadcast_find_senders (const void *on, EddyWakers *wakers)
{
    broadcast_tell (on, &((const EddyBroadcast *) on)->sent_by, wakers);
}

static const EddyWaitKind send_kind = { .what = "room in a broadcast",
                                        .get_name = broadcast_get_name,
                                        .find_wakers = broadcast_find_receivers };
static const EddyWaitKind receive_kind = { .what = "a message of a broadcast",
                                           .get_name = broadcast_get_name,
                                           .find_wakers = broadcast_find_senders };

/* --- sending ---------------------------------------------------------------------------------- */

/* The error of a send or receive that failed. */
static EddyError *broadcast_make_error (const EddyBroadcast *broadcast, int answer,
                                        EddyCancellable *cancellable, const char *what)
{
    const char *name = broadcast->name == NULL ? "a broadcast" : broadcast->name;
    if (answer == -EPIPE)
        return eddy_error_new (EDDY_IO_ERROR, EDDY_IO_ERROR_CLOSED, "%s %s: it is closed", what,
                               name);
    if (answer == -EAGAIN)
        return eddy_error_new (EDDY_IO_ERROR, EDDY_IO_ERROR_WOULD_BLOCK, "%s %s would wait", what,
                               name);
    return eddy__parking_make_error (answer, eddy__fiber_current (), cancellable, what);
}

/* Sends, after waiting by the parking; NULL: -EAGAIN rather than wait. */
static int broadcast_send (EddyBroadcast *broadcast, void *message, EddyParking *parking,
                           EddyCancellable *cancellable)
{
    void *dropped[2] = { NULL, NULL };
    bool locked = eddy__lock (&broadcast->lock);
    eddy__users_note (&broadcast->sent_by, eddy__fiber_current ());
    int answer = broadcast_put (broadcast, message, dropped);
    if (answer != -EAGAIN || parking == NULL) {
        eddy__unlock (&broadcast->lock, locked);
        eddy_unref (dropped[0]);
        eddy_unref (dropped[1]);
        return answer;
    }
    parking->slot = message;
    eddy__list_append (&broadcast->senders, &parking->member);
    answer =
        eddy__parking_wait (parking, &broadcast->lock, locked, cancellable, &send_kind, broadcast);
    if (answer < 0)
        return answer;
    if (parking->slot == NULL)
        return -EPIPE;
    if (!parking->count)
        eddy_unref (message);
    return 0;
}

bool eddy_broadcast_send_body (EddyBroadcast *broadcast, void *message,
                               EddyCancellable *cancellable, EddyError **error)
{
    EDDY__EXPECT (broadcast != NULL && message != NULL, false);
    EddyParking parking;
    int answer = eddy__parking_begin (&parking, eddy__fiber_current (), cancellable);
    if (answer == 0)
        answer = broadcast_send (broadcast, message, &parking, cancellable);
    if (answer == 0)
        return true;
    eddy_error_take (error, broadcast_make_error (broadcast, answer, cancellable, "sending to"));
    return false;
}

bool eddy_broadcast_try_send (EddyBroadcast *broadcast, void *message, EddyError **error)
{
    EDDY__EXPECT (broadcast != NULL && message != NULL, false);
    int answer = broadcast_send (broadcast, message, /* parking= */ NULL, NULL);
    if (answer == 0)
        return true;
    eddy_error_take (error, broadcast_make_error (broadcast, answer, NULL, "sending to"));
    return false;
}

/* --- receiving -------------------------------------------------------------------------------- */

static void subscription_fail (const EddySubscription *subscription, int answer, uint64_t missed,
                               EddyCancellable *cancellable, EddyError **error)
{
    const EddyBroadcast *broadcast = subscription->broadcast;
    if (answer == -EOVERFLOW)
        eddy_error_set (error, EDDY_IO_ERROR, EDDY_IO_ERROR_LIMIT_EXCEEDED,
                        "%" PRIu64 " messages were dropped before they were received", missed);
    else
        eddy_error_take (error,
                         broadcast_make_error (broadcast, answer, cancellable, "receiving from"));
}

static int subscription_receive (EddySubscription *subscription, void **message, uint64_t *missed,
                                 EddyParking *parking, EddyCancellable *cancellable)
{
    EddyBroadcast *broadcast = subscription->broadcast;
    bool locked = eddy__lock (&broadcast->lock);
    eddy__users_note (&broadcast->received_by, eddy__fiber_current ());
    int answer = subscription_take (subscription, message, missed);
    if (answer != -EAGAIN || parking == NULL) {
        eddy__unlock (&broadcast->lock, locked);
        return answer;
    }
    eddy__list_append (&subscription->waiters, &parking->member);
    answer = eddy__parking_wait (parking, &broadcast->lock, locked, cancellable, &receive_kind,
                                 broadcast);
    if (answer == 0 && parking->slot == NULL)
        return -EPIPE;
    *message = parking->slot;
    return answer;
}

static void message_unref (void *message)
{
    eddy_unref (message);
}

void *eddy_subscription_receive_body (EddySubscription *subscription,
                                      void (**destroy) (void *pointer),
                                      EddyCancellable *cancellable, EddyError **error)
{
    EDDY__EXPECT (subscription != NULL, NULL);
    EddyParking parking;
    void *message;
    uint64_t missed = 0;
    *destroy = message_unref;
    int answer = eddy__parking_begin (&parking, eddy__fiber_current (), cancellable);
    if (answer == 0)
        answer = subscription_receive (subscription, &message, &missed, &parking, cancellable);
    if (answer == 0)
        return message;
    subscription_fail (subscription, answer, missed, cancellable, error);
    return NULL;
}

void *eddy_subscription_try_receive (EddySubscription *subscription, EddyError **error)
{
    EDDY__EXPECT (subscription != NULL, NULL);
    void *message;
    uint64_t missed = 0;
    int answer = subscription_receive (subscription, &message, &missed, /* parking= */ NULL, NULL);
    if (answer == 0)
        return message;
    subscription_fail (subscription, answer, missed, NULL, error);
    return NULL;
}

/* --- closing ---------------------------------------------------------------------------------- */

static void broadcast_end_waits (EddyList *waiters)
{
    for (EddyList *link; (link = eddy__list_pop (waiters)) != NULL;) {
        EddyParking *parking = EDDY__CONTAINER (link, EddyParking, member);
        parking->slot = NULL;
        eddy__parking_grant (parking);
    }
}

void eddy_broadcast_close (EddyBroadcast *broadcast)
{
    EDDY__EXPECT (broadcast != NULL);
    EddySubscription *subscription = NULL;
    bool locked = eddy__lock (&broadcast->lock);
    broadcast->closed = true;
    broadcast_end_waits (&broadcast->senders);
    while ((subscription = broadcast_next_subscription (broadcast, subscription)) != NULL)
        broadcast_end_waits (&subscription->waiters);
    eddy__unlock (&broadcast->lock, locked);
}
