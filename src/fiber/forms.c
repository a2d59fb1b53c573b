/* SPDX-License-Identifier: MIT */
/* What the generated forms of operations call: the same operation in a fiber, in a plain thread, by
 * callback and as a future.
 *
 * A FIBER operation's future is the fiber itself, with its arguments behind the record. PRIMITIVE
 * and JOB operations have a FormFuture: future, request and arguments are one allocation, and a
 * primitive whose request says all keeps no arguments. */
#include <eddy/forms.h>

#include <errno.h>
#include <string.h>

#include "base/alloc-private.h"
#include "base/object-private.h"
#include "fiber/block-private.h"
#include "fiber/current-private.h"
#include "fiber/dump-private.h"
#include "fiber/fiber-private.h"
#include "future/mirror-private.h"

/* Enough for what ends by being cancelled; what yields for ever is not waited for. */
enum { FORM_SETTLE_PASSES = 100 };

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

static bool form_is_job (const EddyForm *form)
{
    return form->kind == EDDY_FORM_JOB || form->kind == EDDY_FORM_BRIEF;
}

static void job_run (void *data)
{
    FormJob *job = data;
    form_run (job->form, job->arguments, job->cancellable, &job->value, &job->error);
}

static void job_prepare (FormJob *job, EddyOp *op)
{
    eddy__op_init (op, job->form->is_long ? EDDY_OP_LONG_CALL : EDDY_OP_CALL, -1);
    op->flags = (job->form->kind == EDDY_FORM_BRIEF ? EDDY_OP_CALL_BRIEF : 0) |
                (job->form->waits ? EDDY_OP_CALL_WAITS : 0);
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
    switch (kind) {
    case EDDY_FORM_STREAM:
    case EDDY_FORM_DIRECT:
        return true;
    case EDDY_FORM_FIBER:
        return in_fiber;
    case EDDY_FORM_JOB:
    case EDDY_FORM_BRIEF:
        return !in_fiber;
    case EDDY_FORM_PRIMITIVE:
    default:
        return false;
    }
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
    EddyAwaitedOp awaited;
    EddyOp *op = &awaited.op;
    form->prepare (arguments, op);
    if (fiber == NULL)
        eddy__block_op (op, cancellable);
    else
        eddy__fiber_await_op (fiber, &awaited, cancellable);
    if (op->result != -ECANCELED)
        form->result (arguments, op, value, &failure);
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
    if (both != fiber->scope && both != cancellable && fiber->shielded == 0) {
        scope_id = eddy_cancellable_connect (eddy__fiber_get_scope (fiber), job_scope_cancelled,
                                             both, NULL);
        if (scope_id == 0 && !eddy__cancellable_is_cancelled (both)) {
            eddy_unref (both);
            eddy_error_set_errno (error, ENOMEM, "%s", form->name);
            return false;
        }
    }
    FormJob job = { .form = form, .arguments = arguments, .cancellable = both };
    EddyAwaitedOp awaited;
    const EddyOp *op = &awaited.op;
    job_prepare (&job, &awaited.op);
    eddy__op_set_priority (&awaited.op, fiber->future.entry.priority);
    progress_init (form, arguments, fiber->future.context, fiber->future.entry.priority);
    eddy__fiber_await_op (fiber, &awaited, cancellable);
    eddy_cancellable_disconnect (fiber->scope, scope_id);
    eddy_unref (both);
    if (op->result == -ECANCELED)
        job.error = eddy__fiber_make_cancel_error (fiber, cancellable);
    else if (op->result < 0)
        job.error = eddy_error_new_errno ((int) -op->result, "%s", form->name);
    *value = job.value;
    return form_answer (form, value, job.error, error);
}

/* What a FIBER operation runs on its fiber: the arguments behind the record, or, for a blocking
 * caller, in his frame. */
typedef struct FormFiber {
    const EddyForm *form;
    void *arguments;
    bool owns_arguments;
    EddyError *refused; /* it could not begin */
} FormFiber;

