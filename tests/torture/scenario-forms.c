/* SPDX-License-Identifier: MIT */
/*
 * Operations in all four forms: the scenarios' own, on a fiber and on a worker, and those of
 * files.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "steps-bodies.h"
#include "steps.h"
#include "torture.h"

enum { STEPS = 4, SIZE = 100000 };

/* ---- The bodies ------------------------------------------------------------------------------ */

int steps_count_body (int count, size_t *steps, EddyCancellable *cancellable, EddyError **error)
{
    (void) cancellable;
    torture_require (eddy_in_fiber ());
    while ((int) *steps < count) {
        if (!eddy_fiber_sleep (1000, error))
            return -1;
        ++*steps;
    }
    return count;
}

char *steps_join_body (const char *first, const char *second, EddyCancellable *cancellable,
                       EddyError **error)
{
    (void) cancellable;
    size_t size = strlen (first) + strlen (second) + 1;
    char *joined = malloc (size);
    if (joined == NULL)
        eddy_error_set_errno (error, ENOMEM, "join");
    else
        snprintf (joined, size, "%s%s", first, second);
    return joined;
}

/* ---- Blocking and awaited -------------------------------------------------------------------- */

static void call_step (void *data)
{
    EddyError *error = NULL;
    size_t steps = 0;
    (void) data;
    int count = steps_count (STEPS, &steps, NULL, &error);
    if (count < 0)
        torture_error ("count", &error);
    else
        torture_require (count == STEPS && steps == STEPS);
    char *joined = steps_join ("ed", "dy", NULL, &error);
    if (joined == NULL)
        torture_error ("join", &error);
    else
        torture_require (strcmp (joined, "eddy") == 0);
    eddy_free (joined);
}

TORTURE_SCENARIO (forms_blocking)
{
    torture_begin ();
    call_step (NULL);
    torture_end ();
}

TORTURE_SCENARIO (forms_awaited)
{
    torture_begin ();
    torture_await (call_step, NULL);
}

/* With a cancellable beside the fiber's own: both are to end a job. */
static void both_step (void *data)
{
    EddyError *error = NULL;
    char *joined = steps_join ("two", "fold", data, &error);
    if (joined == NULL)
        torture_error ("join", &error);
    eddy_free (joined);
}

TORTURE_SCENARIO (forms_awaited_with_cancellable)
{
    torture_begin ();
    EddyCancellable *cancellable = torture_made ("a cancellable", eddy_cancellable_new ());
    if (cancellable != NULL)
        torture_await (both_step, cancellable);
    eddy_unref (cancellable);
}

/* ---- By callback ----------------------------------------------------------------------------- */

typedef struct Call {
    int calls;
    int number;
    size_t steps;
    char *text;
    EddyBytes *bytes;
    EddyFileInfoList *list;
    EddyFileInfo *info;
    bool is_done;
    int64_t told;
    EddyError *error;
} Call;

static void count_ready (void *source_object, EddyAsyncResult *result, void *data)
{
    Call *call = data;
    torture_require (source_object == NULL && call->calls == 0);
    call->number = steps_count_finish (result, &call->steps, &call->error);
    call->calls++;
}

static void join_ready (void *source_object, EddyAsyncResult *result, void *data)
{
    Call *call = data;
    torture_require (source_object == NULL && call->calls == 0);
    call->text = steps_join_finish (result, &call->error);
    call->calls++;
}

TORTURE_SCENARIO (forms_by_callback)
{
    Call count = { .calls = 0 }, join = { .calls = 0 };
    char first[] = "ed";
    torture_begin ();
    EddyContext *context = torture_context_begin ();
    if (context == NULL)
        return;
    steps_count_async (STEPS, EDDY_PRIORITY_DEFAULT, NULL, count_ready, &count);
    steps_join_async (first, "dy", EDDY_PRIORITY_DEFAULT, NULL, join_ready, &join);
    first[0] = 'X';
    torture_run_until (context, &count.calls, 1);
    torture_run_until (context, &join.calls, 1);
    torture_end ();
    if (count.error != NULL)
        torture_error ("count", &count.error);
    else
        torture_require (count.number == STEPS && count.steps == STEPS);
    if (join.error != NULL)
        torture_error ("join", &join.error);
    else
        torture_require (join.text != NULL && strcmp (join.text, "eddy") == 0);
    eddy_free (join.text);
    torture_context_end (context);
}

