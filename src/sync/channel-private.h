/* SPDX-License-Identifier: MIT */
/* EddyChannel from the inside: what a send, a receive and a select have in common.
 *
 * Nobody waits at an end while the other has something for him: a sender gives his message to the
 * first receiver who waits, and whoever frees a place puts the first waiting sender's message
 * there. So order is kept, and nobody overtakes. A select waits at several channels at once, and
 * whoever takes it off one list claims it first: another channel may have been quicker. */
#pragma once

#include <eddy/channel.h>

#include "base/compiler-private.h"
#include "fiber/parking-private.h"
#include "sync/users-private.h"

/* One of the two ends. */
typedef struct EddyChannelEnd {
    EddyList waiters; /* first come, first served */
    EddyUsers users;
    const void *thread; /* that used it last; NULL: nobody, or in a process of one thread */
    EddySpin spin;
} EddyChannelEnd;

struct EddyChannel {
    EddyObject object;
    EddyLock lock;
    bool closed;
    size_t capacity;
    size_t length; /* messages kept */
    size_t first;  /* where the oldest one is */
    void **ring;
    EddyChannelEnd sending;
    EddyChannelEnd receiving;
    void (*destroy) (void *message);
    const char *name;
};

/* In a list of waiters are the parkings of sends and receives, and parts of selects. What tells
 * them apart lies right before the link. */
typedef struct EddySelectPart EddySelectPart;
typedef struct EddyChannelWaiter {
    EddySelectPart *part; /* NULL: this is none */
    EddyParking parking;  /* its slot: the message; NULL in the end: the channel was closed */
} EddyChannelWaiter;

_Static_assert(offsetof (EddyChannelWaiter, parking.member) == sizeof (EddySelectPart *),
               "the link stands right behind what tells its kind");

static inline EddySelectPart *eddy__channel_link_part (EddyList *link)
{
    return ((EddySelectPart **) (void *) link)[-1];
}

/* Of a part that waits at a channel (select.c): claims its select for it, and hands the message
 * over, if any. NULL when another case was first: then it is off the list, and that is all. */
EddyParking *eddy__select_take_sender (EddySelectPart *part, void **message);
EddyParking *eddy__select_take_receiver (EddySelectPart *part, void *message);
EddyParking *eddy__select_take_closed (EddySelectPart *part);
/* Whether its select has not been decided yet. */
bool eddy__select_is_waiting (EddySelectPart *part);

/* Takes the first sender who waits off the list, with his message; NULL: none does. To be granted
 * by the caller, as in what follows, best without the lock. */
EDDY__FIBER_INLINE EddyParking *channel_take_sender (EddyChannel *channel, void **message)
{
    for (EddyList *link; (link = eddy__list_pop (&channel->sending.waiters)) != NULL;) {
        EddySelectPart *part = eddy__channel_link_part (link);
        EddyParking *parking = EDDY__CONTAINER (link, EddyParking, member);
        if (EDDY__LIKELY (part == NULL))
            *message = parking->slot;
        else
            parking = eddy__select_take_sender (part, message);
        if (EDDY__LIKELY (parking != NULL))
            return parking;
    }
    return NULL;
}

/* Takes the first receiver who waits off the list, and hands him a message; NULL: none does. */
EDDY__FIBER_INLINE EddyParking *channel_take_receiver (EddyChannel *channel, void *message)
{
    for (EddyList *link; (link = eddy__list_pop (&channel->receiving.waiters)) != NULL;) {
        EddySelectPart *part = eddy__channel_link_part (link);
        EddyParking *parking = EDDY__CONTAINER (link, EddyParking, member);
        if (EDDY__LIKELY (part == NULL))
            parking->slot = message;
        else
            parking = eddy__select_take_receiver (part, message);
        if (EDDY__LIKELY (parking != NULL))
            return parking;
    }
    return NULL;
}

/* Two lines of the ring ahead: another processor may have them. */
enum { EDDY__CHANNEL_AHEAD = 16 };

/* Puts a message behind the others. There is room. */
EDDY__FIBER_INLINE void channel_push (EddyChannel *channel, void *message)
{
    size_t place = channel->first + channel->length++;
    void **at = &channel->ring[place < channel->capacity ? place : place - channel->capacity];
    eddy__prefetch_to_write (at + EDDY__CHANNEL_AHEAD);
    *at = message;
}

EDDY__FIBER_INLINE void *channel_shift (EddyChannel *channel)
{
    size_t place = channel->first;
    channel->first = place + 1 == channel->capacity ? 0 : place + 1;
    channel->length--;
    __builtin_prefetch (&channel->ring[place] + EDDY__CHANNEL_AHEAD);
    return channel->ring[place];
}

/* Sends a message, with the lock held: 0, -EPIPE: it is closed, -EAGAIN: that has to wait. Who is
 * to be granted is in *granted, or NULL. */
EDDY__FIBER_INLINE int channel_put (EddyChannel *channel, void *message, EddyParking **granted)
{
    *granted = NULL;
    if (EDDY__UNLIKELY (channel->closed))
        return -EPIPE;
    if ((*granted = channel_take_receiver (channel, message)) != NULL)
        return 0;
    if (channel->length == channel->capacity)
        return -EAGAIN;
    channel_push (channel, message);
    return 0;
}

/* Receives one in the same way. */
EDDY__FIBER_INLINE int channel_take (EddyChannel *channel, void **message, EddyParking **granted)
{
    *granted = NULL;
    if (channel->length == 0) {
        if ((*granted = channel_take_sender (channel, message)) != NULL)
            return 0;
        return channel->closed ? -EPIPE : -EAGAIN;
    }
    void *oldest = channel_shift (channel);
    /* The place is free for the first of those who wait. */
    if ((*granted = channel_take_sender (channel, message)) != NULL)
        channel_push (channel, *message);
    *message = oldest;
    return 0;
}

/* Names who may end a wait at one end: those who have used the other one. */
void eddy__channel_find_wakers (EddyChannel *channel, const EddyChannelEnd *other,
                                EddyWakers *wakers);

/* The error of a send or receive that failed. */
EddyError *eddy__channel_make_error (EddyChannel *channel, int answer, EddyFiber *fiber,
                                     EddyCancellable *cancellable, const char *what);
