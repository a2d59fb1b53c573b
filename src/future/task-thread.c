/* SPDX-License-Identifier: MIT */
/* Tasks whose answer a function makes on a worker.
 *
 * The job needs no engine and no loop: it is handed to the workers at once, from any thread, and
 * the task completes by the mail that any return from another thread takes. A cancel finds it by a
 * handler, in whatever thread the cancel is made. */
#include <errno.h>
#include <pthread.h>

#include "base/alloc-private.h"
#include "base/log-private.h"
#include "base/object-private.h"
#include "engine/engine-private.h"
#include "future/task-job-private.h"
#include "loop/cancellable-private.h"
#include "sys/process-private.h"

/* Flags of a task, in one byte that changes atomically: whoever changes it first decides what a
 * cancel does. */
enum {
    RETURN_ON_CANCEL = 1 << 0,
    BEGUN = 1 << 1, /* a worker has taken the job */
    CANCELLED = 1 << 2
};

typedef struct Answer {
    bool given;
    bool abandoned;
    EddyValue value;
    EddyError *error;
} Answer;

struct EddyTaskJob {
    EddyOp op; /* keeps the task, as a maker */
    EddyTaskThreadFunc function;
    uint64_t handler; /* of the task's cancellable; keeps the task, too */
    bool is_sync;
    bool ran;              /* the function was called; the worker's */
    pthread_mutex_t mutex; /* of all below */
    Answer returned;       /* by the function, or by whom it has told to */
    bool over;             /* the function has ended */
    Answer delivered;      /* sync: for whoever waits, and will complete the task with it */
    bool ready;            /* sync: he may take it … */
    bool left;             /* … once nobody touches the job any more; atomic */
    EddyTask *waiter;      /* sync, in a fiber: returned then */
    pthread_cond_t delivery;
};

bool eddy__task_has_begun (const EddyTask *task)
{
    return (__atomic_load_n (&task->thread_flags, __ATOMIC_RELAXED) & BEGUN) != 0;
}

/* --- the answer ------------------------------------------------------------------------------- */

/* Gives an answer unless there is one; then the new one is given up. Whether it was the first. */
static bool answer_give (Answer *answer, EddyValue *value, EddyError *error)
{
    if (answer->given) {
        eddy_value_clear (value);
        eddy_unref (error);
        return false;
    }
    *answer = (Answer){ .given = true, .value = *value, .error = error };
    *value = (EddyValue) EDDY_VALUE_INIT;
    return true;
}

bool eddy__task_job_store (EddyTask *task, EddyValue *value, EddyError *error)
{
    EddyTaskJob *job = task->job;
    Answer late = { .given = true };
    pthread_mutex_lock (&job->mutex);
    bool open = !job->over && !job->returned.given;
    if (open)
        answer_give (&job->returned, value, error);
    pthread_mutex_unlock (&job->mutex);
    return open || answer_give (&late, value, error);
}

/* Gives the caller's last hand in a task up between its answer and the news of it: so the task ends
 * where it belongs, right after its callback, and not on whatever thread this is. */
static void task_answer_last (EddyTask *task, EddyValue *value, EddyError *error)
{
    EddyFuture *future = &task->future;
    bool first = eddy__future_answer (future, value, error);
    eddy_task_unref (task);
    if (first)
        eddy__future_announce (future);
}

/* Lets who waits in eddy_task_run_in_thread_sync() go on. */
static void job_wake (EddyTaskJob *job)
{
    pthread_mutex_lock (&job->mutex);
    EddyTask *waiter = job->waiter;
    job->waiter = NULL;
    job->ready = true;
    pthread_cond_signal (&job->delivery);
    pthread_mutex_unlock (&job->mutex);
    __atomic_store_n (&job->left, true, __ATOMIC_RELEASE);
    if (waiter != NULL)
        task_answer_last (waiter, NULL, NULL);
}

/* Completes the task, or has its waiting caller do so, unless it had its answer already. For who
 * keeps the task. */
static void task_deliver (EddyTask *task, EddyValue *value, EddyError *error)
{
    EddyTaskJob *job = task->job;
    if (!job->is_sync) {
        eddy__future_complete (&task->future, value, error);
        return;
    }
    pthread_mutex_lock (&job->mutex);
    bool first = !job->delivered.given;
    if (first)
        answer_give (&job->delivered, value, error);
    pthread_mutex_unlock (&job->mutex);
    if (first)
        job_wake (job);
    else
        eddy_unref (error); /* such an answer is an error */
}

static void task_deliver_error (EddyTask *task, EddyError *error)
{
    EddyValue none = EDDY_VALUE_INIT;
    task_deliver (task, &none, error);
}

