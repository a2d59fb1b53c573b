/* SPDX-License-Identifier: MIT */
/* EddyCancellable: a flag, its handlers, its children, its links to contexts.
 *
 * No lock is held while a handler runs, so a handler may call anything. */
#include "loop/cancellable-private.h"

#include <errno.h>

#include "base/alloc-private.h"
#include "base/compiler-private.h"
#include "base/object-private.h"

typedef struct CancelHandler {
    EddyList member;
    uint64_t id;
    EddyCancelledFunc function;
    void *user_data;
    void (*destroy) (void *user_data);
} CancelHandler;

/* Handlers that this thread is in: a disconnect in one never waits. */
static EDDY__THREAD unsigned cancel_handler_depth;

/* Where a disconnect waits for the end of a handler in another thread. Rare, so one for all. */
static pthread_mutex_t cancel_wait_mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t cancel_wait = PTHREAD_COND_INITIALIZER;
static unsigned cancel_waiters;

static void handler_free (CancelHandler *handler)
{
    if (handler->destroy != NULL)
        handler->destroy (handler->user_data);
    eddy__block_free (handler, sizeof *handler);
}

static void link_run (EddyEntry *entry);

static void link_init (EddyCancelLink *link, EddyCancellable *cancellable, EddyPort *port)
{
    link->entry = (EddyEntry){ .run = link_run, .priority = EDDY__PRIORITY_NOW };
    link->cancellable = cancellable;
    link->port = port == NULL ? NULL : eddy__port_ref (port, 1);
    eddy__list_init (&link->watches);
}

/* Follows the parent: from now on, or at once when it is cancelled already. */
static void cancellable_adopt (EddyCancellable *cancellable, EddyCancellable *parent)
{
    pthread_mutex_lock (&parent->mutex);
    bool late = parent->cancelled != 0;
    if (!late) {
        cancellable->parent = eddy_ref (parent);
        eddy__list_append (&parent->children, &cancellable->sibling);
    }
    pthread_mutex_unlock (&parent->mutex);
    if (late) {
        cancellable->cause = eddy_ref (parent->cause);
        cancellable->cancelled = 1;
    }
}

static void cancellable_init (EddyCancellable *cancellable, EddyCancellable *parent)
{
    pthread_mutex_init (&cancellable->mutex, NULL);
    eddy__list_init (&cancellable->sibling);
    eddy__list_init (&cancellable->children);
    eddy__list_init (&cancellable->handlers);
    link_init (&cancellable->first_link, cancellable, NULL);
    if (parent == NULL)
        return;
    eddy__object_init_sought (cancellable);
    cancellable_adopt (cancellable, parent);
}

/* The last reference has gone, so no child is left, and nobody watches. */
static void cancellable_dispose (void *object)
{
    EddyCancellable *cancellable = object;
    EddyCancellable *parent = cancellable->parent;
    if (parent != NULL) {
        pthread_mutex_lock (&parent->mutex);
        eddy__list_remove (&cancellable->sibling);
        pthread_mutex_unlock (&parent->mutex);
        cancellable->parent = NULL;
        eddy_unref (parent);
    }
    for (EddyList *link; (link = eddy__list_pop (&cancellable->handlers)) != NULL;)
        handler_free (EDDY__CONTAINER (link, CancelHandler, member));
    for (EddyCancelLink *link = cancellable->links; link != NULL;) {
        EddyCancelLink *next = link->next;
        eddy__port_unref (link->port, 1);
        if (link != &cancellable->first_link)
            eddy__block_free (link, sizeof *link);
        link = next;
    }
    cancellable->links = NULL;
    eddy_clear (&cancellable->cause);
    pthread_mutex_destroy (&cancellable->mutex);
}

static const EddyClass cancellable_class = { .name = "EddyCancellable",
                                             .size = sizeof (EddyCancellable),
                                             .dispose = cancellable_dispose };

EddyCancellable *eddy_cancellable_new (void)
{
    return eddy_cancellable_new_child (NULL);
}

EddyCancellable *eddy_cancellable_new_child (EddyCancellable *parent)
{
    EddyCancellable *cancellable = eddy_object_new (&cancellable_class);
    if (cancellable != NULL)
        cancellable_init (cancellable, parent);
    return cancellable;
}

bool eddy_cancellable_is_cancelled (EddyCancellable *cancellable)
{
    return eddy__cancellable_is_cancelled (cancellable);
}

