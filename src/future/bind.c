/* SPDX-License-Identifier: MIT */
/* Futures bound to the life of an object.
 *
 * A table on the side knows all bonds, so that objects and futures without one pay nothing: a bit
 * of the object's holds and the state of the future say that there is something to look up. Each
 * bond holds its object until the future has completed and its callback has run.
 *
 *   the object goes first: the bond is marked, and the future asked to cancel on its home thread
 *   the future is done first: the bond leaves the table
 *
 * Both happen under the table's lock, so there is one order of them. A future that is bound to its
 * own source object has given its reference up; when it is done it gets one again, or its answer
 * becomes CANCELLED. */
#include <pthread.h>

#include "base/alloc-private.h"
#include "base/object-private.h"
#include "future/future-private.h"

typedef struct Bond {
    EddyList of_object; /* in the table; linked until the object has gone, or the future is done */
    EddyList of_future; /* in the table, until the future is done */
    EddyList doomed;    /* of those whose object is going right now; home thread */
    void *object;       /* a hold */
    EddyFuture *future; /* a hold */
    EddyContext *context;
    EddyWatcher watcher;
    EddyEntry cancel; /* carries a cancel home */
    EddyEntry end;    /* comes after the callback */
    bool to_source;   /* the object is the future's source object */
    bool gone;        /* the object has gone */
    bool cancel_posted;
    bool cancel_arrived;
    bool ended;
} Bond;

typedef struct BondBucket {
    EddyList objects;
    EddyList futures;
} BondBucket;

enum { BOND_BUCKETS = 32 }; /* to begin with; more come when there are more bonds */

static BondBucket bond_first_buckets[BOND_BUCKETS];

static struct {
    pthread_mutex_t mutex;
    BondBucket *buckets; /* NULL before the first bond */
    size_t n_buckets;    /* a power of two */
    size_t n_bonds;
} bonds = { .mutex = PTHREAD_MUTEX_INITIALIZER };

/* --- the table, under its lock ---------------------------------------------------------------- */

static BondBucket *bonds_bucket (const void *address)
{
    uint64_t hash = (uint64_t) (uintptr_t) address * UINT64_C (0x9e3779b97f4a7c15);
    return &bonds.buckets[(hash >> 32) & (bonds.n_buckets - 1)];
}

static void bonds_add (Bond *bond)
{
    eddy__list_append (&bonds_bucket (bond->object)->objects, &bond->of_object);
    eddy__list_append (&bonds_bucket (bond->future)->futures, &bond->of_future);
}

static void bonds_use_buckets (BondBucket *buckets, size_t n_buckets)
{
    for (size_t i = 0; i < n_buckets; i++) {
        eddy__list_init (&buckets[i].objects);
        eddy__list_init (&buckets[i].futures);
    }
    bonds.buckets = buckets;
    bonds.n_buckets = n_buckets;
}

/* Doubles the table; without memory it stays as it is, and gets slower. */
static void bonds_grow (void)
{
    BondBucket *former = bonds.buckets;
    size_t n_former = bonds.n_buckets;
    BondBucket *buckets = eddy__alloc (2 * n_former * sizeof *buckets);
    if (buckets == NULL)
        return;
    bonds_use_buckets (buckets, 2 * n_former);
    for (size_t i = 0; i < n_former; i++) {
        EddyList *link;
        while ((link = eddy__list_pop (&former[i].objects)) != NULL) {
            const Bond *bond = EDDY__CONTAINER (link, Bond, of_object);
            eddy__list_append (&bonds_bucket (bond->object)->objects, link);
        }
        while ((link = eddy__list_pop (&former[i].futures)) != NULL) {
            const Bond *bond = EDDY__CONTAINER (link, Bond, of_future);
            eddy__list_append (&bonds_bucket (bond->future)->futures, link);
        }
    }
    if (former != bond_first_buckets)
        eddy__free (former);
}

/* One bond more. */
static void bonds_reserve (void)
{
    if (bonds.buckets == NULL)
        bonds_use_buckets (bond_first_buckets, BOND_BUCKETS);
    if (bonds.n_bonds++ >= bonds.n_buckets)
        bonds_grow ();
}

