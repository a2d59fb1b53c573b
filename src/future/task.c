/* SPDX-License-Identifier: MIT */
/* EddyTask: a future completed by hand. Its answer is in task-result.c.
 *
 * A task's own cancellable is made when somebody asks for it: it costs as much as all the rest of a
 * task's life. */
#include "future/task-job-private.h"

#include <string.h>

#include "base/alloc-private.h"
#include "base/lock-private.h"
#include "base/log-private.h"
#include "base/object-private.h"
#include "loop/cancellable-private.h"
#include "loop/source-table-private.h"

static void task_drop_data (EddyTask *task)
{
    void (*destroy) (void *) = task->destroy_data;
    task->destroy_data = NULL;
    if (destroy != NULL)
        destroy (task->task_data);
    task->task_data = NULL;
}

/* Of names that a dump may be reading just now. */
static EddyLock task_name_lock = EDDY__LOCK_INIT;

static void task_exchange_name (EddyTask *task, const char *name, bool is_owned)
{
    if (EDDY__LIKELY (!task->owns_name && !is_owned)) {
        __atomic_store_n (&task->name, name, __ATOMIC_RELEASE);
        return;
    }
    bool locked = eddy__lock (&task_name_lock);
    const char *former = task->owns_name ? task->name : NULL;
    task->owns_name = is_owned;
    __atomic_store_n (&task->name, name, __ATOMIC_RELEASE);
    eddy__unlock (&task_name_lock, locked);
    if (former != NULL)
        eddy_free ((void *) (uintptr_t) former);
}

/* --- who there is ----------------------------------------------------------------------------- */

static void task_list (EddyTask *task, EddyContext *context)
{
    task->future.entry.turn = eddy__context_make_stamp (context);
    if (EDDY__LIKELY (eddy__context_is_owned (context))) {
        eddy__roster_add (&context->tasks, &task->in_roster);
        return;
    }
    task->roster = EDDY__TASK_FOREIGN;
    pthread_mutex_lock (&context->table->mutex);
    eddy__roster_add (&context->foreign_tasks, &task->in_roster);
    pthread_mutex_unlock (&context->table->mutex);
}

/* Takes a task off its roster, which another thread may have: then it stays, and false. */
static bool task_unlist (EddyTask *task)
{
    EddyContext *context = task->future.context;
    EddySourceTable *table = context->table;
    if (EDDY__LIKELY (task->roster == EDDY__TASK_AT_HOME && eddy__context_is_owned (context))) {
        eddy__roster_remove (&context->tasks, &task->in_roster);
    } else if (task->roster == EDDY__TASK_FOREIGN) {
        pthread_mutex_lock (&table->mutex);
        eddy__roster_remove (&context->foreign_tasks, &task->in_roster);
        pthread_mutex_unlock (&table->mutex);
    } else if (eddy__context_take_care (table)) {
        eddy__roster_remove (&context->tasks, &task->in_roster);
        eddy__context_end_care (table);
    }
    return task->in_roster == EDDY__NO_PLACE;
}

typedef struct TaskTeller {
    void (*tell) (const EddyTaskTold *told, void *data);
    void *data;
} TaskTeller;

static void tasks_tell_roster (const EddyRoster *roster, const TaskTeller *teller)
{
    for (uint32_t i = 0; i < roster->n; i++) {
        const EddyTask *task = EDDY__CONTAINER (roster->places[i], EddyTask, in_roster);
        /* Of one that has its answer, the entry is under way. */
        if (!eddy__future_is_pending (&task->future))
            continue;
        bool locked = eddy__lock (&task_name_lock);
        EddyTaskTold told = { .task = task,
                              .name = __atomic_load_n (&task->name, __ATOMIC_ACQUIRE),
                              .place = task->place,
                              .tag = task->future.tag,
                              .stamp = task->future.entry.turn,
                              .in_thread = eddy__task_has_begun (task) };
        teller->tell (&told, teller->data);
        eddy__unlock (&task_name_lock, locked);
    }
}

void eddy__tasks_tell (EddyContext *context, bool locked,
                       void (*tell) (const EddyTaskTold *told, void *data), void *data)
{
    TaskTeller teller = { tell, data };
    tasks_tell_roster (&context->tasks, &teller);
    if (!locked)
        pthread_mutex_lock (&context->table->mutex);
    tasks_tell_roster (&context->foreign_tasks, &teller);
    if (!locked)
        pthread_mutex_unlock (&context->table->mutex);
}

/* --- its end ---------------------------------------------------------------------------------- */