static void form_fiber_body (EddyFiber *fiber, EddyValue *value, EddyError **error)
{
    FormFiber *form_fiber = eddy__fiber_get_extra (fiber);
    if (form_fiber->refused != NULL) {
        *error = EDDY_TAKE (form_fiber->refused);
        return;
    }
    form_run (form_fiber->form, form_fiber->arguments, NULL, value, error);
    if (*error == NULL && value->kind == EDDY_VALUE_NONE)
        *error = form_missing_error (form_fiber->form);
}

/* Only the operation's own fiber has a future of the number; another one has called it. */
void eddy__form_set_destroy (const char *name, void (*destroy) (void *number))
{
    EddyFiber *fiber = eddy__fiber_current ();
    if (fiber == NULL || fiber->body != form_fiber_body)
        return;
    const FormFiber *form_fiber = eddy__fiber_get_extra (fiber);
    if (strcmp (form_fiber->form->name, name) == 0)
        fiber->future.value.destroy = destroy;
}

/* The context that the form names, or a private one: sure to run, since its engine is open and it
 * is this thread's default. Where either cannot be, a fiber in it would never end. NULL and -errno
 * on failure. */
static EddyContext *form_enter_context (const EddyForm *form, const void *arguments, int *answer)
{
    EddyContext *context = form->get_context != NULL ? eddy_ref (form->get_context (arguments))
                                                     : eddy__context_new (answer);
    if (context == NULL) {
        *answer = *answer < 0 ? *answer : -EINVAL;
        return NULL;
    }
    *answer = eddy__context_enter (context);
    if (*answer == 0 && eddy_context_push_thread_default (context))
        return context;
    if (*answer == 0) {
        eddy__context_leave (context);
        *answer = -ENOMEM;
    }
    eddy_unref (context);
    return NULL;
}

/* What the body let go of when it ended has been asked to end, too, and does so in its own turns.
 * Nobody will run this context again: without them it would stay, kept by what is live in it. */
static void form_settle (EddyContext *context)
{
    for (int i = 0; i < FORM_SETTLE_PASSES; i++) {
        if (eddy__ready_most_urgent (&context->ready) == NULL)
            return;
        eddy__context_pass (context, /* may_block= */ false);
    }
}

static void form_leave_context (EddyContext *context)
{
    eddy_context_pop_thread_default (context);
    eddy__context_leave (context);
    eddy_unref (context);
}

/* Outside a fiber: on a fiber of a context of its own, so that nothing else is dispatched, unless
 * its arguments live in another one. */
static bool form_call_fiber (const EddyForm *form, void *arguments, EddyCancellable *cancellable,
                             EddyValue *value, EddyError **error)
{
    int answer = 0;
    EddyContext *context = form_enter_context (form, arguments, &answer);
    EddyFiber *fiber =
        context == NULL ? NULL : eddy__fiber_new (context, cancellable, sizeof (FormFiber));
    if (fiber == NULL) {
        if (context != NULL)
            form_leave_context (context);
        eddy_error_set_errno (error, answer < 0 ? -answer : ENOMEM, "%s", form->name);
        return false;
    }
    *(FormFiber *) eddy__fiber_get_extra (fiber) = (FormFiber){ form, arguments, false, NULL };
    fiber->body = form_fiber_body;
    fiber->name = form->name;
    eddy__fiber_start (fiber);
    bool done = eddy_block_on_complete (context, &fiber->future, error);
    if (done)
        done = eddy_future_take (&fiber->future, value, error);
    eddy_unref (fiber);
    if (form->get_context == NULL)
        form_settle (context);
    form_leave_context (context);
    return done;
}

bool eddy_form_call (const EddyForm *form, void *arguments, EddyCancellable *cancellable,
                     EddyValue *value, EddyError **error)
{
    if (form->kind == EDDY_FORM_PRIMITIVE)
        return form_call_primitive (form, arguments, cancellable, value, error);
    if (eddy_form_in_place (form->kind))
        return form_call_in_place (form, arguments, cancellable, value, error);
    if (form_is_job (form))
        return form_call_job (form, arguments, cancellable, value, error);
    return form_call_fiber (form, arguments, cancellable, value, error);
}