static void bonds_remove (Bond *bond)
{
    eddy__list_remove (&bond->of_object);
    eddy__list_remove (&bond->of_future);
    if (--bonds.n_bonds > 0)
        return;
    if (bonds.buckets != bond_first_buckets)
        eddy__free (bonds.buckets);
    bonds.buckets = NULL;
}

/* The next bond of an object, or a future, after `link` in its bucket's list; NULL: no more. */
static Bond *bonds_next_of_object (const EddyList *list, EddyList **link, const void *object)
{
    while (*link != list) {
        Bond *bond = EDDY__CONTAINER (*link, Bond, of_object);
        *link = (*link)->next;
        if (bond->object == object)
            return bond;
    }
    return NULL;
}

static Bond *bonds_next_of_future (const EddyList *list, EddyList **link, const EddyFuture *future)
{
    while (*link != list) {
        Bond *bond = EDDY__CONTAINER (*link, Bond, of_future);
        *link = (*link)->next;
        if (bond->future == future)
            return bond;
    }
    return NULL;
}

static bool bonds_have (const void *object, const EddyFuture *future)
{
    if (bonds.buckets == NULL)
        return false;
    const EddyList *list = &bonds_bucket (future)->futures;
    EddyList *link = list->next;
    for (Bond *bond; (bond = bonds_next_of_future (list, &link, future)) != NULL;)
        if (bond->object == object)
            return true;
    return false;
}

/* --- the object goes first -------------------------------------------------------------------- */

static void bond_free (Bond *bond)
{
    eddy__list_remove (&bond->doomed);
    eddy_object_release (bond->object);
    eddy_object_release (bond->future);
    eddy__block_free (bond, sizeof *bond);
}

static void bond_cancel_arrived (EddyEntry *entry)
{
    Bond *bond = EDDY__CONTAINER (entry, Bond, cancel);
    bond->cancel_arrived = true;
    if (bond->ended)
        bond_free (bond);
    else
        eddy_future_cancel (bond->future);
}

/* The last reference of a bound object has gone. Its futures are still pending, and so keep their
 * contexts, while their bonds are in the table. */
static void bonds_object_gone (void *object)
{
    EddyList here;
    eddy__list_init (&here);
    pthread_mutex_lock (&bonds.mutex);
    const EddyList *list = bonds.buckets == NULL ? NULL : &bonds_bucket (object)->objects;
    EddyList *link = list == NULL ? NULL : list->next;
    for (Bond *bond; list != NULL && (bond = bonds_next_of_object (list, &link, object)) != NULL;) {
        eddy__list_remove (&bond->of_object);
        bond->gone = true;
        if (eddy__context_is_home (bond->context))
            eddy__list_append (&here, &bond->doomed);
        else
            bond->cancel_posted = eddy__context_post (bond->context, &bond->cancel);
    }
    pthread_mutex_unlock (&bonds.mutex);
    /* Without the lock, since a cancel calls the program. What it runs may end bonds, these too. */
    while ((link = eddy__list_pop (&here)) != NULL) {
        EddyFuture *future = EDDY__CONTAINER (link, Bond, doomed)->future;
        eddy_object_hold (future);
        eddy_future_cancel (future);
        eddy_object_release (future);
    }
}

/* --- the future is done ----------------------------------------------------------------------- */

void eddy__future_settle (EddyFuture *future)
{
    bool source_gone = false;
    pthread_mutex_lock (&bonds.mutex);
    const EddyList *list = &bonds_bucket (future)->futures;
    EddyList *link = list->next;
    for (Bond *bond; (bond = bonds_next_of_future (list, &link, future)) != NULL;) {
        if (bond->to_source && (bond->gone || !eddy__object_try_ref (bond->object)))
            source_gone = true;
        bool last = bonds.n_bonds == 1;
        bonds_remove (bond);
        if (last)
            break;
    }
    pthread_mutex_unlock (&bonds.mutex);
    if (!source_gone)
        return;
    __atomic_store_n (&future->source_object, NULL, __ATOMIC_RELAXED);
    eddy_value_clear (&future->value);
    eddy_clear (&future->error);
    future->error = eddy_error_new (EDDY_IO_ERROR, EDDY_IO_ERROR_CANCELLED,
                                    "the object that the operation was bound to is gone");
}

