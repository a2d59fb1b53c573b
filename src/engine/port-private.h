/* SPDX-License-Identifier: MIT */
/* EddyPort: the door through which other threads hand entries to a loop.
 *
 * The inbox is a stack that posters push on and the owner takes whole; the owner reverses it, so
 * entries of one poster stay in order. The eventfd is written only when the owner sleeps: posting
 * to a busy loop is one compare-and-swap. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <eddy/post.h>

/* Something that a loop runs once: what programs post, and everything else. Entries of
 * EDDY__PRIORITY_NOW, which are Eddy's own, run as they are taken out of the inbox; others wait in
 * the loop's queue of their priority, and `turn` is that of the loop in which they were queued. */
typedef EddyPost EddyEntry;

#define EDDY__PRIORITY_NOW INT32_MIN

typedef struct EddyPort {
    EddyEntry *inbox; /* newest first; port_closed once the loop is gone */
    uint32_t sleeping;
    uint32_t references;
    uint32_t posters; /* jobs whose worker has not yet posted them back, or is just doing it */
    int wake_fd;      /* an eventfd */
} EddyPort;

/* NULL and -errno in *error when there is no memory or no fd. */
EddyPort *eddy__port_new (int *error);
EddyPort *eddy__port_ref (EddyPort *port, uint32_t count);
void eddy__port_unref (EddyPort *port, uint32_t count);

/* Wakes the owner if it sleeps, or keeps its next sleep from happening. Any thread. */
void eddy__port_wake (EddyPort *port);

/* What the inbox of a closed port points to. */
extern EddyEntry eddy__port_closed;

/* Pushes a chain, newest first. False when the port is closed: the entries stay the caller's. Any
 * thread that holds a reference. */
static inline bool eddy__port_push (EddyPort *port, EddyEntry *newest, EddyEntry *oldest)
{
    EddyEntry *head = __atomic_load_n (&port->inbox, __ATOMIC_RELAXED);
    do {
        if (head == &eddy__port_closed)
            return false;
        oldest->next = head;
    } while (!__atomic_compare_exchange_n (&port->inbox, &head, newest, /* weak= */ true,
                                           __ATOMIC_SEQ_CST, __ATOMIC_RELAXED));
    if (__atomic_load_n (&port->sleeping, __ATOMIC_SEQ_CST) != 0)
        eddy__port_wake (port);
    return true;
}
static inline bool eddy__port_post (EddyPort *port, EddyEntry *entry)
{
    return eddy__port_push (port, entry, entry);
}
/* The same for a chain of which `first` is to run first. */
bool eddy__port_post_chain (EddyPort *port, EddyEntry *first, EddyEntry *last);

/* The owner's side. */

/* All entries posted so far, in order; NULL when there are none. */
EddyEntry *eddy__port_take (EddyPort *port);
static inline bool eddy__port_has_mail (const EddyPort *port)
{
    return __atomic_load_n (&port->inbox, __ATOMIC_RELAXED) != NULL;
}
/* Says that the owner is about to sleep; false when mail has come meanwhile. */
bool eddy__port_sleep (EddyPort *port);
void eddy__port_awake (EddyPort *port);
/* Empties the eventfd. */
void eddy__port_drain (EddyPort *port);
/* A worker will post so many entries; `count` of them are posted. The port is not closed in
 * between: who posts an operation's end still has the port in hands when its loop knows of it. */
void eddy__port_add_posters (EddyPort *port, uint32_t count);
void eddy__port_remove_posters (EddyPort *port, uint32_t count);

/* No more mail from now on; returns what had been posted. Waits for posters, which are all but
 * done: no operation may be under way. */
EddyEntry *eddy__port_close (EddyPort *port);
