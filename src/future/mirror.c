/* SPDX-License-Identifier: MIT */
/* Futures of other contexts: how to reach their home, and how to hear from there. */
#include "future/mirror-private.h"

#include <errno.h>

#include "base/alloc-private.h"
#include "base/object-private.h"

/* --- the way home ----------------------------------------------------------------------------- */

/* A pending future keeps its context, but it may be done at any moment, and its context gone. No
 * context goes while the lock is held, and before one goes, its futures are done. */

bool eddy__future_is_here (EddyFuture *future)
{
    EddyContext *context = future->context;
    if (EDDY__LIKELY (context == eddy__context_current ()))
        return true;
    eddy__contexts_lock ();
    bool here = !eddy__future_is_done (future) && eddy__context_is_owned (context);
    eddy__contexts_unlock ();
    return here;
}

bool eddy__future_post_home (EddyFuture *future, EddyEntry *entry)
{
    eddy__contexts_lock ();
    bool posted = !eddy__future_is_done (future) && eddy__context_post (future->context, entry);
    eddy__contexts_unlock ();
    return posted;
}

/* --- the mirror ------------------------------------------------------------------------------- */

struct EddyMirror {
    EddyEntry attach;
    EddyEntry detach;
    EddyEntry told;
    uint32_t references; /* atomic */
    uint32_t is_sent;    /* that it is done is told, or was noticed before; atomic */
    bool is_told;        /* of a mirror that nobody's loop is told of; atomic */
    bool has_loop;
    /* The home thread's: */
    bool attached;
    bool detached;
    EddyWatcher watcher;
    EddyFuture *future; /* a hold */
    EddyPort *port;     /* a reference, of the watching context */
    /* The watching thread's: */
    EddyAnywhere *anywhere; /* NULL: nobody watches any more */
};

static void mirror_unref (EddyMirror *mirror)
{
    if (!eddy__object_count_down (&mirror->references, /* alone= */ true))
        return;
    if (mirror->future != NULL)
        eddy_object_release (mirror->future);
    if (mirror->port != NULL)
        eddy__port_unref (mirror->port, 1);
    eddy__block_free (mirror, sizeof *mirror);
}

/* On the watching thread. The reference that the home side had has come along. */
static void mirror_told (EddyEntry *entry)
{
    EddyMirror *mirror = EDDY__CONTAINER (entry, EddyMirror, told);
    EddyAnywhere *anywhere = mirror->anywhere;
    if (anywhere != NULL) {
        mirror->anywhere = NULL;
        anywhere->mirror = NULL;
        mirror_unref (mirror);
        anywhere->watcher.completed (&anywhere->watcher);
    }
    mirror_unref (mirror);
}

/* Whether the caller is the first to know that the future is done. */
static bool mirror_is_first (EddyMirror *mirror)
{
    return __atomic_exchange_n (&mirror->is_sent, 1, __ATOMIC_ACQ_REL) == 0;
}

/* The future is done: on its home thread. */
static void mirror_tell (EddyMirror *mirror)
{
    if (!mirror_is_first (mirror)) {
        mirror_unref (mirror);
        return;
    }
    if (mirror->has_loop) {
        /* Where the watching context is gone, nobody watches. */
        if (!eddy__port_post (mirror->port, &mirror->told))
            mirror_unref (mirror);
        return;
    }
    __atomic_store_n (&mirror->is_told, true, __ATOMIC_SEQ_CST);
    eddy__port_wake (mirror->port);
    eddy__context_wake_waiters ();
    mirror_unref (mirror);
}

static void mirror_completed (EddyWatcher *watcher)
{
    EddyMirror *mirror = EDDY__CONTAINER (watcher, EddyMirror, watcher);
    mirror->attached = false;
    mirror_tell (mirror);
}

static void mirror_attach (EddyEntry *entry)
{
    EddyMirror *mirror = EDDY__CONTAINER (entry, EddyMirror, attach);
    if (mirror->detached)
        mirror_unref (mirror);
    else if (eddy__future_watch (mirror->future, &mirror->watcher))
        mirror->attached = true;
    else
        mirror_tell (mirror);
}

/* When the future has completed meanwhile, what tells of it is on its way, and finds nobody. */
static void mirror_detach (EddyEntry *entry)
{
    EddyMirror *mirror = EDDY__CONTAINER (entry, EddyMirror, detach);
    mirror->detached = true;
    if (mirror->attached) {
        mirror->attached = false;
        eddy__future_unwatch (mirror->future, &mirror->watcher);
        mirror_unref (mirror);
    }
    mirror_unref (mirror);
}

