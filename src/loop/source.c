/* SPDX-License-Identifier: MIT */
/* EddySource: idle, timeout and signal sources.
 *
 * A source is touched by its context's thread alone; attach and destroy from other threads travel
 * through the inbox. The context holds one reference while the source is active, the ready queue
 * one while it is queued. */
#include "loop/source-private.h"

#include "base/compiler-private.h"
#include "base/object-private.h"

static void source_run (EddyEntry *entry);
static void source_fire (EddyTimer *timer);

static void source_drop_callback (EddySource *source)
{
    void (*destroy) (void *) = source->destroy;
    source->function = NULL;
    source->destroy = NULL;
    if (destroy != NULL)
        destroy (source->user_data);
}

static void source_finalize (void *object)
{
    source_drop_callback (object);
}

static const EddyClass source_class = { .name = "EddySource",
                                        .size = sizeof (EddySource),
                                        .finalize = source_finalize };

static EddySource *source_new (EddySourceKind kind, int priority)
{
    EddySource *source = eddy_object_new (&source_class);
    if (source == NULL)
        return NULL;
    source->kind = (uint8_t) kind;
    source->entry.run = source_run;
    source->entry.priority = priority;
    source->timer.fire = source_fire;
    eddy__list_init (&source->member);
    eddy__list_init (&source->signal_member);
    return source;
}

EddySource *eddy_idle_source_new (void)
{
    return source_new (EDDY_SOURCE_IDLE, EDDY_PRIORITY_DEFAULT_IDLE);
}

EddySource *eddy_timeout_source_new (int64_t interval_ns)
{
    EDDY__EXPECT (interval_ns >= 0, NULL);
    EddySource *source = source_new (EDDY_SOURCE_TIMEOUT, EDDY_PRIORITY_DEFAULT);
    if (source != NULL)
        source->interval_ns = interval_ns;
    return source;
}

EddySource *eddy_signal_source_new (int signal_number)
{
    EddySource *source = source_new (EDDY_SOURCE_SIGNAL, EDDY_PRIORITY_DEFAULT);
    if (source != NULL)
        source->signal_number = signal_number;
    return source;
}

void eddy_source_set_callback (EddySource *source, EddySourceFunc function, void *user_data,
                               void (*destroy) (void *user_data))
{
    EDDY__EXPECT (source != NULL && !source->attached);
    source_drop_callback (source);
    source->function = function;
    source->user_data = user_data;
    source->destroy = destroy;
}

void eddy_source_set_priority (EddySource *source, int priority)
{
    EDDY__EXPECT (source != NULL && !source->attached);
    source->entry.priority = priority;
}

void eddy__source_make_ready (EddySource *source)
{
    if (source->queued || source->running)
        return;
    source->queued = true;
    eddy_ref (source);
    eddy__context_queue (source->context, &source->entry);
}

static void source_fire (EddyTimer *timer)
{
    eddy__source_make_ready (EDDY__CONTAINER (timer, EddySource, timer));
}

static bool source_is_destroyed (const EddySource *source)
{
    return __atomic_load_n (&source->destroyed, __ATOMIC_ACQUIRE) != 0;
}

/* Waits for what makes it ready, from now or from the pass that dispatched it. */
static void source_arm (EddySource *source, int64_t now_ns)
{
    int64_t deadline;
    if (source->kind == EDDY_SOURCE_IDLE) {
        eddy__source_make_ready (source);
    } else if (source->kind == EDDY_SOURCE_TIMEOUT) {
        if (__builtin_add_overflow (now_ns, source->interval_ns, &deadline))
            deadline = INT64_MAX - 1;
        if (eddy__timer_add (&source->context->timers, &source->timer, deadline) < 0)
            eddy__source_make_ready (source); /* early is better than never */
    }
}