/* Gives up all that a task keeps but its context; the program's functions run in here. */
static void task_release (EddyTask *task)
{
    if (EDDY__UNLIKELY (task->in_roster != EDDY__NO_PLACE) && !task_unlist (task))
        eddy__roster_remove (&task->future.context->tasks, &task->in_roster); /* it is going */
    eddy_clear (&task->future.source_object);
    if (task->cancellable != NULL)
        eddy_clear (&task->cancellable);
    if (task->parent != NULL)
        eddy_clear (&task->parent);
    if (EDDY__UNLIKELY (task->owns_name))
        eddy_free ((void *) (uintptr_t) task->name);
    task_drop_data (task);
    if (task->job != NULL)
        eddy__task_job_free (task);
    eddy__future_finalize (&task->future);
    eddy__reserve_free (task, sizeof *task);
}

static void task_release_arrived (EddyEntry *entry)
{
    task_release (EDDY__CONTAINER (EDDY__CONTAINER (entry, EddyFuture, entry), EddyTask, future));
}

/* Sends it home; false: nobody runs its context any more. The reference to that goes before the
 * task has arrived, so that its thread is the last to have it. */
static bool task_post_home (EddyTask *task)
{
    EddyContext *context = task->future.context;
    EddyPort *port = context->port;
    task->future.entry.run = task_release_arrived;
    eddy__port_add_posters (port, 1);
    bool posted =
        eddy__object_unref_unless_last (context) && eddy__port_post (port, &task->future.entry);
    eddy__port_remove_posters (port, 1);
    return posted;
}

/* Nobody has the task any more. What it kept goes on its home thread: the last to have it, a worker
 * perhaps, must not run the program's functions. When the context goes, its mail goes in place. */
static void task_finalize (void *object)
{
    EddyTask *task = object;
    EddyContext *context = task->future.context;
    bool at_home = eddy__context_is_home (context) && task_unlist (task);
    if (EDDY__UNLIKELY (!at_home) && task_post_home (task))
        return;
    task_release (task);
    eddy_unref (context);
}

static void task_request_cancel (EddyFuture *future)
{
    eddy_cancellable_cancel (eddy_task_get_cancellable (eddy__task_of (future)));
}

const EddyFutureClass eddy__task_class = { .object = { .name = "EddyTask",
                                                       .size = 0,
                                                       .dispose = eddy__future_dispose,
                                                       .finalize = task_finalize },
                                           .request_cancel = task_request_cancel };

/* --- making ----------------------------------------------------------------------------------- */

/* In steps that the compiler makes plain stores of; `rep stos` takes 16 ns. */
static inline void task_zero (EddyTask *task)
{
    enum { STEP = 32, WHOLE = sizeof *task / STEP * STEP };
    char *at = (char *) task;
#pragma GCC unroll 8
    for (size_t done = 0; done < WHOLE; done += STEP)
        memset (at + done, 0, STEP);
    memset (at + WHOLE, 0, sizeof *task - WHOLE);
}

/* With two handles: the callback's to come, and one of all makers, who so may ask for the future
 * whenever they like. */
static void task_init (EddyTask *task, EddyContext *context, const EddyPlace *place)
{
    task_zero (task);
    eddy__future_init (&task->future, &eddy__task_class, context, EDDY_PRIORITY_DEFAULT);
    eddy_ref (context);
    __atomic_store_n (&task->future.object.references, 2, __ATOMIC_RELAXED);
    __atomic_store_n (&task->future.object.holds, 1, __ATOMIC_RELAXED);
    task->future.has_callback = true;
    task->place = place;
    task_list (task, context);
}

EddyTask *eddy_task_new_full (void *source_object, EddyCancellable *cancellable,
                              EddyAsyncReadyCallback callback, void *user_data,
                              const EddyPlace *place)
{
    EddyTask *task = eddy__block_alloc (sizeof *task);
    if (task == NULL)
        return NULL;
    task_init (task, eddy__context_thread_default (), place);
    task->future.callback = callback;
    task->future.user_data = user_data;
    if (source_object != NULL)
        task->future.source_object = eddy_ref (source_object);
    if (cancellable != NULL)
        task->parent = eddy_ref (cancellable);
    return task;
}

EddyTask *eddy__task_new_in (EddyContext *context)
{
    EddyTask *task = eddy__reserve_alloc (sizeof *task);
    task_init (task, context, NULL);
    return task;
}

EddyTask *eddy_task_ref (EddyTask *task)
{
    EDDY__EXPECT (task != NULL, NULL);
    eddy__object_count_up (&task->future.makers);
    return task;
}

