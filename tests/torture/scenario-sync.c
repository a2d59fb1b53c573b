/* SPDX-License-Identifier: MIT */
/*
 * What fibers wait for each other with: whatever fails, nobody is left waiting, nothing is held
 * twice, and all is given back.
 */
#include <pthread.h>

#include "torture.h"

enum { FIBERS = 6, ROUNDS = 3, PERMITS = 3 };

typedef struct Place {
    EddyMutex *mutex;
    EddyRWLock *lock;
    EddySemaphore *semaphore;
    EddyCondition *condition;
    int inside;
    int visits;
    int open;
} Place;

static bool place_make (Place *place)
{
    place->mutex = torture_made ("a mutex", eddy_mutex_new ());
    place->lock = torture_made ("a lock", eddy_rw_lock_new ());
    place->semaphore = torture_made ("a semaphore", eddy_semaphore_new (PERMITS));
    place->condition = torture_made ("a condition", eddy_condition_new ());
    return place->mutex != NULL && place->lock != NULL && place->semaphore != NULL &&
           place->condition != NULL;
}

/* All of it is free. */
static void place_end (Place *place)
{
    torture_require (place->mutex == NULL || eddy_mutex_trylock (place->mutex));
    torture_require (place->lock == NULL || eddy_rw_lock_writer_trylock (place->lock));
    torture_require (place->semaphore == NULL ||
                     eddy_semaphore_get_permits (place->semaphore) == PERMITS);
    torture_require (place->inside == 0);
    eddy_unref (place->mutex);
    eddy_unref (place->lock);
    eddy_unref (place->semaphore);
    eddy_unref (place->condition);
}

/* Runs some as fibers, does something meanwhile (NULL: nothing), and waits for their ends. */
static void run_fibers (EddyFiberFunc function, Place *place, void (*meanwhile) (Place *place))
{
    EddyError *error = NULL;
    EddyFuture *fibers[FIBERS];
    for (int i = 0; i < FIBERS; i++)
        fibers[i] = eddy_spawn_local (function, place, NULL);
    if (meanwhile != NULL)
        meanwhile (place);
    for (int i = 0; i < FIBERS; i++) {
        if (!eddy_await_complete (fibers[i], &error))
            torture_error_or_cancelled ("a fiber", &error);
        eddy_unref (fibers[i]);
    }
}

/* ---- Mutexes, locks, semaphores -------------------------------------------------------------- */

static void *visit (void *data, EddyError **error)
{
    Place *place = data;
    for (int i = 0; i < ROUNDS; i++) {
        unsigned n = 1 + (unsigned) i % PERMITS;
        EddyCancellable *cancellable = eddy_cancellable_new_with_timeout (NULL, 1000000000);
        if (eddy_semaphore_acquire (place->semaphore, n, cancellable, error)) {
            if (eddy_rw_lock_reader_lock (place->lock, NULL, error)) {
                if (eddy_mutex_lock (place->mutex, cancellable, error)) {
                    torture_require (place->inside++ == 0);
                    bool slept = eddy_fiber_sleep (1000, error);
                    place->inside--;
                    place->visits += slept;
                    eddy_mutex_unlock (place->mutex);
                }
                eddy_rw_lock_reader_unlock (place->lock);
            }
            eddy_semaphore_release (place->semaphore, n);
        }
        eddy_unref (cancellable);
        if (*error != NULL || !eddy_rw_lock_writer_lock (place->lock, NULL, error))
            return NULL;
        eddy_fiber_yield ();
        eddy_rw_lock_writer_unlock (place->lock);
    }
    return NULL;
}

static void visit_step (void *data)
{
    Place *place = data;
    if (place_make (place))
        run_fibers (visit, place, NULL);
    place_end (place);
}

TORTURE_SCENARIO (sync_visits)
{
    Place place = { .visits = 0 };
    torture_begin ();
    torture_await (visit_step, &place);
    torture_require (torture_has_failed () || place.visits == FIBERS * ROUNDS);
}

/* ---- Conditions ------------------------------------------------------------------------------ */

static void *pass_gate (void *data, EddyError **error)
{
    Place *place = data;
    if (!eddy_mutex_lock (place->mutex, NULL, error))
        return NULL;
    while (place->open == 0)
        if (!eddy_condition_wait (place->condition, place->mutex, NULL, error))
            break;
    place->visits += *error == NULL;
    eddy_mutex_unlock (place->mutex);
    return NULL;
}

static void open_gate (Place *place)
{
    EddyError *error = NULL;
    if (!eddy_fiber_sleep (1000, &error))
        torture_error ("sleep", &error);
    place->open = 1;
    eddy_condition_broadcast (place->condition);
}

