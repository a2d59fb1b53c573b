/* SPDX-License-Identifier: MIT */
/* EddySource: the object, its callback, attach and destroy.
 *
 * The context holds one reference to a source from its attach on, until the source is destroyed,
 * its entry has left the ready queue, and none of its dispatches is under way. */
#include "loop/source-private.h"

#include <string.h>

#include "base/alloc-private.h"
#include "base/compiler-private.h"
#include "base/object-private.h"

/* Destroyed sources in the ready queue are looked for from so many on. */
enum { STALE_LEAST = 256 };

/* Of the processor's cache. */
enum { LINE = 64 };

/* Sets bits of the state and returns what it was. */
static uint32_t source_state_set (EddySource *source, uint32_t bits)
{
    return __atomic_fetch_or (&source->state, bits, __ATOMIC_ACQ_REL);
}

static void source_finalize (void *object)
{
    EddySource *source = object;
    if (source->kind->finalize != NULL)
        source->kind->finalize (source);
    eddy__source_callback_drop (&source->callback);
    EddyList orphans;
    eddy__list_init (&orphans);
    eddy__source_orphan_children (source, &orphans);
    eddy__source_destroy_orphans (&orphans);
    eddy__source_free_fds (source);
    if (source->name_is_ours)
        eddy__free ((void *) (uintptr_t) source->name);
    if (source->table != NULL)
        eddy__source_table_unref (source->table);
}

static void source_finalize_with_data (void *object)
{
    EddySource *source = object;
    source_finalize (source);
    eddy__free (source->memory);
}

static const EddyClass source_class = { .name = "EddySource",
                                        .size = sizeof (EddySource),
                                        .finalize = source_finalize };
/* Its memory is longer, so it frees that itself. */
static const EddyClass source_with_data_class = { .name = "EddySource",
                                                  .finalize = source_finalize_with_data };

static EddySource *source_alloc (size_t size)
{
    if (size == sizeof (EddySource))
        return eddy_object_new (&source_class);
    char *memory = size > SIZE_MAX - LINE ? NULL : eddy__alloc0 (size + LINE);
    if (memory == NULL)
        return NULL;
    EddySource *source = (EddySource *) (void *) (memory + LINE - (uintptr_t) memory % LINE);
    source->memory = memory;
    eddy__object_init (source, &source_with_data_class);
    return source;
}

EddySource *eddy__source_new (const EddySourceKind *kind, int priority, size_t size)
{
    EddySource *source = source_alloc (size);
    if (source == NULL)
        return NULL;
    source->kind = kind;
    source->entry.run = eddy__source_run;
    source->entry.priority = priority;
    source->timer.fire = eddy__source_fire;
    source->ready_time_ns = -1;
    eddy__list_init (&source->children);
    eddy__list_init (&source->member);
    eddy__list_init (&source->sibling);
    eddy__list_init (&source->fds);
    eddy__list_init (&source->hook);
    return source;
}

/* --- whose it is ------------------------------------------------------------------------------ */

/* What the owner word of a context says while a caretaker has it. */
static char source_caretaker;

void *eddy__context_caretaker = &source_caretaker;

static bool source_is_ours (const EddySource *source)
{
    return __atomic_load_n (&source->table->owner, __ATOMIC_RELAXED) == eddy__thread_self ();
}