void eddy_task_unref (EddyTask *task)
{
    if (task == NULL || !eddy__object_count_down (&task->future.makers, /* alone= */ true))
        return;
    if (EDDY__UNLIKELY (eddy__future_is_pending (&task->future)))
        eddy__task_abandon (task);
    eddy_unref (task);
}

/* --- what a task is --------------------------------------------------------------------------- */

EddyFuture *eddy_task_get_future (EddyTask *task)
{
    EDDY__EXPECT (task != NULL, NULL);
    return eddy_ref (&task->future);
}

void *eddy_task_get_source_object (EddyTask *task)
{
    EDDY__EXPECT (task != NULL, NULL);
    return __atomic_load_n (&task->future.source_object, __ATOMIC_RELAXED);
}

EddyCancellable *eddy_task_get_cancellable (EddyTask *task)
{
    EDDY__EXPECT (task != NULL, NULL);
    EddyCancellable *own = __atomic_load_n (&task->cancellable, __ATOMIC_ACQUIRE);
    if (own != NULL)
        return own;
    EddyCancellable *made = eddy_cancellable_new_child (task->parent);
    if (made == NULL)
        return eddy__cancellable_no_memory ();
    /* Two may ask for the first time at once. */
    if (__atomic_compare_exchange_n (&task->cancellable, &own, made, /* weak= */ false,
                                     __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
        return made;
    eddy_unref (made);
    return own;
}

EddyCancellable *eddy__task_cancelled_by (EddyTask *task)
{
    EddyCancellable *own = __atomic_load_n (&task->cancellable, __ATOMIC_ACQUIRE);
    if (eddy__cancellable_is_cancelled (own))
        return own;
    /* A handler of the parent's runs before its children are cancelled. */
    return eddy__cancellable_is_cancelled (task->parent) ? task->parent : NULL;
}

EddyContext *eddy_task_get_context (EddyTask *task)
{
    EDDY__EXPECT (task != NULL, NULL);
    return task->future.context;
}

void eddy_task_set_task_data (EddyTask *task, void *task_data, void (*destroy) (void *task_data))
{
    EDDY__EXPECT (task != NULL);
    task_drop_data (task);
    task->task_data = task_data;
    task->destroy_data = destroy;
}

void *eddy_task_get_task_data (EddyTask *task)
{
    EDDY__EXPECT (task != NULL, NULL);
    return task->task_data;
}

void eddy_task_set_priority (EddyTask *task, int priority)
{
    EDDY__EXPECT (task != NULL);
    task->future.entry.priority = priority;
}

int eddy_task_get_priority (EddyTask *task)
{
    EDDY__EXPECT (task != NULL, EDDY_PRIORITY_DEFAULT);
    return task->future.entry.priority;
}

void eddy_task_set_name (EddyTask *task, const char *name)
{
    EDDY__EXPECT (task != NULL);
    task_exchange_name (task, eddy_strdup (name), true);
}

void eddy_task_set_static_name (EddyTask *task, const char *name)
{
    EDDY__EXPECT (task != NULL);
    task_exchange_name (task, name, false);
}

const char *eddy_task_get_name (EddyTask *task)
{
    EDDY__EXPECT (task != NULL, NULL);
    return task->name;
}

void eddy_task_set_source_tag (EddyTask *task, const void *source_tag)
{
    EDDY__EXPECT (task != NULL);
    task->future.tag = source_tag;
}

const void *eddy_task_get_source_tag (EddyTask *task)
{
    EDDY__EXPECT (task != NULL, NULL);
    return task->future.tag;
}

bool eddy_task_get_completed (EddyTask *task)
{
    EDDY__EXPECT (task != NULL, false);
    return eddy__future_is_done (&task->future);
}

bool eddy_task_had_error (EddyTask *task)
{
    EDDY__EXPECT (task != NULL, false);
    return eddy_future_get_error (&task->future) != NULL;
}

static void task_unref_data (void *user_data)
{
    eddy_task_unref (user_data);
}

void eddy_task_attach_source (EddyTask *task, EddySource *source, EddySourceFunc callback)
{
    EDDY__EXPECT (task != NULL && source != NULL && callback != NULL);
    eddy_source_set_priority (source, task->future.entry.priority);
    if (task->name != NULL && eddy_source_get_name (source) == NULL)
        eddy_source_set_name (source, task->name);
    eddy_source_set_callback (source, callback, eddy_task_ref (task), task_unref_data);
    eddy_source_attach (source, task->future.context);
}