/* --- cancel ----------------------------------------------------------------------------------- */

/* Calls the handlers one by one; whoever connects meanwhile sees the flag. */
static void cancel_run_handlers (EddyCancellable *cancellable)
{
    for (;;) {
        pthread_mutex_lock (&cancellable->mutex);
        EddyList *link = eddy__list_pop (&cancellable->handlers);
        CancelHandler *handler =
            link == NULL ? NULL : EDDY__CONTAINER (link, CancelHandler, member);
        if (handler != NULL)
            __atomic_store_n (&cancellable->running_id, handler->id, __ATOMIC_SEQ_CST);
        pthread_mutex_unlock (&cancellable->mutex);
        if (handler == NULL)
            return;
        cancel_handler_depth++;
        handler->function (cancellable, handler->user_data);
        cancel_handler_depth--;
        __atomic_store_n (&cancellable->running_id, 0, __ATOMIC_SEQ_CST);
        if (__atomic_load_n (&cancel_waiters, __ATOMIC_SEQ_CST) != 0) {
            pthread_mutex_lock (&cancel_wait_mutex);
            pthread_cond_broadcast (&cancel_wait);
            pthread_mutex_unlock (&cancel_wait_mutex);
        }
        handler_free (handler);
    }
}

/* A child whose last reference has just gone is still in the list until it has cleared itself. */
static void cancel_children (EddyCancellable *cancellable)
{
    for (;;) {
        EddyCancellable *child = NULL;
        pthread_mutex_lock (&cancellable->mutex);
        for (EddyList *link; (link = eddy__list_pop (&cancellable->children)) != NULL;) {
            child = EDDY__CONTAINER (link, EddyCancellable, sibling);
            if (eddy__object_try_ref (child))
                break;
            child = NULL;
        }
        pthread_mutex_unlock (&cancellable->mutex);
        if (child == NULL)
            return;
        eddy_cancellable_cancel_with_cause (child, eddy_ref (cancellable->cause));
        eddy_unref (child);
    }
}

static void cancel_post_links (EddyCancellable *cancellable)
{
    pthread_mutex_lock (&cancellable->mutex);
    for (EddyCancelLink *link = cancellable->links; link != NULL; link = link->next) {
        eddy_ref (cancellable);
        if (!eddy__port_post (link->port, &link->entry))
            eddy_unref (cancellable);
    }
    pthread_mutex_unlock (&cancellable->mutex);
}

/* A link has arrived in its context: everything that watches is told. */
static void link_run (EddyEntry *entry)
{
    EddyCancelLink *link = EDDY__CONTAINER (entry, EddyCancelLink, entry);
    for (EddyList *member; (member = eddy__list_pop (&link->watches)) != NULL;) {
        EddyCancelWatch *watch = EDDY__CONTAINER (member, EddyCancelWatch, member);
        watch->cancelled (watch);
    }
    eddy_unref (link->cancellable);
}

void eddy_cancellable_cancel (EddyCancellable *cancellable)
{
    eddy_cancellable_cancel_with_cause (cancellable, NULL);
}

void eddy_cancellable_cancel_with_cause (EddyCancellable *cancellable, EddyError *cause)
{
    bool first = false;
    if (cancellable != NULL) {
        pthread_mutex_lock (&cancellable->mutex);
        first = cancellable->cancelled == 0;
        if (first) {
            cancellable->cause = cause;
            __atomic_store_n (&cancellable->cancelled, 1, __ATOMIC_SEQ_CST);
        }
        pthread_mutex_unlock (&cancellable->mutex);
    }
    if (!first) {
        eddy_unref (cause);
        return;
    }
    /* A handler may drop the last reference. */
    eddy_ref (cancellable);
    cancel_run_handlers (cancellable);
    cancel_children (cancellable);
    cancel_post_links (cancellable);
    eddy_unref (cancellable);
}

EddyError *eddy__cancellable_make_error (EddyCancellable *cancellable)
{
    if (eddy__cancellable_is_cancelled (cancellable) && cancellable->cause != NULL)
        return eddy_ref (cancellable->cause);
    return eddy_error_new (EDDY_IO_ERROR, EDDY_IO_ERROR_CANCELLED, "operation was cancelled");
}

