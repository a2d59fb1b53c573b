/* SPDX-License-Identifier: MIT */
/* The styles of gather.c. Each begins all loads at once, and returns a future of the whole. */
#include <string.h>

#include "gather.h"

/* ---- Callbacks: the first error cancels the others, the last one to end returns the task. */

static void load_finished (void *source_object, EddyAsyncResult *result, void *user_data)
{
    Load *load = user_data;
    Gather *gather = load->all;
    EddyError *error = NULL;
    (void) source_object;
    load->bytes = gather_load_finish (result, &error);
    if (error != NULL && gather->error == NULL) {
        gather->error = EDDY_TAKE (error);
        eddy_cancellable_cancel (eddy_task_get_cancellable (gather->task));
    }
    eddy_unref (error);
    if (--gather->n_to_finish > 0)
        return;
    if (gather->error != NULL)
        eddy_task_return_error (gather->task, EDDY_TAKE (gather->error));
    else
        eddy_task_return_boolean (gather->task, true);
    eddy_task_unref (gather->task);
}

static EddyFuture *gather_with_callbacks (Gather *gather)
{
    gather->task = eddy_task_new (NULL, NULL, NULL, NULL);
    gather->n_to_finish = gather->n_loads;
    EddyFuture *future = eddy_task_get_future (gather->task);
    for (size_t i = 0; i < gather->n_loads; i++)
        gather_load_async (gather->loads[i].path, 0, eddy_task_get_cancellable (gather->task),
                           load_finished, &gather->loads[i]);
    return future;
}

/* ---- Tasks: each in a thread, where the same operation is a plain call. */

static void load_in_thread (EddyTask *task, void *source_object, void *task_data,
                            EddyCancellable *cancellable)
{
    Load *load = task_data;
    EddyError *error = NULL;
    (void) source_object;
    load->bytes = gather_load (load->path, cancellable, &error);
    if (error != NULL)
        eddy_task_return_error (task, error);
    else
        eddy_task_return_boolean (task, true);
}

static EddyFuture *load_with_task (Load *load)
{
    EddyTask *task = eddy_task_new (NULL, NULL, NULL, NULL);
    EddyFuture *future = eddy_task_get_future (task);
    eddy_task_set_task_data (task, load, NULL);
    eddy_task_run_in_thread (task, load_in_thread);
    eddy_task_unref (task);
    return future;
}

/* ---- Futures: each keeps what it has loaded when it comes. */

static void load_keep (const EddyValue *value, EddyValue *result, EddyError **error, void *data)
{
    Load *load = data;
    (void) error;
    load->bytes = eddy_ref (value->as.pointer);
    eddy_value_set_boolean (result, true);
}

static EddyFuture *load_with_future (Load *load)
{
    EddyFuture *loading = gather_load_future (load->path, 0, NULL);
    return eddy_future_map (loading, load_keep, load, NULL);
}

/* ---- A callback's operation as a future, for what has no other form. */

static void load_begin (void *source_object, EddyCancellable *cancellable,
                        EddyAsyncReadyCallback callback, void *user_data, void *data)
{
    Load *load = data;
    (void) source_object;
    gather_load_async (load->path, 0, cancellable, callback, user_data);
}

static bool load_finish (void *source_object, EddyAsyncResult *result, EddyValue *value,
                         EddyError **error, void *data)
{
    Load *load = data;
    (void) source_object;
    load->bytes = gather_load_finish (result, error);
    eddy_value_set_boolean (value, load->bytes != NULL);
    return load->bytes != NULL;
}

static EddyFuture *load_with_callback (Load *load)
{
    return eddy_future_from_callback_pair (NULL, load_begin, load_finish, load, NULL);
}

/* ---- All of these at once. */

static EddyFuture *load_with_fiber (Load *load)
{
    return eddy_spawn_local (gather_load_fiber, load, NULL);
}

typedef EddyFuture *(*LoadStyle) (Load *load);

static EddyFuture *gather_all (Gather *gather, const LoadStyle *styles, size_t n_styles)
{
    EddyFuture *futures[GATHER_MOST];
    for (size_t i = 0; i < gather->n_loads; i++)
        futures[i] = styles[i % n_styles](&gather->loads[i]);
    return eddy_future_all (futures, gather->n_loads);
}

EddyFuture *gather_begin (Gather *gather, const char *style)
{
    static const LoadStyle mixed[] = { load_with_task, load_with_future, load_with_callback,
                                       load_with_fiber };
    static const struct {
        const char *name;
        EddyFiberFunc function;
    } fibers[] = { { "fibers", gather_with_fibers },
                   { "channels", gather_with_channels },
                   { "sequence", gather_with_sequence } };
    if (strcmp (style, "callbacks") == 0)
        return gather_with_callbacks (gather);
    if (strcmp (style, "tasks") == 0)
        return gather_all (gather, &mixed[0], 1);
    if (strcmp (style, "futures") == 0)
        return gather_all (gather, &mixed[1], 1);
    if (strcmp (style, "mixed") == 0)
        return gather_all (gather, mixed, 4);
    for (size_t i = 0; i < 3; i++)
        if (strcmp (style, fibers[i].name) == 0)
            return eddy_spawn_local (fibers[i].function, gather, NULL);
    return NULL;
}
