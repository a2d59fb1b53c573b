/* SPDX-License-Identifier: MIT */
/* EddyTreeWork: what it was given, the fibers that work, and what has failed. */
#include <eddy/file-tree-bodies.h>

#include <eddy/group.h>
#include <errno.h>

#include "base/alloc-private.h"
#include "base/error-private.h"
#include "base/object-private.h"
#include "file/tree-private.h"
#include "sys/clock-private.h"

enum {
    WORK_FIRST_ROOTS = 16,
    WORK_FIRST_FAILURES = 16,
    WORK_FAILURES_KEPT = 1000,
    WORK_TELL_NS = 50 * 1000 * 1000
};

/* --- the object ------------------------------------------------------------------------------- */

EddyTreeWork *eddy__tree_work_new (const EddyClass *object_class, const EddyTreeKind *kind,
                                   EddyTreeFlags flags)
{
    EddyTreeWork *work = eddy_object_new (object_class);
    if (work == NULL)
        return NULL;
    work->kind = kind;
    work->flags = flags;
    return work;
}

void eddy__tree_work_finalize (void *object)
{
    EddyTreeWork *work = object;
    for (size_t i = 0; i < work->n_roots; i++) {
        eddy_unref (work->roots[i].file);
        eddy_unref (work->roots[i].destination);
    }
    eddy__free (work->roots);
    for (size_t i = 0; i < work->n_kept; i++)
        eddy_unref (work->failures[i]);
    eddy__free (work->failures);
}

/* Makes room for one more element of an array; false when memory is out. */
static bool work_grow (void **memory, size_t *capacity, size_t length, size_t first, size_t size)
{
    if (length < *capacity)
        return true;
    size_t wanted = *capacity == 0 ? first : *capacity * 2;
    void *grown = eddy__realloc (*memory, wanted * size);
    if (grown == NULL)
        return false;
    *memory = grown;
    *capacity = wanted;
    return true;
}

bool eddy__tree_work_add (EddyTreeWork *work, EddyFile *file, EddyFile *destination)
{
    void *roots = work->roots;
    bool has_room = work_grow (&roots, &work->roots_capacity, work->n_roots, WORK_FIRST_ROOTS,
                               sizeof (EddyTreeRoot));
    work->roots = roots;
    if (!has_room)
        return false;
    work->roots[work->n_roots++] =
        (EddyTreeRoot){ eddy_ref (file), destination == NULL ? NULL : eddy_ref (destination) };
    return true;
}

void eddy_tree_work_set_failure_func (EddyTreeWork *work, EddyTreeFailureFunc function,
                                      void *user_data)
{
    EDDY__EXPECT (work != NULL && !work->has_run);
    work->failure_function = function;
    work->failure_data = user_data;
}

void eddy_tree_work_get_counts (EddyTreeWork *work, EddyTreeCounts *counts)
{
    EDDY__EXPECT (work != NULL && counts != NULL);
    *counts = work->counts;
}

uint64_t eddy_tree_work_get_n_failures (EddyTreeWork *work)
{
    EDDY__EXPECT (work != NULL, 0);
    return work->n_failures;
}

const EddyError *eddy_tree_work_get_failure (EddyTreeWork *work, uint64_t index)
{
    EDDY__EXPECT (work != NULL, NULL);
    return index < work->n_kept ? work->failures[index] : NULL;
}

/* --- failures and progress -------------------------------------------------------------------- */

static bool work_is_cancelled (const EddyTreeWork *work)
{
    return eddy_cancellable_is_cancelled (work->cancellable) ||
           eddy_cancellable_is_cancelled (work->scope);
}

bool eddy__tree_is_stopping (const EddyTreeWork *work)
{
    return work->stopped || work_is_cancelled (work);
}

/* The error of the work's own cancel. */
static bool work_set_cancelled (const EddyTreeWork *work, EddyError **error)
{
    return eddy_cancellable_set_error_if_cancelled (work->cancellable, error) ||
           eddy_cancellable_set_error_if_cancelled (work->scope, error);
}

/* By its cause, where there is one. */
bool eddy__tree_is_cancel (const EddyTreeWork *work, const EddyError *error)
{
    EddyError *cause = NULL;
    if (eddy_error_is_cancelled (error))
        return true;
    bool is_cause =
        work_set_cancelled (work, &cause) &&
        eddy_error_matches (error, eddy_error_get_domain (cause), eddy_error_get_code (cause)) &&
        eddy_error_get_errno (error) == 0;
    eddy_unref (cause);
    return is_cause;
}

/* Notes a failure, whose reference is taken. Beyond a thousand, or without memory, it only counts:
 * who wants them all is told of each. */
static void work_keep (EddyTreeWork *work, EddyError *error)
{
    void *failures = work->failures;
    bool may_keep = work->n_kept == work->n_failures++ && work->n_kept < WORK_FAILURES_KEPT;
    if (may_keep && work_grow (&failures, &work->failures_capacity, work->n_kept,
                               WORK_FIRST_FAILURES, sizeof (EddyError *))) {
        work->failures = failures;
        work->failures[work->n_kept++] = error;
    } else {
        eddy_unref (error);
    }
}

bool eddy__tree_fail (EddyTreeWork *work, EddyError *error)
{
    if (eddy__tree_is_cancel (work, error)) {
        work->is_cut_short = true;
        eddy_unref (error);
        return false;
    }
    if (work->failure_function == NULL)
        work->stopped |= eddy_error_matches (error, EDDY_IO_ERROR, EDDY_IO_ERROR_NO_SPACE);
    else if (!work->failure_function (work, error, work->failure_data))
        work->stopped = true;
    work_keep (work, error);
    return true;
}

