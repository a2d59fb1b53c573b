/* SPDX-License-Identifier: MIT */
/*
 * Futures that another thread completes, stopped between the answer and the news of it: who waits
 * at home goes on when the future is home, so that he may let go of the context then. A context
 * that was kept nevertheless is found by its fds.
 */
#include "context.h"

#include <semaphore.h>

#include "future/task-private.h"

/* A task that another thread has answered, and not announced. */
typedef struct Away {
    EddyPost post;
    EddyFuture *cancels; /* right before, unless NULL */
    EddyTask *task;
    EddyFuture *future;
    pthread_t thread;
    sem_t answered;
    sem_t may_announce;
    bool announces; /* atomic */
} Away;

static void *away_run (void *data)
{
    Away *away = data;
    EddyValue value = EDDY_VALUE_INIT;
    eddy_value_set_int (&value, 42);
    EddyTask *task = away->task;
    EddyFuture *future = &task->future;
    ck_assert (eddy__future_answer (future, &value, NULL));
    eddy_task_unref (task);
    sem_post (&away->answered);
    sem_wait (&away->may_announce);
    eddy__future_announce (future);
    return NULL;
}

static void away_begin (Away *away)
{
    *away = (Away){ .task = eddy_task_new (NULL, NULL, NULL, NULL) };
    ck_assert_ptr_nonnull (away->task);
    away->future = eddy_task_get_future (away->task);
    ck_assert_int_eq (sem_init (&away->answered, 0, 0), 0);
    ck_assert_int_eq (sem_init (&away->may_announce, 0, 0), 0);
    ck_assert_int_eq (pthread_create (&away->thread, NULL, away_run, away), 0);
    sem_wait (&away->answered);
    /* To everybody it is done. */
    ck_assert (eddy_future_is_complete (away->future));
}

static void away_end (Away *away)
{
    ck_assert (__atomic_load_n (&away->announces, __ATOMIC_ACQUIRE));
    ck_assert_int_eq (pthread_join (away->thread, NULL), 0);
    sem_destroy (&away->answered);
    sem_destroy (&away->may_announce);
}

/* Lets the other thread go on. */
static void away_announce (EddyPost *post)
{
    Away *away = (Away *) (void *) post;
    eddy_future_cancel (away->cancels);
    __atomic_store_n (&away->announces, true, __ATOMIC_RELEASE);
    sem_post (&away->may_announce);
}

/* Has it do so in a turn to come, which needs no memory: without it the others would wait for ever.
 */
static void away_announce_later (Away *away, EddyContext *context)
{
    away->post = (EddyPost){ .run = away_announce, .priority = EDDY_PRIORITY_DEFAULT };
    ck_assert (eddy_context_post (context, &away->post));
}

/* Whether the announcement was waited for, by who has the answer and gives up the future. */
static void away_expect_home (Away *away)
{
    ck_assert (__atomic_load_n (&away->announces, __ATOMIC_ACQUIRE));
    ck_assert (eddy__future_is_home (away->future));
    eddy_unref (away->future);
}

static void *await_it (void *data, EddyError **error)
{
    Away *away = data;
    ck_assert_int_eq (eddy_await_int (away->future, error), 42);
    away_expect_home (away);
    return NULL;
}

/* When who waits is cancelled: before, or while it waits. */
typedef enum HomeCancel { NOT_CANCELLED, CANCELLED_BEFORE, CANCELLED_MEANWHILE } HomeCancel;

static void expect_home_in_fiber (EddyFiberFunc function, HomeCancel cancel)
{
    EddyContext *context = eddy_test_context_begin ();
    Away away;
    away_begin (&away);
    EddyFuture *waits = eddy_spawn (context, function, &away, NULL);
    away.cancels = cancel == CANCELLED_MEANWHILE ? waits : NULL;
    away_announce_later (&away, context);
    if (cancel == CANCELLED_BEFORE)
        eddy_future_cancel (waits);
    ck_assert (eddy_block_on_complete (context, waits, NULL));
    away_end (&away);
    eddy_unref (waits);
    eddy_test_context_end (context);
}

EDDY_TEST (home_is_awaited)
{
    expect_home_in_fiber (await_it, NOT_CANCELLED);
}

/* A cancel takes nothing from who finds an answer, and no context may leak for it. */
static void *await_it_cancelled (void *data, EddyError **error)
{
    Away *away = data;
    EddyCancellable *own = eddy_fiber_get_cancellable ();
    ck_assert (eddy_cancellable_is_cancelled (own));
    return await_it (away, error);
}

EDDY_TEST (home_is_awaited_by_the_cancelled)
{
    expect_home_in_fiber (await_it_cancelled, CANCELLED_BEFORE);
}

EDDY_TEST (home_is_awaited_by_who_is_cancelled_then)
{
    expect_home_in_fiber (await_it, CANCELLED_MEANWHILE);
}

EDDY_TEST (home_is_blocked_on)
{
    EddyContext *context = eddy_test_context_begin ();
    Away away;
    away_begin (&away);
    away_announce_later (&away, context);
    ck_assert_int_eq (eddy_block_on_int (context, away.future, NULL), 42);
    away_expect_home (&away);
    away_end (&away);
    eddy_test_context_end (context);
}

EDDY_TEST (home_is_combined)
{
    EddyContext *context = eddy_test_context_begin ();
    Away away;
    away_begin (&away);
    EddyFuture *combined = eddy_future_all (&(EddyFuture *){ eddy_ref (away.future) }, 1);
    away_announce_later (&away, context);
    ck_assert (eddy_block_on_complete (context, combined, NULL));
    eddy_unref (combined);
    away_expect_home (&away);
    away_end (&away);
    eddy_test_context_end (context);
}

/* A select goes on with it, not before. */
static void *select_it (void *data, EddyError **error)
{
    Away *away = data;
    EddySelectCase cases[] = { EDDY_SELECT_FUTURE (away->future) };
    ck_assert_int_eq (eddy_select (cases, 1, NULL, error), 0);
    away_expect_home (away);
    return NULL;
}

EDDY_TEST (home_is_selected)
{
    expect_home_in_fiber (select_it, NOT_CANCELLED);
}

/* Who waits in another context waits for the answer only: nobody might run the future's. */
EDDY_TEST (home_of_others_is_not_waited_for)
{
    EddyContext *home = eddy_test_context_begin ();
    Away away;
    away_begin (&away);
    EddyContext *context = eddy_context_new ();
    ck_assert_ptr_nonnull (context);
    ck_assert_int_eq (eddy_block_on_int (context, away.future, NULL), 42);
    ck_assert (!eddy__future_is_home (away.future));
    eddy_unref (context);
    away_announce_later (&away, home);
    ck_assert (eddy_block_on_complete (home, away.future, NULL));
    away_expect_home (&away);
    away_end (&away);
    eddy_test_context_end (home);
}