/* --- on the worker ---------------------------------------------------------------------------- */

static void job_run (void *data)
{
    EddyTask *task = data;
    uint8_t before = __atomic_fetch_or (&task->thread_flags, BEGUN, __ATOMIC_ACQ_REL);
    if ((before & CANCELLED) != 0)
        return;
    task->job->ran = true;
    task->job->function (task, eddy_task_get_source_object (task), task->task_data,
                         eddy_task_get_cancellable (task));
}

/* The answer that the function has left; none, when a cancel has answered before, or the function
 * was not called. What it returned then goes at the task's end, on its home thread. */
static Answer job_take_answer (EddyTaskJob *job, EddyTask *task)
{
    Answer answer = { .given = false };
    pthread_mutex_lock (&job->mutex);
    job->over = true;
    bool answered = job->is_sync ? job->delivered.given : !eddy__future_is_pending (&task->future);
    if (!answered && job->ran) {
        answer = job->returned;
        job->returned = (Answer){ .given = true };
        if (!answer.given)
            answer = (Answer){ .abandoned = true, .error = eddy__task_make_abandoned (task) };
        answer.given = true;
        if (job->is_sync)
            job->delivered = answer;
    }
    pthread_mutex_unlock (&job->mutex);
    return answer;
}

static void job_complete (EddyOp *op)
{
    EddyTaskJob *job = EDDY__CONTAINER (op, EddyTaskJob, op);
    EddyTask *task = op->as.call.data;
    bool is_sync = job->is_sync;
    eddy_cancellable_disconnect (task->cancellable, job->handler);
    Answer answer = job_take_answer (job, task);
    if (answer.abandoned)
        eddy__log (EDDY_LOG_WARNING, "%s", eddy_error_get_message (answer.error));
    if (answer.given && !is_sync) {
        task_answer_last (task, &answer.value, answer.error);
        return;
    }
    eddy_task_unref (task);
    if (answer.given)
        job_wake (job); /* which is there until then */
}

/* --- cancelling ------------------------------------------------------------------------------- */

static void task_thread_cancelled (EddyCancellable *cancellable, void *user_data)
{
    EddyTask *task = user_data;
    uint8_t before = __atomic_fetch_or (&task->thread_flags, CANCELLED, __ATOMIC_ACQ_REL);
    bool begun = (before & BEGUN) != 0;
    if (begun && (before & RETURN_ON_CANCEL) == 0)
        return;
    task_deliver_error (task, eddy__cancellable_make_error (cancellable));
    /* A job that a worker takes just now finds the flag, and does not call its function. */
    if (!begun && eddy__workers_cancel (&task->job->op))
        eddy_task_unref (task);
}

static void task_unref_handler (void *user_data)
{
    eddy_task_unref (user_data);
}

static bool task_is_cancelled (EddyTask *task, uint8_t flags)
{
    return (flags & CANCELLED) != 0 || eddy__task_cancelled_by (task) != NULL;
}

bool eddy_task_set_return_on_cancel (EddyTask *task, bool return_on_cancel)
{
    EDDY__EXPECT (task != NULL, false);
    uint8_t *flags = &task->thread_flags;
    if (return_on_cancel) {
        uint8_t before = __atomic_fetch_or (flags, RETURN_ON_CANCEL, __ATOMIC_ACQ_REL);
        if (task->job == NULL || !task_is_cancelled (task, before))
            return true;
        task_deliver_error (task, eddy__cancellable_make_error (eddy__task_cancelled_by (task)));
        return false;
    }
    uint8_t before = __atomic_load_n (flags, __ATOMIC_ACQUIRE);
    do {
        if (task->job != NULL && task_is_cancelled (task, before))
            return false;
    } while (!__atomic_compare_exchange_n (flags, &before, before & (uint8_t) ~RETURN_ON_CANCEL,
                                           /* weak= */ true, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE));
    return true;
}

bool eddy_task_get_return_on_cancel (EddyTask *task)
{
    EDDY__EXPECT (task != NULL, false);
    return (__atomic_load_n (&task->thread_flags, __ATOMIC_ACQUIRE) & RETURN_ON_CANCEL) != 0;
}

/* --- beginning -------------------------------------------------------------------------------- */

static void job_init (EddyTaskJob *job, EddyTask *task, EddyTaskThreadFunc function)
{
    *job = (EddyTaskJob){ .function = function };
    pthread_mutex_init (&job->mutex, NULL);
    pthread_cond_init (&job->delivery, NULL);
    eddy__op_init (&job->op, EDDY_OP_LONG_CALL, -1);
    job->op.as.call.function = job_run;
    job->op.as.call.data = task;
    job->op.complete = job_complete;
    /* What a job waits for comes before what came before the job. */
    eddy__op_set_priority (&job->op,
                           eddy__workers_inside () ? INT16_MIN : task->future.entry.priority);
}

