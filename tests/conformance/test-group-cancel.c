/* SPDX-License-Identifier: MIT */
/*
 * A group with all that it can do, cancelled at each point.
 */
#include <eddy/testing.h>

#include "context.h"

#define MILLISECOND INT64_C (1000000)

typedef struct Work {
    int spawned;
    int ended;
} Work;

static void work_ended (void *data)
{
    Work *work = data;
    work->ended++;
}

static void *work_shortly (void *data, EddyError **error)
{
    (void) data;
    eddy_fiber_sleep (1000, error);
    return NULL;
}

static void *work_as_server (void *data, EddyError **error)
{
    if (!eddy_fiber_sleep (1000, error))
        return NULL;
    eddy_fiber_report_ready (data);
    eddy_fiber_sleep (1000, error);
    return NULL;
}

static void *run_work (void *data, EddyError **error)
{
    Work *work = data;
    EDDY_AUTO_GROUP (group) = eddy_group_new_with_timeout (INT64_C (3600000) * MILLISECOND);
    eddy_group_set_limit (group, 2);
    for (int i = 0; i < 2; i++) {
        work->spawned++;
        void *ready = eddy_group_start (group, work_as_server, work, work_ended, error);
        ck_assert (ready == (*error == NULL ? work : NULL));
        if (ready == NULL)
            return NULL;
    }
    for (int i = 0; i < 2; i++) {
        work->spawned++;
        if (!eddy_group_spawn (group, work_shortly, work, work_ended, error))
            return NULL;
    }
    if (eddy_group_wait (group, error))
        eddy_fiber_sleep (0, error);
    return NULL;
}

static void check_work (void *data, bool cancelled, uint32_t point)
{
    Work *work = data;
    (void) point;
    ck_assert_int_eq (work->ended, work->spawned);
    ck_assert (cancelled || work->ended == 4);
    *work = (Work){ 0, 0 };
}

EDDY_TEST (D_group_cancelled_everywhere)
{
    EddyTestCancelReport report;
    Work work = { 0, 0 };
    ck_assert_msg (eddy_test_cancel_everywhere (run_work, &work, check_work, &report), "%s",
                   report.failure);
    ck_assert_uint_ge (report.cancelled, 5);
}
