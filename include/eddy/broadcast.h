/* SPDX-License-Identifier: MIT */
/* EddyBroadcast: each message to everybody who has subscribed. */
#ifndef EDDY_BROADCAST_H
#define EDDY_BROADCAST_H

#include <eddy/forms.h>

EDDY_BEGIN_DECLS

/** Messages for all of its subscriptions, in one order. Messages are Eddy's objects, of which each
 * subscription gets a reference. An object; who waits has a reference to it meanwhile. */
typedef struct EddyBroadcast EddyBroadcast;

/** What one subscriber receives: each message that is sent while it exists. The last reference ends
 * it. An object. */
typedef struct EddySubscription EddySubscription;

/** What a broadcast does when there is no room. */
typedef enum EddyBroadcastFlags {
    /** A send waits for the slowest subscription. */
    EDDY_BROADCAST_WAIT = 0,
    /** The oldest message goes, and who has not received it is told that he is late. */
    EDDY_BROADCAST_DROP_OLDEST = 1 << 0
} EddyBroadcastFlags;

/**
 * Makes a broadcast.
 *
 * @capacity: how many messages it keeps for those that are behind, 1 or more
 * @flags: what happens when one is further behind
 *
 * Returns: the broadcast, or NULL when memory is out
 * Thread: any
 * Since: 0.1
 */
EDDY_API EddyBroadcast *eddy_broadcast_new (size_t capacity,
                                            EddyBroadcastFlags flags) EDDY_MUST_USE;

/** Names a broadcast by a static string, for dumps and errors. Thread: any, before others use it.
 * Since: 0.1 */
EDDY_API void eddy_broadcast_set_name (EddyBroadcast *broadcast, const char *name);

/**
 * Subscribes: from now on.
 *
 * @broadcast: a broadcast, which the subscription keeps
 *
 * Returns: the subscription, or NULL when memory is out
 * Thread: any
 * Since: 0.1
 */
EDDY_API EddySubscription *eddy_broadcast_subscribe (EddyBroadcast *broadcast) EDDY_MUST_USE;

/**
 * Sends a message to all subscriptions, after waiting for room if the broadcast does so. Without
 * any it goes at once.
 *
 * @broadcast: a broadcast
 * @message: an object; on success the caller's reference is the broadcast's, on failure it stays
 *     the caller's
 * @cancellable: a cancellable, or NULL
 * @error: where to put the error
 *
 * Returns: whether it was sent
 * Errors: CLOSED, also while this waits; CANCELLED
 * Thread: any
 * Since: 0.1
 */
EDDY_OPERATION (FIBER)
bool eddy_broadcast_send (EddyBroadcast *broadcast, void *message EDDY_BORROWED,
                          EddyCancellable *cancellable, EddyError **error);

/** eddy_broadcast_send() without waiting: WOULD_BLOCK when there is no room. Thread: any.
 * Since: 0.1 */
EDDY_API bool eddy_broadcast_try_send (EddyBroadcast *broadcast, void *message, EddyError **error);

/**
 * Receives the next message, after waiting for one. A broadcast that was closed still gives those
 * that had been sent before.
 *
 * @subscription: a subscription; of several who receive from the same one, each gets other messages
 * @cancellable: a cancellable, or NULL
 * @error: where to put the error
 *
 * Returns: a reference to the message, or NULL
 * Errors: LIMIT_EXCEEDED, once, when messages were dropped before they were received here, and how
 *     many; the next call goes on with the oldest that is kept; CLOSED, when the broadcast is
 *     closed and has no message left for this subscription; CANCELLED
 * Thread: any
 * Since: 0.1
 */
EDDY_OPERATION (FIBER)
void *eddy_subscription_receive (EddySubscription *subscription, EddyCancellable *cancellable,
                                 EddyError **error);

/** eddy_subscription_receive() without waiting: WOULD_BLOCK when there is no message. Thread: any.
 * Since: 0.1 */
EDDY_API void *eddy_subscription_try_receive (EddySubscription *subscription, EddyError **error);

/** Closes a broadcast: nothing can be sent any more, and who waits fails with CLOSED. Messages that
 * it keeps can still be received. Closing it again does nothing. Thread: any. Since: 0.1 */
EDDY_API void eddy_broadcast_close (EddyBroadcast *broadcast);

EDDY_END_DECLS

#include <eddy/broadcast-forms.h>

#endif
