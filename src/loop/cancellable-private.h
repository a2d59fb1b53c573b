/* SPDX-License-Identifier: MIT */
/* EddyCancellable from the inside: what operations watch.
 *
 * A cancellable keeps one link for each context whose operations watch it. A link's list belongs to
 * its context's thread and needs no lock; cancel, on any thread, posts each link, never an
 * operation, and the context's thread walks the list.
 *
 * A deadline is a time stamp: whoever looks compares the clock, and cancels when it is time. For
 * those who do not look each link arms one timer, while somebody is in its list: only the link's
 * own thread arms and disarms it, and who watches keeps the cancellable alive. So a cancellable
 * that dies, on whatever thread, has no timer armed, and there is no race to win. Handlers, which
 * keep nothing alive, have alarms instead. */
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

/* What arms a link whose cancellable has a deadline. The link's thread's alone. */
typedef struct EddyCancelTimer {
    EddyTimer timer;
    EddyCancelLink *link;
    EddyContext *context; /* alive while something watches */
} EddyCancelTimer;

struct EddyCancelLink {
    EddyEntry entry;
    EddyCancelLink *next;
    EddyCancellable *cancellable;
    EddyPort *port;         /* of the context; NULL: not in use */
    EddyCancelTimer *timer; /* NULL: there is no deadline */
    EddyList watches;
};

/* The order matters: 0 is the one that costs nothing to tell. */
typedef enum EddyCancellableState {
    EDDY_CANCELLABLE_OPEN = 0,
    EDDY_CANCELLABLE_CANCELLED,
    EDDY_CANCELLABLE_LIMITED /* open, but whoever looks has to look closer */
} EddyCancellableState;

struct EddyCancellable {
    EddyObject object;
    uint8_t state; /* atomic */
    bool limited;  /* EddyCancelLimits lie behind it */
    int fd;        /* for programs' own polls; while fd_users > 0 */
    unsigned fd_users;
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

/* Told of each look at a cancellable, on any thread, before its answer (testing.c). Outlives
 * them. */
typedef struct EddyCancelObserver EddyCancelObserver;
struct EddyCancelObserver {
    void (*looked) (EddyCancelObserver *observer);
};

/* What only cancellables have that somebody has to look closer at. Set before anybody else has the
 * cancellable, and handed down to its children. */
typedef struct EddyCancelLimits {
    int64_t deadline_ns;          /* INT64_MAX: none */
    EddyCancelObserver *observer; /* NULL: nobody */
} EddyCancelLimits;

static inline EddyCancelLimits *eddy__cancellable_limits (EddyCancellable *cancellable)
{
    return (EddyCancelLimits *) (void *) (cancellable + 1);
}

static inline int64_t eddy__cancellable_deadline (EddyCancellable *cancellable)
{
    return cancellable->limited ? eddy__cancellable_limits (cancellable)->deadline_ns : INT64_MAX;
}

/* Whether it is cancelled now, looked at closely; cancels it when its deadline has passed. */
bool eddy__cancellable_look (EddyCancellable *cancellable);

static inline bool eddy__cancellable_is_cancelled (EddyCancellable *cancellable)
{
    if (cancellable == NULL)
        return false;
    uint8_t state = __atomic_load_n (&cancellable->state, __ATOMIC_ACQUIRE);
    if (EDDY__LIKELY (state == EDDY_CANCELLABLE_OPEN))
        return false;
    return state == EDDY_CANCELLABLE_CANCELLED || eddy__cancellable_look (cancellable);
}

/* Whether somebody has cancelled it, the clock not asked. */
static inline bool eddy__cancellable_is_told (const EddyCancellable *cancellable)
{
    return __atomic_load_n (&cancellable->state, __ATOMIC_SEQ_CST) == EDDY_CANCELLABLE_CANCELLED;
}

/* Stands in for one that memory was not there for: cancelled, with that as its cause. No reference
 * of the caller's. */
EddyCancellable *eddy__cancellable_no_memory (void);

/* Has `observer` told of each look at it and at its children to come; NULL when memory is out. */
EddyCancellable *eddy__cancellable_new_observed (EddyCancelObserver *observer);

/* A deadline has come: cancels whoever among its ancestors had it first, and so everybody below. */
void eddy__cancellable_expire (EddyCancellable *cancellable);

/* Has `watch` told from the context's loop. 0; -ECANCELED: it is cancelled already, and the watch
 * is not in use; -ENOMEM. Owner of the context only. The caller keeps the cancellable alive. */
int eddy__cancellable_watch (EddyCancellable *cancellable, EddyContext *context,
                             EddyCancelWatch *watch);
/* The same, but a deadline that has passed is left to its timer: no handler runs in here. */
int eddy__cancellable_follow (EddyCancellable *cancellable, EddyContext *context,
                              EddyCancelWatch *watch);
/* Nobody is left in the list of a link that has a timer. */
void eddy__cancel_link_disarm (EddyCancelLink *link);
/* Takes a watch off; nothing happens when it is off. Owner of the context only. */
static inline void eddy__cancellable_unwatch (EddyCancelWatch *watch)
{
    EddyList *neighbour = watch->member.prev;
    bool last = neighbour == watch->member.next && neighbour != &watch->member;
    eddy__list_remove (&watch->member);
    if (!last)
        return;
    EddyCancelLink *link = EDDY__CONTAINER (neighbour, EddyCancelLink, watches);
    if (EDDY__UNLIKELY (link->timer != NULL))
        eddy__cancel_link_disarm (link);
}

/* The error of an operation that was cancelled by it: a reference. */
EddyError *eddy__cancellable_make_error (EddyCancellable *cancellable);
/* The cause of a cancellable that is cancelled, a reference; NULL: the usual one. */
static inline EddyError *eddy__cancellable_ref_cause (const EddyCancellable *cancellable)
{
    return eddy_ref (cancellable->cause);
}

/* An fd that is readable from the cancel on, to be given back; or -errno. Any thread. */
int eddy__cancellable_open_fd (EddyCancellable *cancellable);

/* --- between its parts ------------------------------------------------------------------------ */

/* cancel-handler.c: calls the handlers; nobody connects any more. Lets go of them uncalled. */
void eddy__cancel_handlers_run (EddyCancellable *cancellable);
void eddy__cancel_handlers_drop (EddyCancellable *cancellable);

/* cancel-watch.c: brings the cancel to each context that watches. Frees the links. */
void eddy__cancel_links_init (EddyCancellable *cancellable);
void eddy__cancel_links_post (EddyCancellable *cancellable);
void eddy__cancel_links_drop (EddyCancellable *cancellable);

/* cancel-fd.c: the fd becomes readable, under the lock. Closes it. */
void eddy__cancel_fd_signal (EddyCancellable *cancellable);
void eddy__cancel_fd_drop (EddyCancellable *cancellable);
