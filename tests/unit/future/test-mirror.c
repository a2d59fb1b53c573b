/* SPDX-License-Identifier: MIT */
/*
 * Mirrors, step by step: two contexts that this thread iterates by turns but does not own in
 * between are to each other as two threads', and every order of the steps can be had.
 */
#include "context.h"

#include "base/object-private.h"
#include "future/mirror-private.h"

typedef struct Watch {
    EddyAnywhere anywhere;
    int told;
} Watch;

static void watch_completed (EddyWatcher *watcher)
{
    Watch *watch = (Watch *) (void *) watcher;
    watch->told++;
}

/* A pending task whose context is this one. */
static EddyTask *task_in (EddyContext *context)
{
    ck_assert (eddy_context_push_thread_default (context));
    EddyTask *task = eddy_task_new (NULL, NULL, NULL, NULL);
    eddy_context_pop_thread_default (context);
    return task;
}

static void iterate (EddyContext *context)
{
    for (int i = 0; i < 3; i++)
        eddy_context_iteration (context, false);
}

/* The steps of one run in order, with the task's return and the unwatch at two places among them:
   each of four places is before, between or behind the iterations of the home (H), the watching
   context (W), the home again, the watching one again. */
static void run_order (int returned_at, int unwatched_at, bool reserved)
{
    EddyContext *home = eddy_context_new (), *watching = eddy_context_new ();
    ck_assert (home != NULL && watching != NULL);
    EddyTask *task = task_in (home);
    EddyFuture *future = eddy_task_get_future (task);
    Watch watch = { .anywhere.watcher.completed = watch_completed };
    if (reserved)
        ck_assert (eddy__anywhere_reserve (&watch.anywhere, future, watching));
    ck_assert_int_eq (eddy__anywhere_watch (&watch.anywhere, future, watching),
                      EDDY__ANYWHERE_WATCHED);
    bool unwatched = false;
    for (int place = 0; place < 5; place++) {
        if (place == returned_at)
            eddy_task_return_boolean (task, true);
        if (place == unwatched_at) {
            unwatched = watch.told == 0;
            eddy__anywhere_unwatch (&watch.anywhere);
        }
        if (place < 4)
            iterate (place % 2 == 0 ? home : watching);
    }
    if (returned_at == 5)
        eddy_task_return_boolean (task, true);
    iterate (home);
    iterate (watching);
    ck_assert_int_eq (watch.told, !unwatched);
    if (unwatched_at == 5)
        ck_assert_int_eq (watch.told, 1);
    eddy__anywhere_unwatch (&watch.anywhere); /* nothing any more */
    ck_assert_ptr_null (future->watcher);
    eddy_unref (future);
    eddy_task_unref (task);
    eddy_unref (home);
    eddy_unref (watching);
}

EDDY_TEST (mirrors_in_every_order)
{
    for (int returned_at = 0; returned_at <= 5; returned_at++)
        for (int unwatched_at = 0; unwatched_at <= 5; unwatched_at++) {
            run_order (returned_at, unwatched_at, false);
            run_order (returned_at, unwatched_at, true);
        }
}

/* One that was taken back is soon gone, however long the future goes on: also when this thread gets
   the home before the mirror has arrived there. */
EDDY_TEST (mirrors_do_not_stay)
{
    for (int way = 0; way < 3; way++) {
        EddyContext *home = eddy_context_new (), *watching = eddy_context_new ();
        ck_assert (home != NULL && watching != NULL);
        EddyTask *task = task_in (home);
        EddyFuture *future = eddy_task_get_future (task);
        Watch watch = { .anywhere.watcher.completed = watch_completed };
        ck_assert_int_eq (eddy__anywhere_watch (&watch.anywhere, future, watching),
                          EDDY__ANYWHERE_WATCHED);
        if (way == 0) {
            iterate (home);
            ck_assert_ptr_nonnull (future->watcher);
        }
        if (way == 2)
            ck_assert (eddy_context_acquire (home));
        eddy__anywhere_unwatch (&watch.anywhere);
        if (way == 2)
            eddy_context_release (home);
        iterate (home);
        ck_assert_ptr_null (future->watcher);
        eddy_task_return_boolean (task, true);
        iterate (home);
        iterate (watching);
        ck_assert_int_eq (watch.told, 0);
        eddy_unref (future);
        eddy_task_unref (task);
        eddy_unref (home);
        eddy_unref (watching);
    }
}

