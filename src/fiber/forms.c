/* SPDX-License-Identifier: MIT */
/* What the generated forms of operations call: the same operation in a fiber, in a plain thread, by
 * callback and as a future.
 *
 * A FIBER operation's future is the fiber itself, with its arguments behind the record. PRIMITIVE
 * and JOB operations have a FormFuture: future, request and arguments are one allocation. */
#include <eddy/forms.h>

#include <errno.h>
#include <string.h>

#include "base/alloc-private.h"
#include "base/object-private.h"
#include "fiber/block-private.h"
#include "fiber/current-private.h"
#include "fiber/fiber-private.h"

_Static_assert(sizeof (EddyEntry) == sizeof (((EddyFormProgress *) NULL)->entry),
               "EddyFormProgress has room for an entry");

/* --- progress --------------------------------------------------------------------------------- */

static EddyEntry *progress_entry (EddyFormProgress *progress)
{
    return (EddyEntry *) (void *) progress->entry;
}

/* The post has arrived: the slot is free for the next one, and its latest value is told. */
static void progress_deliver (EddyEntry *entry)
{
    EddyFormProgress *progress = EDDY__CONTAINER (entry, EddyFormProgress, entry);
    __atomic_exchange_n (&progress->posted, 0, __ATOMIC_ACQ_REL);
    int64_t current = __atomic_load_n (&progress->current_num_bytes, __ATOMIC_ACQUIRE);
    int64_t total = __atomic_load_n (&progress->total_num_bytes, __ATOMIC_ACQUIRE);
    progress->callback (current, total, progress->callback_data);
}

void eddy_form_progress (int64_t current_num_bytes, int64_t total_num_bytes, void *data)
{
    EddyFormProgress *progress = data;
    if (progress->context == NULL) { /* a fiber's, which is at home already */
        progress->callback (current_num_bytes, total_num_bytes, progress->callback_data);
        return;
    }
    __atomic_store_n (&progress->total_num_bytes, total_num_bytes, __ATOMIC_RELEASE);
    __atomic_store_n (&progress->current_num_bytes, current_num_bytes, __ATOMIC_RELEASE);
    if (__atomic_exchange_n (&progress->posted, 1, __ATOMIC_ACQ_REL) == 0)
        eddy__context_post (progress->context, progress_entry (progress));
}

/* Says where progress is told: by the same queue and priority as the operation's end, so that it
 * comes before it. */
static void progress_init (const EddyForm *form, void *arguments, EddyContext *context,
                           int priority)
{
    if (form->progress_offset == SIZE_MAX)
        return;
    EddyFormProgress *progress = (void *) ((char *) arguments + form->progress_offset);
    progress->context = context;
    *progress_entry (progress) = (EddyEntry){ .run = progress_deliver, .priority = priority };
}

/* --- jobs: a body on a worker ----------------------------------------------------------------- */

typedef struct FormJob {
    const EddyForm *form;
    void *arguments;
    EddyCancellable *cancellable; /* what the body looks at */
    EddyValue value;
    EddyError *error;
} FormJob;

/* Runs a body where the caller stands. */
static void form_run (const EddyForm *form, void *arguments, EddyCancellable *cancellable,
                      EddyValue *value, EddyError **error)
{
    EddyCurrent current;
    eddy__current_enter (&current, cancellable);
    form->run (arguments, cancellable, value, error);
    eddy__current_leave (&current);
}

static void job_run (void *data)
{
    FormJob *job = data;
    form_run (job->form, job->arguments, job->cancellable, &job->value, &job->error);
}

static void job_prepare (FormJob *job, EddyOp *op)
{
    eddy__op_init (op, EDDY_OP_CALL, -1);
    op->as.call.function = job_run;
    op->as.call.data = job;
}

/* A body that says neither value nor error breaks its promise; say so rather than return nothing.
 */
static EddyError *form_missing_error (const EddyForm *form)
{
    return eddy_error_new (EDDY_IO_ERROR, EDDY_IO_ERROR_FAILED, "%s failed and did not say why",
                           form->name);
}

/* --- the awaited and the blocking form -------------------------------------------------------- */

bool eddy_form_in_place (EddyFormKind kind)
{
    bool in_fiber = eddy__fiber_current () != NULL;
    return kind == EDDY_FORM_JOB ? !in_fiber : kind == EDDY_FORM_FIBER && in_fiber;
}

/* Ends a call: the value, or the error. */
static bool form_answer (const EddyForm *form, const EddyValue *value, EddyError *failure,
                         EddyError **error)
{
    if (failure == NULL && value->kind == EDDY_VALUE_NONE)
        failure = form_missing_error (form);
    if (failure == NULL)
        return true;
    eddy_error_take (error, failure);
    return false;
}