/* The context lets go. Owner only. */
static void source_deactivate (EddySource *source)
{
    if (!source->active)
        return;
    source->active = false;
    eddy__list_remove (&source->member);
    eddy__timer_remove (&source->context->timers, &source->timer);
    if (source->kind == EDDY_SOURCE_SIGNAL)
        eddy__signal_unwatch (source);
    if (!source->running)
        source_drop_callback (source);
    if (source->queued) {
        source->queued = false;
        eddy__ready_remove (&source->context->ready, &source->entry);
        eddy_unref (source);
    }
    eddy_unref (source);
}

static void source_run (EddyEntry *entry)
{
    EddySource *source = EDDY__CONTAINER (entry, EddySource, entry);
    source->queued = false;
    if (source->active && !source_is_destroyed (source)) {
        int64_t now_ns = source->context->now_ns;
        source->running = true;
        bool keep = source->function != NULL && source->function (source->user_data);
        source->running = false;
        if (!keep)
            eddy_source_destroy (source);
        if (source->active && !source_is_destroyed (source))
            source_arm (source, now_ns);
        else if (!source->active)
            source_drop_callback (source);
    }
    eddy_unref (source);
}

static void source_activate (EddySource *source)
{
    EddyContext *context = source->context;
    if (source_is_destroyed (source))
        return;
    source->active = true;
    eddy_ref (source);
    eddy__list_append (&context->sources, &source->member);
    if (source->kind == EDDY_SOURCE_SIGNAL)
        eddy__list_append (&context->signals, &source->signal_member);
    source_arm (source, eddy__context_read_clock (context));
}

static void source_control_attach (EddyEntry *entry)
{
    EddySource *source = EDDY__CONTAINER (entry, EddySource, attach_entry);
    source_activate (source);
    eddy_unref (source);
}

/* The flag is set; the context's thread lets go of the rest. */
static void source_control_destroy (EddyEntry *entry)
{
    EddySource *source = EDDY__CONTAINER (entry, EddySource, destroy_entry);
    source_deactivate (source);
    eddy_unref (source);
}

static void source_post (EddySource *source, EddyEntry *entry, void (*run) (EddyEntry *entry))
{
    *entry = (EddyEntry){ .run = run, .priority = EDDY__PRIORITY_NOW };
    eddy_ref (source);
    if (!eddy__context_post (source->context, entry))
        eddy_unref (source);
}

bool eddy_source_attach (EddySource *source, EddyContext *context)
{
    EDDY__EXPECT (source != NULL, false);
    EDDY__EXPECT (__atomic_exchange_n (&source->attached, 1, __ATOMIC_ACQ_REL) == 0, false);
    if (source_is_destroyed (source))
        return false;
    EddyContext *given = context == NULL ? eddy_context_ref_thread_default () : eddy_ref (context);
    source->context = given;
    bool attached = source->kind != EDDY_SOURCE_SIGNAL || eddy__signal_watch (source) == 0;
    if (!attached)
        __atomic_store_n (&source->destroyed, 1, __ATOMIC_RELEASE);
    else if (eddy__context_is_owned (given))
        source_activate (source);
    else
        source_post (source, &source->attach_entry, source_control_attach);
    eddy_unref (given);
    return attached;
}

void eddy_source_destroy (EddySource *source)
{
    EDDY__EXPECT (source != NULL);
    if (__atomic_exchange_n (&source->destroyed, 1, __ATOMIC_ACQ_REL) != 0)
        return;
    if (!__atomic_load_n (&source->attached, __ATOMIC_ACQUIRE))
        return;
    if (eddy__context_is_owned (source->context))
        source_deactivate (source);
    else
        source_post (source, &source->destroy_entry, source_control_destroy);
}

bool eddy_source_is_destroyed (EddySource *source)
{
    return source == NULL || source_is_destroyed (source);
}

void eddy__sources_destroy_all (EddyContext *context)
{
    for (EddyList *link; (link = eddy__list_pop (&context->sources)) != NULL;) {
        EddySource *source = EDDY__CONTAINER (link, EddySource, member);
        __atomic_store_n (&source->destroyed, 1, __ATOMIC_RELEASE);
        source_deactivate (source);
    }
}