/* The callback has run: what the object kept for the operation may go. */
static void bond_end (EddyEntry *entry)
{
    Bond *bond = EDDY__CONTAINER (entry, Bond, end);
    bond->ended = true;
    if (!bond->cancel_posted || bond->cancel_arrived)
        bond_free (bond);
}

/* Queued before the callback, it queues itself behind. */
static void bond_end_soon (EddyEntry *entry)
{
    Bond *bond = EDDY__CONTAINER (entry, Bond, end);
    entry->run = bond_end;
    eddy__context_queue (bond->context, entry);
}

static void bond_completed (EddyWatcher *watcher)
{
    Bond *bond = EDDY__CONTAINER (watcher, Bond, watcher);
    bond->end.priority = bond->future->entry.priority;
    eddy__context_queue (bond->context, &bond->end);
}

/* --- binding ---------------------------------------------------------------------------------- */

static Bond *bond_new (void *object, EddyFuture *future)
{
    Bond *bond = eddy__block_alloc (sizeof *bond);
    if (bond == NULL)
        return NULL;
    *bond = (Bond){
        .object = object,
        .future = future,
        .context = future->context,
        .watcher = { .completed = bond_completed },
        .cancel = { .run = bond_cancel_arrived, .priority = EDDY__PRIORITY_NOW },
        .end = { .run = bond_end_soon },
        .to_source = future->source_object == object,
    };
    eddy__list_init (&bond->of_object);
    eddy__list_init (&bond->of_future);
    eddy__list_init (&bond->doomed);
    return bond;
}

/* Enters a bond unless the future is being completed; it need not be done before. */
static bool bond_enter (Bond *bond, bool *is_new)
{
    EddyFuture *future = bond->future;
    pthread_mutex_lock (&bonds.mutex);
    *is_new = !bonds_have (bond->object, future);
    uint8_t state = EDDY_FUTURE_PENDING;
    bool bound =
        __atomic_compare_exchange_n (&future->state, &state, EDDY_FUTURE_BOUND,
                                     /* weak= */ false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE) ||
        state == EDDY_FUTURE_BOUND;
    if (bound && *is_new) {
        __atomic_store_n (&eddy__object_bound_gone, bonds_object_gone, __ATOMIC_RELAXED);
        eddy__object_set_bound (bond->object);
        eddy_object_hold (bond->object);
        eddy_object_hold (future);
        bonds_reserve ();
        bonds_add (bond);
    }
    pthread_mutex_unlock (&bonds.mutex);
    return bound;
}

bool eddy_object_bind (void *object, EddyFuture *future)
{
    EDDY__EXPECT (object != NULL && future != NULL, false);
    EDDY__EXPECT (eddy__future_is_done (future) || eddy__context_is_home (future->context), false);
    if (eddy__future_is_done (future))
        return false;
    Bond *bond = bond_new (object, future);
    if (bond == NULL)
        return false;
    if (!eddy__future_watch (future, &bond->watcher)) {
        eddy__block_free (bond, sizeof *bond);
        return false;
    }
    bool is_new = false;
    bool to_source = bond->to_source;
    bool bound = bond_enter (bond, &is_new);
    if (!bound || !is_new) {
        eddy__future_unwatch (future, &bond->watcher);
        eddy__block_free (bond, sizeof *bond);
    } else if (to_source) {
        eddy_unref (object);
    }
    return bound;
}

void *eddy__future_ref_source_object (EddyFuture *future)
{
    void *object = __atomic_load_n (&future->source_object, __ATOMIC_RELAXED);
    if (object == NULL || __atomic_load_n (&future->state, __ATOMIC_ACQUIRE) != EDDY_FUTURE_BOUND)
        return eddy_ref (object);
    return eddy__object_try_ref (object) ? object : NULL;
}
