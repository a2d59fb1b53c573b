/* SPDX-License-Identifier: MIT */
/* Waiting for the first of several things, of which only that one happens. */
#ifndef EDDY_SELECT_H
#define EDDY_SELECT_H

#include <eddy/channel.h>

EDDY_BEGIN_DECLS

/** What a case of a select waits for. */
typedef enum EddySelectKind {
    EDDY_SELECT_KIND_SEND,
    EDDY_SELECT_KIND_RECEIVE,
    EDDY_SELECT_KIND_FUTURE
} EddySelectKind;

/** One of the things that eddy_select() waits for; made by the macros below. */
typedef struct EddySelectCase {
    /** What it is. */
    EddySelectKind kind;
    /** Of a case that has happened: the channel is closed, and nothing was sent or received. */
    bool is_closed;
    /** The channel or future; NULL: this case never happens. */
    void *on;
    /** The message to send; or that was received, which is the caller's then. */
    void *message;
} EddySelectCase;

/** A case that sends a message: it stays the caller's unless this is the case that happens. */
#define EDDY_SELECT_SEND(channel, message)                                                         \
    (__extension__(EddySelectCase){ EDDY_SELECT_KIND_SEND, false, channel, message })
/** A case that receives a message. */
#define EDDY_SELECT_RECEIVE(channel)                                                               \
    (__extension__(EddySelectCase){ EDDY_SELECT_KIND_RECEIVE, false, channel, NULL })
/** A case that happens when a future is complete, with a value or an error, which it keeps. The
 * caller holds a reference to it meanwhile. */
#define EDDY_SELECT_FUTURE(future)                                                                 \
    (__extension__(EddySelectCase){ EDDY_SELECT_KIND_FUTURE, false, future, NULL })

/**
 * Waits until one of several cases can happen, and lets that one happen, and none of the others.
 * When several can, each is as likely as another.
 *
 *     EddySelectCase cases[] = { EDDY_SELECT_RECEIVE (orders), EDDY_SELECT_FUTURE (end) };
 *     switch (eddy_select (cases, 2, NULL, &error)) …
 *
 * @cases: what to wait for; meant for a handful
 * @n_cases: how many; without any, it waits until it is cancelled
 * @cancellable: a cancellable, or NULL
 * @error: where to put the error
 *
 * Returns: the index of the case that has happened, or -1, when none has. One on a closed channel
 *     happens, and says so in `is_closed`
 * Errors: CANCELLED
 * Thread: any; the futures may be of any context
 * Since: 0.1
 */
EDDY_OPERATION (FIBER)
int eddy_select (EddySelectCase *cases EDDY_BORROWED, size_t n_cases, EddyCancellable *cancellable,
                 EddyError **error);

/**
 * Lets one of several cases happen if that needs no waiting.
 *
 * @cases: what may happen
 * @n_cases: how many
 * @error: WOULD_BLOCK, when none can happen now
 *
 * Returns: as eddy_select()
 * Thread: any
 * Since: 0.1
 */
EDDY_API int eddy_select_try (EddySelectCase *cases, size_t n_cases, EddyError **error);

EDDY_END_DECLS

#include <eddy/select-forms.h>

#endif
