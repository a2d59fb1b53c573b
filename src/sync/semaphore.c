/* SPDX-License-Identifier: MIT */
/* EddySemaphore. */
#include <eddy/semaphore-bodies.h>

#include "base/compiler-private.h"
#include "sync/sync-private.h"
#include "fiber/wakers-private.h"

struct EddySemaphore {
    EddyObject object;
    EddyLock lock;
    unsigned permits; /* that nobody has; under the lock, as is the list */
    EddyList waiters; /* EddyParking, `count` says how many permits; the first is to have too few */
    const char *name; /* atomic */
};

static const EddyClass semaphore_class = { .name = "EddySemaphore",
                                           .size = sizeof (EddySemaphore) };

EddySemaphore *eddy_semaphore_new (unsigned permits)
{
    EddySemaphore *semaphore = eddy_object_new (&semaphore_class);
    if (semaphore == NULL)
        return NULL;
    eddy__lock_init (&semaphore->lock);
    eddy__list_init (&semaphore->waiters);
    semaphore->permits = permits;
    return semaphore;
}

void eddy_semaphore_set_name (EddySemaphore *semaphore, const char *name)
{
    EDDY__EXPECT (semaphore != NULL);
    __atomic_store_n (&semaphore->name, name, __ATOMIC_RELAXED);
}

static const char *semaphore_get_name (const void *on)
{
    const EddySemaphore *semaphore = on;
    return __atomic_load_n (&semaphore->name, __ATOMIC_RELAXED);
}

/* Whoever can reach it may release. */
static void semaphore_find_wakers (const void *on, EddyWakers *wakers)
{
    (void) on;
    eddy__wakers_add_unknown (wakers);
}

static const EddyWaitKind semaphore_wait_kind = { "a semaphore", semaphore_get_name,
                                                  semaphore_find_wakers };

/* Whether there are permits for who comes now; then they are his. Under the lock. */
static bool semaphore_take (EddySemaphore *semaphore, unsigned n)
{
    if (semaphore->permits < n || !eddy__list_is_empty (&semaphore->waiters))
        return false;
    semaphore->permits -= n;
    return true;
}

/* Serves those who can go on now, in their order. Under the lock. */
static void semaphore_serve (EddySemaphore *semaphore)
{
    while (!eddy__list_is_empty (&semaphore->waiters)) {
        EddyParking *first = EDDY__CONTAINER (semaphore->waiters.next, EddyParking, member);
        if (first->count > semaphore->permits)
            return;
        semaphore->permits -= (unsigned) first->count;
        eddy__list_remove (&first->member);
        eddy__parking_grant (first);
    }
}

static int semaphore_acquire (EddySemaphore *semaphore, unsigned n, EddyFiber *fiber,
                              EddyCancellable *cancellable)
{
    EddyParking parking;
    int answer = eddy__parking_begin (&parking, fiber, cancellable);
    if (answer < 0)
        return answer;
    bool locked = eddy__lock (&semaphore->lock);
    if (EDDY__LIKELY (semaphore_take (semaphore, n))) {
        eddy__unlock (&semaphore->lock, locked);
        return 0;
    }
    parking.count = n;
    eddy__list_append (&semaphore->waiters, &parking.member);
    answer = eddy__parking_wait (&parking, &semaphore->lock, locked, cancellable,
                                 &semaphore_wait_kind, semaphore);
    if (answer < 0) { /* those behind may have waited for this one only */
        locked = eddy__lock (&semaphore->lock);
        semaphore_serve (semaphore);
        eddy__unlock (&semaphore->lock, locked);
    }
    return answer;
}

bool eddy_semaphore_acquire_body (EddySemaphore *semaphore, unsigned n,
                                  EddyCancellable *cancellable, EddyError **error)
{
    EDDY__EXPECT (semaphore != NULL && n > 0, false);
    EddyFiber *fiber = eddy__fiber_current ();
    int answer = semaphore_acquire (semaphore, n, fiber, cancellable);
    if (answer == 0 && eddy__sync_is_unwanted (fiber)) {
        eddy_semaphore_release (semaphore, n);
        answer = -ECANCELED;
    }
    return eddy__sync_conclude (answer, fiber, cancellable, "acquiring a semaphore", error);
}

bool eddy_semaphore_try_acquire (EddySemaphore *semaphore, unsigned n)
{
    EDDY__EXPECT (semaphore != NULL && n > 0, false);
    bool locked = eddy__lock (&semaphore->lock);
    bool taken = semaphore_take (semaphore, n);
    eddy__unlock (&semaphore->lock, locked);
    return taken;
}

void eddy_semaphore_release (EddySemaphore *semaphore, unsigned n)
{
    EDDY__EXPECT (semaphore != NULL && n > 0);
    bool locked = eddy__lock (&semaphore->lock);
    bool fits = !__builtin_add_overflow (semaphore->permits, n, &semaphore->permits);
    if (!fits)
        semaphore->permits -= n;
    semaphore_serve (semaphore);
    eddy__unlock (&semaphore->lock, locked);
    EDDY__EXPECT (fits);
}

unsigned eddy_semaphore_get_permits (EddySemaphore *semaphore)
{
    EDDY__EXPECT (semaphore != NULL, 0);
    bool locked = eddy__lock (&semaphore->lock);
    unsigned permits = semaphore->permits;
    eddy__unlock (&semaphore->lock, locked);
    return permits;
}
