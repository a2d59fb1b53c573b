/* SPDX-License-Identifier: MIT */
/*
 * Operations on files in all their forms, by tables: each succeeds, fails and is cancelled in each
 * form, and does its work where the form says.
 */
#pragma once

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "context.h"

/* ---- What there is to work on ---------------------------------------------------------------- */

/* The test's directory, with a file "from" in it, and the free name "to". */
static EddyFile *folder, *from, *to;
static char from_path[4096], to_path[4096];

static inline void place_write (const char *path, const char *text, size_t length)
{
    int fd = open (path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    ck_assert_int_ge (fd, 0);
    ck_assert_int_eq (write (fd, text, length), (ssize_t) length);
    close (fd);
}

static inline void place_begin (void)
{
    snprintf (from_path, sizeof from_path, "%s", eddy_test_path ("from"));
    snprintf (to_path, sizeof to_path, "%s", eddy_test_path ("to"));
    folder = eddy_file_new_for_path (eddy_test_directory ());
    from = eddy_file_get_child (folder, "from");
    to = eddy_file_get_child (folder, "to");
    place_write (from_path, "one file", 8);
    ck_assert_int_eq (chmod (from_path, 0640), 0);
}

static inline void place_end (void)
{
    eddy_clear (&folder);
    eddy_clear (&from);
    eddy_clear (&to);
}

static inline mode_t place_mode (const char *path)
{
    struct stat status;
    return lstat (path, &status) == 0 ? status.st_mode : 0;
}

/* ---- The operations, each in four forms and with what must be true afterwards ---------------- */

typedef struct Operation {
    const char *name;
    bool (*call) (EddyCancellable *cancellable, EddyError **error);
    void (*start) (EddyCancellable *cancellable, EddyAsyncReadyCallback ready, void *user_data);
    bool (*finish) (EddyAsyncResult *result, EddyError **error);
    EddyFuture *(*future) (EddyCancellable *cancellable);
    void (*assert_done) (void);
    /* With nothing to work on: what stands in the way is made, or what is needed removed. */
    void (*break_it) (void);
    int error_number;
} Operation;

/* All that a program has. */
typedef struct Operations {
    const Operation *operations;
    int length;
} Operations;

static inline void remove_from (void)
{
    ck_assert_int_eq (unlink (from_path), 0);
}

static inline void occupy_to (void)
{
    place_write (to_path, "old", 3);
}

static inline void nothing_to_assert (void)
{
}

#define OPERATION(name, prefix, assert_done, break_it, error_number)                               \
    {                                                                                              \
        name, prefix##_call, prefix##_start, prefix##_finish, prefix##_future, assert_done,        \
            break_it, error_number                                                                 \
    }

/* ---- The forms ------------------------------------------------------------------------------- */

typedef bool (*Form) (const Operation *operation, EddyCancellable *cancellable, EddyError **error);

static inline bool form_blocking (const Operation *operation, EddyCancellable *cancellable,
                                  EddyError **error)
{
    return operation->call (cancellable, error);
}

typedef struct FiberCall {
    const Operation *operation;
    EddyCancellable *cancellable;
} FiberCall;

static inline void *fiber_call (void *data, EddyError **error)
{
    FiberCall *call = data;
    bool is_done = call->operation->call (call->cancellable, error);
    ck_assert_int_eq (is_done, *error == NULL);
    return is_done ? data : NULL;
}

static inline bool form_awaited (const Operation *operation, EddyCancellable *cancellable,
                                 EddyError **error)
{
    FiberCall call = { operation, cancellable };
    EddyFuture *fiber = eddy_spawn_local (fiber_call, &call, NULL);
    bool is_done = eddy_block_on (NULL, fiber, error) != NULL;
    eddy_unref (fiber);
    return is_done;
}

typedef struct CallbackCall {
    const Operation *operation;
    EddyMainLoop *loop;
    EddyError **error;
    bool is_done;
    int n_calls;
} CallbackCall;

static inline void callback_ready (void *source_object, EddyAsyncResult *result, void *user_data)
{
    CallbackCall *call = user_data;
    ck_assert_ptr_nonnull (source_object);
    call->is_done = call->operation->finish (result, call->error);
    call->n_calls++;
    eddy_main_loop_quit (call->loop);
}

static inline bool form_callback (const Operation *operation, EddyCancellable *cancellable,
                                  EddyError **error)
{
    EddyContext *context = eddy_context_ref_thread_default ();
    CallbackCall call = { operation, eddy_main_loop_new (context), error, false, 0 };
    operation->start (cancellable, callback_ready, &call);
    ck_assert_int_eq (call.n_calls, 0);
    eddy_main_loop_run (call.loop);
    ck_assert_int_eq (call.n_calls, 1);
    eddy_unref (call.loop);
    eddy_unref (context);
    return call.is_done;
}

static inline bool form_future (const Operation *operation, EddyCancellable *cancellable,
                                EddyError **error)
{
    EddyContext *context = eddy_context_ref_thread_default ();
    EddyFuture *future = operation->future (cancellable);
    bool is_done = eddy_block_on_complete (context, future, error);
    ck_assert (eddy_future_is_complete (future));
    eddy_unref (future);
    eddy_unref (context);
    return is_done;
}

/* ---- Each operation in one form -------------------------------------------------------------- */

static inline uint64_t worker_count (EddyContext *context)
{
    EddyContextStatistics statistics;
    eddy_context_get_statistics (context, &statistics);
    return statistics.workers;
}

static inline void place_clear (void)
{
    chmod (eddy_test_directory (), 0700);
    unlink (from_path);
    if (unlink (to_path) != 0)
        rmdir (to_path);
}

/* `n_jobs`: how many requests the context has to serve for one operation. */
static inline void form_succeeds (Form form, const Operations *all, EddyContext *context,
                                  unsigned n_jobs)
{
    for (int i = 0; i < all->length; i++) {
        EddyError *error = NULL;
        place_begin ();
        uint64_t before = context == NULL ? 0 : worker_count (context);
        bool is_done = form (&all->operations[i], NULL, &error);
        ck_assert_msg (is_done && error == NULL, "%s: %s", all->operations[i].name,
                       error == NULL ? "failed" : eddy_error_get_message (error));
        if (context != NULL)
            ck_assert_uint_eq (worker_count (context) - before, n_jobs);
        all->operations[i].assert_done ();
        place_end ();
        place_clear ();
    }
}

static inline void form_fails (Form form, const Operations *all)
{
    for (int i = 0; i < all->length; i++) {
        EddyError *error = NULL;
        place_begin ();
        all->operations[i].break_it ();
        ck_assert_msg (!form (&all->operations[i], NULL, &error), "%s", all->operations[i].name);
        ck_assert_int_eq (eddy_error_get_errno (error), all->operations[i].error_number);
        ck_assert_int_eq (strncmp (eddy_error_get_message (error), eddy_test_directory (),
                                   strlen (eddy_test_directory ())),
                          0);
        eddy_clear_error (&error);
        place_end ();
        place_clear ();
    }
}

static inline void form_is_cancelled_before (Form form, const Operations *all)
{
    EDDY_AUTO (EddyCancellable) cancellable = eddy_cancellable_new ();
    eddy_cancellable_cancel (cancellable);
    for (int i = 0; i < all->length; i++) {
        EddyError *error = NULL;
        place_begin ();
        ck_assert_msg (!form (&all->operations[i], cancellable, &error), "%s",
                       all->operations[i].name);
        ck_assert (eddy_error_is_cancelled (error));
        eddy_clear_error (&error);
        ck_assert_uint_eq (place_mode (to_path), 0);
        ck_assert_uint_ne (place_mode (from_path), 0);
        place_end ();
        place_clear ();
    }
}

static inline void form_in_a_context (Form form, const Operations *all)
{
    EddyContext *context = eddy_test_context_begin ();
    form_succeeds (form, all, context, 1);
    form_fails (form, all);
    form_is_cancelled_before (form, all);
    eddy_test_context_end (context);
}
