/* SPDX-License-Identifier: MIT */
/* The links of a cancellable: how a cancel, or a deadline, comes to the operations of a context. */
#include <errno.h>

#include "base/alloc-private.h"
#include "base/compiler-private.h"
#include "loop/cancellable-private.h"

static void link_run (EddyEntry *entry);

static void link_init (EddyCancelLink *link, EddyCancellable *cancellable, EddyPort *port)
{
    link->entry = (EddyEntry){ .run = link_run, .priority = EDDY__PRIORITY_NOW };
    link->cancellable = cancellable;
    link->port = port == NULL ? NULL : eddy__port_ref (port, 1);
    link->timer = NULL;
    eddy__list_init (&link->watches);
}

void eddy__cancel_links_init (EddyCancellable *cancellable)
{
    link_init (&cancellable->first_link, cancellable, NULL);
}

void eddy__cancel_links_drop (EddyCancellable *cancellable)
{
    for (EddyCancelLink *link = cancellable->links; link != NULL;) {
        EddyCancelLink *next = link->next;
        eddy__port_unref (link->port, 1);
        if (link->timer != NULL)
            eddy__block_free (link->timer, sizeof *link->timer);
        if (link != &cancellable->first_link)
            eddy__block_free (link, sizeof *link);
        link = next;
    }
    cancellable->links = NULL;
}

void eddy__cancel_links_post (EddyCancellable *cancellable)
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
    if (link->timer != NULL)
        eddy__cancel_link_disarm (link);
    for (EddyList *member; (member = eddy__list_pop (&link->watches)) != NULL;) {
        EddyCancelWatch *watch = EDDY__CONTAINER (member, EddyCancelWatch, member);
        watch->cancelled (watch);
    }
    eddy_unref (link->cancellable);
}

/* --- deadlines -------------------------------------------------------------------------------- */

/* The deadline has come while somebody watches. He is told as if somebody else had cancelled it: by
 * the link, which goes the same way as ever. */
static void link_timer_fire (EddyTimer *timer)
{
    EddyCancellable *cancellable =
        EDDY__CONTAINER (timer, EddyCancelTimer, timer)->link->cancellable;
    if (eddy__cancellable_is_told (cancellable))
        return;
    eddy_ref (cancellable);
    eddy__cancellable_expire (cancellable);
    eddy_unref (cancellable);
}

static int link_arm (EddyCancelLink *link)
{
    EddyCancelTimer *timer = link->timer;
    if (eddy__timer_is_armed (&timer->timer))
        return 0;
    return eddy__timer_add (&timer->context->timers, &timer->timer,
                            eddy__cancellable_deadline (link->cancellable));
}

void eddy__cancel_link_disarm (EddyCancelLink *link)
{
    eddy__timer_remove (&link->timer->context->timers, &link->timer->timer);
}

/* Gives a link what keeps its deadline, if it has one; whether there was memory. */
static bool link_make_timer (EddyCancelLink *link, EddyContext *context)
{
    if (eddy__cancellable_deadline (link->cancellable) == INT64_MAX)
        return true;
    link->timer = eddy__block_alloc (sizeof *link->timer);
    if (link->timer == NULL)
        return false;
    *link->timer = (EddyCancelTimer){ { link_timer_fire, 0 }, link, context };
    return true;
}

/* --- watching --------------------------------------------------------------------------------- */

/* Under the lock; NULL when memory is out. */
static EddyCancelLink *link_new (EddyCancellable *cancellable, EddyContext *context)
{
    EddyCancelLink *first = &cancellable->first_link;
    EddyCancelLink *link = first->port == NULL ? first : eddy__block_alloc (sizeof *link);
    if (link == NULL)
        return NULL;
    link_init (link, cancellable, context->port);
    if (link_make_timer (link, context)) {
        link->next = cancellable->links;
        __atomic_store_n (&cancellable->links, link, __ATOMIC_RELEASE);
        return link;
    }
    eddy__port_unref (link->port, 1);
    link->port = NULL;
    if (link != first)
        eddy__block_free (link, sizeof *link);
    return NULL;
}

/* The link to a context, made at first use; NULL when memory is out. */
static EddyCancelLink *cancellable_get_link (EddyCancellable *cancellable, EddyContext *context)
{
    EddyCancelLink *link = __atomic_load_n (&cancellable->links, __ATOMIC_ACQUIRE);
    while (link != NULL && link->port != context->port)
        link = link->next;
    if (link != NULL)
        return link;
    pthread_mutex_lock (&cancellable->mutex);
    link = link_new (cancellable, context);
    pthread_mutex_unlock (&cancellable->mutex);
    return link;
}

int eddy__cancellable_follow (EddyCancellable *cancellable, EddyContext *context,
                              EddyCancelWatch *watch)
{
    eddy__list_init (&watch->member);
    if (eddy__cancellable_is_told (cancellable))
        return -ECANCELED;
    EddyCancelLink *link = cancellable_get_link (cancellable, context);
    if (link == NULL || (link->timer != NULL && link_arm (link) < 0))
        return -ENOMEM;
    eddy__list_append (&link->watches, &watch->member);
    /* Cancel sets the flag before it posts links, so either it is seen here, or the link's entry
     * comes to this thread after this. */
    if (!eddy__cancellable_is_told (cancellable))
        return 0;
    eddy__cancellable_unwatch (watch);
    return -ECANCELED;
}

int eddy__cancellable_watch (EddyCancellable *cancellable, EddyContext *context,
                             EddyCancelWatch *watch)
{
    if (!eddy__cancellable_is_cancelled (cancellable))
        return eddy__cancellable_follow (cancellable, context, watch);
    eddy__list_init (&watch->member);
    return -ECANCELED;
}
