/* SPDX-License-Identifier: MIT */
/* The handlers of a cancellable. No lock is held while one runs, so it may call anything. */
#include <errno.h>
#include <stddef.h>

#include "base/alloc-private.h"
#include "base/compiler-private.h"
#include "base/object-private.h"
#include "loop/alarm-private.h"
#include "loop/cancellable-private.h"

typedef struct CancelHandler {
    EddyList member;
    uint64_t id;
    EddyCancelledFunc function;
    void *user_data;
    void (*destroy) (void *user_data);
    size_t size;
    /* Only where there is a deadline; `size` says so. */
    EddyAlarm alarm;
} CancelHandler;

/* Handlers that this thread is in: a disconnect in one never waits. */
static EDDY__THREAD unsigned cancel_handler_depth;

/* Where a disconnect waits for the end of a handler in another thread. Rare, so one for all. */
static pthread_mutex_t cancel_wait_mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t cancel_wait = PTHREAD_COND_INITIALIZER;
static unsigned cancel_waiters;

/* --- one handler ------------------------------------------------------------------------------ */

static void handler_ring (void *cancellable)
{
    eddy__cancellable_expire (cancellable);
}

/* An alarm holds no reference: it must be cleared before the handler goes, and the handler goes
 * before the cancellable does. When it rings it finds the cancellable alive, or not at all. */
static int handler_set_alarm (CancelHandler *handler, EddyCancellable *cancellable)
{
    handler->alarm.object = cancellable;
    handler->alarm.ring = handler_ring;
    EddyContext *context = eddy__context_thread_default ();
    int64_t deadline_ns = eddy__cancellable_deadline (cancellable);
    return context == NULL ? -ENOMEM : eddy__alarm_set (&handler->alarm, context, deadline_ns);
}

/* NULL when memory is out. */
static CancelHandler *handler_new (EddyCancellable *cancellable, EddyCancelledFunc function,
                                   void *user_data, void (*destroy) (void *user_data))
{
    bool has_alarm = eddy__cancellable_deadline (cancellable) != INT64_MAX;
    size_t size = has_alarm ? sizeof (CancelHandler) : offsetof (CancelHandler, alarm);
    CancelHandler *handler = eddy__block_alloc (size);
    if (handler == NULL)
        return NULL;
    eddy__list_init (&handler->member);
    handler->function = function;
    handler->user_data = user_data;
    handler->destroy = destroy;
    handler->size = size;
    if (!has_alarm)
        return handler;
    handler->alarm = (EddyAlarm){ .alarms = NULL };
    if (handler_set_alarm (handler, cancellable) == 0)
        return handler;
    eddy__block_free (handler, size);
    return NULL;
}

static void handler_free (CancelHandler *handler)
{
    if (handler->size == sizeof *handler)
        eddy__alarm_clear (&handler->alarm);
    if (handler->destroy != NULL)
        handler->destroy (handler->user_data);
    eddy__block_free (handler, handler->size);
}

/* Calls a handler that nobody else can reach any more, and lets go of it. What it destroys may
 * disconnect, too, so that counts as part of it. */
static void handler_call (CancelHandler *handler, EddyCancellable *cancellable)
{
    cancel_handler_depth++;
    handler->function (cancellable, handler->user_data);
    handler_free (handler);
    cancel_handler_depth--;
}

/* --- all of them ------------------------------------------------------------------------------ */

static CancelHandler *handlers_take (EddyCancellable *cancellable)
{
    pthread_mutex_lock (&cancellable->mutex);
    EddyList *link = eddy__list_pop (&cancellable->handlers);
    CancelHandler *handler = link == NULL ? NULL : EDDY__CONTAINER (link, CancelHandler, member);
    if (handler != NULL)
        __atomic_store_n (&cancellable->running_id, handler->id, __ATOMIC_SEQ_CST);
    pthread_mutex_unlock (&cancellable->mutex);
    return handler;
}

/* One by one: whoever connects meanwhile sees the flag, and whoever disconnects either takes a
 * handler away before its turn or finds it running. */
void eddy__cancel_handlers_run (EddyCancellable *cancellable)
{
    for (CancelHandler *handler; (handler = handlers_take (cancellable)) != NULL;) {
        handler_call (handler, cancellable);
        __atomic_store_n (&cancellable->running_id, 0, __ATOMIC_SEQ_CST);
        /* Either this sees that somebody waits, or he sees that it has ended. */
        if (__atomic_load_n (&cancel_waiters, __ATOMIC_SEQ_CST) != 0) {
            pthread_mutex_lock (&cancel_wait_mutex);
            pthread_cond_broadcast (&cancel_wait);
            pthread_mutex_unlock (&cancel_wait_mutex);
        }
    }
}

void eddy__cancel_handlers_drop (EddyCancellable *cancellable)
{
    for (EddyList *link; (link = eddy__list_pop (&cancellable->handlers)) != NULL;)
        handler_free (EDDY__CONTAINER (link, CancelHandler, member));
}

/* --- connecting ------------------------------------------------------------------------------- */

/* Adds a handler; 0: it is cancelled already. */
static uint64_t handlers_add (EddyCancellable *cancellable, CancelHandler *handler)
{
    uint64_t id = 0;
    pthread_mutex_lock (&cancellable->mutex);
    if (!eddy__cancellable_is_told (cancellable)) {
        id = ++cancellable->next_id;
        handler->id = id;
        eddy__list_append (&cancellable->handlers, &handler->member);
    }
    pthread_mutex_unlock (&cancellable->mutex);
    return id;
}

uint64_t eddy_cancellable_connect (EddyCancellable *cancellable, EddyCancelledFunc function,
                                   void *user_data, void (*destroy) (void *user_data))
{
    EDDY__EXPECT (function != NULL, 0);
    /* A deadline that has passed is noticed here. */
    (void) eddy__cancellable_is_cancelled (cancellable);
    CancelHandler *handler =
        cancellable == NULL ? NULL : handler_new (cancellable, function, user_data, destroy);
    if (handler == NULL) {
        if (destroy != NULL)
            destroy (user_data);
        return 0;
    }
    uint64_t id = handlers_add (cancellable, handler);
    if (id != 0)
        return id;
    /* The handler, or what it destroys, may drop the last reference. */
    eddy_ref (cancellable);
    handler_call (handler, cancellable);
    eddy_unref (cancellable);
    return 0;
}

/* --- disconnecting ---------------------------------------------------------------------------- */

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

static CancelHandler *handlers_find (EddyCancellable *cancellable, uint64_t id)
{
    for (EddyList *link = cancellable->handlers.next; link != &cancellable->handlers;
         link = link->next) {
        CancelHandler *handler = EDDY__CONTAINER (link, CancelHandler, member);
        if (handler->id == id)
            return handler;
    }
    return NULL;
}

void eddy_cancellable_disconnect (EddyCancellable *cancellable, uint64_t id)
{
    if (cancellable == NULL || id == 0)
        return;
    pthread_mutex_lock (&cancellable->mutex);
    CancelHandler *found = handlers_find (cancellable, id);
    if (found != NULL)
        eddy__list_remove (&found->member);
    pthread_mutex_unlock (&cancellable->mutex);
    if (found != NULL)
        handler_free (found);
    else
        disconnect_wait (cancellable, id);
}
