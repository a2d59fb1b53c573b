/* SPDX-License-Identifier: MIT */
/* Stands for <eddy/forms.h>. */
#pragma once

#include <eddy/eddy.h>

EDDY_BEGIN_DECLS

typedef struct EddyOp EddyOp;
typedef enum { EDDY_FORM_PRIMITIVE, EDDY_FORM_FIBER, EDDY_FORM_JOB, EDDY_FORM_BRIEF } EddyFormKind;

typedef struct {
    EddyFileProgressCallback callback;
    void *callback_data;
    int64_t hidden[4];
} EddyFormProgress;

typedef struct {
    const char *name;
    EddyFormKind kind;
    EddyValueKind value_kind;
    size_t arguments_size;
    bool keeps_arguments;
    size_t progress_offset;
    void (*run) (void *arguments, EddyCancellable *cancellable, EddyValue *value,
                 EddyError **error);
    void (*prepare) (void *arguments, EddyOp *op);
    void (*result) (void *arguments, const EddyOp *op, EddyValue *value, EddyError **error);
    bool (*keep) (void *arguments);
    void (*clear) (void *arguments);
    EddyContext *(*get_context) (const void *arguments);
} EddyForm;

void eddy_form_progress (int64_t current_num_bytes, int64_t total_num_bytes, void *progress);
bool eddy_form_in_place (EddyFormKind kind);
bool eddy_form_call (const EddyForm *form, void *arguments, EddyCancellable *cancellable,
                     EddyValue *value, EddyError **error);
EddyFuture *eddy_form_begin (const EddyForm *form, void *source_object, void *arguments,
                             int io_priority, EddyCancellable *cancellable);
const char *eddy_form_keep_string (const char *string, bool *kept);
const char *const *eddy_form_keep_strings (const char *const *strings, bool *kept);
void eddy_form_start_async (EddyFuture *future, EddyAsyncReadyCallback callback, void *user_data);
EddyFuture *eddy_form_start (EddyFuture *future);
bool eddy_form_finish (const EddyForm *form, void *source_object, EddyAsyncResult *result,
                       EddyValue *value, EddyError **error);
void *eddy_form_finish_arguments (const EddyForm *form, EddyAsyncResult *result);

EDDY_END_DECLS
