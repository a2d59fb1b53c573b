/* SPDX-License-Identifier: MIT */
/* EddyRWLock. */
#include <eddy/rw-lock-bodies.h>

#include <string.h>

#include "base/compiler-private.h"
#include "sync/sync-private.h"
#include "fiber/wakers-private.h"

/* What an EddyParking waits for: its `count`. */
typedef enum RWMode { RW_READ, RW_WRITE } RWMode;

/* Of how many readers it is known who they are. */
enum { RW_KNOWN = 4 };

struct EddyRWLock {
    EddyObject object;
    EddyLock lock;
    unsigned readers; /* who have it; under the lock, as all the rest */
    bool written;     /* a writer has it */
    EddyList waiters; /* EddyParking; the first of them cannot have it */
    /* Who has it, only to be told: identities, 0: nobody, or nobody knows. */
    uint64_t writer;
    uint64_t known[RW_KNOWN];
    const char *name; /* atomic */
};

static const EddyClass rw_lock_class = { .name = "EddyRWLock", .size = sizeof (EddyRWLock) };

EddyRWLock *eddy_rw_lock_new (void)
{
    EddyRWLock *lock = eddy_object_new (&rw_lock_class);
    if (lock == NULL)
        return NULL;
    eddy__lock_init (&lock->lock);
    eddy__list_init (&lock->waiters);
    return lock;
}

void eddy_rw_lock_set_name (EddyRWLock *lock, const char *name)
{
    EDDY__EXPECT (lock != NULL);
    __atomic_store_n (&lock->name, name, __ATOMIC_RELAXED);
}

/* --- who waits for whom ----------------------------------------------------------------------- */

static const char *rw_lock_get_name (const void *on)
{
    const EddyRWLock *lock = on;
    return __atomic_load_n (&lock->name, __ATOMIC_RELAXED);
}

static void rw_lock_find_wakers (const void *on, EddyWakers *wakers)
{
    EddyRWLock *lock = (EddyRWLock *) (uintptr_t) on;
    bool locked = eddy__lock (&lock->lock);
    unsigned n_told = lock->writer != 0;
    if (lock->writer != 0)
        eddy__wakers_add_identity (wakers, lock->writer);
    for (int i = 0; i < RW_KNOWN; i++) {
        if (lock->known[i] == 0)
            continue;
        eddy__wakers_add_identity (wakers, lock->known[i]);
        n_told++;
    }
    if (n_told == 0 || n_told != lock->readers + lock->written)
        eddy__wakers_add_unknown (wakers);
    eddy__unlock (&lock->lock, locked);
}

static const EddyWaitKind rw_lock_wait_kinds[] = {
    [RW_READ] = { "a lock, to read", rw_lock_get_name, rw_lock_find_wakers },
    [RW_WRITE] = { "a lock, to write", rw_lock_get_name, rw_lock_find_wakers },
};

/* Puts one in the place of another among the known readers; whether that was one of them. */
static bool rw_lock_replace_known (EddyRWLock *lock, uint64_t former, uint64_t identity)
{
    for (int i = 0; i < RW_KNOWN; i++)
        if (lock->known[i] == former) {
            lock->known[i] = identity;
            return true;
        }
    return false;
}

/* A reader has given it back. Where that was one for another, it is no longer known who reads. */
static void rw_lock_forget_reader (EddyRWLock *lock)
{
    uint64_t identity = eddy__sync_identity (eddy__fiber_current ());
    if (identity == 0 || !rw_lock_replace_known (lock, identity, 0))
        memset (lock->known, 0, sizeof lock->known);
}

/* --- taking ----------------------------------------------------------------------------------- */

/* Whether those who have it leave room for one more, who then has it. Under the lock. */
static bool rw_lock_admit (EddyRWLock *lock, RWMode mode, EddyFiber *fiber)
{
    if (lock->written || (mode == RW_WRITE && lock->readers > 0))
        return false;
    uint64_t identity = eddy__sync_identity (fiber);
    if (mode == RW_WRITE) {
        lock->written = true;
        lock->writer = identity;
    } else {
        lock->readers++;
        (void) rw_lock_replace_known (lock, 0, identity);
    }
    return true;
}

/* The same for who comes now, behind those who wait. */
static bool rw_lock_take (EddyRWLock *lock, RWMode mode, EddyFiber *fiber)
{
    return eddy__list_is_empty (&lock->waiters) && rw_lock_admit (lock, mode, fiber);
}