/* --- futures and callbacks -------------------------------------------------------------------- */

/* The future of a request or a JOB; its tag is the form. Behind it come a JOB's FormJob and the
 * arguments, if they are kept. */
typedef struct FormFuture {
    EddyFuture future;
    EddyOp op;
    EddyCancellable *cancellable; /* the caller's; a JOB's own, a child of it; NULL: none */
    EddyCancelWatch watch;
} FormFuture;

_Static_assert(sizeof (FormFuture) == 256, "a pending operation is four cache lines");

/* Bytes before what may need any alignment. */
enum {
    FORM_JOB_SIZE = (sizeof (FormJob) + 15) / 16 * 16,
    FORM_FIBER_SIZE = (sizeof (FormFiber) + 15) / 16 * 16
};

static FormFuture *form_future_of (EddyFuture *future)
{
    return EDDY__CONTAINER (future, FormFuture, future);
}

static const EddyForm *form_of (const EddyFuture *future)
{
    return future->tag;
}

static FormJob *form_future_get_job (FormFuture *self)
{
    return (FormJob *) (void *) (self + 1);
}

/* Bytes before the arguments. */
static size_t form_offset (const EddyForm *form)
{
    return sizeof (FormFuture) + (form_is_job (form) ? FORM_JOB_SIZE : 0);
}

static size_t form_size (const EddyForm *form)
{
    return form_offset (form) + (form->keeps_arguments ? form->arguments_size : 0);
}

/* Whether it is a FormFuture's; else it is a fiber's. */
static bool form_is_request (const EddyFuture *future);

static void *form_get_arguments (EddyFuture *future)
{
    const EddyForm *form = form_of (future);
    if (!form->keeps_arguments)
        return NULL;
    if (!form_is_request (future))
        return ((FormFiber *) eddy__fiber_get_extra (eddy__fiber_of (future)))->arguments;
    return (char *) future + form_offset (form);
}

static void form_future_finalize (void *object)
{
    FormFuture *self = object;
    const EddyForm *form = form_of (&self->future);
    if (form->clear != NULL)
        form->clear (form_get_arguments (&self->future));
    eddy_clear (&self->cancellable);
    eddy__future_finalize (&self->future);
    eddy__block_free (self, form_size (form));
}

/* The arguments of a FIBER operation go with its fiber. */
static void form_fiber_clear (void *extra)
{
    FormFiber *form_fiber = extra;
    eddy_unref (form_fiber->refused);
    if (form_fiber->owns_arguments && form_fiber->form->clear != NULL)
        form_fiber->form->clear (form_fiber->arguments);
}

/* --- cancelling ------------------------------------------------------------------------------- */

/* Home thread. A request that is still on its way there ends when it arrives. A worker may be
 * writing the state; that it is no longer NEW is known here since this thread submitted it. */
static void form_future_cancel (FormFuture *self)
{
    if (__atomic_load_n (&self->op.state, __ATOMIC_RELAXED) == EDDY_OP_NEW)
        self->op.op_flags |= EDDY_OP_CANCEL_ASKED;
    else
        eddy__engine_cancel (self->op.engine, &self->op);
}

static void form_future_cancelled (EddyCancelWatch *watch)
{
    form_future_cancel (EDDY__CONTAINER (watch, FormFuture, watch));
}

/* Another thread's request to cancel, on its way home; it holds the future. */
typedef struct CancelRequest {
    EddyEntry entry;
    FormFuture *future;
} CancelRequest;

static void cancel_request_run (EddyEntry *entry)
{
    CancelRequest *request = EDDY__CONTAINER (entry, CancelRequest, entry);
    FormFuture *self = request->future;
    eddy__reserve_free (request, sizeof *request);
    form_future_cancel (self);
    eddy_object_release (self);
}

