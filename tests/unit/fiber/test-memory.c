/* SPDX-License-Identifier: MIT */
/*
 * What is begun when memory is out: it fails, once and later, as what it would have been.
 */
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "../../support/context.h"
#include "base/alloc-private.h"
#include "future/future-private.h"

static int deny (size_t size, void *data)
{
    (void) size;
    return *(bool *) data;
}

typedef struct Ends {
    int calls;
    int no_memory;
} Ends;

static void ends_note (Ends *ends, EddyError *error)
{
    ends->calls++;
    ck_assert_ptr_nonnull (error);
    ends->no_memory += eddy_error_get_code (error) == EDDY_IO_ERROR_NO_MEMORY;
    eddy_unref (error);
}

static void read_ended (void *source_object, EddyAsyncResult *result, void *user_data)
{
    EddyError *error = NULL;
    (void) source_object;
    ck_assert_int_eq (eddy_fd_read_finish (result, &error), -1);
    ends_note (user_data, error);
}

static void load_ended (void *source_object, EddyAsyncResult *result, void *user_data)
{
    EddyError *error = NULL;
    ck_assert_ptr_null (eddy_file_load_contents_finish (source_object, result, &error));
    ends_note (user_data, error);
}

static void copy_ended (void *source_object, EddyAsyncResult *result, void *user_data)
{
    EddyError *error = NULL;
    ck_assert (!eddy_file_copy_finish (source_object, result, &error));
    ends_note (user_data, error);
}

EDDY_TEST (operations_that_cannot_begin_say_no_memory)
{
    EddyContext *context = eddy_test_context_begin ();
    static bool denied;
    Ends ends = { 0, 0 };
    char byte;
    EddyFile *file = eddy_file_new_for_path ("/dev/null");
    eddy_context_iteration (context, false);
    denied = true;
    eddy__alloc_set_fault (deny, &denied);
    eddy_fd_read_async (0, &byte, 1, -1, 0, NULL, read_ended, &ends);
    eddy_file_load_contents_async (file, 0, NULL, load_ended, &ends);
    eddy_file_copy_async (file, file, EDDY_FILE_COPY_NONE, 0, NULL, NULL, NULL, copy_ended, &ends);
    ck_assert_int_eq (ends.calls, 0);
    EddyFuture *future = eddy_file_load_contents_future (file, 0, NULL);
    ck_assert (eddy_future_is_complete (future));
    ck_assert_int_eq (eddy_error_get_code (eddy_future_get_error (future)),
                      EDDY_IO_ERROR_NO_MEMORY);
    eddy_future_cancel (future);
    eddy_unref (future);
    while (eddy_context_iteration (context, false))
        ;
    denied = false;
    ck_assert_int_eq (ends.calls, 3);
    ck_assert_int_eq (ends.no_memory, 3);
    eddy_unref (file);
    eddy_test_context_end (context);
}

static int destroyed;

static void count_destroyed (void *data)
{
    (void) data;
    destroyed++;
}

static void *never (void *data, EddyError **error)
{
    (void) data;
    (void) error;
    ck_abort_msg ("a fiber without memory ran");
}

static bool invoked (void *user_data)
{
    ++*(int *) user_data;
    return false;
}

EDDY_TEST (spawns_and_invokes_without_memory)
{
    EddyContext *context = eddy_test_context_begin ();
    static bool denied = true;
    int calls = 0;
    eddy_context_iteration (context, false);
    eddy__alloc_set_fault (deny, &denied);
    EddyFuture *fiber = eddy_spawn (context, never, NULL, count_destroyed);
    ck_assert_int_eq (eddy_error_get_code (eddy_future_get_error (fiber)), EDDY_IO_ERROR_NO_MEMORY);
    eddy_unref (fiber);
    eddy_spawn_detached (context, never, NULL, count_destroyed);
    ck_assert_int_eq (destroyed, 2);
    eddy_context_invoke (context, invoked, &calls);
    while (eddy_context_iteration (context, false))
        ;
    ck_assert_int_eq (calls, 1);
    denied = false;
    eddy_test_context_end (context);
}

/* The reserve gives its records back: many more failures than it has records. */
EDDY_TEST (the_reserve_is_given_back)
{
    EddyContext *context = eddy_test_context_begin ();
    static bool denied = true;
    eddy__alloc_set_fault (deny, &denied);
    for (int i = 0; i < 1000; i++) {
        EddyFuture *fiber = eddy_spawn (context, never, NULL, NULL);
        ck_assert (eddy_future_is_complete (fiber));
        eddy_unref (fiber);
    }
    denied = false;
    eddy_context_iteration (context, false);
    eddy_test_context_end (context);
}

/* --- watchers --------------------------------------------------------------------------------- */

enum { WATCHERS = 5 };

typedef struct Watch {
    EddyWatcher watcher;
    int *order;
    int place;
} Watch;

static void watch_completed (EddyWatcher *watcher)
{
    Watch *watch = EDDY__CONTAINER (watcher, Watch, watcher);
    watch->place = ++*watch->order;
}

/* Any of several watchers may leave; the others are told in the order in which they came. */
EDDY_TEST (watchers_leave_and_are_told_in_order)
{
    for (unsigned leaving = 0; leaving < 1u << WATCHERS; leaving++) {
        EddyContext *context = eddy_test_context_begin ();
        EddyTask *task = eddy_task_new (NULL, NULL, NULL, NULL);
        EddyFuture *future = eddy_task_get_future (task);
        Watch watches[WATCHERS];
        int order = 0, expected = 0;
        memset (watches, 0, sizeof watches);
        for (int i = 0; i < WATCHERS; i++) {
            watches[i].watcher.completed = watch_completed;
            watches[i].order = &order;
            ck_assert (eddy__future_watch (future, &watches[i].watcher));
        }
        for (int i = 0; i < WATCHERS; i++)
            if ((leaving >> i & 1) != 0)
                eddy__future_unwatch (future, &watches[i].watcher);
        eddy_task_return_boolean (task, true);
        for (int i = 0; i < WATCHERS; i++) {
            ck_assert_int_eq (watches[i].place, (leaving >> i & 1) != 0 ? 0 : ++expected);
            eddy__future_unwatch (future, &watches[i].watcher);
        }
        eddy_unref (future);
        eddy_task_unref (task);
        while (eddy_context_iteration (context, false))
            ;
        eddy_test_context_end (context);
    }
}