bool eddy__context_take_care (EddySourceTable *table)
{
    void *nobody = NULL;
    pthread_mutex_lock (&table->mutex);
    if (table->context != NULL &&
        __atomic_compare_exchange_n (&table->context->owner, &nobody, eddy__context_caretaker,
                                     /* weak= */ false, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
        return true;
    pthread_mutex_unlock (&table->mutex);
    return false;
}

void eddy__context_end_care (EddySourceTable *table)
{
    __atomic_store_n (&table->context->owner, NULL, __ATOMIC_RELEASE);
    pthread_mutex_unlock (&table->mutex);
    /* Nobody has it, but a foreign loop may wait for its fd. */
    if (__atomic_load_n (&table->port->sleeping, __ATOMIC_SEQ_CST) != 0)
        eddy__port_wake (table->port);
}

EddySourceAccess eddy__source_begin_change (EddySource *source, const char *function)
{
    uint32_t state = __atomic_load_n (&source->state, __ATOMIC_ACQUIRE);
    if ((state & EDDY__SOURCE_ATTACHED) == 0)
        return EDDY__ACCESS_FREE;
    if (source_is_ours (source))
        return EDDY__ACCESS_OWNER;
    if (eddy__context_take_care (source->table))
        return EDDY__ACCESS_CARETAKER;
    pthread_mutex_lock (&source->table->mutex);
    bool is_gone = source->table->context == NULL;
    pthread_mutex_unlock (&source->table->mutex);
    if (is_gone)
        return EDDY__ACCESS_FREE;
    eddy__misuse (function, "the context's thread to call, since the source is attached");
    return EDDY__ACCESS_NONE;
}

void eddy__source_end_change (EddySource *source, EddySourceAccess access)
{
    if (access == EDDY__ACCESS_CARETAKER)
        eddy__context_end_care (source->table);
}

/* --- the callback ----------------------------------------------------------------------------- */

/* Exchanges the callback: under the table's lock once there is one, since finds read the data and
 * destroys from other threads take the callback out. */
static EddySourceCallback source_exchange_callback (EddySource *source, EddySourceCallback callback,
                                                    EddySourceAccess access)
{
    EddySourceTable *table = access == EDDY__ACCESS_OWNER ? source->table : NULL;
    if (table != NULL)
        pthread_mutex_lock (&table->mutex);
    EddySourceCallback former = source->callback;
    source->callback = callback;
    if (table != NULL)
        pthread_mutex_unlock (&table->mutex);
    return former;
}

void eddy__source_drop_callback (EddySource *source)
{
    EddySourceCallback former =
        source_exchange_callback (source, (EddySourceCallback){ NULL, NULL, NULL },
                                  source->table != NULL ? EDDY__ACCESS_OWNER : EDDY__ACCESS_FREE);
    eddy__source_callback_drop (&former);
}

void eddy_source_set_callback (EddySource *source, EddySourceFunc function, void *user_data,
                               void (*destroy) (void *user_data))
{
    EDDY__EXPECT (source != NULL);
    EddySourceAccess access = eddy__source_begin_change (source, __func__);
    if (access == EDDY__ACCESS_NONE)
        return;
    EddySourceCallback former = source_exchange_callback (
        source, (EddySourceCallback){ function, user_data, destroy }, access);
    EddySourceFrame *frame = source->callback_frame;
    source->callback_frame = NULL;
    if (frame != NULL)
        frame->retired = former;
    eddy__source_end_change (source, access);
    if (frame == NULL)
        eddy__source_callback_drop (&former);
}

static bool source_dummy (void *user_data)
{
    (void) user_data;
    return EDDY_SOURCE_CONTINUE;
}

void eddy_source_set_dummy_callback (EddySource *source)
{
    EDDY__EXPECT (source != NULL);
    EddySourceFunc dummy = source->kind->dummy;
    eddy_source_set_callback (source, dummy != NULL ? dummy : source_dummy, NULL, NULL);
}

/* --- being taken in and let go of ------------------------------------------------------------- */

/* What a change leaves to be done when the caller may call programs' functions again. */
typedef struct Rest {
    EddyList orphans;   /* children to destroy */
    EddyEntry *let_go;  /* sources whose reference of the context is to be given up */
    bool parent_let_go; /* the parent's reference to the source itself */
} Rest;

static void rest_init (Rest *rest)
{
    *rest = (Rest){ .let_go = NULL };
    eddy__list_init (&rest->orphans);
}

static void rest_end (EddySource *source, Rest *rest)
{
    eddy__source_destroy_orphans (&rest->orphans);
    for (EddyEntry *entry = rest->let_go; entry != NULL;) {
        EddyEntry *next = entry->next;
        eddy_unref (EDDY__CONTAINER (entry, EddySource, entry));
        entry = next;
    }
    if (rest->parent_let_go)
        eddy_unref (source);
}

/* Whether the context's reference is to be given up now; it is told so once. */
static bool source_is_let_go (EddySource *source)
{
    if (!source->held || source->active || source->in_queue || source->depth > 0 ||
        !eddy__source_is_destroyed (source))
        return false;
    source->held = false;
    return true;
}

void eddy__source_let_go (EddySource *source)
{
    if (source_is_let_go (source))
        eddy_unref (source);
}

/* A destroyed source leaves the ready queue: at once when its entry is near the front, else when
 * its turn comes, or with many others of its like: looking for each would take quadratic time. */
static void source_leave_queue (EddySource *source, Rest *rest)
{
    EddyContext *context = source->context;
    if (!source->in_queue)
        return;
    if (eddy__ready_remove_near (&context->ready, &source->entry)) {
        source->in_queue = false;
        context->n_queued_sources--;
        return;
    }
    if (++context->n_stale_sources < STALE_LEAST ||
        context->n_stale_sources < context->n_queued_sources / 2)
        return;
    EddyEntry *entry = eddy__ready_sweep (&context->ready, eddy__source_entry_is_stale);
    while (entry != NULL) {
        EddyEntry *next = entry->next;
        EddySource *stale = EDDY__CONTAINER (entry, EddySource, entry);
        stale->in_queue = false;
        context->n_queued_sources--;
        context->n_stale_sources--;
        if (stale != source && source_is_let_go (stale)) {
            entry->next = rest->let_go;
            rest->let_go = entry;
        }
        entry = next;
    }
}

/* Takes it out of everything of the context; its children go into `orphans`, to be destroyed. */
static void source_deactivate (EddySource *source, Rest *rest)
{
    EddyContext *context = source->context;
    source->active = false;
    eddy__source_unready (source, EDDY__READY_ANYHOW);
    eddy__list_remove (&source->member);
    eddy__timer_remove (&context->timers, &source->timer);
    eddy__hooks_remove (source);
    eddy__source_disarm_fds (source);
    source_leave_queue (source, rest);
    eddy__source_orphan_children (source, &rest->orphans);
}

static void source_activate (EddySource *source, Rest *rest, bool locked);

/* Begins an attach: whose it will be. 0 or -errno. */
static int source_claim (EddySource *source, EddyContext *context)
{
    source->context = context;
    source->table = eddy__source_table_ref (context->table);
    int answer = source->kind->attach == NULL ? 0 : source->kind->attach (source);
    source->is_watched = answer == 0;
    return answer;
}

/* Puts it into the table with the context's reference; its id, or 0: memory is out, or it was
 * destroyed meanwhile by somebody who saw that it was not attached. */
static uint64_t source_enter_table (EddySource *source, bool locked)
{
    eddy_ref (source);
    source->held = true;
    uint64_t id = eddy__source_table_add (source->table, source, locked);
    if (id != 0 && (source_state_set (source, EDDY__SOURCE_ATTACHED) & EDDY__SOURCE_DESTROYED) == 0)
        return id;
    source->held = false;
    if (id != 0)
        eddy__source_table_remove (source->table, id, locked);
    return 0;
}

/* It could not be attached: gives up what it has of the context. Without the lock. */
static void source_fail_attach (EddySource *source, bool was_entered)
{
    source_state_set (source, EDDY__SOURCE_DESTROYED);
    if (source->is_watched && source->kind->deactivate != NULL)
        source->kind->deactivate (source);
    source->is_watched = false;
    if (was_entered)
        eddy_unref (source);
}

/* Attaches a child of an active source; one that cannot be becomes an orphan. */
static void source_attach_child (EddySource *parent, EddySource *child, Rest *rest, bool locked)
{
    bool claimed = (source_state_set (child, EDDY__SOURCE_CLAIMED) & EDDY__SOURCE_DESTROYED) == 0 &&
                   source_claim (child, parent->context) == 0;
    child->entry.priority = parent->entry.priority;
    child->blocked = parent->blocked;
    if (claimed && source_enter_table (child, locked) != 0) {
        source_activate (child, rest, locked);
        return;
    }
    source_fail_attach (child, claimed);
    eddy__list_remove (&child->sibling);
    eddy__list_append (&rest->orphans, &child->sibling);
}

static void source_activate (EddySource *source, Rest *rest, bool locked)
{
    source->active = true;
    eddy__list_append (&source->context->sources, &source->member);
    if (source->kind->activate != NULL)
        source->kind->activate (source);
    if (source->kind->start != NULL)
        source->kind->start (source, eddy__context_read_clock (source->context));
    eddy__source_watch (source);
    for (EddyList *link = source->children.next; link != &source->children;) {
        EddySource *child = EDDY__CONTAINER (link, EddySource, sibling);
        link = link->next;
        source_attach_child (source, child, rest, locked);
    }
}

/* The owner's part. */
static void source_sync_as_owner (EddySource *source, Rest *rest, bool locked)
{
    if (!eddy__source_is_destroyed (source)) {
        if (source->active)
            eddy__source_apply_ready_time (source);
        else
            source_activate (source, rest, locked);
        return;
    }
    if (source->active)
        source_deactivate (source, rest);
    if (source->is_watched && source->kind->deactivate != NULL)
        source->kind->deactivate (source);
    source->is_watched = false;
    rest->parent_let_go = eddy__source_leave_parent (source);
    if (source_is_let_go (source)) {
        source->entry.next = rest->let_go;
        rest->let_go = &source->entry;
    }
}

static void source_control (EddyEntry *entry)
{
    EddySource *source = EDDY__CONTAINER (entry, EddySource, control);
    Rest rest;
    rest_init (&rest);
    /* Whoever changes something from here on posts again, before or after it is seen below. */
    __atomic_store_n (&source->control_posted, 0, __ATOMIC_SEQ_CST);
    source_sync_as_owner (source, &rest, /* locked= */ false);
    rest_end (source, &rest);
    eddy_unref (source);
}

/* Has the owner look at the source, unless he is about to anyway. */
static void source_post_control (EddySource *source)
{
    if (__atomic_exchange_n (&source->control_posted, 1, __ATOMIC_SEQ_CST) != 0)
        return;
    source->control = (EddyEntry){ .run = source_control, .priority = EDDY__PRIORITY_NOW };
    eddy_ref (source);
    /* Refused: the context is gone, and has destroyed its sources. */
    if (!eddy__port_post (source->table->port, &source->control))
        eddy_unref (source);
}

void eddy__source_sync (EddySource *source)
{
    EddySourceTable *table = source->table;
    Rest rest;
    rest_init (&rest);
    if (source_is_ours (source)) {
        source_sync_as_owner (source, &rest, /* locked= */ false);
    } else if (eddy__context_take_care (table)) {
        source_sync_as_owner (source, &rest, /* locked= */ true);
        eddy__context_end_care (table);
    } else {
        source_post_control (source);
        return;
    }
    rest_end (source, &rest);
}

uint64_t eddy_source_attach (EddySource *source, EddyContext *context)
{
    EDDY__EXPECT (source != NULL, 0);
    uint32_t before = source_state_set (source, EDDY__SOURCE_CLAIMED);
    EDDY__EXPECT ((before & EDDY__SOURCE_CLAIMED) == 0, 0);
    EDDY__EXPECT ((before & EDDY__SOURCE_DESTROYED) == 0, 0);
    EddyContext *given = context == NULL ? eddy_context_ref_thread_default () : eddy_ref (context);
    bool claimed = source_claim (source, given) == 0;
    uint64_t id = claimed ? source_enter_table (source, /* locked= */ false) : 0;
    if (id == 0)
        source_fail_attach (source, claimed);
    else
        eddy__source_sync (source);
    eddy_unref (given);
    return id;
}

/* Takes a child into a parent that is attached. */
void eddy__source_attach_child (EddySource *parent, EddySource *child, EddySourceAccess access)
{
    Rest rest;
    rest_init (&rest);
    if (parent->active)
        source_attach_child (parent, child, &rest, access == EDDY__ACCESS_CARETAKER);
    eddy__source_end_change (parent, access);
    rest_end (parent, &rest);
}

void eddy_source_destroy (EddySource *source)
{
    EDDY__EXPECT (source != NULL);
    uint32_t before = source_state_set (source, EDDY__SOURCE_DESTROYED);
    if ((before & EDDY__SOURCE_DESTROYED) || !(before & EDDY__SOURCE_ATTACHED))
        return;
    /* From another thread: told to the owner while the table still has it. So when the context is
     * freed meanwhile, its end finds either the source there or what was posted. */
    bool is_ours = source_is_ours (source);
    if (!is_ours)
        eddy__source_sync (source);
    eddy__source_table_remove (source->table, source->id, /* locked= */ false);
    if (!(before & EDDY__SOURCE_RUNNING))
        eddy__source_drop_callback (source);
    if (is_ours)
        eddy__source_sync (source);
}

bool eddy_source_is_destroyed (EddySource *source)
{
    return source == NULL || eddy__source_is_destroyed (source);
}

void eddy__sources_destroy_all (EddyContext *context)
{
    uint32_t at = 0;
    EddySource *source;
    while ((source = eddy__source_table_next (context->table, &at)) != NULL) {
        eddy_source_destroy (source);
        eddy_unref (source);
    }
    /* Others are being destroyed by other threads, which may come too late with their entries. */
    while (!eddy__list_is_empty (&context->sources)) {
        source = eddy_ref (EDDY__CONTAINER (context->sources.next, EddySource, member));
        eddy__source_sync (source);
        eddy_unref (source);
    }
}