TORTURE_SCENARIO (forms_cancelled)
{
    Call count = { .calls = 0 };
    torture_begin ();
    EddyContext *context = torture_context_begin ();
    EddyCancellable *cancellable = torture_made ("a cancellable", eddy_cancellable_new ());
    if (context != NULL && cancellable != NULL) {
        steps_count_async (1 << 20, EDDY_PRIORITY_DEFAULT, cancellable, count_ready, &count);
        for (int i = 0; i < 3 && count.calls == 0; i++)
            eddy_context_iteration (context, true);
        eddy_cancellable_cancel (cancellable);
        torture_run_until (context, &count.calls, 1);
        torture_require (count.number == -1 && count.error != NULL);
        torture_error_or_cancelled ("count", &count.error);
    }
    eddy_unref (cancellable);
    torture_context_end (context);
}

/* ---- Files ----------------------------------------------------------------------------------- */

static void load_ready (void *source_object, EddyAsyncResult *result, void *data)
{
    Call *call = data;
    torture_require (call->calls == 0);
    call->bytes = eddy_file_load_contents_finish (source_object, result, &call->error);
    call->calls++;
}

static void copy_ready (void *source_object, EddyAsyncResult *result, void *data)
{
    Call *call = data;
    torture_require (call->calls == 0);
    call->is_done = eddy_file_copy_finish (source_object, result, &call->error);
    call->calls++;
}

static void list_ready (void *source_object, EddyAsyncResult *result, void *data)
{
    Call *call = data;
    torture_require (call->calls == 0);
    call->list = eddy_file_list_children_finish (source_object, result, &call->error);
    call->calls++;
}

static void mkdir_ready (void *source_object, EddyAsyncResult *result, void *data)
{
    Call *call = data;
    torture_require (call->calls == 0);
    call->is_done = eddy_file_make_directory_finish (source_object, result, &call->error);
    call->calls++;
}

static void delete_ready (void *source_object, EddyAsyncResult *result, void *data)
{
    Call *call = data;
    torture_require (call->calls == 0);
    call->is_done = eddy_file_delete_finish (source_object, result, &call->error);
    call->calls++;
}

static void copy_told (int64_t current, int64_t total, void *data)
{
    Call *call = data;
    torture_require (call->calls == 0 && current >= call->told && total >= current);
    call->told = current;
}

/* Whether a call has succeeded; an error is told. */
static bool call_end (EddyContext *context, Call *call, const char *what)
{
    torture_run_until (context, &call->calls, 1);
    torture_require (call->calls == 1);
    if (call->error == NULL)
        return true;
    torture_error (what, &call->error);
    return false;
}

static void files_run (EddyContext *context, EddyFile *from, EddyFile *to, EddyFile *folder)
{
    Call load = { .calls = 0 }, copy = { .calls = 0 }, list = { .calls = 0 };
    Call made = { .calls = 0 }, gone = { .calls = 0 };
    eddy_file_load_contents_async (from, EDDY_PRIORITY_DEFAULT, NULL, load_ready, &load);
    eddy_file_copy_async (from, to, EDDY_FILE_COPY_NONE, EDDY_PRIORITY_DEFAULT, NULL, copy_told,
                          &copy, copy_ready, &copy);
    eddy_file_make_directory_async (folder, EDDY_PRIORITY_DEFAULT, NULL, mkdir_ready, &made);
    bool has_folder = call_end (context, &made, "make directory");
    torture_require (has_folder == made.is_done);
    if (has_folder) {
        eddy_file_list_children_async (folder, EDDY_PRIORITY_DEFAULT, NULL, list_ready, &list);
        eddy_file_delete_async (folder, EDDY_PRIORITY_DEFAULT, NULL, delete_ready, &gone);
        /* It may be gone before it was listed. */
        torture_run_until (context, &list.calls, 1);
        if (list.list != NULL)
            torture_require (eddy_file_info_list_get_length (list.list) == 0);
        else
            torture_require (list.error != NULL);
        eddy_clear_error (&list.error);
        eddy_unref (list.list);
        if (call_end (context, &gone, "delete"))
            torture_require (!torture_exists (eddy_file_get_path (folder)));
    }
    if (call_end (context, &load, "load"))
        torture_require (eddy_bytes_get_size (load.bytes) == SIZE);
    if (call_end (context, &copy, "copy"))
        torture_require (copy.told == SIZE &&
                         torture_file_is_whole (eddy_file_get_path (to), SIZE));
    else
        torture_require (!torture_exists (eddy_file_get_path (to)) || torture_cannot_remove ());
    eddy_unref (load.bytes);
}

TORTURE_SCENARIO (file_by_callback)
{
    const char *from_path = torture_make_file ("from", SIZE);
    EddyFile *from = eddy_file_new_for_path (from_path);
    EddyFile *to = eddy_file_new_for_path (torture_path ("to"));
    EddyFile *folder = eddy_file_new_for_path (torture_path ("folder"));
    torture_begin ();
    EddyContext *context = torture_context_begin ();
    if (context != NULL)
        files_run (context, from, to, folder);
    torture_context_end (context);
    eddy_unref (from);
    eddy_unref (to);
    eddy_unref (folder);
}

