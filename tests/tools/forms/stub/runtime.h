/* SPDX-License-Identifier: MIT */
/* A runtime without a loop: what starts also completes, inside the call that starts it. It is here to
 * see what generated forms do with arguments, values and outputs, and counts what they own. */
#pragma once

#include <eddy/forms.h>

struct EddyOp {
    int64_t request;
    int64_t answer;
};

struct EddyError {
    int code;
};

typedef struct {
    int references;
} StubObject;

extern bool stub_in_place;              /* what eddy_form_in_place answers */
extern int64_t stub_answer;             /* what the "kernel" answers to a primitive */
extern int stub_strings;                /* strings that live */
extern int stub_calls;                  /* of eddy_form_call */
extern int stub_io_priority;            /* of the last eddy_form_begin */
extern const EddyContext *stub_context; /* that the last eddy_form_call was to run in */

EddyValue stub_future_value (EddyFuture *future);
void stub_future_free (EddyFuture *future);
void stub_fail (EddyError **error, int code);
