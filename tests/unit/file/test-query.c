/* SPDX-License-Identifier: MIT */
/* Asking what a file is: how the engine is asked. The answers are in the conformance suite. */
#include "context.h"
#include "engine/engine-private.h"
#include "files.h"

typedef struct Asked {
    EddyFile *file;
    int priority; /* of the latest job */
    unsigned n_jobs;
    bool answered;
} Asked;

static Asked asked;

static void note_job (EddyOp *op)
{
    if (op->kind != EDDY_OP_CALL)
        return;
    asked.priority = op->priority;
    asked.n_jobs++;
}

static void note_answer (void *source_object, EddyAsyncResult *result, void *user_data)
{
    (void) user_data;
    EDDY_AUTO (EddyFileInfo) info = eddy_file_query_info_finish (source_object, result, NULL);
    ck_assert_ptr_nonnull (info);
    asked.answered = true;
}

static void *ask_in_fiber (void *data, EddyError **error)
{
    (void) data;
    EDDY_AUTO (EddyFileInfo) info = eddy_file_query_info (asked.file, 0, NULL, error);
    ck_assert_ptr_nonnull (info);
    return asked.file;
}

/* One job each time, with the priority that was given, or the fiber's. */
EDDY_TEST (question_waits_by_its_priority)
{
    EddyContext *context = eddy_test_context_begin ();
    EddyFiberOptions options = { .priority = 5 };
    files_write ("file", "text", 4);
    asked = (Asked){ .file = files_new ("file") };
    eddy__engine_hooks.send = note_job;
    eddy_file_query_info_async (asked.file, 0, -7, NULL, note_answer, NULL);
    while (!asked.answered)
        eddy_context_iteration (context, true);
    ck_assert_int_eq (asked.priority, -7);
    ck_assert_uint_eq (asked.n_jobs, 1);
    EDDY_AUTO (EddyFuture)
    fiber = eddy_spawn_full (context, ask_in_fiber, NULL, NULL, &options, EDDY_PLACE);
    ck_assert_ptr_eq (eddy_block_on (context, fiber, NULL), asked.file);
    ck_assert_int_eq (asked.priority, 5);
    ck_assert_uint_eq (asked.n_jobs, 2);
    eddy__engine_hooks.send = NULL;
    eddy_unref (asked.file);
    eddy_test_context_end (context);
}
