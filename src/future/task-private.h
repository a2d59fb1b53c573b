/* SPDX-License-Identifier: MIT */
/* EddyTask from the inside. */
#pragma once

#include <eddy/task.h>

#include "base/compiler-private.h"
#include "future/future-private.h"

typedef struct EddyTaskJob EddyTaskJob;

struct EddyTask {
    EddyFuture future;            /* keeps its context until the end: a task's resources go there */
    EddyCancellable *parent;      /* the caller's: a reference, or NULL */
    EddyCancellable *cancellable; /* its own; atomic, made when somebody asks for it */
    const EddyPlace *place;
    const char *name;
    void *task_data;
    void (*destroy_data) (void *task_data);
    EddyTaskJob *job; /* it is run in a thread (task-thread.c) */
    uint8_t owns_name;
    uint8_t thread_flags; /* atomic; of task-thread.c */
    uint8_t roster;       /* EddyTaskRoster; */
    uint32_t in_roster;   /* its place there */
};

/* Which of its context's rosters it is in: that of tasks made by the owner, or by others. */
typedef enum EddyTaskRoster { EDDY__TASK_AT_HOME, EDDY__TASK_FOREIGN } EddyTaskRoster;

extern const EddyFutureClass eddy__task_class;

static inline bool eddy__future_is_task (const EddyFuture *future)
{
    return future != NULL && future->object.object_class == &eddy__task_class.object;
}

static inline EddyTask *eddy__task_of (EddyFuture *future)
{
    return EDDY__CONTAINER (future, EddyTask, future);
}

/* The function that made the task which a future is, or NULL. */
static inline const char *eddy__task_get_maker (const EddyFuture *future)
{
    const EddyPlace *place = EDDY__CONTAINER (future, EddyTask, future)->place;
    return place == NULL ? NULL : place->function;
}

/* Completes a task, taking value and error; false when it was complete already. A maker's. */
bool eddy__task_complete (EddyTask *task, EddyValue *value, EddyError *error);
/* With ABANDONED, naming the task in a warning. */
void eddy__task_abandon (EddyTask *task);
/* The error of a task that is dropped without an answer. */
EddyError *eddy__task_make_abandoned (EddyTask *task);
/* Its own cancellable or the caller's, whichever is cancelled; NULL: none is. */
EddyCancellable *eddy__task_cancelled_by (EddyTask *task);

/* What is told of a pending task, as long as `tell` runs. */
typedef struct EddyTaskTold {
    const EddyTask *task;
    const char *name; /* NULL: none */
    const EddyPlace *place;
    const void *tag;
    uint32_t stamp; /* when it was made */
    bool in_thread; /* a worker runs its function */
} EddyTaskTold;
/* Tells all pending tasks of a context, for who has it; `locked`: and its table's lock. */
void eddy__tasks_tell (EddyContext *context, bool locked,
                       void (*tell) (const EddyTaskTold *told, void *data), void *data);

/* Threads (task-thread.c). */

/* Whether a worker has begun to run its function. */
bool eddy__task_has_begun (const EddyTask *task);

/* Keeps what was returned in a thread until its function has ended; false: it was returned before.
 */
bool eddy__task_job_store (EddyTask *task, EddyValue *value, EddyError *error);
void eddy__task_job_free (EddyTask *task);