void eddy__tree_fail_memory (EddyTreeWork *work, EddyFile *file)
{
    EddyError *error = NULL;
    eddy_error_set_errno (&error, ENOMEM, "%s",
                          file == NULL ? "a file" : eddy_file_get_path (file));
    eddy__tree_fail (work, error);
}

static void work_tell_now (EddyTreeWork *work)
{
    int64_t current, total;
    if (work->progress_callback == NULL)
        return;
    work->kind->get_progress (work, &current, &total);
    work->progress_callback (current, total, work->progress_data);
}

void eddy__tree_tell (EddyTreeWork *work)
{
    if (work->progress_callback == NULL)
        return;
    int64_t now_ns = eddy__sys_now_ns ();
    if (now_ns - work->progress_told_ns < WORK_TELL_NS)
        return;
    work->progress_told_ns = now_ns;
    work_tell_now (work);
}

/* --- the fibers ------------------------------------------------------------------------------- */

static void *work_fiber (void *data, EddyError **error)
{
    EddyTreeWork *work = data;
    (void) error;
    work->n_starting--;
    while (work->kind->step (work))
        ;
    work->n_fibers--;
    return NULL;
}

/* Where no fiber is to be had, those that run do the work, at last the one that waits for it. */
void eddy__tree_rouse (EddyTreeWork *work)
{
    const EddyFiberOptions options = { .name = work->kind->name };
    size_t available = work->kind->get_available (work);
    work->counts.all_found = work->all_added && !work->kind->is_finding (work);
    while (work->n_fibers < work->kind->n_fibers && work->n_starting < available) {
        work->n_starting++;
        work->n_fibers++;
        if (!eddy_group_spawn_full (work->group, work_fiber, work, NULL, &options, EDDY_PLACE,
                                    NULL)) {
            work->n_starting--;
            work->n_fibers--;
            return;
        }
    }
}

/* Takes the roots up one by one, while fibers work on what was found; then works as one of them. */
static void work_go (EddyTreeWork *work)
{
    work->n_fibers = 1;
    work->kind->begin (work);
    for (size_t i = 0; i < work->n_roots; i++) {
        if (eddy__tree_is_stopping (work)) {
            work->is_cut_short = true;
            break;
        }
        work->kind->take_up (work, &work->roots[i]);
        eddy__tree_rouse (work);
    }
    work->all_added = true;
    eddy__tree_rouse (work);
    while (work->kind->step (work))
        ;
    eddy_group_wait (work->group, NULL);
    /* What a cancelled fiber has left. */
    while (work->kind->step (work))
        ;
}

/* What a run has come to. */
static bool work_conclude (const EddyTreeWork *work, EddyError **error)
{
    if (work->is_cut_short && work_set_cancelled (work, error))
        return false;
    if (work->n_failures == 0)
        return true;
    if (work->n_kept > 0)
        eddy_error_take (error, eddy_ref (work->failures[0]));
    else
        eddy_error_set_errno (error, ENOMEM, "%s", work->kind->name);
    return false;
}

bool eddy_tree_work_run_body (EddyTreeWork *work, EddyCancellable *cancellable, EddyError **error)
{
    EDDY__EXPECT (work != NULL, false);
    if (work->has_run) {
        eddy__error_set_code (error, EDDY_IO_ERROR_INVALID_ARGUMENT, EINVAL,
                              "%s: the work was done already", work->kind->name);
        return false;
    }
    work->has_run = true;
    work->cancellable = cancellable;
    work->scope = eddy_fiber_get_cancellable ();
    work->group = eddy_group_new ();
    if (work->group == NULL) {
        eddy_error_set_errno (error, ENOMEM, "%s", work->kind->name);
        return false;
    }
    /* A fiber that finds no memory to run leaves its work to the others. */
    eddy_group_set_supervisor (work->group, true);
    work_go (work);
    bool done = work_conclude (work, error);
    work->kind->clear (work);
    work->cancellable = NULL;
    work->scope = NULL;
    eddy_clear (&work->group);
    return done;
}

bool eddy__tree_run_one (EddyTreeWork *work, EddyFile *file, EddyFile *destination,
                         EddyCancellable *cancellable, EddyFileProgressCallback progress_callback,
                         void *progress_callback_data, EddyError **error)
{
    bool done = false;
    if (work == NULL || !eddy__tree_work_add (work, file, destination)) {
        eddy_error_set_errno (error, ENOMEM, "%s", eddy_file_get_path (file));
    } else {
        work->progress_callback = progress_callback;
        work->progress_data = progress_callback_data;
        done = eddy_tree_work_run_body (work, cancellable, error);
        work_tell_now (work);
    }
    eddy_unref (work);
    return done;
}

/* --- jobs ------------------------------------------------------------------------------------- */

static void work_job_run (void *arguments, EddyCancellable *cancellable, EddyValue *value,
                          EddyError **error)
{
    EddyTreeJob *const *job = arguments;
    (void) error;
    (*job)->run (*job, cancellable);
    eddy_value_set_boolean (value, true);
}

bool eddy__tree_run_job (EddyTreeWork *work, EddyTreeJob *job, EddyError **error)
{
    const EddyForm form = { .name = "eddy_tree_work_run",
                            .kind = EDDY_FORM_JOB,
                            .value_kind = EDDY_VALUE_BOOLEAN,
                            .waits = work->jobs_wait,
                            .arguments_size = sizeof (EddyTreeJob *),
                            .keeps_arguments = true,
                            .progress_offset = SIZE_MAX,
                            .run = work_job_run };
    EddyValue value = EDDY_VALUE_INIT;
    return eddy_form_call (&form, &job, work->cancellable, &value, error);
}