static EddyMirror *mirror_new (void)
{
    EddyMirror *mirror = eddy__block_alloc (sizeof *mirror);
    if (mirror == NULL)
        return NULL;
    *mirror = (EddyMirror){
        .attach = { .run = mirror_attach, .priority = EDDY__PRIORITY_NOW },
        .detach = { .run = mirror_detach, .priority = EDDY__PRIORITY_NOW },
        .told = { .run = mirror_told, .priority = EDDY__PRIORITY_NOW },
        .references = 1,
        .watcher = { .completed = mirror_completed },
    };
    return mirror;
}

/* Sends it home; false when the future is done, and the mirror has gone. */
static bool mirror_begin (EddyMirror *mirror, EddyFuture *future, EddyContext *context)
{
    bool here = eddy__future_is_here (future);
    if (eddy__future_is_done (future)) {
        mirror_unref (mirror);
        return false;
    }
    mirror->future = eddy_object_hold (future);
    mirror->port = eddy__port_ref (context->port, 1);
    mirror->references = 2;
    if (here) {
        mirror_attach (&mirror->attach);
    } else if (!eddy__future_post_home (future, &mirror->attach)) {
        mirror_unref (mirror);
        mirror_unref (mirror);
        return false;
    }
    /* Its thread may have completed it just now, and not run its context any more: either he sees
     * this mail when he leaves that, or it is seen here that the future is done. */
    __atomic_thread_fence (__ATOMIC_SEQ_CST);
    if (eddy__future_is_done (future) && mirror_is_first (mirror)) {
        mirror_unref (mirror);
        return false;
    }
    return true;
}

/* The watching side's end. */
static void mirror_end (EddyMirror *mirror)
{
    EddyFuture *future = mirror->future;
    eddy__object_count_up (&mirror->references);
    if (eddy__future_is_here (future))
        mirror_detach (&mirror->detach);
    else if (!eddy__future_post_home (future, &mirror->detach))
        mirror_unref (mirror);
    mirror_unref (mirror);
}

/* --- watching --------------------------------------------------------------------------------- */

bool eddy__anywhere_reserve (EddyAnywhere *anywhere, EddyFuture *future, const EddyContext *context)
{
    if (future->context != context)
        anywhere->mirror = mirror_new ();
    return future->context == context || anywhere->mirror != NULL;
}

void eddy__anywhere_give_back (EddyAnywhere *anywhere)
{
    if (anywhere->mirror != NULL)
        mirror_unref (anywhere->mirror);
    anywhere->mirror = NULL;
}

int eddy__anywhere_watch (EddyAnywhere *anywhere, EddyFuture *future, EddyContext *context)
{
    if (eddy__future_has_come (future, context)) {
        eddy__anywhere_give_back (anywhere);
        return EDDY__ANYWHERE_DONE;
    }
    if (future->context == context) {
        bool watched = eddy__future_watch (future, &anywhere->watcher);
        anywhere->future = watched ? future : NULL;
        return watched ? EDDY__ANYWHERE_WATCHED : EDDY__ANYWHERE_DONE;
    }
    if (anywhere->mirror == NULL && !eddy__anywhere_reserve (anywhere, future, context))
        return -ENOMEM;
    EddyMirror *mirror = anywhere->mirror;
    mirror->has_loop = true;
    mirror->anywhere = anywhere;
    if (mirror_begin (mirror, future, context))
        return EDDY__ANYWHERE_WATCHED;
    anywhere->mirror = NULL;
    return EDDY__ANYWHERE_DONE;
}

void eddy__anywhere_unwatch (EddyAnywhere *anywhere)
{
    EddyMirror *mirror = anywhere->mirror;
    if (mirror != NULL) {
        anywhere->mirror = NULL;
        mirror->anywhere = NULL;
        mirror_end (mirror);
    } else if (anywhere->future != NULL) {
        eddy__future_unwatch (anywhere->future, &anywhere->watcher);
        anywhere->future = NULL;
    }
}

EddyMirror *eddy__mirror_watch (EddyFuture *future, EddyContext *context, int *answer)
{
    EddyMirror *mirror = mirror_new ();
    *answer = -ENOMEM;
    if (mirror == NULL)
        return NULL;
    *answer = EDDY__ANYWHERE_DONE;
    return mirror_begin (mirror, future, context) ? mirror : NULL;
}

const bool *eddy__mirror_get_told (const EddyMirror *mirror)
{
    return &mirror->is_told;
}

void eddy__mirror_unwatch (EddyMirror *mirror)
{
    mirror_end (mirror);
}
