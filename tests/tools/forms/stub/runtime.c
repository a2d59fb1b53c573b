/* SPDX-License-Identifier: MIT */
/* See runtime.h. */
#include "runtime.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

struct EddyFuture {
    const EddyForm *form;
    void *source_object;
    EddyCancellable *cancellable;
    EddyValue value;
    EddyError *error;
    void *arguments;
};

bool stub_in_place;
int64_t stub_answer;
int stub_strings;
int stub_calls;
int stub_io_priority;
const EddyContext *stub_context;

void *eddy_ref (void *object)
{
    if (object != NULL)
        ((StubObject *) object)->references++;
    return object;
}

void *eddy_unref (void *object)
{
    if (object != NULL)
        ((StubObject *) object)->references--;
    return NULL;
}

char *eddy_strdup (const char *string)
{
    stub_strings += string != NULL;
    return string != NULL ? strdup (string) : NULL;
}

void eddy_free (void *memory)
{
    stub_strings -= memory != NULL;
    free (memory);
}

void eddy_value_set_boolean (EddyValue *value, bool boolean)
{
    assert (value->kind == EDDY_VALUE_NONE);
    value->kind = EDDY_VALUE_BOOLEAN;
    value->as.boolean = boolean;
}

void eddy_value_set_int (EddyValue *value, int64_t integer)
{
    assert (value->kind == EDDY_VALUE_NONE);
    value->kind = EDDY_VALUE_INT;
    value->as.integer = integer;
}

void eddy_value_take_object (EddyValue *value, void *object)
{
    assert (value->kind == EDDY_VALUE_NONE);
    value->kind = EDDY_VALUE_OBJECT;
    value->as.pointer = object;
}

void eddy_value_take_pointer (EddyValue *value, void *pointer, void (*destroy) (void *pointer))
{
    assert (value->kind == EDDY_VALUE_NONE);
    value->kind = EDDY_VALUE_POINTER;
    value->as.pointer = pointer;
    value->destroy = destroy;
}

void stub_fail (EddyError **error, int code)
{
    static EddyError failure;
    failure.code = code;
    if (error != NULL)
        *error = &failure;
}

void eddy_form_progress (int64_t current_num_bytes, int64_t total_num_bytes, void *data)
{
    EddyFormProgress *progress = data;
    progress->callback (current_num_bytes, total_num_bytes, progress->callback_data);
}

bool eddy_form_in_place (EddyFormKind kind)
{
    assert (kind != EDDY_FORM_PRIMITIVE);
    return stub_in_place;
}

/* Both ways of running a form, with the checks that the real runtime may rely on. */
static bool stub_run (const EddyForm *form, void *arguments, EddyCancellable *cancellable,
                      EddyValue *value, EddyError **error)
{
    EddyOp op = { 0, stub_answer };
    if (form->kind == EDDY_FORM_PRIMITIVE) {
        assert (form->run == NULL);
        form->prepare (arguments, &op);
        form->result (arguments, &op, value, error);
    } else {
        assert (form->prepare == NULL && form->result == NULL);
        form->run (arguments, cancellable, value, error);
    }
    assert (value->kind == EDDY_VALUE_NONE || value->kind == form->value_kind);
    assert (form->progress_offset == SIZE_MAX ||
            form->progress_offset + sizeof (EddyFormProgress) <= form->arguments_size);
    return value->kind != EDDY_VALUE_NONE;
}

bool eddy_form_call (const EddyForm *form, void *arguments, EddyCancellable *cancellable,
                     EddyValue *value, EddyError **error)
{
    EddyError *failure = NULL; /* forms look at it, also where the caller does not ask */
    stub_calls++;
    if (form->get_context != NULL)
        stub_context = form->get_context (arguments);
    bool done = stub_run (form, arguments, cancellable, value, &failure);
    if (error != NULL)
        *error = failure;
    return done;
}

EddyFuture *eddy_form_begin (const EddyForm *form, void *source_object, void *arguments,
                             int io_priority, EddyCancellable *cancellable)
{
    EddyFuture *future = calloc (1, sizeof *future);
    future->form = form;
    future->source_object = eddy_ref (source_object);
    future->cancellable = cancellable;
    future->arguments = calloc (1, form->arguments_size + 1);
    assert ((form->keep == NULL) == (form->clear == NULL));
    assert (form->keep == NULL || form->keeps_arguments);
    if (form->keep != NULL && !form->keep (arguments))
        abort ();
    if (form->arguments_size > 0)
        memcpy (future->arguments, arguments, form->arguments_size);
    stub_io_priority = io_priority;
    return future;
}

const char *eddy_form_keep_string (const char *string, bool *kept)
{
    assert (*kept);
    return eddy_strdup (string);
}

/* The copies share the strings, not the block. */
const char *const *eddy_form_keep_strings (const char *const *strings, bool *kept)
{
    assert (*kept);
    if (strings == NULL)
        return NULL;
    size_t size = sizeof *strings;
    for (size_t i = 0; strings[i] != NULL; i++)
        size += sizeof *strings;
    stub_strings++;
    return memcpy (malloc (size), strings, size);
}

EddyFuture *eddy_form_start (EddyFuture *future)
{
    stub_run (future->form, future->arguments, future->cancellable, &future->value, &future->error);
    return future;
}

void eddy_form_start_async (EddyFuture *future, EddyAsyncReadyCallback callback, void *user_data)
{
    eddy_form_start (future);
    if (callback != NULL)
        callback (future->source_object, (EddyAsyncResult *) future, user_data);
    stub_future_free (future);
}

bool eddy_form_finish (const EddyForm *form, void *source_object, EddyAsyncResult *result,
                       EddyValue *value, EddyError **error)
{
    EddyFuture *future = (EddyFuture *) result;
    if (future->form != form || future->source_object != source_object)
        return false;
    if (error != NULL)
        *error = future->error;
    *value = future->value;
    future->value.kind = EDDY_VALUE_NONE;
    return value->kind != EDDY_VALUE_NONE;
}

void *eddy_form_finish_arguments (const EddyForm *form, EddyAsyncResult *result)
{
    EddyFuture *future = (EddyFuture *) result;
    return future->form == form ? future->arguments : NULL;
}

EddyValue stub_future_value (EddyFuture *future)
{
    return future->value;
}

void stub_future_free (EddyFuture *future)
{
    if (future->form->clear != NULL)
        future->form->clear (future->arguments);
    if (future->value.kind == EDDY_VALUE_POINTER)
        future->value.destroy (future->value.as.pointer);
    if (future->value.kind == EDDY_VALUE_OBJECT)
        eddy_unref (future->value.as.pointer);
    eddy_unref (future->source_object);
    free (future->arguments);
    free (future);
}