static void gate_step (void *data)
{
    Place *place = data;
    if (place_make (place))
        run_fibers (pass_gate, place, open_gate);
    place_end (place);
}

TORTURE_SCENARIO (sync_condition)
{
    Place place = { .visits = 0 };
    torture_begin ();
    torture_await (gate_step, &place);
    torture_require (torture_has_failed () || place.visits == FIBERS);
}

/* ---- Other forms ----------------------------------------------------------------------------- */

typedef struct Callers {
    Place place;
    int called;
    int locked;
} Callers;

static void lock_ended (void *source_object, EddyAsyncResult *result, void *user_data)
{
    Callers *callers = user_data;
    EddyError *error = NULL;
    callers->called++;
    if (eddy_mutex_lock_finish (source_object, result, &error)) {
        callers->locked++;
        eddy_mutex_unlock (source_object);
    } else {
        torture_error ("locking by callback", &error);
    }
}

/* By callback and as futures, some of which are let go of. */
TORTURE_SCENARIO (sync_forms)
{
    Callers callers = { .called = 0 };
    torture_begin ();
    EddyContext *context = torture_context_begin ();
    if (context == NULL)
        return;
    EddyMutex *mutex = torture_made ("a mutex", eddy_mutex_new ());
    if (mutex != NULL) {
        bool taken = eddy_mutex_trylock (mutex);
        torture_require (taken);
        for (int i = 0; i < FIBERS; i++) {
            eddy_mutex_lock_async (mutex, 0, NULL, lock_ended, &callers);
            EddyFuture *dropped = eddy_mutex_lock_future (mutex, 0, NULL);
            if (i % 2 == 0)
                eddy_context_iteration (context, /* may_block= */ false);
            eddy_unref (dropped);
        }
        eddy_mutex_unlock (mutex);
        torture_run_until (context, &callers.called, FIBERS);
        torture_run_out (context);
    }
    torture_end ();
    torture_require (mutex == NULL || torture_has_failed () || callers.locked == FIBERS);
    eddy_unref (mutex);
    torture_context_end (context);
}

static void *lock_plainly (void *data)
{
    Callers *callers = data;
    EddyError *error = NULL;
    for (int i = 0; i < ROUNDS; i++) {
        if (eddy_mutex_lock (callers->place.mutex, NULL, &error)) {
            callers->locked++;
            eddy_mutex_unlock (callers->place.mutex);
        } else {
            __atomic_add_fetch (&callers->called, 1, __ATOMIC_RELAXED);
            torture_error ("locking in a thread", &error);
        }
    }
    return NULL;
}

/* In plain threads. */
TORTURE_SCENARIO (sync_threads)
{
    Callers callers = { .called = 0 };
    pthread_t thread;
    torture_begin ();
    callers.place.mutex = torture_made ("a mutex", eddy_mutex_new ());
    if (callers.place.mutex != NULL) {
        torture_require (pthread_create (&thread, NULL, lock_plainly, &callers) == 0);
        lock_plainly (&callers);
        pthread_join (thread, NULL);
    }
    torture_end ();
    torture_require (callers.place.mutex == NULL || callers.locked + callers.called == 2 * ROUNDS);
    eddy_unref (callers.place.mutex);
}

/* ---- Shields and fiber-local data ------------------------------------------------------------ */

typedef struct Owner {
    int set;
    int destroyed;
    int cleaned;
} Owner;

static void owner_destroyed (void *data)
{
    ((Owner *) data)->destroyed++;
}

static const EddyFiberLocal owner_key = { owner_destroyed };

static void *own_and_clean_up (void *data, EddyError **error)
{
    Owner *owner = data;
    for (int i = 0; i < ROUNDS; i++)
        if (eddy_fiber_local_set (&owner_key, owner))
            owner->set++;
        else
            torture_refused ("to set what is a fiber's own");
    eddy_cancellable_cancel (eddy_fiber_get_cancellable ());
    EDDY_SHIELD (1000000000)
    {
        if (eddy_fiber_get_cancellable () == NULL)
            torture_refused ("a shield's cancellable");
        if (eddy_fiber_sleep (1000, error))
            owner->cleaned++;
    }
    return NULL;
}

static void owner_step (void *data)
{
    EddyError *error = NULL;
    EddyFuture *fiber = eddy_spawn_local (own_and_clean_up, data, NULL);
    if (!eddy_await_complete (fiber, &error))
        torture_error ("a fiber", &error);
    eddy_unref (fiber);
}

TORTURE_SCENARIO (sync_owner)
{
    Owner owner = { .set = 0 };
    torture_begin ();
    torture_await (owner_step, &owner);
    torture_require (owner.destroyed == owner.set);
    torture_require (torture_has_failed () || owner.cleaned == 1);
}