static void form_future_request_cancel (EddyFuture *future)
{
    FormFuture *self = form_future_of (future);
    if (form_is_job (form_of (future))) {
        eddy_cancellable_cancel (self->cancellable);
        return;
    }
    if (eddy__future_is_here (future)) {
        form_future_cancel (self);
        return;
    }
    CancelRequest *request = eddy__reserve_alloc (sizeof *request);
    request->entry = (EddyEntry){ .run = cancel_request_run, .priority = EDDY__PRIORITY_NOW };
    request->future = eddy_object_hold (self);
    if (!eddy__future_post_home (future, &request->entry)) {
        eddy__reserve_free (request, sizeof *request);
        eddy_object_release (self);
    }
}

static const EddyFutureClass form_future_class = { .object = { .name = "EddyFuture",
                                                               .size = 0,
                                                               .dispose = eddy__future_dispose,
                                                               .finalize = form_future_finalize },
                                                   .request_cancel = form_future_request_cancel };

static bool form_is_request (const EddyFuture *future)
{
    return future->object.object_class == &form_future_class.object;
}

/* --- beginning -------------------------------------------------------------------------------- */

/* What an operation follows: NULL in a fiber means the fiber's own. */
static EddyCancellable *form_parent (EddyCancellable *cancellable)
{
    EddyFiber *running = eddy__fiber_current ();
    if (cancellable != NULL || running == NULL)
        return cancellable;
    EddyCancellable *scope = eddy__fiber_get_scope (running);
    /* Without one it would go on when the fiber is cancelled. */
    return scope != NULL ? scope : eddy__cancellable_no_memory ();
}

/* NULL when memory is out; so does the next one. Both take what the arguments own. `refused`: the
 * error, taken, of one that cannot begin; it is told by the loop like any other. */
static EddyFuture *form_begin_fiber (const EddyForm *form, EddyContext *context,
                                     const void *arguments, int io_priority,
                                     EddyCancellable *parent, EddyError *refused)
{
    EddyFiber *fiber = eddy__fiber_new (context, parent, FORM_FIBER_SIZE + form->arguments_size);
    if (fiber == NULL) {
        eddy_unref (refused);
        return NULL;
    }
    char *extra = eddy__fiber_get_extra (fiber);
    *(FormFiber *) (void *) extra = (FormFiber){ form, extra + FORM_FIBER_SIZE, true, refused };
    if (form->arguments_size > 0)
        memcpy (extra + FORM_FIBER_SIZE, arguments, form->arguments_size);
    fiber->clear_extra = form_fiber_clear;
    fiber->body = form_fiber_body;
    fiber->name = form->name;
    fiber->future.entry.priority = io_priority;
    fiber->future.tag = form;
    return &fiber->future;
}

/* `request`: that of a STREAM, which has begun; else NULL. */
static EddyFuture *form_begin_future (const EddyForm *form, EddyContext *context, void *arguments,
                                      int io_priority, EddyCancellable *parent,
                                      const EddyOp *request)
{
    bool is_job = form_is_job (form);
    EddyCancellable *own = is_job ? eddy_cancellable_new_child (parent) : eddy_ref (parent);
    FormFuture *self = is_job && own == NULL ? NULL : eddy__block_alloc (form_size (form));
    if (self == NULL) {
        eddy_unref (own);
        return NULL;
    }
    memset (self, 0, form_size (form));
    eddy__future_init (&self->future, &form_future_class, context, io_priority);
    self->future.tag = form;
    self->future.entry.turn = eddy__context_make_stamp (context); /* until it completes */
    self->cancellable = own;
    eddy__list_init (&self->watch.member);
    void *kept = form_get_arguments (&self->future);
    if (kept != NULL)
        memcpy (kept, arguments, form->arguments_size);
    if (is_job) {
        FormJob *job = form_future_get_job (self);
        *job = (FormJob){ .form = form, .arguments = kept, .cancellable = own };
        job_prepare (job, &self->op);
        eddy__op_set_priority (&self->op, io_priority);
        progress_init (form, kept, context, io_priority);
    } else if (request != NULL) {
        self->op = *request;
        eddy__list_init (&self->op.link);
        eddy__op_set_priority (&self->op, io_priority);
    } else {
        form->prepare (kept != NULL ? kept : arguments, &self->op);
    }
    return &self->future;
}

