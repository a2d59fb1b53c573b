/* SPDX-License-Identifier: MIT */
/* EddyWatch: the latest value, its version, and who waits for a newer one. */
#include <eddy/watch-bodies.h>

#include "fiber/parking-private.h"
#include "sync/users-private.h"

struct EddyWatch {
    EddyObject object;
    EddyLock lock;
    bool closed;
    int64_t version;
    void *value;
    EddyList waiters;
    EddyUsers set_by;
    const char *name;
};

static void watch_dispose (void *object)
{
    EddyWatch *watch = object;
    eddy_clear (&watch->value);
}

static const EddyClass watch_class = { .name = "EddyWatch",
                                       .size = sizeof (EddyWatch),
                                       .dispose = watch_dispose };

EddyWatch *eddy_watch_new (void *object)
{
    EddyWatch *watch = eddy_object_new (&watch_class);
    if (watch == NULL) {
        eddy_unref (object);
        return NULL;
    }
    eddy__lock_init (&watch->lock);
    eddy__list_init (&watch->waiters);
    watch->value = object;
    watch->version = 1;
    return watch;
}

void eddy_watch_set_name (EddyWatch *watch, const char *name)
{
    EDDY__EXPECT (watch != NULL);
    watch->name = name;
}

/* --- the value -------------------------------------------------------------------------------- */

/* With the lock held: until its grant a waiter may still take itself off the list. */
static void watch_wake (EddyWatch *watch)
{
    for (EddyList *link; (link = eddy__list_pop (&watch->waiters)) != NULL;)
        eddy__parking_grant (EDDY__CONTAINER (link, EddyParking, member));
}

int64_t eddy_watch_set (EddyWatch *watch, void *object)
{
    EDDY__EXPECT (watch != NULL, -1);
    bool locked = eddy__lock (&watch->lock);
    void *before = watch->value;
    watch->value = object;
    int64_t version = ++watch->version;
    eddy__users_note (&watch->set_by, eddy__fiber_current ());
    watch_wake (watch);
    eddy__unlock (&watch->lock, locked);
    eddy_unref (before);
    return version;
}

void *eddy_watch_get (EddyWatch *watch, int64_t *version)
{
    EDDY__EXPECT (watch != NULL, NULL);
    bool locked = eddy__lock (&watch->lock);
    void *value = eddy_ref (watch->value);
    if (version != NULL)
        *version = watch->version;
    eddy__unlock (&watch->lock, locked);
    return value;
}

void eddy_watch_close (EddyWatch *watch)
{
    EDDY__EXPECT (watch != NULL);
    bool locked = eddy__lock (&watch->lock);
    watch->closed = true;
    watch_wake (watch);
    eddy__unlock (&watch->lock, locked);
}

/* --- waiting ---------------------------------------------------------------------------------- */

static const char *watch_get_name (const void *on)
{
    return ((const EddyWatch *) on)->name;
}

static void watch_find_wakers (const void *on, EddyWakers *wakers)
{
    EddyWatch *watch = (EddyWatch *) (uintptr_t) on;
    bool locked = eddy__lock (&watch->lock);
    eddy__users_tell (&watch->set_by, wakers);
    eddy__unlock (&watch->lock, locked);
}

static const EddyWaitKind watch_kind = { .what = "a watch",
                                         .get_name = watch_get_name,
                                         .find_wakers = watch_find_wakers };

/* The version, when it is newer; -EPIPE when none will be, 0: it has to wait. */
static int64_t watch_look (const EddyWatch *watch, int64_t seen)
{
    if (watch->version > seen)
        return watch->version;
    return watch->closed ? -EPIPE : 0;
}

static int64_t watch_wait (EddyWatch *watch, int64_t seen, EddyCancellable *cancellable)
{
    EddyParking parking;
    int64_t answer = eddy__parking_begin (&parking, eddy__fiber_current (), cancellable);
    if (answer < 0)
        return answer;
    bool locked = eddy__lock (&watch->lock);
    if (seen > watch->version) /* nobody has: the next one is meant */
        seen = watch->version;
    answer = watch_look (watch, seen);
    if (answer == 0) {
        eddy__list_append (&watch->waiters, &parking.member);
        answer =
            eddy__parking_wait (&parking, &watch->lock, locked, cancellable, &watch_kind, watch);
        if (answer < 0)
            return answer;
        locked = eddy__lock (&watch->lock);
        answer = watch_look (watch, seen);
    }
    eddy__unlock (&watch->lock, locked);
    return answer;
}

int64_t eddy_watch_wait_body (EddyWatch *watch, int64_t seen, EddyCancellable *cancellable,
                              EddyError **error)
{
    EDDY__EXPECT (watch != NULL, -1);
    int64_t version = watch_wait (watch, seen, cancellable);
    if (version >= 0)
        return version;
    if (version == -EPIPE)
        eddy_error_set (error, EDDY_IO_ERROR, EDDY_IO_ERROR_CLOSED, "%s: it is closed",
                        watch->name == NULL ? "a watch" : watch->name);
    else
        eddy_error_take (error, eddy__parking_make_error ((int) version, eddy__fiber_current (),
                                                          cancellable, "waiting for a change"));
    return -1;
}