/* Futures, awaited together; one is dropped. */
static void futures_step (void *data)
{
    EddyFile *file = data;
    EddyError *error = NULL;
    EddyFuture *load = eddy_file_load_contents_future (file, EDDY_PRIORITY_DEFAULT, NULL);
    EddyFuture *dropped = eddy_file_load_contents_future (file, EDDY_PRIORITY_DEFAULT, NULL);
    EddyFuture *count = steps_count_future (STEPS, EDDY_PRIORITY_DEFAULT, NULL);
    eddy_unref (dropped);
    EddyBytes *bytes = eddy_await (load, &error);
    if (bytes == NULL)
        torture_error ("load", &error);
    else
        torture_require (eddy_bytes_get_size (bytes) == SIZE);
    if (!eddy_await_complete (count, &error))
        torture_error ("count", &error);
    else
        torture_require (eddy_await_int (count, &error) == STEPS);
    eddy_unref (load);
    eddy_unref (count);
}

TORTURE_SCENARIO (file_as_futures)
{
    EddyFile *file = eddy_file_new_for_path (torture_make_file ("file", SIZE));
    torture_begin ();
    torture_await (futures_step, file);
    eddy_unref (file);
}

/* ---- A whole tree ---------------------------------------------------------------------------- */

typedef struct Tree {
    EddyGroup *group;
    EddyFile *from;
    EddyFile *to;
} Tree;

static void tree_free (void *data)
{
    Tree *tree = data;
    eddy_unref (tree->from);
    eddy_unref (tree->to);
    free (tree);
}

static void *tree_copy (void *data, EddyError **error);

/* One entry of a folder: on a fiber of its own. */
static bool tree_spawn (Tree *tree, const char *name, EddyError **error)
{
    Tree *child = malloc (sizeof *child);
    *child = (Tree){ tree->group, eddy_file_get_child (tree->from, name),
                     eddy_file_get_child (tree->to, name) };
    if (child->from == NULL || child->to == NULL) {
        tree_free (child);
        eddy_error_set_errno (error, ENOMEM, "%s", name);
        return false;
    }
    return eddy_group_spawn (tree->group, tree_copy, child, tree_free, error);
}

static void *tree_copy (void *data, EddyError **error)
{
    Tree *tree = data;
    EDDY_AUTO (EddyFileInfo)
    info = eddy_file_query_info (tree->from, EDDY_FILE_QUERY_INFO_NOFOLLOW_SYMLINKS, NULL, error);
    if (info == NULL)
        return NULL;
    if (eddy_file_info_get_file_type (info) != EDDY_FILE_TYPE_DIRECTORY) {
        eddy_file_copy (tree->from, tree->to, EDDY_FILE_COPY_NOFOLLOW_SYMLINKS, NULL, NULL, NULL,
                        error);
        return NULL;
    }
    if (!eddy_file_make_directory (tree->to, NULL, error))
        return NULL;
    EDDY_AUTO (EddyFileInfoList) list = eddy_file_list_children (tree->from, NULL, error);
    for (size_t i = 0; list != NULL && i < eddy_file_info_list_get_length (list); i++)
        if (!tree_spawn (tree, eddy_file_info_get_name (eddy_file_info_list_get (list, i)), error))
            break;
    return NULL;
}

static void tree_step (void *data)
{
    Tree *tree = data;
    EddyError *error = NULL;
    tree->group = torture_made ("a group", eddy_group_new ());
    if (tree->group == NULL)
        return;
    if (!tree_spawn (tree, "tree", &error))
        torture_error ("spawn", &error);
    if (!eddy_group_wait (tree->group, &error))
        torture_error ("copy a tree", &error);
    eddy_unref (tree->group);
}

TORTURE_SCENARIO (file_copy_tree)
{
    torture_require (mkdir (torture_path ("from"), 0755) == 0);
    torture_require (mkdir (torture_path ("to"), 0755) == 0);
    torture_require (mkdir (torture_path ("from/tree"), 0755) == 0);
    torture_require (mkdir (torture_path ("from/tree/inner"), 0755) == 0);
    torture_make_file ("from/tree/one", 10);
    torture_make_file ("from/tree/inner/two", SIZE);
    Tree tree = { NULL, eddy_file_new_for_path (torture_path ("from")),
                  eddy_file_new_for_path (torture_path ("to")) };
    torture_begin ();
    torture_await (tree_step, &tree);
    if (!torture_has_failed ()) {
        torture_require (torture_file_is_whole (torture_path ("to/tree/one"), 10));
        torture_require (torture_file_is_whole (torture_path ("to/tree/inner/two"), SIZE));
    }
    eddy_unref (tree.from);
    eddy_unref (tree.to);
}
