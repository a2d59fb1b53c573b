/* SPDX-License-Identifier: MIT */
/* EddyCancellable from the inside: what operations watch.
 *
 * A cancellable keeps one link for each context whose operations watch it. A link's list belongs to
 * its context's thread and needs no lock; cancel, on any thread, posts each link, never an
 * operation, and the context's thread walks the list. */
#pragma once

#include <eddy/cancellable.h>
#include <pthread.h>

#include "base/list-private.h"
#include "loop/context-private.h"

typedef struct EddyCancelWatch EddyCancelWatch;
struct EddyCancelWatch {
    EddyList member;
    void (*cancelled) (EddyCancelWatch *watch); /* called by the loop, the watch taken off */
};

typedef struct EddyCancelLink EddyCancelLink;
struct EddyCancelLink {
    EddyEntry entry;
    EddyCancelLink *next;
    EddyCancellable *cancellable;
    EddyPort *port; /* of the context; NULL: not in use */
    EddyList watches;
};

struct EddyCancellable {
    EddyObject object;
    uint8_t cancelled; /* atomic */
    pthread_mutex_t mutex;
    EddyError *cause;
    EddyCancellable *parent; /* a reference */
    EddyList sibling;        /* in the parent's children, under the parent's lock */
    EddyList children;
    EddyList handlers;
    uint64_t next_id;
    uint64_t running_id;   /* of the handler that runs; atomic */
    EddyCancelLink *links; /* atomic; grows only, under the lock */
    EddyCancelLink first_link;
};

static inline bool eddy__cancellable_is_cancelled (const EddyCancellable *cancellable)
{
    return cancellable != NULL && __atomic_load_n (&cancellable->cancelled, __ATOMIC_ACQUIRE) != 0;
}

/* Has `watch` told from the context's loop. 0; -ECANCELED: it is cancelled already, and the watch
 * is not in use; -ENOMEM. Owner of the context only. The caller keeps the cancellable alive. */
int eddy__cancellable_watch (EddyCancellable *cancellable, EddyContext *context,
                             EddyCancelWatch *watch);
/* Takes a watch off; nothing happens when it is off. */
static inline void eddy__cancellable_unwatch (EddyCancelWatch *watch)
{
    eddy__list_remove (&watch->member);
}

/* The error of an operation that was cancelled by it: a reference. */
EddyError *eddy__cancellable_make_error (EddyCancellable *cancellable);