/* The body runs right here. Without a cancellable the generated form does not even ask. */
static bool form_call_in_place (const EddyForm *form, void *arguments, EddyCancellable *cancellable,
                                EddyValue *value, EddyError **error)
{
    EddyError *failure = NULL;
    form_run (form, arguments, cancellable, value, &failure);
    return form_answer (form, value, failure, error);
}

static bool form_call_primitive (const EddyForm *form, void *arguments,
                                 EddyCancellable *cancellable, EddyValue *value, EddyError **error)
{
    EddyFiber *fiber = eddy__fiber_current ();
    EddyError *failure = NULL;
    EddyOp op;
    form->prepare (arguments, &op);
    if (fiber == NULL)
        eddy__block_op (&op, cancellable);
    else
        eddy__fiber_await_op (fiber, &op, cancellable);
    if (op.result != -ECANCELED)
        form->result (arguments, &op, value, &failure);
    else if (fiber == NULL)
        failure = eddy__cancellable_make_error (cancellable);
    else
        failure = eddy__fiber_make_cancel_error (fiber, cancellable);
    return form_answer (form, value, failure, error);
}

/* What the body of a job may look at: the explicit cancellable and the fiber's scope are both to
 * end it. NULL: one of them is cancelled already, or memory is out. */
static EddyCancellable *form_job_cancellable (EddyFiber *fiber, EddyCancellable *cancellable)
{
    if (fiber->shielded > 0)
        return cancellable == NULL ? eddy_cancellable_new () : eddy_ref (cancellable);
    if (cancellable == NULL || cancellable == fiber->scope)
        return eddy_ref (eddy__fiber_get_scope (fiber));
    return eddy_cancellable_new_child (cancellable);
}

static void job_scope_cancelled (EddyCancellable *scope, void *user_data)
{
    eddy_cancellable_cancel_with_cause (user_data, eddy__cancellable_ref_cause (scope));
}

static bool form_call_job (const EddyForm *form, void *arguments, EddyCancellable *cancellable,
                           EddyValue *value, EddyError **error)
{
    EddyFiber *fiber = eddy__fiber_current ();
    EddyCancellable *both = form_job_cancellable (fiber, cancellable);
    if (both == NULL) {
        eddy_error_set_errno (error, ENOMEM, "%s", form->name);
        return false;
    }
    uint64_t scope_id = 0;
    if (both != fiber->scope && both != cancellable && fiber->shielded == 0)
        scope_id = eddy_cancellable_connect (eddy__fiber_get_scope (fiber), job_scope_cancelled,
                                             both, NULL);
    FormJob job = { .form = form, .arguments = arguments, .cancellable = both };
    EddyOp op;
    job_prepare (&job, &op);
    progress_init (form, arguments, fiber->future.context, fiber->future.entry.priority);
    eddy__fiber_await_op (fiber, &op, cancellable);
    eddy_cancellable_disconnect (fiber->scope, scope_id);
    eddy_unref (both);
    if (op.result == -ECANCELED)
        job.error = eddy__fiber_make_cancel_error (fiber, cancellable);
    else if (op.result < 0)
        job.error = eddy_error_new_errno ((int) -op.result, "%s", form->name);
    *value = job.value;
    return form_answer (form, value, job.error, error);
}

/* What a FIBER operation runs on its fiber: the arguments behind the record, or, for a blocking
 * caller, in his frame. */
typedef struct FormFiber {
    const EddyForm *form;
    void *arguments;
    bool owns_arguments;
} FormFiber;

static void form_fiber_body (EddyFiber *fiber, EddyValue *value, EddyError **error)
{
    FormFiber *form_fiber = eddy__fiber_get_extra (fiber);
    form_run (form_fiber->form, form_fiber->arguments, NULL, value, error);
    if (*error == NULL && value->kind == EDDY_VALUE_NONE)
        *error = form_missing_error (form_fiber->form);
}

/* Outside a fiber: on a fiber of a context of its own, so that nothing else is dispatched. */
static bool form_call_fiber (const EddyForm *form, void *arguments, EddyCancellable *cancellable,
                             EddyValue *value, EddyError **error)
{
    EddyContext *context = eddy_context_new ();
    EddyFiber *fiber =
        context == NULL ? NULL : eddy__fiber_new (context, cancellable, sizeof (FormFiber));
    if (fiber == NULL) {
        eddy_unref (context);
        eddy_error_set_errno (error, ENOMEM, "%s", form->name);
        return false;
    }
    *(FormFiber *) eddy__fiber_get_extra (fiber) = (FormFiber){ form, arguments, false };
    fiber->body = form_fiber_body;
    fiber->name = form->name;
    eddy_context_push_thread_default (context);
    eddy__fiber_start (fiber);
    bool done = eddy_block_on_complete (context, &fiber->future, error);
    if (done)
        done = eddy_future_take (&fiber->future, value, error);
    eddy_unref (fiber);
    eddy_context_pop_thread_default (context);
    eddy_unref (context);
    return done;
}