/* A STREAM that has a request for it is that; memory is out: what has begun ends. */
static EddyFuture *form_begin_stream (const EddyForm *form, EddyContext *context, void *arguments,
                                      int io_priority, EddyCancellable *parent)
{
    EddyOp op;
    EddyError *error = NULL;
    if (!form->request (arguments, &op, &error))
        return form_begin_fiber (form, context, arguments, io_priority, parent, error);
    EddyFuture *future = form_begin_future (form, context, arguments, io_priority, parent, &op);
    if (future != NULL)
        return future;
    EddyValue value = EDDY_VALUE_INIT;
    op.result = -ENOMEM;
    form->result (arguments, &op, &value, &error);
    eddy_clear_error (&error);
    return NULL;
}

static EddyFuture *form_begin (const EddyForm *form, EddyContext *context, void *arguments,
                               int io_priority, EddyCancellable *parent)
{
    switch (form->kind) {
    case EDDY_FORM_STREAM:
        return form_begin_stream (form, context, arguments, io_priority, parent);
    case EDDY_FORM_DIRECT:
    case EDDY_FORM_FIBER:
        return form_begin_fiber (form, context, arguments, io_priority, parent, NULL);
    case EDDY_FORM_PRIMITIVE:
    case EDDY_FORM_JOB:
    case EDDY_FORM_BRIEF:
    default:
        return form_begin_future (form, context, arguments, io_priority, parent, NULL);
    }
}

EddyFuture *eddy_form_begin (const EddyForm *form, void *source_object, void *arguments,
                             int io_priority, EddyCancellable *cancellable)
{
    EddyContext *context = eddy__context_thread_default ();
    EddyCancellable *parent = form_parent (cancellable);
    EddyFuture *future = NULL;
    if (form->keep == NULL || form->keep (arguments)) {
        future = form_begin (form, context, arguments, io_priority, parent);
        if (future == NULL && form->clear != NULL)
            form->clear (arguments);
    }
    if (future == NULL)
        future = eddy__future_new_failed (context, form, io_priority, form->name);
    future->source_object = eddy_ref (source_object);
    return future;
}

const char *eddy_form_keep_string (const char *string, bool *kept)
{
    char *copy = eddy_strdup (string);
    if (copy == NULL && string != NULL)
        *kept = false;
    return copy;
}

const char *const *eddy_form_keep_strings (const char *const *strings, bool *kept)
{
    if (strings == NULL)
        return NULL;
    size_t n_strings = 0, size = 0;
    while (strings[n_strings] != NULL)
        size += strlen (strings[n_strings++]) + 1;
    char **copies = eddy__alloc ((n_strings + 1) * sizeof *copies + size);
    if (copies == NULL) {
        *kept = false;
        return NULL;
    }
    char *text = (char *) (copies + n_strings + 1);
    for (size_t i = 0; i < n_strings; i++) {
        size_t length = strlen (strings[i]) + 1;
        copies[i] = memcpy (text, strings[i], length);
        text += length;
    }
    copies[n_strings] = NULL;
    return (const char *const *) copies;
}

/* --- starting and completing ------------------------------------------------------------------ */

/* What the ended request says: the value or the error. */
static void form_future_answer (FormFuture *self, EddyValue *value, EddyError **error)
{
    const EddyForm *form = form_of (&self->future);
    const EddyOp *op = &self->op;
    bool cancelled = op->result == -ECANCELED;
    if (form->kind == EDDY_FORM_STREAM || (form->kind == EDDY_FORM_PRIMITIVE && !cancelled)) {
        form->result (form_get_arguments (&self->future), op, value, error);
    } else if (op->result >= 0) {
        *value = form_future_get_job (self)->value;
        *error = form_future_get_job (self)->error;
    } else if (!cancelled) {
        *error = eddy_error_new_errno ((int) -op->result, "%s", form->name);
    }
    if (cancelled) {
        eddy_clear_error (error);
        *error = eddy__cancellable_make_error (self->cancellable);
    } else if (*error == NULL && value->kind == EDDY_VALUE_NONE) {
        *error = form_missing_error (form);
    }
}