/* Several watch one future from several contexts, its own too. */
EDDY_TEST (mirrors_beside_each_other)
{
    enum { WATCHES = 6 };
    EddyContext *contexts[3] = { eddy_context_new (), eddy_context_new (), eddy_context_new () };
    EddyTask *task = task_in (contexts[0]);
    EddyFuture *future = eddy_task_get_future (task);
    Watch watches[WATCHES] = { { .told = 0 } };
    ck_assert (eddy_context_acquire (contexts[0]));
    for (int i = 0; i < WATCHES; i++) {
        watches[i].anywhere.watcher.completed = watch_completed;
        ck_assert_int_eq (eddy__anywhere_watch (&watches[i].anywhere, future, contexts[i % 3]),
                          EDDY__ANYWHERE_WATCHED);
    }
    eddy__anywhere_unwatch (&watches[0].anywhere);
    eddy__anywhere_unwatch (&watches[1].anywhere);
    eddy_task_return_boolean (task, true);
    for (int i = 0; i < 3; i++)
        iterate (contexts[i]);
    for (int i = 0; i < WATCHES; i++)
        ck_assert_int_eq (watches[i].told, i > 1);
    ck_assert_int_eq (eddy__anywhere_watch (&watches[0].anywhere, future, contexts[1]),
                      EDDY__ANYWHERE_DONE);
    eddy_context_release (contexts[0]);
    eddy_unref (future);
    eddy_task_unref (task);
    for (int i = 0; i < 3; i++)
        eddy_unref (contexts[i]);
}

/* A watching context that goes, with what would tell it still under way. */
EDDY_TEST (mirrors_of_contexts_that_go)
{
    for (int returned_first = 0; returned_first < 2; returned_first++) {
        EddyContext *home = eddy_context_new (), *watching = eddy_context_new ();
        ck_assert (home != NULL && watching != NULL);
        EddyTask *task = task_in (home);
        EddyFuture *future = eddy_task_get_future (task);
        Watch watch = { .anywhere.watcher.completed = watch_completed };
        ck_assert_int_eq (eddy__anywhere_watch (&watch.anywhere, future, watching),
                          EDDY__ANYWHERE_WATCHED);
        iterate (home);
        if (returned_first) {
            eddy_task_return_boolean (task, true);
            iterate (home);
        }
        eddy__anywhere_unwatch (&watch.anywhere);
        eddy_unref (watching);
        if (!returned_first)
            eddy_task_return_boolean (task, true);
        iterate (home);
        ck_assert_int_eq (watch.told, 0);
        eddy_unref (future);
        eddy_task_unref (task);
        eddy_unref (home);
    }
}

/* Reserved, and then it was done. */
EDDY_TEST (mirrors_that_were_not_needed)
{
    EddyContext *home = eddy_context_new (), *watching = eddy_context_new ();
    ck_assert (home != NULL && watching != NULL);
    EddyTask *task = task_in (home);
    EddyFuture *future = eddy_task_get_future (task);
    EddyAnywhere anywhere = { .watcher.completed = watch_completed };
    ck_assert (eddy__anywhere_reserve (&anywhere, future, watching));
    ck_assert_ptr_nonnull (anywhere.mirror);
    eddy__anywhere_give_back (&anywhere);
    ck_assert_ptr_null (anywhere.mirror);
    ck_assert (eddy__anywhere_reserve (&anywhere, future, home));
    ck_assert_ptr_null (anywhere.mirror);
    ck_assert (eddy__anywhere_reserve (&anywhere, future, watching));
    eddy_task_return_boolean (task, true);
    ck_assert_int_eq (eddy__anywhere_watch (&anywhere, future, watching), EDDY__ANYWHERE_DONE);
    ck_assert_ptr_null (anywhere.mirror);
    ck_assert (!eddy__future_is_here (future));
    EddyEntry entry = { .next = NULL };
    ck_assert (!eddy__future_post_home (future, &entry));
    int answer = 0;
    ck_assert_ptr_null (eddy__mirror_watch (future, watching, &answer));
    ck_assert_int_eq (answer, EDDY__ANYWHERE_DONE);
    iterate (home);
    eddy_unref (future);
    eddy_task_unref (task);
    eddy_unref (home);
    eddy_unref (watching);
}

/* One without a loop: told where the future's home is. */
EDDY_TEST (mirrors_for_a_thread_that_waits)
{
    for (int unwatched_first = 0; unwatched_first < 2; unwatched_first++) {
        EddyContext *home = eddy_context_new (), *other = eddy_context_new ();
        EddyTask *task = task_in (home);
        EddyFuture *future = eddy_task_get_future (task);
        int answer = 0;
        EddyMirror *mirror = eddy__mirror_watch (future, other, &answer);
        ck_assert_ptr_nonnull (mirror);
        iterate (home);
        ck_assert (!*eddy__mirror_get_told (mirror));
        if (unwatched_first)
            eddy__mirror_unwatch (mirror);
        eddy_task_return_boolean (task, true);
        iterate (home);
        if (!unwatched_first) {
            ck_assert (*eddy__mirror_get_told (mirror));
            eddy__mirror_unwatch (mirror);
        }
        iterate (home);
        eddy_unref (future);
        eddy_task_unref (task);
        eddy_unref (home);
        eddy_unref (other);
    }
}