bool eddy_form_call (const EddyForm *form, void *arguments, EddyCancellable *cancellable,
                     EddyValue *value, EddyError **error)
{
    if (form->kind == EDDY_FORM_PRIMITIVE)
        return form_call_primitive (form, arguments, cancellable, value, error);
    if (eddy_form_in_place (form->kind))
        return form_call_in_place (form, arguments, cancellable, value, error);
    if (form->kind == EDDY_FORM_JOB)
        return form_call_job (form, arguments, cancellable, value, error);
    return form_call_fiber (form, arguments, cancellable, value, error);
}

/* --- futures and callbacks -------------------------------------------------------------------- */

/* The future of a PRIMITIVE or a JOB. */
typedef struct FormFuture {
    EddyFuture future;
    const EddyForm *form;
    size_t size;
    EddyCancellable *cancellable; /* its own, a child of the caller's */
    EddyCancelWatch watch;
    EddyEntry start; /* carries it to its context's thread */
    EddyOp op;
    FormJob job;
    _Alignas(max_align_t) char arguments[];
} FormFuture;

static FormFuture *form_future_of (EddyFuture *future)
{
    return EDDY__CONTAINER (future, FormFuture, future);
}

static void form_future_finalize (void *object)
{
    FormFuture *self = object;
    if (self->form->clear != NULL)
        self->form->clear (self->arguments);
    eddy_clear (&self->cancellable);
    eddy__future_finalize (&self->future);
    eddy__block_free (self, self->size);
}

static const EddyClass form_future_class = { .name = "EddyFuture",
                                             .size = 0,
                                             .dispose = eddy__future_dispose,
                                             .finalize = form_future_finalize };

/* The arguments of a FIBER operation go with its fiber. */
static void form_fiber_clear (void *extra)
{
    FormFiber *form_fiber = extra;
    if (form_fiber->owns_arguments && form_fiber->form->clear != NULL)
        form_fiber->form->clear (form_fiber->arguments);
}

static void form_future_request_cancel (EddyFuture *future)
{
    eddy_cancellable_cancel (form_future_of (future)->cancellable);
}

/* What an operation follows: NULL in a fiber means the fiber's own. */
static EddyCancellable *form_parent (EddyCancellable *cancellable)
{
    EddyFiber *running = eddy__fiber_current ();
    return cancellable == NULL && running != NULL ? eddy__fiber_get_scope (running) : cancellable;
}

static EddyFuture *form_begin_fiber (const EddyForm *form, EddyContext *context, int io_priority,
                                     EddyCancellable *cancellable)
{
    EddyCancellable *parent = form_parent (cancellable);
    size_t before = (sizeof (FormFiber) + 15) / 16 * 16;
    EddyFiber *fiber = eddy__fiber_new (context, parent, before + form->arguments_size);
    if (fiber == NULL)
        eddy__alloc_exhausted (sizeof *fiber);
    char *extra = eddy__fiber_get_extra (fiber);
    *(FormFiber *) (void *) extra = (FormFiber){ form, extra + before, true };
    fiber->clear_extra = form_fiber_clear;
    fiber->body = form_fiber_body;
    fiber->name = form->name;
    fiber->future.entry.priority = io_priority;
    return &fiber->future;
}

static EddyFuture *form_begin_future (const EddyForm *form, EddyContext *context, int io_priority,
                                      EddyCancellable *cancellable)
{
    EddyCancellable *parent = form_parent (cancellable);
    size_t size = sizeof (FormFuture) + form->arguments_size;
    FormFuture *self = eddy__block_alloc (size);
    EddyCancellable *own = self == NULL ? NULL : eddy_cancellable_new_child (parent);
    if (own == NULL)
        eddy__alloc_exhausted (size);
    memset (self, 0, size);
    eddy__future_init (&self->future, &form_future_class, context, io_priority);
    self->future.request_cancel = form_future_request_cancel;
    self->form = form;
    self->size = size;
    self->cancellable = own;
    eddy__list_init (&self->watch.member);
    return &self->future;
}

EddyFuture *eddy_form_begin (const EddyForm *form, void *source_object, int io_priority,
                             EddyCancellable *cancellable)
{
    EddyContext *context = eddy_context_ref_thread_default ();
    EddyFuture *future = form->kind == EDDY_FORM_FIBER
                             ? form_begin_fiber (form, context, io_priority, cancellable)
                             : form_begin_future (form, context, io_priority, cancellable);
    future->tag = form;
    future->name = form->name;
    future->source_object = eddy_ref (source_object);
    eddy_unref (context);
    return future;
}