/* Serves those who can go on now, in their order: a writer, or readers up to the next writer. Under
 * the lock. */
static void rw_lock_serve (EddyRWLock *lock)
{
    while (!eddy__list_is_empty (&lock->waiters)) {
        EddyParking *first = EDDY__CONTAINER (lock->waiters.next, EddyParking, member);
        if (!rw_lock_admit (lock, (RWMode) first->count, first->wait.fiber))
            return;
        eddy__list_remove (&first->member);
        eddy__parking_grant (first);
    }
}

/* --- giving back ------------------------------------------------------------------------------ */

/* Whether somebody had it like that. */
static bool rw_lock_unlock (EddyRWLock *lock, RWMode mode)
{
    bool locked = eddy__lock (&lock->lock);
    bool was_held = mode == RW_READ ? lock->readers > 0 : lock->written;
    if (was_held && mode == RW_READ) {
        lock->readers--;
        rw_lock_forget_reader (lock);
    } else if (was_held) {
        lock->written = false;
        lock->writer = 0;
    }
    rw_lock_serve (lock);
    eddy__unlock (&lock->lock, locked);
    return was_held;
}

void eddy_rw_lock_reader_unlock (EddyRWLock *lock)
{
    EDDY__EXPECT (lock != NULL && rw_lock_unlock (lock, RW_READ));
}

void eddy_rw_lock_writer_unlock (EddyRWLock *lock)
{
    EDDY__EXPECT (lock != NULL && rw_lock_unlock (lock, RW_WRITE));
}

/* --- waiting ---------------------------------------------------------------------------------- */

static int rw_lock_lock (EddyRWLock *lock, RWMode mode, EddyFiber *fiber,
                         EddyCancellable *cancellable)
{
    EddyParking parking;
    int answer = eddy__parking_begin (&parking, fiber, cancellable);
    if (answer < 0)
        return answer;
    bool locked = eddy__lock (&lock->lock);
    if (EDDY__LIKELY (rw_lock_take (lock, mode, fiber))) {
        eddy__unlock (&lock->lock, locked);
        return 0;
    }
    parking.count = mode;
    eddy__list_append (&lock->waiters, &parking.member);
    answer = eddy__parking_wait (&parking, &lock->lock, locked, cancellable,
                                 &rw_lock_wait_kinds[mode], lock);
    if (answer < 0) { /* readers behind a writer may have waited for him only */
        locked = eddy__lock (&lock->lock);
        rw_lock_serve (lock);
        eddy__unlock (&lock->lock, locked);
    }
    return answer;
}

static bool rw_lock_body (EddyRWLock *lock, RWMode mode, EddyCancellable *cancellable,
                          EddyError **error)
{
    EddyFiber *fiber = eddy__fiber_current ();
    int answer = rw_lock_lock (lock, mode, fiber, cancellable);
    if (answer == 0 && eddy__sync_is_unwanted (fiber)) {
        rw_lock_unlock (lock, mode);
        answer = -ECANCELED;
    }
    const char *what = mode == RW_READ ? "locking to read" : "locking to write";
    return eddy__sync_conclude (answer, fiber, cancellable, what, error);
}

bool eddy_rw_lock_reader_lock_body (EddyRWLock *lock, EddyCancellable *cancellable,
                                    EddyError **error)
{
    EDDY__EXPECT (lock != NULL, false);
    return rw_lock_body (lock, RW_READ, cancellable, error);
}

bool eddy_rw_lock_writer_lock_body (EddyRWLock *lock, EddyCancellable *cancellable,
                                    EddyError **error)
{
    EDDY__EXPECT (lock != NULL, false);
    return rw_lock_body (lock, RW_WRITE, cancellable, error);
}

static bool rw_lock_trylock (EddyRWLock *lock, RWMode mode)
{
    bool locked = eddy__lock (&lock->lock);
    bool taken = rw_lock_take (lock, mode, eddy__fiber_current ());
    eddy__unlock (&lock->lock, locked);
    return taken;
}

bool eddy_rw_lock_reader_trylock (EddyRWLock *lock)
{
    EDDY__EXPECT (lock != NULL, false);
    return rw_lock_trylock (lock, RW_READ);
}

bool eddy_rw_lock_writer_trylock (EddyRWLock *lock)
{
    EDDY__EXPECT (lock != NULL, false);
    return rw_lock_trylock (lock, RW_WRITE);
}
