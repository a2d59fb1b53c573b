/* SPDX-License-Identifier: MIT */
/*
 * A context of a test's own, with the checks that every test makes at its end: nothing is left
 * under way, and the engine that EDDY_ENGINE names did the work. Public headers only.
 */
#pragma once

#include <eddy/eddy.h>
#include <stdlib.h>
#include <string.h>

#include "test.h"

static inline EddyContext *eddy_test_context_begin (void)
{
    EddyContext *context = eddy_context_new ();
    ck_assert_ptr_nonnull (context);
    ck_assert (eddy_context_push_thread_default (context));
    return context;
}

static inline void eddy_test_context_end (EddyContext *context)
{
    EddyContextStatistics statistics;
    const char *engine = getenv ("EDDY_ENGINE");
    eddy_context_get_statistics (context, &statistics);
    ck_assert_uint_eq (statistics.live_operations, 0);
    ck_assert_uint_eq (statistics.live_fibers, 0);
    if (engine != NULL && strcmp (engine, "auto") != 0)
        ck_assert_str_eq (statistics.engine, engine);
    eddy_context_pop_thread_default (context);
    eddy_unref (context);
}

/* Runs a function as a fiber of the context, to its end. */
static inline void *eddy_test_run_fiber (EddyContext *context, EddyFiberFunc function, void *data)
{
    EddyError *error = NULL;
    EddyFuture *fiber = eddy_spawn (context, function, data, NULL);
    void *value = eddy_block_on (context, fiber, &error);
    ck_assert_msg (error == NULL, "the fiber failed: %s",
                   error == NULL ? "" : eddy_error_get_message (error));
    eddy_unref (fiber);
    return value;
}

/* Declares NAME_run, a function without arguments, and makes NAME_fiber of it. */
#define EDDY_TEST_FIBER(name)                                                                      \
    static void name##_run (void);                                                                 \
    static void *name##_fiber (void *data, EddyError **error)                                      \
    {                                                                                              \
        (void) data;                                                                               \
        (void) error;                                                                              \
        name##_run ();                                                                             \
        return NULL;                                                                               \
    }                                                                                              \
    _Static_assert(1, "")

/* The body of a test, run by a fiber of a context of its own. */
#define EDDY_TEST_IN_FIBER(name)                                                                   \
    EDDY_TEST_FIBER (name);                                                                        \
    EDDY_TEST (name)                                                                               \
    {                                                                                              \
        EddyContext *context = eddy_test_context_begin ();                                         \
        eddy_test_run_fiber (context, name##_fiber, NULL);                                         \
        eddy_test_context_end (context);                                                           \
    }                                                                                              \
    static void name##_run (void)

/* Asserts that an error is of EDDY_IO_ERROR and this code, and gives it up. */
static inline void eddy_test_expect_error (EddyError **error, EddyIOErrorCode code)
{
    ck_assert_ptr_nonnull (*error);
    ck_assert_str_eq (eddy_error_get_domain (*error), EDDY_IO_ERROR);
    ck_assert_msg (eddy_error_get_code (*error) == (int) code, "code is %d, not %d: %s",
                   eddy_error_get_code (*error), (int) code, eddy_error_get_message (*error));
    eddy_clear_error (error);
}

/* A file in the test's directory. */
static inline EddyFile *eddy_test_file (const char *name)
{
    EddyFile *file = eddy_file_new_for_path (eddy_test_path (name));
    ck_assert_ptr_nonnull (file);
    return file;
}