void *eddy_form_get_arguments (EddyFuture *future)
{
    const EddyForm *form = future->tag;
    if (form->kind != EDDY_FORM_FIBER)
        return form_future_of (future)->arguments;
    return ((FormFiber *) eddy__fiber_get_extra (eddy__fiber_of (future)))->arguments;
}

/* The request has ended: makes the answer, and gives the maker's count up. */
static void form_future_complete (EddyOp *op)
{
    FormFuture *self = op->user;
    const EddyForm *form = self->form;
    EddyValue value = EDDY_VALUE_INIT;
    EddyError *error = NULL;
    eddy__cancellable_unwatch (&self->watch);
    if (op->result == -ECANCELED)
        error = eddy__cancellable_make_error (self->cancellable);
    else if (form->kind == EDDY_FORM_PRIMITIVE)
        form->result (self->arguments, op, &value, &error);
    else if (op->result < 0)
        error = eddy_error_new_errno ((int) -op->result, "%s", form->name);
    else {
        value = self->job.value;
        error = self->job.error;
    }
    if (error == NULL && value.kind == EDDY_VALUE_NONE)
        error = form_missing_error (form);
    eddy__future_complete_sole (&self->future, &value, error);
    eddy__future_drop_sole_maker (&self->future);
}

static void form_future_cancelled (EddyCancelWatch *watch)
{
    FormFuture *self = EDDY__CONTAINER (watch, FormFuture, watch);
    eddy__engine_cancel (self->op.engine, &self->op);
}

/* Begins the request, on the context's thread. */
static void form_future_submit (FormFuture *self)
{
    EddyContext *context = self->future.context;
    EddyOp *op = &self->op;
    if (self->form->kind == EDDY_FORM_PRIMITIVE)
        self->form->prepare (self->arguments, op);
    else
        job_prepare (&self->job, op);
    op->complete = form_future_complete;
    op->user = self;
    self->watch.cancelled = form_future_cancelled;
    int answer = context->disposed
                     ? -ECANCELED
                     : eddy__cancellable_watch (self->cancellable, context, &self->watch);
    if (answer < 0) {
        op->result = answer;
        form_future_complete (op);
    } else if (eddy__engine_submit (context->engine, op)) {
        form_future_complete (op);
    }
}

static void form_future_start_here (EddyEntry *entry)
{
    form_future_submit (EDDY__CONTAINER (entry, FormFuture, start));
}

EddyFuture *eddy_form_start (EddyFuture *future)
{
    const EddyForm *form = future->tag;
    if (form->kind == EDDY_FORM_FIBER) {
        eddy__fiber_start (eddy__fiber_of (future));
        return future;
    }
    FormFuture *self = form_future_of (future);
    EddyContext *context = future->context;
    self->job =
        (FormJob){ .form = form, .arguments = self->arguments, .cancellable = self->cancellable };
    progress_init (form, self->arguments, context, future->entry.priority);
    self->start = (EddyEntry){ .run = form_future_start_here, .priority = EDDY__PRIORITY_NOW };
    /* The ring is its thread's: whoever is not, or has not begun, leaves it to the inbox. */
    if (context->engine != NULL && eddy__context_is_owned (context))
        form_future_submit (self);
    else if (!eddy__context_post (context, &self->start))
        form_future_submit (self);
    return future;
}

void eddy_form_start_async (EddyFuture *future, EddyAsyncReadyCallback callback, void *user_data)
{
    eddy__future_set_callback (future, NULL, callback, user_data);
    eddy_unref (eddy_form_start (future));
}

/* Whether a result is of this operation on this object; a warning when it is not. */
static bool form_is_valid (const EddyForm *form, void *source_object, EddyAsyncResult *result)
{
    EDDY__EXPECT (result != NULL && result->tag == form, false);
    EDDY__EXPECT (result->source_object == source_object, false);
    return true;
}

bool eddy_form_finish (const EddyForm *form, void *source_object, EddyAsyncResult *result,
                       EddyValue *value, EddyError **error)
{
    if (form_is_valid (form, source_object, result))
        return eddy_future_take (result, value, error);
    eddy_error_set (error, EDDY_IO_ERROR, EDDY_IO_ERROR_INVALID_ARGUMENT,
                    "%s was finished with the result of something else", form->name);
    return false;
}

void *eddy_form_finish_arguments (const EddyForm *form, EddyAsyncResult *result)
{
    return result != NULL && result->tag == form ? eddy_form_get_arguments (result) : NULL;
}
