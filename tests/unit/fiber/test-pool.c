/* SPDX-License-Identifier: MIT */
/*
 * Pools whose threads cannot be started: a clear error, and nothing left.
 */
#include <errno.h>

#include <eddy/pool.h>

#include "context.h"
#include "faults.h"

/* The nth thread is refused: those before it end again. */
static void expect_refused (unsigned nth, int error_number, int code)
{
    EddyError *error = NULL;
    eddy_test_fail_call (EDDY_SYS_THREAD_START, nth, error_number, /* from_then_on= */ true);
    ck_assert_ptr_null (eddy_pool_new (3, &error));
    eddy_test_no_faults ();
    ck_assert_ptr_nonnull (error);
    ck_assert_int_eq (eddy_error_get_code (error), code);
    eddy_clear_error (&error);
}

EDDY_TEST (a_pool_without_threads_leaves_nothing)
{
    for (unsigned nth = 1; nth <= 3; nth++) {
        expect_refused (nth, EAGAIN, EDDY_IO_ERROR_LIMIT_EXCEEDED);
        expect_refused (nth, ENOMEM, EDDY_IO_ERROR_NO_MEMORY);
    }
    EddyError *error = NULL;
    EddyPool *pool = eddy_pool_new (3, &error);
    ck_assert_ptr_nonnull (pool);
    ck_assert (eddy_pool_close (pool, NULL, &error));
    eddy_unref (pool);
}
