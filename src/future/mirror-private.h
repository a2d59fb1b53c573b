/* SPDX-License-Identifier: MIT */
/* Watching futures of other contexts, which other threads may run.
 *
 * A future's watchers are its home thread's. Who waits elsewhere has a mirror there: it is posted
 * home, watches the future, and posts itself back when that is done.
 *
 *   watching thread                      home thread of the future
 *   watch ──────────── attach ─────────► watches it
 *   tells the watcher ◄──── told ─────── it is done
 *   unwatch ────────── detach ─────────► watches it no more
 *
 * Each thing on its way, and each side, has a reference to the mirror, so the two sides may end in
 * any order. */
#pragma once

#include "future/future-private.h"

/* Whether this thread has the context of a future, so that what its home thread may do may be done
 * right here. Whoever has a reference or a hold may ask, on any thread, whatever becomes of the
 * context meanwhile. */
bool eddy__future_is_here (EddyFuture *future);
/* Else: posts an entry to the future's context; false when the future is done: the entry is the
 * caller's. */
bool eddy__future_post_home (EddyFuture *future, EddyEntry *entry);

/* Whether who waits in `context` need not wait any longer: at home, until the future is home, too.
 */
static inline bool eddy__future_has_come (const EddyFuture *future, const EddyContext *context)
{
    return future->context == context ? eddy__future_is_home (future)
                                      : eddy__future_is_done (future);
}

typedef struct EddyMirror EddyMirror;

/* Who watches a future of any context. Zeroed but for the `completed` of its watcher, which is
 * called on the thread of the watching context, and must only queue something. */
typedef struct EddyAnywhere {
    EddyWatcher watcher;
    EddyFuture *future; /* that is watched right here; NULL: none is */
    EddyMirror *mirror; /* of a future of another context, until it is told */
} EddyAnywhere;

/* What watching may take memory for, taken beforehand; false when memory is out. To be given back
 * if nobody watches after all. */
bool eddy__anywhere_reserve (EddyAnywhere *anywhere, EddyFuture *future,
                             const EddyContext *context);
void eddy__anywhere_give_back (EddyAnywhere *anywhere);

/* What eddy__anywhere_watch() answers beside -ENOMEM. */
enum { EDDY__ANYWHERE_WATCHED = 0, EDDY__ANYWHERE_DONE = 1 };

/* Has the watcher told once on the thread of `context`, which is the caller's, when the future is
 * done. The caller has a reference to the future until then, or until he unwatches it. DONE: it is
 * done already; the watcher is not in use then, nor after -ENOMEM. */
int eddy__anywhere_watch (EddyAnywhere *anywhere, EddyFuture *future, EddyContext *context);
/* Nothing happens when the watcher has been told, or is not in use. On the thread of the watching
 * context. */
void eddy__anywhere_unwatch (EddyAnywhere *anywhere);

/* For a thread that waits without a loop of its own: `*told` becomes true when the future is done,
 * after which both `context` is woken and those who wait to enter one. NULL with DONE or -ENOMEM in
 * `answer`. Any thread. */
EddyMirror *eddy__mirror_watch (EddyFuture *future, EddyContext *context, int *answer);
const bool *eddy__mirror_get_told (const EddyMirror *mirror);
void eddy__mirror_unwatch (EddyMirror *mirror);