/* The request has ended: completes, and gives the maker's count up. */
static void form_future_complete (EddyOp *op)
{
    FormFuture *self = EDDY__CONTAINER (op, FormFuture, op);
    EddyValue value = EDDY_VALUE_INIT;
    EddyError *error = NULL;
    eddy__cancellable_unwatch (&self->watch);
    form_future_answer (self, &value, &error);
    op->state = EDDY_OP_DONE;
    eddy__future_complete_sole (&self->future, &value, error);
    eddy__future_drop_sole_maker (&self->future);
}

/* Begins the request, on the context's thread. */
static void form_future_submit (FormFuture *self)
{
    EddyContext *context = self->future.context;
    EddyOp *op = &self->op;
    op->complete = form_future_complete;
    self->watch.cancelled = form_future_cancelled;
    int answer = 0;
    if (context->disposed || (op->op_flags & EDDY_OP_CANCEL_ASKED))
        answer = -ECANCELED;
    else if (self->cancellable != NULL)
        answer = eddy__cancellable_watch (self->cancellable, context, &self->watch);
    if (answer < 0 || (op->op_flags & EDDY_OP_READY) != 0) {
        op->result = answer;
        form_future_complete (op);
    } else if (eddy__engine_submit (context->engine, op)) {
        form_future_complete (op);
    }
}

const char *eddy__form_get_name (const EddyFuture *future)
{
    bool is_form = future->object.object_class == &form_future_class.object;
    return is_form ? form_of (future)->name : NULL;
}

const EddyFuture *eddy__form_get_future (const EddyOp *op)
{
    return op->complete == form_future_complete ? &EDDY__CONTAINER (op, FormFuture, op)->future
                                                : NULL;
}

const char *eddy__form_get_job_name (const EddyOp *op)
{
    bool is_call = op->kind == EDDY_OP_CALL || op->kind == EDDY_OP_LONG_CALL;
    if (!is_call || op->as.call.function != job_run)
        return NULL;
    return ((const FormJob *) op->as.call.data)->form->name;
}

static void form_future_arrived (EddyEntry *entry)
{
    FormFuture *self = EDDY__CONTAINER (entry, FormFuture, op.entry);
    eddy__list_init (&self->op.link);
    form_future_submit (self);
}

EddyFuture *eddy_form_start (EddyFuture *future)
{
    if (EDDY__UNLIKELY (eddy__future_has_failed_to_begin (future)))
        return future;
    if (!form_is_request (future)) {
        eddy__fiber_start (eddy__fiber_of (future));
        return future;
    }
    FormFuture *self = form_future_of (future);
    EddyContext *context = future->context;
    /* The ring is its thread's: whoever is not, or has not begun, leaves it to the inbox. */
    if (context->engine != NULL && eddy__context_is_owned (context)) {
        form_future_submit (self);
        return future;
    }
    self->op.entry = (EddyEntry){ .run = form_future_arrived, .priority = EDDY__PRIORITY_NOW };
    if (!eddy__context_post (context, &self->op.entry))
        form_future_arrived (&self->op.entry);
    return future;
}

void eddy_form_start_async (EddyFuture *future, EddyAsyncReadyCallback callback, void *user_data)
{
    eddy__future_set_callback (future, NULL, callback, user_data);
    if (EDDY__UNLIKELY (eddy__future_has_failed_to_begin (future)))
        eddy__future_deliver (future);
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
    if (result == NULL || result->tag != form || eddy__future_has_failed_to_begin (result))
        return NULL;
    return form_get_arguments (result);
}