bool eddy_cancellable_set_error_if_cancelled (EddyCancellable *cancellable, EddyError **error)
{
    if (!eddy__cancellable_is_cancelled (cancellable))
        return false;
    if (error != NULL)
        *error = eddy__cancellable_make_error (cancellable);
    return true;
}

/* --- watching --------------------------------------------------------------------------------- */

/* The link to a context, made at first use; NULL when memory is out. */
static EddyCancelLink *cancellable_get_link (EddyCancellable *cancellable, EddyPort *port)
{
    EddyCancelLink *link = __atomic_load_n (&cancellable->links, __ATOMIC_ACQUIRE);
    while (link != NULL && link->port != port)
        link = link->next;
    if (link != NULL)
        return link;
    pthread_mutex_lock (&cancellable->mutex);
    link = cancellable->first_link.port == NULL ? &cancellable->first_link
                                                : eddy__block_alloc (sizeof *link);
    if (link != NULL) {
        link_init (link, cancellable, port);
        link->next = cancellable->links;
        __atomic_store_n (&cancellable->links, link, __ATOMIC_RELEASE);
    }
    pthread_mutex_unlock (&cancellable->mutex);
    return link;
}

int eddy__cancellable_watch (EddyCancellable *cancellable, EddyContext *context,
                             EddyCancelWatch *watch)
{
    eddy__list_init (&watch->member);
    if (eddy__cancellable_is_cancelled (cancellable))
        return -ECANCELED;
    EddyCancelLink *link = cancellable_get_link (cancellable, context->port);
    if (link == NULL)
        return -ENOMEM;
    eddy__list_append (&link->watches, &watch->member);
    /* Cancel sets the flag before it posts links, so either it is seen here, or the link's entry
     * comes to this thread after this. */
    if (__atomic_load_n (&cancellable->cancelled, __ATOMIC_SEQ_CST) == 0)
        return 0;
    eddy__cancellable_unwatch (watch);
    return -ECANCELED;
}

/* --- handlers --------------------------------------------------------------------------------- */

uint64_t eddy_cancellable_connect (EddyCancellable *cancellable, EddyCancelledFunc function,
                                   void *user_data, void (*destroy) (void *user_data))
{
    EDDY__EXPECT (function != NULL, 0);
    CancelHandler *handler = cancellable == NULL ? NULL : eddy__block_alloc (sizeof *handler);
    uint64_t id = 0;
    bool cancelled = false;
    if (handler != NULL) {
        pthread_mutex_lock (&cancellable->mutex);
        cancelled = cancellable->cancelled != 0;
        if (!cancelled) {
            id = ++cancellable->next_id;
            *handler = (CancelHandler){ { NULL, NULL }, id, function, user_data, destroy };
            eddy__list_append (&cancellable->handlers, &handler->member);
        }
        pthread_mutex_unlock (&cancellable->mutex);
    }
    if (cancelled) {
        eddy__block_free (handler, sizeof *handler);
        function (cancellable, user_data);
    }
    if (id == 0 && destroy != NULL)
        destroy (user_data);
    return id;
}

/* Waits until a handler that runs in another thread has returned. */
static void disconnect_wait (EddyCancellable *cancellable, uint64_t id)
{
    if (cancel_handler_depth > 0)
        return;
    pthread_mutex_lock (&cancel_wait_mutex);
    __atomic_add_fetch (&cancel_waiters, 1, __ATOMIC_SEQ_CST);
    while (__atomic_load_n (&cancellable->running_id, __ATOMIC_SEQ_CST) == id)
        pthread_cond_wait (&cancel_wait, &cancel_wait_mutex);
    __atomic_sub_fetch (&cancel_waiters, 1, __ATOMIC_SEQ_CST);
    pthread_mutex_unlock (&cancel_wait_mutex);
}

void eddy_cancellable_disconnect (EddyCancellable *cancellable, uint64_t id)
{
    if (cancellable == NULL || id == 0)
        return;
    CancelHandler *found = NULL;
    pthread_mutex_lock (&cancellable->mutex);
    for (EddyList *link = cancellable->handlers.next; link != &cancellable->handlers;
         link = link->next) {
        CancelHandler *handler = EDDY__CONTAINER (link, CancelHandler, member);
        if (handler->id == id) {
            found = handler;
            eddy__list_remove (link);
            break;
        }
    }
    pthread_mutex_unlock (&cancellable->mutex);
    if (found != NULL)
        handler_free (found);
    else
        disconnect_wait (cancellable, id);
}