void eddy__task_job_free (EddyTask *task)
{
    EddyTaskJob *job = task->job;
    task->job = NULL;
    eddy_value_clear (&job->returned.value);
    eddy_unref (job->returned.error);
    pthread_mutex_destroy (&job->mutex);
    pthread_cond_destroy (&job->delivery);
    eddy__block_free (job, sizeof *job);
}

static EddyError *task_no_memory (void)
{
    return eddy_error_new_errno (ENOMEM, "a task in a thread");
}

/* Hands the job over, or answers for it. A worker that calls in place does it himself. */
static void task_start_job (EddyTask *task, bool in_place)
{
    EddyTaskJob *job = task->job;
    EddyCancellable *cancelled_by = eddy__task_cancelled_by (task);
    if (cancelled_by != NULL) {
        task_deliver_error (task, eddy__cancellable_make_error (cancelled_by));
        return;
    }
    if (eddy__engine_is_orphaned ()) {
        task_deliver_error (task, eddy_error_new_errno (ECHILD, "a task in a thread"));
        return;
    }
    EddyCancellable *own = eddy_task_get_cancellable (task);
    eddy_task_ref (task);
    job->handler = eddy_cancellable_connect (own, task_thread_cancelled, eddy_task_ref (task),
                                             task_unref_handler);
    if (job->handler == 0 && (own != task->cancellable || !eddy__cancellable_is_cancelled (own))) {
        /* Deaf to a cancel it would not be what was asked for. */
        task_deliver_error (task, task_no_memory ());
        eddy_task_unref (task);
        return;
    }
    if (!in_place) {
        eddy__workers_publish_one (&job->op);
        return;
    }
    job_run (task);
    job_complete (&job->op);
}

/* Whether a task can be run; false after misuse. */
static bool task_can_run (EddyTask *task, EddyTaskThreadFunc function, const char *caller)
{
    if (task == NULL || function == NULL || task->job != NULL ||
        !eddy__future_is_pending (&task->future)) {
        eddy__misuse (caller, "a task that was neither returned nor run, and a function");
        return false;
    }
    return true;
}

/* Its job; false when memory is out. */
static bool task_make_job (EddyTask *task, EddyTaskThreadFunc function)
{
    EddyTaskJob *job = eddy__block_alloc (sizeof *job);
    if (job == NULL)
        return false;
    job_init (job, task, function);
    task->job = job;
    return true;
}

void eddy_task_run_in_thread (EddyTask *task, EddyTaskThreadFunc function)
{
    if (!task_can_run (task, function, __func__))
        return;
    if (task_make_job (task, function))
        task_start_job (task, /* in_place= */ false);
    else
        eddy_task_return_error (task, task_no_memory ());
}

/* Completes a task that is waited for, here and now, if no other thread runs its context: nobody
 * might ever again. */
static void task_complete_sync (EddyTask *task, EddyValue *value, EddyError *error)
{
    EddyContext *context = task->future.context;
    task->future.has_callback = false;
    bool acquired = !eddy__context_is_owned (context) && eddy__context_is_home (context) &&
                    eddy_context_acquire (context);
    eddy__future_complete (&task->future, value, error);
    if (acquired)
        eddy_context_release (context);
    eddy_unref (task); /* the callback's handle */
}

bool eddy__task_begin_sync (EddyTask *task, EddyTaskThreadFunc function, EddyTask *waiter)
{
    if (!task_can_run (task, function, "eddy_task_run_in_thread_sync"))
        return false;
    if (!task_make_job (task, function)) {
        EddyValue nothing = EDDY_VALUE_INIT;
        task_complete_sync (task, &nothing, task_no_memory ());
        return false;
    }
    task->job->is_sync = true;
    task->job->waiter = waiter;
    /* A worker has the thread that the function needs, unless it is to be left behind. */
    task_start_job (task, eddy__workers_inside () && !eddy_task_get_return_on_cancel (task));
    return true;
}

void eddy__task_end_sync (EddyTask *task)
{
    EddyTaskJob *job = task->job;
    pthread_mutex_lock (&job->mutex);
    while (!job->ready)
        pthread_cond_wait (&job->delivery, &job->mutex);
    EddyValue value = job->delivered.value;
    EddyError *error = job->delivered.error;
    pthread_mutex_unlock (&job->mutex);
    while (!__atomic_load_n (&job->left, __ATOMIC_ACQUIRE))
        eddy__sys_sched_yield ();
    task_complete_sync (task, &value, error);
}
