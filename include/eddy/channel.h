/* SPDX-License-Identifier: MIT */
/* EddyChannel: messages from many to many, in the order in which they were sent. */
#ifndef EDDY_CHANNEL_H
#define EDDY_CHANNEL_H

#include <eddy/forms.h>

EDDY_BEGIN_DECLS

/**
 * A channel carries messages from those who send to those who receive, on any threads. Messages are
 * pointers, not NULL, which the receiver owns; a number travels as `(void *) (intptr_t) number`.
 * Who waits is served in the order in which he came. Nothing is lost: a send or receive that is
 * cancelled has not happened, and one that has happened is a success, whatever was asked meanwhile.
 * An object; who waits has a reference to it meanwhile.
 */
typedef struct EddyChannel EddyChannel;

/**
 * Makes a channel.
 *
 * @capacity: how many messages it keeps for receivers to come; 0: none, a send waits until its
 *     message is received
 * @destroy: called on messages that nobody receives; NULL: nothing
 *
 * Returns: the channel, or NULL when memory is out
 * Thread: any
 * Since: 0.1
 */
EDDY_API EddyChannel *eddy_channel_new (size_t capacity,
                                        void (*destroy) (void *message)) EDDY_MUST_USE;

/**
 * Names a channel, for dumps and errors.
 *
 * @channel: a channel
 * @name: a static string
 *
 * Thread: any, before others use the channel
 * Since: 0.1
 */
EDDY_API void eddy_channel_set_name (EddyChannel *channel, const char *name);

/**
 * Sends a message, after waiting for room, or for a receiver.
 *
 * @channel: a channel
 * @message: not NULL; on success it is the channel's, and then the receiver's, on failure it stays
 *     the caller's
 * @cancellable: a cancellable, or NULL
 * @error: where to put the error
 *
 * Returns: whether it was sent
 * Errors: CLOSED, when the channel is closed, also while this waits; CANCELLED
 * Thread: any
 * Since: 0.1
 */
EDDY_OPERATION (FIBER)
bool eddy_channel_send (EddyChannel *channel, void *message EDDY_BORROWED,
                        EddyCancellable *cancellable, EddyError **error);

/**
 * Receives a message, after waiting for one. A channel that was closed still gives those that had
 * been sent before.
 *
 * @channel: a channel
 * @cancellable: a cancellable, or NULL
 * @error: where to put the error
 *
 * Returns: the message, which is the caller's now, or NULL
 * Errors: CLOSED, when the channel is closed and has no message left; CANCELLED
 * Thread: any
 * Since: 0.1
 */
EDDY_OPERATION (FIBER)
void *eddy_channel_receive (EddyChannel *channel, EddyCancellable *cancellable, EddyError **error);

/**
 * Sends a message if that needs no waiting.
 *
 * @channel: a channel
 * @message: not NULL; on failure it stays the caller's
 * @error: WOULD_BLOCK, when there is no room and no receiver waits; CLOSED
 *
 * Returns: whether it was sent
 * Thread: any
 * Since: 0.1
 */
EDDY_API bool eddy_channel_try_send (EddyChannel *channel, void *message, EddyError **error);

/**
 * Receives a message if that needs no waiting.
 *
 * @channel: a channel
 * @error: WOULD_BLOCK, when there is no message and no sender waits; CLOSED
 *
 * Returns: the message, which is the caller's now, or NULL
 * Thread: any
 * Since: 0.1
 */
EDDY_API void *eddy_channel_try_receive (EddyChannel *channel, EddyError **error);

/** Closes a channel: nothing can be sent any more, and who waits fails with CLOSED. Messages that
 * it keeps can still be received. Closing it again does nothing. Thread: any. Since: 0.1 */
EDDY_API void eddy_channel_close (EddyChannel *channel);

/** Whether a channel was closed. Thread: any. Since: 0.1 */
EDDY_API bool eddy_channel_is_closed (EddyChannel *channel);

/** How many messages a channel keeps now. Thread: any. Since: 0.1 */
EDDY_API size_t eddy_channel_get_length (EddyChannel *channel);

/** How many messages a channel can keep. Thread: any. Since: 0.1 */
EDDY_API size_t eddy_channel_get_capacity (EddyChannel *channel);

EDDY_END_DECLS

#include <eddy/channel-forms.h>

#endif
