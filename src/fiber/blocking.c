/* SPDX-License-Identifier: MIT */
/* A program's blocking call as a JOB: the forms that the generator would write, but for data that
 * the operation owns by a destroy function. */
#include <eddy/blocking.h>
#include <eddy/forms.h>

#include "base/object-private.h"

typedef struct BlockingCall {
    EddyBlockingFunc function;
    void *data;
    void (*destroy) (void *data);
} BlockingCall;

static void blocking_run (void *arguments, EddyCancellable *cancellable, EddyValue *value,
                          EddyError **error)
{
    BlockingCall *call = arguments;
    if (eddy_cancellable_set_error_if_cancelled (cancellable, error))
        return;
    void *answer = call->function (call->data, cancellable, error);
    if (*error == NULL)
        eddy_value_take_pointer (value, answer, NULL);
}

static void blocking_clear (void *arguments)
{
    BlockingCall *call = arguments;
    if (call->destroy != NULL)
        call->destroy (call->data);
}

static const EddyForm blocking_form = {
    .name = "eddy_run_blocking",
    .kind = EDDY_FORM_JOB,
    .is_long = true,
    .value_kind = EDDY_VALUE_POINTER,
    .arguments_size = sizeof (BlockingCall),
    .keeps_arguments = true,
    .progress_offset = SIZE_MAX,
    .run = blocking_run,
    .clear = blocking_clear,
};

void *eddy_run_blocking (EddyBlockingFunc function, void *data, void (*destroy) (void *data),
                         EddyCancellable *cancellable, EddyError **error)
{
    EDDY__EXPECT (function != NULL, NULL);
    BlockingCall call = { function, data, destroy };
    EddyValue value = EDDY_VALUE_INIT;
    bool done = eddy_form_call (&blocking_form, &call, cancellable, &value, error);
    blocking_clear (&call);
    return done ? value.as.pointer : NULL;
}

static EddyFuture *blocking_begin (EddyBlockingFunc function, void *data,
                                   void (*destroy) (void *data), int io_priority,
                                   EddyCancellable *cancellable)
{
    BlockingCall call = { function, data, destroy };
    return eddy_form_begin (&blocking_form, NULL, &call, io_priority, cancellable);
}

void eddy_run_blocking_async (EddyBlockingFunc function, void *data, void (*destroy) (void *data),
                              int io_priority, EddyCancellable *cancellable,
                              EddyAsyncReadyCallback callback, void *user_data)
{
    EDDY__EXPECT (function != NULL);
    eddy_form_start_async (blocking_begin (function, data, destroy, io_priority, cancellable),
                           callback, user_data);
}

void *eddy_run_blocking_finish (EddyAsyncResult *result, EddyError **error)
{
    EddyValue value = EDDY_VALUE_INIT;
    return eddy_form_finish (&blocking_form, NULL, result, &value, error) ? value.as.pointer : NULL;
}

EddyFuture *eddy_run_blocking_future (EddyBlockingFunc function, void *data,
                                      void (*destroy) (void *data), int io_priority,
                                      EddyCancellable *cancellable)
{
    EDDY__EXPECT (function != NULL, NULL);
    return eddy_form_start (blocking_begin (function, data, destroy, io_priority, cancellable));
}
